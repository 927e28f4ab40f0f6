"""Queries that are too long, too deep, or reach for what is no table: answered, or one sentence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from local_runner.__main__ import main
from local_runner.sql import answer
from td_mta.errors import WarehouseError
from td_mta.warehouse.local import LocalWarehouse
from tests.end_to_end import runs

ROWS = [[1], [2]]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder `data` with the table t, beside `other` with a table of its own, and `out`."""
    root = tmp_path_factory.mktemp("sql")
    for name in ("data", "other", "out"):
        (root / name).mkdir()
    (root / "data" / "t.csv").write_text("a,b\n1,x\n2,y\n", encoding="utf-8")
    (root / "other" / "t.csv").write_text("secret\n42\n", encoding="utf-8")
    return root / "data", root / "out"


LONG = {
    "sql_in_segv": "select a from t where a in (" + ",".join(map(str, range(10_000))) + ")",
    "or": "select a from t where " + " or ".join(f"a = {i}" for i in range(500)),
    "and": "select a from t where " + " and ".join(f"a <> {i}" for i in range(10, 500)),
    "or_that_may_fail": "select a from t where "
    + " or ".join(f"a / 1 = {i}" for i in range(1, 25)),
    "union_all": "select max(a) from (" + " union all ".join(["select a from t"] * 200) + ")",
    "concat": "select length(" + " || ".join(["b"] * 500) + ") from t",
    "whens": "select case "
    + " ".join(f"when a = {i} then {i}" for i in range(1000))
    + " end from t",
}
ROWS_OF = {"union_all": [[2]], "concat": [[500], [500]]}


@pytest.mark.parametrize("name", LONG)
def test_a_long_query_is_answered(name: str, folders: tuple[Path, Path]) -> None:
    assert answer(LONG[name], *folders, now=0)["rows"] == ROWS_OF.get(name, ROWS)


def test_a_union_keeps_the_order_of_its_sides_and_one_type_for_all(
    folders: tuple[Path, Path],
) -> None:
    sql = " union all ".join(["select 1 as n", "select 2", "select 3e0", "select 4", "select 5"])
    assert answer(sql, *folders, now=0)["rows"] == [[1.0], [2.0], [3.0], [4.0], [5.0]]
    assert answer(sql, *folders, now=0)["types"] == ["double"]


def test_in_of_many_values_keeps_null_and_types(folders: tuple[Path, Path]) -> None:
    many = ",".join(map(str, range(3, 30)))
    sql = f"select x in ({many}) from (values (3), (1), (null)) v(x)"
    assert answer(sql, *folders, now=0)["rows"] == [[True], [False], [None]]
    texts = ",".join(f"'{i}'" for i in range(3, 30))
    sql = f"select x in ({texts}) from (values ('3'), ('03')) v(x)"
    assert answer(sql, *folders, now=0)["rows"] == [[True], [False]]


def deep(start: str, inner: str, end: str, times: int) -> str:
    return start * times + inner + end * times


DEEP = {
    "parentheses": f"select {deep('(', 'a', ')', 2000)} from t",
    "not": f"select a from t where {'not ' * 2000} a = 1",
    "minus": f"select {'- ' * 2000} a from t",
    "case": f"select {deep('case when a = 1 then 1 else ', 'a', ' end', 1000)} from t",
    "calls": f"select {deep('abs(', 'a', ')', 1000)} from t",
    "subqueries": f"select * from {deep('(select * from ', 't', ')', 500)}",
    "plus": f"select {' + '.join(['a'] * 2000)} from t",
    "union": " union ".join(["select a from t"] * 1000),
    "text_that_doubles": f"select {deep('nullif(', 'a', ', 1)', 60)} from t",
    "with_that_doubles": "with q0 as (select a from t)"
    + "".join(
        f", q{i} as (select x.a from q{i - 1} x join q{i - 1} y on x.a = y.a)" for i in range(1, 60)
    )
    + " select * from q59",
    "joins": "select t0.a from t t0 "
    + " ".join(f"join t t{i} on t{i}.a = t0.a" for i in range(1, 400)),
    "exists": f"select a from t where {deep('exists (select 1 from t where ', 'a = 1', ')', 40)}",
    "coalesce": f"select {deep('coalesce(', 'a', ', 1)', 40)} from t",
    "integer": f"select {'9' * 5000}",
    "integer_in_a_cast": f"select cast('{'9' * 5000}' as bigint)",
    "decimal": f"select 1.{'1' * 5000}",
    "padded": "select length(rpad('x', 2000000000, 'y'))",
    "padded_rows": "select length(lpad(b, 2000000000, 'y')) from t",
    "date": "select date_add('day', 9223372036854775807, date '2020-01-01')",
    "half_a_character": "select U&'\\d800'",
    "limit": f"select 1 limit {'9' * 50}",
    "offset": f"select a from t offset {'9' * 50}",
    "limit_of_thousands_of_digits": f"select a from t limit {'9' * 5000}",
    "not_closed": "select " + "(" * 5000 + "a",
}


