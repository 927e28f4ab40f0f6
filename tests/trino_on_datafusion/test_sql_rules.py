"""The local SQL engine beyond the recorded cases: SQL's own rules, and what is refused."""

import json
from collections.abc import Callable

import hypothesis.strategies as st
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given

from local_runner.sql import answer, main
from td_mta.errors import Refused
from td_mta.trino_on_datafusion.kernels import java_uri, regexps, urls
from td_mta.trino_on_datafusion.kernels.td import interval
from td_mta.warehouse.local import LocalWarehouse

NOW = 1_772_323_200  # 2026-03-01 00:00:00 UTC
DAY = 86_400
ROWS = "(values (1, 'a', 10), (2, 'b', null), (3, null, 30), (4, 'a', 0)) t(i, s, n)"

EQUAL = {
    # NULL is neither equal nor different; IN and NOT IN keep that
    "select i from $ where i not in (select * from (values 1, null) b(x))": [],
    "select i from $ where s not in (select x from (values 'a') b(x))": [[2]],
    "select i from $ where s not in (select x from (values 'a') b(x) where x = 'z') order by i": [
        [1], [2], [3], [4]
    ],
    "select i from $ where s is distinct from 'a' order by i": [[2], [3]],
    "select count(*), count(n), sum(n), avg(n) from $": [[4, 3, 40, 40 / 3]],
    "select sum(n), count(*), max(s) from $ where i > 9": [[None, 0, None]],
    # what the query leaves out cannot fail
    "select i from $ where n <> 0 and 100 / n > 5": [[1]],
    "select i from $ where n = 0 or 100 / n > 5 order by i": [[1], [4]],
    "select i from (select * from $ where n <> 0) where 100 / n > 5": [[1]],
    "select case when n <> 0 then 100 / n end, case when n <> 0 then 100 / n + 1 end "
    "from $ order by i": [[10, 11], [None, None], [3, 4], [None, None]],
    "select coalesce(i, 1 / 0) from $ order by 1 limit 1": [[1]],
    "select 1 / 0 where false": [],
    "select s from $ group by s having count(n) <> 0 and sum(n) / count(n) > 1 order by 1": [
        ["a"], [None]
    ],
    # doubles: one zero, NaN equals nothing but is one group and the largest
    "select x, count(*) from (values 0e0, -0e0, nan(), nan()) t(x) group by x order by x desc": [
        ["nan", 2], [0.0, 2]
    ],
    "select count(*) from (values 1e0, nan()) a(x) join (values 1e0, nan()) b(x) on a.x = b.x": [
        [1]
    ],
    # order: NULLs last both ways, aliases before columns
    "select s from $ order by n desc, i": [[None], ["a"], ["a"], ["b"]],
    "select -i as i from $ order by i limit 2": [[-4], [-3]],
    "select i from $ order by -i limit 2": [[4], [3]],
    # grouping and windows
    "select upper(s), count(*) from $ group by upper(s) having count(*) > 1": [["A", 2]],
    "select s, max_by(i, n), min_by(i, n) from $ where s = 'a' group by 1": [["a", 1, 4]],
    "select sum(sum(n)) over () from $ group by s limit 1": [[40]],
    "select ntile(4) over (order by x) from (values 1, 2, 3, 4, 5, 6) t(x) order by x": [
        [1], [1], [2], [2], [3], [4]
    ],
    "select lag(n) ignore nulls over (order by i), lead(n, 2) ignore nulls over (order by i), "
    "lag(n, 2, 7) over (order by i) from $ order by i": [
        [None, 0, 7], [10, 0, 7], [10, None, 10], [30, None, None]
    ],
    "select sum(n) over (order by i rows between 1 preceding and 1 following) from $ order by i": [
        [10], [40], [30], [30]
    ],
    # queries in queries
    "with a(x) as (values 1, 2), b as (select x * 2 y from a) "
    "select x, y from a, b order by 1, 2": [
        [1, 2], [1, 4], [2, 2], [2, 4]
    ],
    "select i from $ where exists (select 1 from (values 1, 3) b(x) where x = t.i) order by i": [
        [1], [3]
    ],
    "select * from (values 1, 2) a(i) left join (values 2, 3) b(i) using (i) order by 1": [
        [1], [2]
    ],
    # strings
    "select 'x' not like 'y', not 'x' like 'x', 'a%' not like 'a!%' escape '!'": [
        [True, False, False]
    ],
    "select substr('abc', -5), substr('日本語', 2, 1), trim(leading 'a' from 'aab')": [
        ["", "本", "b"]
    ],
    "select regexp_extract('ab12', '([a-z]+)(\\d+)', 2), regexp_replace('hello', 'l+', 'L')": [
        ["12", "heLo"]
    ],
    "select regexp_like('ends\n', 's$'), regexp_like('ends\n ', 's$')": [[True, False]],
    "select cast(0e0 as varchar), cast(-0e0 as varchar), cast(123456.789e0 as varchar)": [
        ["0E0", "-0E0", "1.23456789E5"]
    ],
    # decimals
    "select 1.5 + 1, 1.5 * 2, 7.0 / 3, 7.5 % 2": [
        ["decimal:2.5", "decimal:3.0", "decimal:2.3", "decimal:1.5"]
    ],
    # Treasure Data's functions
    "select td_time_string(1772323200, 'd!', 'JST'), td_time_string(1772290799, 'h!', 'JST'), "
    "td_time_format(1772323200, 'yyyy-MM-dd HH:mm:ss', 'Asia/Tokyo')": [
        ["2026-03-01", "2026-02-28 23", "2026-03-01 09:00:00"]
    ],
    "select td_time_parse('2026-03-01'), td_time_parse('2026-03-01 00:00:00', 'JST')": [
        [NOW, NOW - 9 * 3600]
    ],
    "select td_scheduled_time() = 1772323200, td_time_add(1772323200, '-7d')": [
        [True, NOW - 7 * DAY]
    ],
    "select td_date_trunc('day', 1772330000, 'JST'), td_date_trunc('month', 1772323199)": [
        [NOW - 9 * 3600, NOW - 28 * DAY]
    ],
    "select td_interval(1772323199, '-1d'), td_interval(1772323200, '-1d')": [[True, False]],
    "select td_time_range(5, null, '2026-01-01'), td_time_range(5, '2026-01-01')": [[True, False]],
}  # fmt: skip

