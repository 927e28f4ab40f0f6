"""The tables of aggregate functions and of syntax nodes."""

import pytest

from local_runner.sql import answer
from td_mta.trino_on_datafusion.binding.aggregate_calls import AGGREGATES
from td_mta.trino_on_datafusion.functions import calls
from td_mta.trino_on_datafusion.functions.aggregate_names import AGGREGATE_NAMES
from tests.trino_on_datafusion.trino_conformance import NOW

IN_AN_INNER_ONE = "exists (select 1 from (values 1) c(z) where z = y)"


def test_every_name_of_an_aggregate_has_its_rule_and_no_other():
    assert set(AGGREGATES) == AGGREGATE_NAMES


def test_no_name_is_both_an_aggregate_and_a_scalar_function():
    assert not [name for name in AGGREGATE_NAMES if calls.known(name)]


@pytest.mark.parametrize(
    ("query", "correlated"),
    [
        ("select y from (values 1) b(y)", False),
        ("select y from (values 1) b(y) where y = x", True),
        # a query inside it that names its own columns counts as well
        (f"select y from (values 1) b(y) where {IN_AN_INNER_ONE}", True),
        (f"select y from (select y from (values 1) b(y) where {IN_AN_INNER_ONE}) d", True),
    ],
)
def test_not_in_is_refused_where_its_query_names_a_column_of_an_outer_query(
    query, correlated, tmp_path
):
    error = answer(f"select x from (values 2) a(x) where x not in ({query})", None, tmp_path, NOW)[
        "error"
    ]
    assert (error is not None) == correlated
    if correlated:
        assert error.endswith("NOT IN of a query that names a column of the outer query")