@pytest.mark.parametrize("name", DEEP)
def test_a_query_that_is_too_deep_is_refused(name: str, folders: tuple[Path, Path]) -> None:
    error = answer(DEEP[name], *folders, now=0)["error"]
    assert error.startswith("REFUSED: ")
    assert len(error) < 500


@pytest.mark.parametrize(
    "sql",
    [
        'select * from "../other/t"',
        'select * from "{other}/t"',
        'select * from "{other}/t.csv"',
        "select * from '{other}/t.csv'",
        'select * from "t.csv"',
        "select * from read_csv('{other}/t.csv')",
        "select * from table(read_csv('{other}/t.csv'))",
        "copy t to '{other}/copied.csv'",
        "copy (select 1) to '{other}/copied.csv'",
        "create external table x stored as csv location '{other}/t.csv'",
        "create table x as select 1 as a",
        "insert into t select 1, 'x'",
        "drop table t",
        "set datafusion.execution.batch_size = 1",
        "explain analyze select * from t",
        "select 1; drop table t",
    ],
)
def test_a_query_reaches_only_the_tables_of_its_folders(
    sql: str, folders: tuple[Path, Path]
) -> None:
    data, out = folders
    other = data.parent / "other"
    before = sorted(path for path in data.parent.rglob("*") if path.is_file())
    result = answer(sql.format(other=other), data, out, now=0)
    assert (result["rows"] or "42", "REFUSED" in (result["error"] or "")) == ("42", True), result
    assert sorted(path for path in data.parent.rglob("*") if path.is_file()) == before


def joined(times: int) -> str:
    """A query of so many joins of 300 rows with each other, which takes 300 times longer each."""
    tables = ", ".join(f"many m{n}" for n in range(times))
    return f"select count(*) from {tables} where {' + '.join(f'm{n}.x' for n in range(times))} < 7"


def test_a_query_without_end_ends_at_its_limit(folders: tuple[Path, Path]) -> None:
    """In a process of its own, since the query goes on as long as that does."""
    sequence = "\n".join(map(str, range(300)))
    (folders[0] / "many.csv").write_text(f"x\n{sequence}\n", encoding="utf-8")
    command = [sys.executable, "-m", "local_runner", "sql", joined(6), "--data", str(folders[0])]
    limited = [*command, "--limit", "sql_seconds=1"]
    done = subprocess.run(limited, capture_output=True, text=True, timeout=60, cwd=runs.ROOT)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["error"] == (
        "a query that takes longer than 1 s (raise it with --limit sql_seconds=NUMBER)"
    )


EMULATED = """
import pathlib, sys
import pyarrow as pa
from td_emulator import EmbeddedEngine
from td_emulator.engines.protocol import EngineError
from td_mta.trino_on_datafusion.time_limit import TimeLimit, leave
engine = EmbeddedEngine(pathlib.Path(sys.argv[1]), threads=1, limit=TimeLimit(0.5, "raise it"))
engine.create_database("mta")
engine.write("mta", "many", pa.table({"x": range(300)}))
try:
    engine.run(sys.argv[2], "mta", 0)
except EngineError as error:
    print(error.name, error, engine.count("mta", "many"))
leave(3)
"""


def test_the_emulator_ends_a_query_at_its_limit_and_goes_on(tmp_path: Path) -> None:
    command = [sys.executable, "-c", EMULATED, str(tmp_path), joined(6)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=runs.ROOT)
    assert (done.returncode, done.stderr) == (3, "")
    said = "EXCEEDED_TIME_LIMIT a query that takes longer than 0.5 s (raise it) 300"
    assert done.stdout.strip() == said


def test_a_limit_of_no_time_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sql", "select 1", "--limit", "sql_seconds=0"]) == 2
    assert "--limit sql_seconds: must be a number from 1" in capsys.readouterr().err


def test_a_join_beyond_the_memory_is_one_sentence(folders: tuple[Path, Path]) -> None:
    sequence = "\n".join(map(str, range(2000)))
    (folders[0] / "wide.csv").write_text(f"x\n{sequence}\n", encoding="utf-8")
    warehouse = LocalWarehouse(*folders, now=0, threads=1, memory_bytes=1 << 24)
    joined = " cross join ".join(f"wide w{number}" for number in range(4))
    with pytest.raises(WarehouseError, match="needs more memory than one may take here"):
        warehouse.answer(f"select sum(w0.x + w1.x + w2.x + w3.x) from {joined}")