FAILING = {
    "select sum(x) from (values 9223372036854775807, 1) t(x)": "NUMERIC_VALUE_OUT_OF_RANGE",
    "select 2147483647 + 1": "NUMERIC_VALUE_OUT_OF_RANGE",
    "select 1.0 / 0": "DIVISION_BY_ZERO",
    "select 5 % n from $": "DIVISION_BY_ZERO",
    "select cast(s as bigint) from $": "INVALID_CAST_ARGUMENT",
    "select chr(-1)": "INVALID_FUNCTION_ARGUMENT",
}

REFUSED = {
    "select rand()": "function rand",
    "select approx_set(i) from $": "function approx_set",
    "select current_date": "CURRENTDATE",
    "select i in (select 1) from $": "other than as a condition of WHERE",
    "select i from $ where i not in (select null) or i = 3": "other than as a condition of WHERE",
    "select (select i from $)": "must be one aggregate without GROUP BY",
    "select s, n from $ group by s": "'n' is neither grouped nor in an aggregate",
    "select '1' = 1": "comparing varchar(1) with integer",
    "select max(x) from (values 1e0, nan()) t(x)": "the order of NaN",
    "select i from $ tablesample bernoulli (50)": "SAMPLE",
    "select i from $ fetch first 1 rows only": "FETCH",
    "select distinct on (s) i from $": "DISTINCT ON",
    "select 1::bigint": "::",
    "select abs(-1.5)": "function abs(decimal(2, 1)): it takes (tinyint) or (smallint)",
    "select round(25, 1)": "function round(integer, integer)",
    "select cast('x' as real)": "type REAL",
    "select codepoint('ab')": "codepoint(varchar(2))",
    "select regexp_like('a', '(?=a)')": "(?=",
    "select regexp_like('a', 'a++')": "possessive",
    "select regexp_like('a', '(a)\\1')": "\\1",
    "select regexp_like('a', '[a&&b]')": "character set",
    "select regexp_like('é', '\\w')": "on non-ASCII text",
    "select regexp_replace('abc', 'b*', 'x')": "may match the empty string",
    "select regexp_extract('ac', 'a(b)?c', 1)": "group 1",
    "select date '2026-13-01'": "fail differently",
    "select from_unixtime(0, 'Mars/Base')": "time zone 'Mars/Base'",
    "select td_interval(1, '-1d/2025-10-01')": "TD_INTERVAL",
    "select md5(to_utf8('a'))": "varbinary",
    "delete from t": "only queries run here, not DELETE",
    "select 1; select 2": "exactly one query is needed, not 2",
    "select from where": "SQL that cannot be read",
    "select x from (select cast(i as bigint) from $)": "no column 'x'",
    "select i from $ limit all": "LIMIT",
    "select sum(i) over (order by i range between 5e0 preceding and current row) from $": "RANGE",
}


