"""The table seam: one suite that every Warehouse passes, then what is particular to files."""

import contextlib
import datetime
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from td_mta.errors import DataError, WarehouseError
from td_mta.warehouse import Warehouse
from td_mta.warehouse.local import LocalWarehouse
from tests.td_emulator import td_account

NOW = 1_772_323_200


def local(folder: Path) -> LocalWarehouse:
    (folder / "data").mkdir()
    return LocalWarehouse(folder / "data", folder / "out", now=NOW)


@contextlib.contextmanager
def local_files(folder: Path) -> Iterator[Warehouse]:
    yield local(folder)


@contextlib.contextmanager
def treasure_data(folder: Path) -> Iterator[Warehouse]:
    with td_account.account(folder) as account:
        yield account.warehouse()


MAKERS: dict[str, Callable[[Path], contextlib.AbstractContextManager[Warehouse]]] = {
    "local": local_files,
    "treasure_data": treasure_data,
}


@pytest.fixture(params=MAKERS)
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Warehouse]:
    with MAKERS[request.param](tmp_path) as made:
        yield made


FRAME = pd.DataFrame({"day": [0, 1], "channel": ["Email", None], "share": [0.5, None]})


def own_columns(warehouse: Warehouse, table: str) -> list[str]:
    """Without `time`, which Treasure Data gives to every table."""
    return [name for name in warehouse.columns(table) if name != "time"]


def rows(warehouse: Warehouse, table: str) -> list[dict]:
    """Sorted by their text: a table has no order."""
    batches = list(warehouse.read(table, own_columns(warehouse, table)))
    return sorted((row for batch in batches for row in batch.to_pylist()), key=repr)


def test_a_written_table_reads_back(warehouse):
    warehouse.write("tab", FRAME, "overwrite")
    assert own_columns(warehouse, "tab") == ["day", "channel", "share"]
    assert rows(warehouse, "tab") == [
        {"day": 0, "channel": "Email", "share": 0.5},
        {"day": 1, "channel": None, "share": None},
    ]


def test_read_gives_the_asked_columns_in_the_asked_order(warehouse):
    warehouse.write("tab", FRAME, "overwrite")
    (batch,) = warehouse.read("tab", ["share", "day"])
    assert batch.schema.names == ["share", "day"]


def test_overwrite_leaves_only_the_new_rows(warehouse):
    warehouse.write("tab", FRAME, "overwrite")
    warehouse.write("tab", FRAME.head(1), "overwrite")
    assert len(rows(warehouse, "tab")) == 1


def test_append_adds_rows_whatever_the_order_of_columns(warehouse):
    warehouse.write("tab", FRAME, "append")
    warehouse.write("tab", FRAME[["share", "channel", "day"]], "append")
    assert [row["day"] for row in rows(warehouse, "tab")] == [0, 0, 1, 1]


def test_append_of_other_columns_names_them_and_changes_nothing(warehouse):
    warehouse.write("tab", FRAME, "overwrite")
    with pytest.raises(DataError, match="day_no"):
        warehouse.write("tab", FRAME.rename(columns={"day": "day_no"}), "append")
    assert len(rows(warehouse, "tab")) == 2


def test_error_refuses_a_table_that_is_there(warehouse):
    warehouse.write("tab", FRAME, "error")
    with pytest.raises(DataError, match="already there"):
        warehouse.write("tab", FRAME, "error")


def test_drop_removes_a_table_and_forgives_a_missing_one(warehouse):
    warehouse.write("tab", FRAME, "overwrite")
    warehouse.drop_table("tab")
    warehouse.drop_table("tab")
    with pytest.raises(DataError, match="no table 'tab'"):
        warehouse.columns("tab")


def test_a_missing_column_is_named_with_its_neighbours(warehouse):
    warehouse.write("tab", FRAME, "overwrite")
    with pytest.raises(DataError, match=r"no column 'chanel'.*day, channel, share.*mean 'channel'"):
        list(warehouse.read("tab", ["chanel"]))


def test_a_missing_table_is_named_with_its_neighbours(warehouse):
    warehouse.write("mta_user_rnd", FRAME, "overwrite")
    with pytest.raises(DataError, match=r"no table 'mta_user_rand'.*there is mta_user_rnd"):
        list(warehouse.read("mta_user_rand", ["day"]))


