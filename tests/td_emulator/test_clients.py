"""The emulator under the real clients: pytd with its two ways to query, td-client, trino."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytd
import pytest
import tdclient
import trino
import urllib3

from td_emulator import API_KEY, READ_ONLY_KEY, EmbeddedEngine, Emulator, Fault

FRAME = pd.DataFrame(
    {
        "id": ["00012", "x"],
        "clicks": [1, 2],
        "share": [0.5, None],
        "nothing": [None, None],
        "flag": [True, False],
        "time": [1_700_000_000, 1_700_000_001],
    }
)
ROWS = [
    ["00012", 1, 0.5, None, "true", 1_700_000_000],
    ["x", 2, None, None, "false", 1_700_000_001],
]
# pytd leaves the temporary files of its csv format to the garbage collector.
CSV_LEAK = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def quick_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """td-client and pytd wait a fixed 5 seconds before they look again at a bulk import."""
    quick = SimpleNamespace(sleep=lambda _: time.sleep(0.01), time=time.time)
    for module in ("bulk_import_model", "job_model"):
        monkeypatch.setattr(f"tdclient.{module}.time", quick)
    monkeypatch.delenv("HTTP_PROXY", raising=False)


@pytest.fixture
def td(tmp_path: Path) -> Iterator[Emulator]:
    with Emulator(EmbeddedEngine(tmp_path), poll_again=0) as emulator:
        emulator.create_database("mta")
        yield emulator


@pytest.fixture
def client(td: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytd.Client]:
    monkeypatch.setenv("TD_PRESTO_API", td.url.rstrip("/"))
    with pytd.Client(apikey=API_KEY, endpoint=td.url, database="mta") as made:
        yield made


@pytest.fixture
def api(td: Emulator) -> Iterator[tdclient.Client]:
    with tdclient.Client(apikey=API_KEY, endpoint=td.url) as made:
        yield made


def load(client: pytd.Client, frame: pd.DataFrame, table: str, **options: object) -> None:
    options = {"if_exists": "overwrite", "fmt": "msgpack", **options}
    client.load_table_from_dataframe(frame.copy(), table, **options)  # type: ignore[arg-type]


def test_what_exists(td: Emulator, client: pytd.Client) -> None:
    td.engine.write("mta", "touches", pa.table({"time": [1]}))
    assert client.exists("mta")
    assert not client.exists("nowhere")
    assert client.exists("mta", "touches")
    assert not client.exists("mta", "nothing")


def test_a_database_is_created_and_deleted(td: Emulator, client: pytd.Client) -> None:
    client.create_database_if_not_exists("fresh")
    assert [database.name for database in client.list_databases()] == ["fresh", "mta"]
    client.api_client.delete_database("fresh")
    assert td.engine.databases() == ["mta"]


def test_msgpack_keeps_types_and_time_comes_last(client: pytd.Client) -> None:
    load(client, FRAME[["time", "id", "clicks", "share", "nothing", "flag"]], "touches")
    found = client.query("select * from touches order by id")
    assert found == {
        "columns": ["id", "clicks", "share", "nothing", "flag", "time"],
        "data": ROWS,
    }


def test_the_schema_names_treasure_datas_types_without_time(
    td: Emulator, client: pytd.Client
) -> None:
    load(client, FRAME, "touches")
    (table,) = client.list_tables()
    assert table.schema == [
        ["id", "string", "id"],
        ["clicks", "long", "clicks"],
        ["share", "double", "share"],
        ["nothing", "string", "nothing"],
        ["flag", "string", "flag"],
    ]
    assert table.count == 2


@CSV_LEAK
def test_csv_guesses_types_as_td_client_does_and_the_index_is_dropped(client: pytd.Client) -> None:
    load(client, FRAME[["id", "time"]].head(1), "touches", fmt="csv")
    assert client.query("select * from touches") == {
        "columns": ["id", "time"],
        "data": [[12, 1_700_000_000]],
    }


def test_append_adds_rows_and_columns(client: pytd.Client) -> None:
    load(client, FRAME[["id", "time"]], "touches")
    load(client, FRAME[["id", "clicks", "time"]].tail(1), "touches", if_exists="append")
    found = client.query("select id, clicks from touches order by id, clicks nulls first")
    assert found["data"] == [["00012", None], ["x", None], ["x", 2]]
    assert client.query("select * from touches")["columns"] == ["id", "clicks", "time"]


def test_append_keeps_the_type_that_a_column_has(client: pytd.Client) -> None:
    load(client, pd.DataFrame({"id": ["a"], "share": [0.5]}), "touches")
    load(client, pd.DataFrame({"id": [7], "share": [2]}), "touches", if_exists="append")
    found = client.query("select id, share from touches order by id")
    assert found["data"] == [["7", 2.0], ["a", 0.5]]


def test_error_leaves_the_table(client: pytd.Client) -> None:
    load(client, FRAME, "touches")
    with pytest.raises(RuntimeError, match="already exists"):
        load(client, FRAME, "touches", if_exists="error")
    assert client.query("select count(*) from touches")["data"] == [[2]]


def test_lists_become_arrays(client: pytd.Client) -> None:
    frame = pd.DataFrame({"id": ["a", "b"], "path": [["x", "y"], []], "days": [[1, 2], [3]]})
    load(client, frame, "paths", keep_list=True)
    assert client.query("select path, days from paths order by id")["data"] == [
        [["x", "y"], [1, 2]],
        [[], [3]],
    ]
    assert [kind for _, kind, _ in client.list_tables()[0].schema] == [
        "string",
        "array<string>",
        "array<long>",
    ]


def test_many_parts_by_many_threads(client: pytd.Client) -> None:
    frame = pd.DataFrame({"number": range(5_000), "time": 1_700_000_000})
    load(client, frame, "numbers", chunk_record_size=100, max_workers=8)
    found = client.query("select count(*), count(distinct number), sum(number) from numbers")
    assert found["data"] == [[5_000, 5_000, 12_497_500]]


def test_insert_into_makes_a_table_by_sql(client: pytd.Client) -> None:
    frame = FRAME[["id", "clicks", "share"]]
    client.load_table_from_dataframe(frame.copy(), "touches", "insert_into", "overwrite")
    client.load_table_from_dataframe(frame.copy(), "touches", "insert_into", "append")
    assert client.query("select * from touches order by id") == {
        "columns": ["id", "clicks", "share"],
        "data": [row[:3] for row in ROWS for _ in range(2)],
    }


def test_both_ways_to_query_give_the_same(client: pytd.Client) -> None:
    load(client, FRAME, "touches")
    sql = "select *, clicks / 2 as half, array[id, 'é'] as both from touches order by id"
    by_trino, by_job = client.query(sql), client.query(sql, force_tdclient=True, wait_interval=0.01)
    assert by_trino == by_job
    assert by_trino["data"][0] == [*ROWS[0], 0, ["00012", "é"]]


def test_a_result_of_many_pages(td: Emulator, client: pytd.Client) -> None:
    td.engine.write("mta", "numbers", pa.table({"number": np.arange(23_456)}))
    found = client.query("select number from numbers order by number")
    assert found["data"] == [[number] for number in range(23_456)]
    pages = [r for r in td.requests if r.method == "GET" and "/v1/statement/" in r.path]
    assert len(pages) >= 5


def test_no_rows_have_columns_all_the_same(client: pytd.Client) -> None:
    assert client.query("select 1 as one where 1 = 0") == {"data": [], "columns": ["one"]}
    found = client.query("select 1 as one where 1 = 0", force_tdclient=True, wait_interval=0.01)
    assert found == {"data": [], "columns": ["one"]}


def test_a_query_that_is_left_is_cancelled(td: Emulator) -> None:
    td.engine.write("mta", "numbers", pa.table({"number": np.arange(20_000)}))
    with trino.dbapi.connect(
        host=td.url.rstrip("/"), user=API_KEY, catalog="td-presto", schema="mta"
    ) as connection:
        cursor = connection.cursor()
        cursor.execute("select number from numbers")
        cursor.fetchone()
        cursor.cancel()
    assert td.requests[-1].method == "DELETE"
    assert td.requests[-1].status == 204


@pytest.mark.parametrize(
    ("sql", "name", "message"),
    [
        ("select nope from touches", "COLUMN_NOT_FOUND", "nope"),
        ("select * from nothing", "TABLE_NOT_FOUND", "mta.nothing' does not exist"),
        ("select * from nowhere.touches", "SCHEMA_NOT_FOUND", "'nowhere' does not exist"),
        ("select 1 / 0", "DIVISION_BY_ZERO", "Division by zero"),
        ("select 'a", "SYNTAX_ERROR", "cannot be read"),
        ("create table ab as select 1 as one", "INVALID_TABLE_PROPERTY", "3 to 256 characters"),
        ("create table touches as select 1 as one", "TABLE_ALREADY_EXISTS", "already exists"),
        ("insert into touches values (1, 2)", "TYPE_MISMATCH", r"Table: \[varchar, bigint\]"),
        ("delete from touches", "NOT_SUPPORTED", "delete from touches"),
    ],
)
def test_errors_have_trinos_names(
    td: Emulator, client: pytd.Client, sql: str, name: str, message: str
) -> None:
    td.engine.write("mta", "touches", pa.table({"id": ["a"], "clicks": [1]}))
    with pytest.raises(trino.exceptions.TrinoUserError, match=message) as caught:
        client.query(sql)
    assert caught.value.error_name == name
    with pytest.raises(tdclient.errors.InternalError, match="error"):
        client.query(sql, force_tdclient=True, wait_interval=0.01)
    assert message.replace("\\", "") in td.jobs[-1].work.error.args[0]  # type: ignore[union-attr]


def test_a_job_of_td_client(td: Emulator, api: tdclient.Client) -> None:
    td.engine.write("mta", "touches", pa.table({"id": ["00012", None], "share": [float("nan"), 2]}))
    job = api.query("mta", "select id, share from touches order by id", type="presto")
    job.wait(wait_interval=0.01)
    assert job.status() == "success"
    rows = list(job.result())
    assert rows[0][0] == "00012" and np.isnan(rows[0][1])
    assert rows[1] == [None, 2.0]
    assert job.result_schema == [["id", "varchar"], ["share", "double"]]
    assert job.num_records == 2


def test_a_job_that_makes_a_table_has_no_result(td: Emulator, api: tdclient.Client) -> None:
    job = api.query("mta", "create table made as select 1 as one", type="presto")
    job.wait(wait_interval=0.01)
    with pytest.raises(tdclient.errors.NotFoundError):
        list(job.result())
    assert job.result_schema is None
    assert td.engine.columns("mta", "made") == [("one", "bigint")]


def test_a_result_is_loaded_in_parallel_ranges(td: Emulator, api: tdclient.Client) -> None:
    numbers = np.random.default_rng(1).integers(0, 1 << 60, 30_000)
    td.engine.write("mta", "numbers", pa.table({"number": numbers}))
    job = api.query("mta", "select number from numbers", type="trino")
    job.wait(wait_interval=0.01)
    rows = api.api.job_result_format_each(job.id, "msgpack", store_tmpfile=True)
    assert sorted(row[0] for row in rows) == sorted(numbers.tolist())


def test_a_job_is_killed(td: Emulator, api: tdclient.Client) -> None:
    td.faults.plan(Fault("job_slow", seconds=30))
    job = api.query("mta", "select 1", type="presto")
    assert api.kill(job.id) == "running"
    job.wait(wait_interval=0.01, timeout=10)
    assert job.status() == "killed"


def test_other_jobs_go_on_beside_a_slow_one(td: Emulator, api: tdclient.Client) -> None:
    td.faults.plan(Fault("job_slow", seconds=30))
    slow = api.query("mta", "select 1", type="presto")
    quick = api.query("mta", "select 2 as two", type="presto")
    quick.wait(wait_interval=0.01, timeout=10)
    assert list(quick.result()) == [[2]]
    assert slow.status() == "running"
    assert [job.status() for job in api.jobs()] == ["success", "running"]


def test_rename_swap_and_schema(td: Emulator, api: tdclient.Client) -> None:
    td.engine.write("mta", "one_row", pa.table({"number": [1]}))
    td.engine.write("mta", "two_rows", pa.table({"number": [1, 2]}))
    api.swap_table("mta", "one_row", "two_rows")
    assert td.engine.count("mta", "one_row") == 2
    api.create_log_table("mta", "empty_one")
    api.update_schema("mta", "empty_one", [["a", "string", "a"], ["b", "array<long>", "b"]])
    assert td.engine.columns("mta", "empty_one") == [
        ("a", "varchar"),
        ("b", "array(bigint)"),
        ("time", "bigint"),
    ]


def test_an_unknown_key_is_refused_everywhere(td: Emulator, monkeypatch) -> None:
    monkeypatch.setenv("TD_PRESTO_API", td.url.rstrip("/"))
    with pytd.Client(apikey="1/" + "0" * 40, endpoint=td.url, database="mta") as client:
        with pytest.raises(tdclient.errors.AuthError):
            client.list_databases()
        with pytest.raises(tdclient.errors.AuthError):
            client.query("select 1", force_tdclient=True, wait_interval=0.01)
        with pytest.raises(trino.exceptions.HttpError, match="401"):
            client.query("select 1")


def test_a_key_that_only_reads(td: Emulator, monkeypatch) -> None:
    monkeypatch.setenv("TD_PRESTO_API", td.url.rstrip("/"))
    with pytd.Client(apikey=READ_ONLY_KEY, endpoint=td.url, database="mta") as client:
        assert client.query("select 1 as one")["data"] == [[1]]
        assert client.query("select 1 as one", force_tdclient=True, wait_interval=0.01)["data"] == [
            [1]
        ]
        with pytest.raises(tdclient.errors.ForbiddenError):
            load(client, FRAME, "touches")
        with pytest.raises(trino.exceptions.TrinoUserError, match="may only read"):
            client.query("create table made as select 1 as one")
    assert td.engine.tables("mta") == []


def test_half_an_upload_is_an_error_part(td: Emulator, client: pytd.Client) -> None:
    td.faults.plan(Fault("half_upload", path="/upload_part/"))
    with pytest.raises(RuntimeError, match="no records have been imported"):
        load(client, FRAME, "touches")
    assert client.query("select * from touches")["data"] == []


def test_a_connection_that_is_cut_fails_a_post_and_retries_a_get(
    td: Emulator, api: tdclient.Client
) -> None:
    td.faults.plan(Fault("cut", path="/database/list"), Fault("cut", path="/table/create"))
    assert [database.name for database in api.databases()] == ["mta"]  # urllib3 asks again
    with pytest.raises(urllib3.exceptions.ProtocolError, match="Remote end closed"):
        api.create_log_table("mta", "made")
    assert [request.status for request in td.requests] == [0, 200, 0]
    assert td.engine.tables("mta") == []


def test_the_query_of_one_client_sees_what_another_committed(td: Emulator, client, api) -> None:
    load(client, FRAME, "touches")
    job = api.query("mta", "create table copied as select id from touches", type="presto")
    job.wait(wait_interval=0.01)
    assert client.query("select count(*) from mta.copied")["data"] == [[2]]