def came(sql: str, tmp_path) -> dict:
    return answer(sql.replace("from $", f"from {ROWS}"), None, tmp_path, NOW)


@pytest.mark.parametrize("sql", EQUAL)
def test_an_answer_follows_from_sqls_rules(sql, tmp_path):
    found = came(sql, tmp_path)
    assert found["error"] is None
    assert found["rows"] == EQUAL[sql]


@pytest.mark.parametrize("sql", FAILING)
def test_an_error_has_trinos_name(sql, tmp_path):
    assert came(sql, tmp_path)["error"] == FAILING[sql]


@pytest.mark.parametrize("sql", REFUSED)
def test_what_is_not_known_to_be_equal_is_refused_by_name(sql, tmp_path):
    error = came(sql, tmp_path)["error"]
    assert error.startswith("REFUSED: ")
    assert REFUSED[sql] in error


INTERVALS = {
    "-1d": (NOW - DAY, NOW),
    "-30d": (NOW - 30 * DAY, NOW),
    "-30d/now": (NOW - 30 * DAY, NOW + 3600),
    "0d/now": (NOW, NOW + 3600),
    "-7d/-1d": (NOW - 8 * DAY, NOW - DAY),
    "-1M": (NOW - 28 * DAY, NOW),
    "-1w": (NOW - 13 * DAY, NOW - 6 * DAY),  # weeks begin on Monday, 1 March is a Sunday
    "-2h": (NOW - 3600, NOW + 3600),
}


@pytest.mark.parametrize("text", INTERVALS)
def test_td_interval_counts_whole_units_before_the_sessions(text):
    assert interval(text, NOW + 3600) == INTERVALS[text]


def test_td_interval_cuts_days_in_the_zone():
    assert interval("-1d", NOW, "JST") == (NOW - 9 * 3600 - DAY, NOW - 9 * 3600)
    # The clocks of New York went forward on 8 March 2026: that day had 23 hours.
    assert interval("-1d", NOW + 8 * DAY, "America/New_York") == (
        NOW + 6 * DAY + 5 * 3600,
        NOW + 7 * DAY + 5 * 3600,
    )


def test_td_interval_counts_hours_of_the_local_clock():
    assert interval("-1h", NOW, "Asia/Kolkata") == (NOW - 5400, NOW - 1800)  # half past four there


PIECES = st.sampled_from(
    ["http://", "https://", "//", "/", "a.b", "A_b.c", "x", ":80", "@", "?", "&", "=", "#", "utm",
     "utm=", "%20", "%zz", "+", "|", " ", "é", "日", "[::1]", "[", "]", ".", "-", "1.2.3.4",
     "\u00a0", "%E6%97"]
)  # fmt: skip
URLS = st.lists(st.lists(PIECES, max_size=9).map("".join) | st.none(), max_size=8)