def test_types_and_texts_come_back_as_they_were_written(warehouse):
    frame = pd.DataFrame(
        {
            "id": ["007", "1e3"],
            "name": ['日本, "x"\n', "Zoë"],
            "n": pd.array([2**53 + 1, None], "Int64"),
            "whole": [1.0, 2.0],
            "nothing": [float("nan"), float("nan")],
        }
    )
    warehouse.write("tab", frame, "overwrite")
    assert rows(warehouse, "tab") == [
        {"id": "007", "name": '日本, "x"\n', "n": 2**53 + 1, "whole": 1.0, "nothing": None},
        {"id": "1e3", "name": "Zoë", "n": None, "whole": 2.0, "nothing": None},
    ]
    (batch,) = warehouse.read("tab", ["whole"])
    assert batch.schema.types == [pa.float64()]


def test_a_table_without_rows_reads_back_with_its_columns(warehouse):
    warehouse.write("tab", FRAME.head(0), "overwrite")
    assert own_columns(warehouse, "tab") == ["day", "channel", "share"]
    assert rows(warehouse, "tab") == []


def test_all_tables_are_written_or_none(warehouse):
    warehouse.write_all({"one": FRAME, "two": FRAME}, "overwrite")
    other = FRAME.rename(columns={"day": "day_no"})
    with pytest.raises(DataError, match=r"cannot append to .*two.*: columns differ in day, day_no"):
        warehouse.write_all({"one": FRAME, "two": other}, "append")
    assert [len(rows(warehouse, table)) for table in ("one", "two")] == [2, 2]
    warehouse.write_all({"one": FRAME, "two": FRAME, "new": FRAME}, "append")
    assert [len(rows(warehouse, table)) for table in ("one", "two", "new")] == [4, 4, 2]


def mapped(folder: Path, rows: int) -> pa.Table:
    """A table of Arrow's in a file of several batches, mapped and not read."""
    path = folder / "rows.arrow"
    columns = {"id": pa.array([f"0{i}" for i in range(rows)]), "share": pa.array(range(rows))}
    table = pa.table(columns).append_column("none", pa.nulls(rows, pa.float64()))
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as file:
        for batch in table.to_batches(max_chunksize=50_000):
            file.write_batch(batch)
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def test_rows_in_a_file_are_written_beside_frames(warehouse, tmp_path):
    given = mapped(tmp_path, 3)
    warehouse.write_all({"frame": FRAME, "file": given}, "overwrite")
    assert rows(warehouse, "file") == given.to_pylist()
    warehouse.write_all({"frame": FRAME, "file": given}, "append")
    assert rows(warehouse, "file") == sorted(given.to_pylist() * 2, key=repr)
    assert len(rows(warehouse, "frame")) == 4


def test_many_rows_in_a_file_are_all_written(warehouse, tmp_path):
    warehouse.write_all({"file": mapped(tmp_path, 100_001)}, "overwrite")
    batches = list(warehouse.read("file", ["id", "share"]))
    assert sum(len(batch) for batch in batches) == 100_001
    assert sum(sum(batch["share"].to_pylist()) for batch in batches) == 100_000 * 100_001 // 2


def test_what_cannot_be_written_is_reported_before_there_is_anything_to_write(warehouse):
    warehouse.write("tab", FRAME, "overwrite")
    columns = ["share", "channel", "day"]
    warehouse.check_writable({"tab": ["other"], "new": None}, "overwrite")
    warehouse.check_writable({"tab": columns, "new": ["other"]}, "append")
    warehouse.check_writable({"tab": None}, "append")
    with pytest.raises(DataError, match=r"'tab'.*already there"):
        warehouse.check_writable({"new": None, "tab": None}, "error")
    with pytest.raises(DataError, match=r"cannot append to .*tab.*: columns differ in run_id"):
        warehouse.check_writable({"tab": [*columns, "run_id"]}, "append")
    assert len(rows(warehouse, "tab")) == 2
    with pytest.raises(DataError, match="no table 'new'"):
        warehouse.columns("new")


# --- files -----------------------------------------------------------------------------------


def typed(tmp_path: Path, *values: str) -> tuple[pa.DataType, list]:
    warehouse = local(tmp_path)
    text = "\n".join(["v,w", *(f"{value},x" for value in values), ""])
    (tmp_path / "data" / "t.csv").write_text(text, encoding="utf-8")
    batches = list(warehouse.read("t", ["v"]))
    column = pa.Table.from_batches(batches).column("v")
    return column.type, column.to_pylist()