def test_sequences_that_fill_the_memory_are_refused(folders: tuple[Path, Path]) -> None:
    rows = "\n".join(map(str, range(5000)))
    (folders[0] / "rows.csv").write_text(f"x\n{rows}\n", encoding="utf-8")
    sql = "select count(*) from rows cross join unnest(sequence(x, x + {})) as s(n)"
    assert answer(sql.format(99), *folders, now=0)["rows"] == [[500_000]]
    refused = answer(sql.format(9_999), *folders, now=0)["error"]
    assert refused.startswith("REFUSED: sequences of 50,000,000 entries in all for 5,000 rows")


@pytest.mark.parametrize(
    ("call", "entries"),
    [
        ("sequence(3, 5)", [3, 4, 5]),
        ("sequence(5, 3)", [5, 4, 3]),
        ("sequence(1, 10, 4)", [1, 5, 9]),
        ("sequence(7, 7)", [7]),
        ("sequence(9223372036854775805, 9223372036854775807)", [2**63 - 3, 2**63 - 2, 2**63 - 1]),
        ("sequence(cast(null as bigint), 3)", None),
    ],
)
def test_a_sequence_has_both_its_ends(
    call: str, entries: list[int] | None, folders: tuple[Path, Path]
) -> None:
    assert answer(f"select {call} from t limit 1", *folders, now=0)["rows"] == [[entries]]


BEYOND = "a time before the year 1 or beyond the year 9999, in the result"
LAST_DAY = "(values date '9999-12-31') t(day)"


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (f"select date_add('day', 1, day) from {LAST_DAY}", BEYOND),
        (f"select array_agg(date_add('day', 1, day) order by day) from {LAST_DAY}", BEYOND),
        (f"select date_add('hour', 24, cast(day as timestamp)) from {LAST_DAY}", BEYOND),
        ("select from_unixtime(x) from (values 253402300800, null) t(x)", BEYOND),
        ("select from_unixtime(x) from (values -62135596801) t(x)", BEYOND),
        (
            "select from_unixtime(253402300799, 'Asia/Tokyo')",
            "9999-12-31T23:59:59 UTC, there not in the years 1 to 9999",
        ),
        (
            "select td_date_trunc('month', x) from (values -9223372036854775808) t(x)",
            "a value that the local SQL engine cannot compute",
        ),
    ],
)
def test_a_time_beyond_the_calendar_is_refused(
    sql: str, said: str, folders: tuple[Path, Path]
) -> None:
    assert answer(sql, *folders, now=0)["error"].startswith(f"REFUSED: {said}")


def test_the_first_and_the_last_time_of_the_calendar_are_answered(
    folders: tuple[Path, Path],
) -> None:
    sql = "select from_unixtime(x) from (values -62135596800, 253402300799) t(x) order by 1"
    ends = [["0001-01-01T00:00:00+00:00"], ["9999-12-31T23:59:59+00:00"]]
    assert answer(sql, *folders, now=0)["rows"] == ends


@pytest.mark.parametrize("value", ["3", "true", "coalesce(3, a)"])
def test_not_in_of_a_constant_is_refused_since_the_engine_forgets_nulls(
    value: str, folders: tuple[Path, Path]
) -> None:
    other = "cast(null as boolean)" if value == "true" else "nullif(a, 1)"
    sql = f"select a from t where {value} not in (select {other} from t)"
    assert "NOT IN (query) of anything but a column" in answer(sql, *folders, now=0)["error"]


def test_try_cast_to_text_of_any_length_keeps_a_text(folders: tuple[Path, Path]) -> None:
    sql = "select try_cast(substr(x, 1) as varchar) from (values 'ab', null) t(x)"
    assert answer(sql, *folders, now=0)["rows"] == [["ab"], [None]]


def test_what_may_fail_before_in_of_a_query_is_refused_with_what_to_do(
    folders: tuple[Path, Path],
) -> None:
    refused = answer("select a from t where a + 1 in (select a from t)", *folders, now=0)["error"]
    assert refused.endswith("of an expression that may fail: make it a column of a query in FROM")
    named = "select c from (select a + 1 as c from t) q where c in (select a from t)"
    assert answer(named, *folders, now=0)["rows"] == [[2]]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("substr('abc', -9223372036854775808)", ""),
        ("substr('abc', 9223372036854775807)", ""),
        ("substr('abc', 2, 9223372036854775807)", "bc"),
        ("substr('abc', -2, 9223372036854775807)", "bc"),
        ("substr('abc', 9223372036854775807, 9223372036854775807)", ""),
    ],
)
def test_a_position_beyond_every_text_is_one_beyond_its_end(
    call: str, text: str, folders: tuple[Path, Path]
) -> None:
    assert answer(f"select {call} from t limit 1", *folders, now=0)["rows"] == [[text]]