@example(["http://[%E6%97[::1]"])
@given(URLS)
def test_urls_taken_apart_by_the_batch_are_those_taken_apart_one_by_one(texts):
    array, batches = pa.array(texts, pa.string()), urls.UrlBatches()
    for name in ("utm", "", "x"):
        found = unless_refused(lambda n=name: urls.parameter(n, batches)(array).to_pylist())
        assert found == unless_refused(lambda n=name: [one_value(text, n) for text in texts])
    for part in ("host", "path", "query", "fragment"):
        if any(text and "[" in text and "%" in text for text in texts):
            continue  # one by one a part with both is refused, by the batch it is not
        found = unless_refused(lambda p=part: urls.extractor(p, batches)(array).to_pylist())
        wanted = unless_refused(lambda p=part: [one_part(text, p, p != "host") for text in texts])
        assert found == wanted


def unless_refused(values: Callable[[], list[str | None]]) -> list[str | None] | str:
    """The values, or the refusal's text: an IPv6 host may have a scope."""
    try:
        return values()
    except Refused as refused:
        return str(refused)


def one_value(text: str | None, name: str) -> str | None:
    uri = None if text is None else java_uri.parse_uri(text)
    if uri is None or uri.query is None:
        return None
    for pair in uri.query.split("&"):
        key, _, value = pair.partition("=")
        if key == name:
            return urls.form_decoded(value)
    return None


def one_part(text: str | None, attribute: str, escaped: bool) -> str | None:
    uri = None if text is None else java_uri.parse_uri(text)
    if uri is None:
        return None
    part = getattr(uri, attribute) or ""
    return java_uri.uri_decoded(part) if escaped else part


@pytest.mark.parametrize(
    "url,host",
    [
        ("http://123/", "123"),
        ("http://1.2.3.4:5/", "1.2.3.4"),
        ("http://1.2.3.400/", None),  # no address, and no name either: its last label is a number
        ("http://a.b./", "a.b."),
        ("http://a-.b/", None),
        ("http://a.1b/", None),
        ("http://u:p@h:99999999999/", None),
        ("http://[::1]:8/", "[::1]"),
        ("http:///p", None),
    ],
)
def test_hosts_are_those_of_javas_uri(url, host):
    uri = java_uri.parse_uri(url)
    assert uri is not None
    assert uri.host == host


@pytest.mark.parametrize(
    "url", ["http://", "mailto:", ":x", "1a:b", "http://[::1", "http://a b/", "a%"]
)
def test_what_javas_uri_does_not_read_is_no_uri(url):
    assert java_uri.parse_uri(url) is None


def test_letter_case_beyond_ascii_is_refused_only_where_it_folds_to_ascii():
    match = regexps.like("(?i)order")
    assert match(pa.array(["ORDER é", "x"])).to_pylist() == [True, False]
    with pytest.raises(Refused, match="fold to ASCII"):
        match(pa.array(["\u212a"]))  # the Kelvin sign, a k


def test_nan_in_a_file_is_a_value_though_the_files_statistics_leave_it_out(tmp_path):
    share = pa.array([float("nan"), 2.0])
    pq.write_table(pa.table({"id": [1, 2], "share": share}), tmp_path / "shares.parquet")
    warehouse = LocalWarehouse(tmp_path, tmp_path / "out", now=NOW)
    found = warehouse.query("select is_nan(share) as odd from shares order by id")
    assert found.column("odd").to_pylist() == [True, False]
    assert warehouse.query("select id from shares where share <> 2e0").to_pylist() == [{"id": 1}]


def test_the_command_prints_one_json_object_and_its_exit_code_tells_refusals(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("n\n1\n2\n")

    def run(sql: str) -> tuple[int, dict]:
        code = main([sql, "--data", str(tmp_path)])
        return code, json.loads(capsys.readouterr().out)

    assert run("select sum(n) as total from t") == (
        0,
        {"types": ["bigint"], "rows": [[3]], "error": None},
    )
    assert run("select 1/0") == (1, {"types": None, "rows": None, "error": "DIVISION_BY_ZERO"})
    code, refused = run("select rand()")
    assert (code, refused["error"]) == (2, "REFUSED: function rand")