TRAPS = {
    "integers": (["1", "-20", "0"], pa.int64(), [1, -20, 0]),
    "the largest bigint": (["9223372036854775807"], pa.int64(), [2**63 - 1]),
    "one more than bigint is an id": (
        ["9223372036854775808"],
        pa.string(),
        ["9223372036854775808"],
    ),
    "zip codes keep their zeros": (["00012", "12345"], pa.string(), ["00012", "12345"]),
    "a plus is text": (["+49"], pa.string(), ["+49"]),
    "numbers": (["1", "2.5", "-1e-3", ".5", "2."], pa.float64(), [1.0, 2.5, -0.001, 0.5, 2.0]),
    "a fraction keeps no zeros in front": (["01.5"], pa.string(), ["01.5"]),
    "numbers with gaps": (["1.5", "", "NaN", "-inf"], pa.float64(), None),
    "NaN alone is a name": (["NaN"], pa.string(), ["NaN"]),
    "long ids beside fractions stay whole": (
        ["12345678901234567", "1.5"],
        pa.string(),
        ["12345678901234567", "1.5"],
    ),
    "true and false": (["true", "FALSE", ""], pa.bool_(), [True, False, None]),
    "yes is text": (["true", "yes"], pa.string(), ["true", "yes"]),
    "nothing at all": (["", ""], pa.string(), [None, None]),
    "NULL is a word": (["NULL", "NA"], pa.string(), ["NULL", "NA"]),
    "the last row decides": (["1"] * 3000 + ["x"], pa.string(), ["1"] * 3000 + ["x"]),
    "blanks are kept": ([" 1", "a "], pa.string(), [" 1", "a "]),
    "a newline in a cell": (['"a\nb"', '"say ""hi"""'], pa.string(), ["a\nb", 'say "hi"']),
    "a quoted empty cell": (['""', "a"], pa.string(), [None, "a"]),
    "a quoted number": (['"7"'], pa.int64(), [7]),
    "unicode": (["日本"], pa.string(), ["日本"]),
    "minus zero": (["-0"], pa.float64(), [-0.0]),
}


@pytest.mark.parametrize("values,kind,expected", TRAPS.values(), ids=TRAPS)
def test_csv_columns_get_the_type_that_all_values_have(tmp_path, values, kind, expected):
    came_type, came = typed(tmp_path, *values)
    assert came_type == kind
    assert expected is None or came == expected


def test_types_are_decided_by_every_block(tmp_path, monkeypatch):
    from td_mta.warehouse.files import text_tables

    monkeypatch.setattr(text_tables, "BLOCK_BYTES", 64)
    assert typed(tmp_path, *["1"] * 500, "2.5")[0] == pa.float64()


