"""Aggregates of collected values, sequences, ordinality and frames by value, as in Trino 476.

The answers were asked of the real Trino.
"""

import pytest

from local_runner.sql import answer
from tests.trino_on_datafusion.trino_conformance import NOW, same

GROUPS = "(VALUES ('a',1),('a',7),('b',4),('b',NULL),('c',NULL)) t(u,n)"
NUMBERS = "(VALUES 1,2,NULL,5,NULL,6) t(n)"

ANSWERS = [
    (
        "SELECT u, approx_percentile(n,0.9), approx_distinct(n) "
        f"FROM {GROUPS} GROUP BY u ORDER BY u",
        [["a", 7, 2], ["b", 4, 1], ["c", None, 0]],
    ),
    ("SELECT approx_percentile(n,0.5) FROM (VALUES 1e0,2e0,3.5e0,4e0) t(n)", [[3.5]]),
    ("SELECT approx_percentile(n,1e0), approx_percentile(n,0) FROM (VALUES 1,2,3) t(n)", [[3, 1]]),
    (f"SELECT approx_percentile(n,0.1) FILTER (WHERE n > 1) FROM {GROUPS}", [[4]]),
    (f"SELECT histogram(u), histogram(n) FROM {GROUPS} WHERE u='b'", [[{"b": 2}, {"4": 1}]]),
    (f"SELECT histogram(n) FROM {GROUPS} WHERE u='c'", [[None]]),
    ("SELECT map_agg(a,b) FROM (VALUES (1,NULL),(NULL,3)) t(a,b)", [[{"1": None}]]),
    ("SELECT map_agg(a,b) FROM (VALUES ('x',1e0),('x',1e0)) t(a,b)", [[{"x": 1.0}]]),
    ("SELECT to_hex(checksum(x)) FROM (VALUES 'a') t(x)", [["FDFFAACC6274ABDF"]]),
    ("SELECT to_hex(checksum(x)) FROM (VALUES 'a','b',NULL) t(x)", [["414349CF07751210"]]),
    ("SELECT corr(a,b) FROM (VALUES (BIGINT '1',2),(2,3),(5,4)) t(a,b)", [[0.96076894]]),
    ("SELECT corr(a,b) FROM (VALUES (1e0,2),(2,3),(5,4)) t(a,b)", [[0.9607689228305226]]),
    ("SELECT corr(a,b) FROM (VALUES (1,2),(1,3)) t(a,b)", [[None]]),
    ("SELECT geometric_mean(a) FROM (VALUES 1,2,4,NULL) t(a)", [[2.0]]),
    ("SELECT geometric_mean(a) FROM (VALUES 1,-2) t(a)", [["nan"]]),
    ("SELECT sequence(3,1), sequence(1,6,2), sequence(1,NULL)", [[[3, 2, 1], [1, 3, 5], None]]),
    ("SELECT cardinality(sequence(1,10000))", [[10000]]),
    (
        "SELECT x, n FROM UNNEST(ARRAY[10,NULL,30]) WITH ORDINALITY t(x,n)",
        [[10, 1], [None, 2], [30, 3]],
    ),
    (
        "SELECT u,x,n FROM (VALUES ('a',ARRAY[1,2]),('b',ARRAY[]),('c',NULL)) t(u,xs) "
        "CROSS JOIN UNNEST(xs) WITH ORDINALITY s(x,n)",
        [["a", 1, 1], ["a", 2, 2]],
    ),
    (
        "SELECT n, count(*) OVER (ORDER BY n RANGE BETWEEN 2 PRECEDING AND CURRENT ROW) "
        f"FROM {NUMBERS} ORDER BY n",
        [[1, 1], [2, 2], [5, 1], [6, 2], [None, 2], [None, 2]],
    ),
    (
        "SELECT n, count(*) OVER (ORDER BY n DESC RANGE BETWEEN 2 PRECEDING AND 1 PRECEDING) "
        "FROM UNNEST(sequence(1,4)) t(n) ORDER BY n",
        [[1, 2], [2, 2], [3, 1], [4, 0]],
    ),
    ("SELECT ARRAY[]", [[[]]]),
]


@pytest.mark.parametrize(("sql", "rows"), ANSWERS)
def test_an_answer_is_that_of_the_real_trino(sql, rows, tmp_path):
    came = answer(sql, None, tmp_path, NOW)
    assert came["error"] is None
    assert same(came["rows"], rows), came["rows"]


@pytest.mark.parametrize(
    ("sql", "type_"),
    [
        ("SELECT corr(a,b) FROM (VALUES (1,2)) t(a,b)", "real"),
        ("SELECT histogram(a) FROM (VALUES 'x') t(a)", "map(varchar(1), bigint)"),
        ("SELECT sequence(1,2)", "array(bigint)"),
        ("SELECT ARRAY[]", "array(unknown)"),
    ],
)
def test_a_type_is_that_of_the_real_trino(sql, type_, tmp_path):
    assert answer(sql, None, tmp_path, NOW)["types"] == [type_]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sequence(1,3,-1)",
        "SELECT sequence(1,3,0)",
        "SELECT sequence(1,10001)",
        "SELECT approx_percentile(n,1.5) FROM (VALUES 1) t(n)",
    ],
)
def test_an_argument_out_of_range_fails_as_in_trino(sql, tmp_path):
    assert answer(sql, None, tmp_path, NOW)["error"] == "INVALID_FUNCTION_ARGUMENT"


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        (
            "SELECT approx_percentile(n,0.5) FROM UNNEST(sequence(1,41)) t(n)",
            "approx_percentile of more than 40 values",
        ),
        (
            "SELECT approx_distinct(n) FROM UNNEST(sequence(1,101)) t(n)",
            "approx_distinct of more than 100 values",
        ),
        (
            "SELECT map_agg(a,b) FROM (VALUES (1,2),(1,3)) t(a,b)",
            "map_agg with several values of one key",
        ),
        ("SELECT histogram(a) OVER () FROM (VALUES 1) t(a)", "histogram over a window"),
        ("SELECT approx_distinct(n, 0.01e0) FROM (VALUES 1) t(n)", "with 2 arguments"),
        ("SELECT 1e10+1", "put spaces around the operator"),
        (
            "SELECT count(*) OVER (ORDER BY n RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) "
            "FROM (VALUES 1e0) t(n)",
            "a RANGE frame with the bound 1",
        ),
    ],
)
def test_what_would_not_be_trinos_answer_is_refused(sql, what, tmp_path):
    error = answer(sql, None, tmp_path, NOW)["error"]
    assert error.startswith("REFUSED: ") and what in error