@pytest.mark.parametrize(
    "content,message",
    [
        (b"", "t.csv: not a readable CSV"),
        (b"a,b\n1\n", "t.csv: not a readable CSV.*Expected 2 columns"),
        (b"a,b\n1,2,3\n", "t.csv: not a readable CSV.*line 2.*got 3: '1,2,3'"),
        (b"a\n\xc3\xa4\n\xff\x81\n", "t.csv: line 3 is no UTF-8.*save it as CSV UTF-8"),
    ],
)
def test_a_broken_csv_file_is_named(tmp_path, content, message):
    warehouse = local(tmp_path)
    (tmp_path / "data" / "t.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(warehouse.read("t", ["a"]))


def test_a_broken_parquet_file_is_named(tmp_path):
    warehouse = local(tmp_path)
    (tmp_path / "data" / "t.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(DataError, match=r"t\.parquet: not a readable Parquet"):
        list(warehouse.read("t", ["a"]))


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    warehouse = local(tmp_path)
    (tmp_path / "data" / "t.csv").write_text("\ufeffday,x\n1,2\n", encoding="utf-8")
    assert warehouse.columns("t") == ["day", "x"]
    assert rows(warehouse, "t") == [{"day": 1, "x": 2}]


def test_a_header_without_rows_is_an_empty_table(tmp_path):
    warehouse = local(tmp_path)
    (tmp_path / "data" / "t.csv").write_text("a,b\n")
    assert warehouse.columns("t") == ["a", "b"]
    assert rows(warehouse, "t") == []


def test_data_comes_before_out_and_is_never_written(tmp_path):
    warehouse = local(tmp_path)
    (tmp_path / "data" / "t.csv").write_text("a\n1\n")
    for action in (
        lambda: warehouse.write("t", FRAME, "overwrite"),
        lambda: warehouse.drop_table("t"),
    ):
        with pytest.raises(DataError, match=r"data.t\.csv, which is never written"):
            action()
    assert (tmp_path / "data" / "t.csv").read_text() == "a\n1\n"


def test_without_data_or_with_one_folder_for_both_all_is_written_there(tmp_path):
    for warehouse in (
        LocalWarehouse(None, tmp_path, now=NOW),
        LocalWarehouse(tmp_path, tmp_path, now=NOW),
    ):
        warehouse.write("t", FRAME, "overwrite")
        assert len(rows(warehouse, "t")) == 2
        warehouse.drop_table("t")
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_at_the_end_leaves_nothing_behind(tmp_path):
    warehouse = local(tmp_path)
    (tmp_path / "out" / "t.csv").mkdir(parents=True)
    with pytest.raises(WarehouseError, match=r"could not write .*t\.csv"):
        warehouse.write("t", FRAME, "overwrite")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["t.csv"]


def test_written_csv_is_plain_and_the_same_every_time(tmp_path):
    warehouse = local(tmp_path)
    frame = pd.DataFrame({"n": [1, 2], "x": [0.1, 1e300], "s": ['a,"b"', None], "b": [True, False]})
    warehouse.write("t", frame, "overwrite")
    text = (tmp_path / "out" / "t.csv").read_text()
    assert text == 'n,x,s,b\n1,0.1,"a,""b""",true\n2,1e+300,,false\n'


def test_a_single_column_keeps_its_nulls(tmp_path):
    warehouse = local(tmp_path)
    warehouse.write("t", pd.DataFrame({"a": [1.5, None, 2.5]}), "overwrite")
    (batch,) = warehouse.read("t", ["a"])
    assert batch.column("a").to_pylist() == [1.5, None, 2.5]


def test_letter_case_of_a_column_does_not_matter_unless_it_must(tmp_path):
    warehouse = local(tmp_path)
    table = pa.table({"UserId": ["u"], "a": [1], "A": [2]})
    pq.write_table(table, tmp_path / "data" / "t.parquet")
    (batch,) = warehouse.read("t", ["userid", "A"])
    assert batch.to_pylist() == [{"userid": "u", "A": 2}]


def test_parquet_types_come_as_they_are(tmp_path):
    warehouse = local(tmp_path)
    table = pa.table({"d": [datetime.date(2026, 3, 1)], "s": pa.array(["x"]).dictionary_encode()})
    pq.write_table(table, tmp_path / "data" / "t.parquet")
    (batch,) = warehouse.read("t", ["d", "s"])
    assert batch.to_pylist() == [{"d": datetime.date(2026, 3, 1), "s": "x"}]


# --- SQL into tables -------------------------------------------------------------------------


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.glob("[!.]*"))


def test_a_query_makes_a_table_and_counts_its_rows(warehouse):
    assert warehouse.create_table("tab", "select * from (values (1, 'a'), (2, null)) v(n, s)") == 2
    assert rows(warehouse, "tab") == [{"n": 1, "s": "a"}, {"n": 2, "s": None}]


def test_insert_adds_rows_by_position_and_makes_a_missing_table(warehouse):
    assert warehouse.insert_into("tab", "select 1 as n, 'a' as s") == 1
    assert warehouse.insert_into("tab", "select 2 as other, 'b' as names") == 1
    assert rows(warehouse, "tab") == [{"n": 1, "s": "a"}, {"n": 2, "s": "b"}]


def test_a_table_may_be_made_of_itself(warehouse):
    warehouse.create_table("tab", "select 1 as n")
    warehouse.create_table("tab", "select n + 1 as n from tab")
    assert rows(warehouse, "tab") == [{"n": 2}]


def test_insert_of_another_number_of_columns_is_an_error(warehouse):
    warehouse.create_table("tab", "select 1 as n")
    with pytest.raises(
        DataError,
        match=r"cannot insert 2 columns into .*tab.* which has 1: n|mismatched column types",
    ):
        warehouse.insert_into("tab", "select 1, 2")


def test_a_column_of_nulls_takes_the_type_of_what_comes(warehouse):
    warehouse.create_table("tab", "select cast(null as double) as x")
    warehouse.insert_into("tab", "select 0.5e0")
    assert {row["x"] for row in rows(warehouse, "tab")} == {None, 0.5}


def test_insert_of_another_type_names_both(warehouse):
    warehouse.create_table("tab", "select 1 as n")
    with pytest.raises(
        DataError, match=r"column 'n': it holds int64, string came|mismatched column types"
    ):
        warehouse.insert_into("tab", "select 'a'")


@pytest.mark.parametrize(
    "sql,message",
    [
        ("select 1", "column 1 of the query has no name|name not specified at position 1"),
        ("select 1 as a, 2 as A", "two columns 'a'|'a' specified more than once"),
        ("select 1 as a from nowhere", "no table 'nowhere'"),
    ],
)
def test_a_query_that_can_make_no_table_says_why(warehouse, sql, message):
    with pytest.raises(DataError, match=message):
        warehouse.create_table("tab", sql)


def test_a_query_that_fails_midway_leaves_the_old_table(tmp_path):
    warehouse = local(tmp_path)
    warehouse.create_table("t", "select 1 as n")
    with pytest.raises(WarehouseError, match="DIVISION_BY_ZERO"):
        warehouse.create_table("t", "select 1 / n as n from (values 1, 0) v(n)")
    assert names(tmp_path / "out") == ["t.csv"]
    assert rows(warehouse, "t") == [{"n": 1}]


def test_small_tables_become_csv_and_what_csv_cannot_keep_parquet(tmp_path):
    warehouse = local(tmp_path)
    for table, sql in {
        "plain": "select 1 as n, 0.5e0 as x, 'a' as s, true as b, cast(null as double) as nothing",
        "digits": "select '007' as s, '12' as digits",
        "empty_text": "select '' as s",
        "day": "select date '2026-03-01' as d",
    }.items():
        warehouse.create_table(table, sql)
    expected = ["day.parquet", "digits.parquet", "empty_text.parquet", "plain.csv"]
    assert names(tmp_path / "out") == expected
    assert rows(warehouse, "digits") == [{"s": "007", "digits": "12"}]


def test_columns_of_nulls_alone_keep_their_types_for_sql(tmp_path):
    nothing = "cast(null as double) as x, cast(null as boolean) as b, cast(null as varchar) as s"
    LocalWarehouse(None, tmp_path, now=0).create_table("plain", f"select 1 as n, {nothing}")
    again = LocalWarehouse(None, tmp_path, now=0)
    found = again.query("select x + 1e0 as x, not b as b, s || 'x' as s from plain")
    assert found.schema.types == [pa.float64(), pa.bool_(), pa.string()]
    (tmp_path / "plain.csv").write_text("n,x\n1,text\n")
    edited = LocalWarehouse(None, tmp_path, now=0)
    assert edited.query("select x || '!' as x from plain").to_pylist() == [{"x": "text!"}]


@pytest.mark.slow
def test_a_large_table_becomes_parquet_and_replaces_its_csv(tmp_path):
    warehouse = local(tmp_path)
    warehouse.create_table("t", "select 1 as n")
    warehouse.write("ten", pd.DataFrame({"n": range(10)}), "overwrite")
    crossed = " cross join ".join(f"ten as t{i}" for i in range(5))
    assert warehouse.create_table("t", f"select t0.n from {crossed} cross join ten as t5") == 10**6
    assert names(tmp_path / "out") == [
        "t.parquet",
        "ten.csv",
    ]
    assert warehouse.create_table("t", "select 2 as n") == 1
    assert names(tmp_path / "out") == ["t.csv", "ten.csv"]


def test_rows_without_an_order_are_written_in_the_same_one_every_time(tmp_path):
    warehouse = local(tmp_path)
    sql = "select x from (select 3 x union all select 1 union all select 2)"
    warehouse.create_table("t", sql)
    warehouse.create_table("sorted", f"{sql} order by x desc")
    assert (tmp_path / "out" / "t.csv").read_text() == "x\n1\n2\n3\n"
    assert (tmp_path / "out" / "sorted.csv").read_text() == "x\n3\n2\n1\n"


def test_a_query_sees_the_types_of_a_csv_file(tmp_path):
    warehouse = local(tmp_path)
    (tmp_path / "data" / "t.csv").write_text("Id,n,x,b\n007,1,0.5,true\n008,,,\n")
    (row, _) = warehouse.query("select id, n / 2 as half, x, b from shop.T order by id").to_pylist()
    assert row == {"id": "007", "half": 0, "x": 0.5, "b": True}


def test_stored_types_reach_sql_as_trinos(tmp_path):
    warehouse = local(tmp_path)
    stored = {
        "d": pa.array([datetime.date(2026, 3, 1)]),
        "s": pa.array(["x"]).dictionary_encode(),
        "l": pa.array(["y"], pa.large_string()),
        "u": pa.array([7], pa.uint32()),
        "t": pa.array([datetime.datetime(2026, 3, 1, 5)], pa.timestamp("ns")),
    }
    pq.write_table(pa.table(stored), tmp_path / "data" / "t.parquet")
    plan, table = warehouse.answer("select d, s || l as sl, u + 1 as u, t from t")
    assert [str(kind) for kind in plan.types] == ["date", "varchar", "bigint", "timestamp(6)"]
    assert table.to_pylist() == [
        {"d": datetime.date(2026, 3, 1), "sl": "xy", "u": 8, "t": datetime.datetime(2026, 3, 1, 5)}
    ]
