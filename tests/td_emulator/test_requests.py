"""The emulator under raw requests: those of Digdag's td operators, and what goes wrong on order."""

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import pyarrow as pa
import pytest
import urllib3

from td_emulator import API_KEY, READ_ONLY_KEY, EmbeddedEngine, Emulator, Fault
from td_emulator.__main__ import main
from td_emulator.engines.script import statements

COMMENTS = "".join(
    f"-- {name}: 1\n" for name in ("project_id", "workflow_name", "session_id", "task_name")
)


class Http:
    """Requests like those of td-client-java: the bare key, parameters as a form."""

    def __init__(self, td: Emulator, key: str = API_KEY) -> None:
        self.td, self.key = td, key
        self.pool = urllib3.PoolManager(retries=False, timeout=10)

    def ask(
        self, method: str, path: str, body: bytes | None = None, **form: str
    ) -> urllib3.BaseHTTPResponse:
        fields: dict[str, Any] = {"body": body} if body is not None else {"fields": form}
        if method != "GET" and body is None:
            fields["encode_multipart"] = False
        headers = {"Authorization": self.key}
        return self.pool.request(method, self.td.url + path, headers=headers, **fields)

    def json(self, method: str, path: str, status: int = 200, **form: str) -> dict[str, Any]:
        answer = self.ask(method, path, **form)
        assert answer.status == status, answer.data
        found: dict[str, Any] = answer.json()
        return found

    def issue(self, sql: str, **form: str) -> str:
        fields = {"query": sql, "version": "0.9.0", "priority": "0", "retry_limit": "0", **form}
        return str(self.json("POST", "/v3/job/issue/presto/mta", **fields)["job_id"])

    def ended(self, job: str) -> dict[str, Any]:
        """Poll until the job's end, then show it."""
        for _ in range(1000):
            if self.json("GET", f"/v3/job/status/{job}")["status"] in (
                "success",
                "error",
                "killed",
            ):
                return self.json("GET", f"/v3/job/show/{job}")
            time.sleep(0.01)
        raise AssertionError(f"job {job} does not end")

    def rows(self, job: str) -> list[Any]:
        answer = self.ask("GET", f"/v3/job/result/{job}?format=msgpack.gz&header=false")
        assert "Content-Encoding" not in answer.headers
        unpacker = msgpack.Unpacker()
        unpacker.feed(gzip.decompress(answer.data))
        return list(unpacker)


@pytest.fixture
def td(tmp_path: Path) -> Iterator[Emulator]:
    with Emulator(EmbeddedEngine(tmp_path)) as emulator:
        emulator.create_database("mta")
        emulator.engine.write("mta", "touches", pa.table({"id": ["00012", "x"], "time": [5, 6]}))
        yield emulator


@pytest.fixture
def http(td: Emulator) -> Iterator[Http]:
    made = Http(td)
    yield made
    made.pool.clear()


# --- td>


def test_create_table_of_digdag_is_one_job_of_two_statements(td: Emulator, http: Http) -> None:
    sql = (
        f'{COMMENTS}DROP TABLE IF EXISTS "made";\nCREATE TABLE "made" AS\n'
        "-- header; with a semicolon\n"
        "select id, ';' as mark, td_scheduled_time() as at from touches"
    )
    for scheduled in ("100", "200"):
        job = http.issue(sql, scheduled_time=scheduled, domain_key=f"key-{scheduled}")
        shown = http.ended(job)
        assert shown["status"] == "success"
        assert shown["query"] == sql
        assert shown["hive_result_schema"] is None
        assert http.ask("GET", f"/v3/job/result/{job}?format=msgpack.gz").status == 404
    assert td.engine.read("mta", "made").to_pylist() == [
        {"id": "00012", "mark": ";", "at": 200},
        {"id": "x", "mark": ";", "at": 200},
    ]


def test_a_failed_create_has_dropped_the_table_already(td: Emulator, http: Http) -> None:
    job = http.issue(
        'DROP TABLE IF EXISTS "touches";\nCREATE TABLE "touches" AS\nselect 1 / 0 as x'
    )
    shown = http.ended(job)
    assert shown["status"] == "error"
    assert "Division by zero" in shown["debug"]["stderr"]
    assert td.engine.tables("mta") == []


def test_insert_into_of_digdag_gives_a_new_table_its_columns(td: Emulator, http: Http) -> None:
    http.json("POST", "/v3/table/create/mta/made/log")
    assert td.engine.columns("mta", "made") == [("time", "bigint")]
    for _ in range(2):
        http.json("POST", "/v3/table/create/mta/touches/log", status=409)
        shown = http.ended(http.issue('INSERT INTO "made"\nselect id, 1 as one from touches'))
        assert shown["status"] == "success", shown
    assert td.engine.columns("mta", "made") == [("id", "varchar"), ("one", "bigint")]
    assert td.engine.count("mta", "made") == 4


def test_insert_without_time_fills_it(td: Emulator, http: Http) -> None:
    http.ended(http.issue("INSERT INTO \"touches\"\nselect 'y' as id"))
    added = td.engine.read("mta", "touches").to_pylist()[-1]
    assert added["id"] == "y" and abs(added["time"] - time.time()) < 60


def test_polls_pass_queued_and_running(td: Emulator, http: Http) -> None:
    job = http.issue("select 1 as one")
    while td.jobs[-1].status != "success":
        time.sleep(0.01)
    states = [http.json("GET", f"/v3/job/status/{job}")["status"] for _ in range(4)]
    assert states == ["queued", "running", "success", "success"]


def test_results_in_both_formats(http: Http) -> None:
    sql = (
        "select id, null as nothing, true as yes, 1.5e0 as share, array['é'] as path, "
        "cast('1.50' as decimal(5, 2)) as price, date '2026-01-31' as day from touches order by id"
    )
    job = http.issue(sql)
    shown = http.ended(job)
    assert json.loads(shown["hive_result_schema"])[:2] == [
        ["id", "varchar"],
        ["nothing", "unknown"],
    ]
    assert shown["num_records"] == 2
    expected = [[id, None, True, 1.5, ["é"], "1.50", "2026-01-31"] for id in ("00012", "x")]
    assert http.rows(job) == expected
    plain = http.ask("GET", f"/v3/job/result/{job}?format=msgpack&header=False").data
    unpacker = msgpack.Unpacker()
    unpacker.feed(plain)
    assert list(unpacker) == expected


@pytest.mark.parametrize("name", ["priority", "retry_limit"])
def test_a_priority_that_is_no_number_is_refused_and_the_list_of_jobs_stays(
    name: str, http: Http
) -> None:
    form = {"query": "select 1 as one", name: "1e9"}
    refused = http.json("POST", "/v3/job/issue/presto/mta", 422, **form)
    assert refused["error"] == f"job/issue: {name} must be a whole number"
    assert http.json("GET", "/v3/job/list")["jobs"] == []


def test_a_domain_key_is_taken_once(td: Emulator, http: Http) -> None:
    job = http.issue("select 1 as one", domain_key="the-key")
    again = http.json(
        "POST", "/v3/job/issue/presto/mta", 409, query="select 1 as one", domain_key="the-key"
    )
    assert again["details"] == {"conflicts_with": job}
    assert td.duplicates == (job,)
    assert [job.domain_key for job in td.jobs] == ["the-key"]


def test_the_same_domain_key_by_many_at_once(td: Emulator, http: Http) -> None:
    statuses: list[int] = []

    def submit() -> None:
        answer = http.ask("POST", "/v3/job/issue/presto/mta", query="select 1", domain_key="one")
        statuses.append(answer.status)

    threads = [threading.Thread(target=submit) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [409] * 11
    assert len(td.jobs) == 1


def test_there_is_no_hive(http: Http) -> None:
    answer = http.json(
        "POST", "/v3/job/issue/hive/mta", query="INSERT OVERWRITE TABLE `t` select 1"
    )
    shown = http.ended(str(answer["job_id"]))
    assert shown["status"] == "error" and "no Hive" in shown["debug"]["stderr"]


def test_jobs_of_nowhere(http: Http) -> None:
    http.json("POST", "/v3/job/issue/presto/nowhere", 404, query="select 1")
    http.json("POST", "/v3/job/issue/presto/mta", 422)
    http.json("GET", "/v3/job/status/999", 404)
    http.json("GET", "/v3/no/such/path", 404)


# --- td_ddl>


def test_the_requests_of_td_ddl(td: Emulator, http: Http) -> None:
    http.json("POST", "/v3/database/delete/fresh", 404)
    assert http.json("POST", "/v3/database/create/fresh") == {"database": "fresh"}
    http.json("POST", "/v3/database/create/fresh", 409)
    assert list(http.json("GET", "/v3/database/list")) == ["databases"]
    http.json("POST", "/v3/table/create/fresh/made/log")
    http.json("POST", "/v3/table/create/nowhere/made/log", 404)
    http.json("POST", "/v3/table/delete/fresh/nothing", 404)
    http.json("POST", "/v3/table/rename/fresh/nothing/new", 404, overwrite="true")
    assert http.json("POST", "/v3/table/delete/fresh/made") == {
        "database": "fresh",
        "table": "made",
        "type": "log",
    }
    http.json("POST", "/v3/database/delete/fresh")
    assert td.engine.databases() == ["mta"]


def test_rename_replaces_only_when_told_to(td: Emulator, http: Http) -> None:
    td.engine.write("mta", "staged", pa.table({"number": [1]}))
    http.json("POST", "/v3/table/rename/mta/staged/touches", 409)
    http.json("POST", "/v3/table/rename/mta/staged/touches", overwrite="true")
    assert td.engine.tables("mta") == ["touches"]
    assert td.engine.columns("mta", "touches") == [("number", "bigint")]


def test_a_listed_table_is_what_td_client_java_reads(http: Http) -> None:
    (table,) = http.json("GET", "/v3/table/list/mta")["tables"]
    assert json.loads(table["schema"]) == [["id", "string", "id"]]
    assert (table["name"], table["type"], table["count"]) == ("touches", "log", 2)
    assert table["estimated_storage_size"] == 0
    http.json("GET", "/v3/table/list/nowhere", 404)


@pytest.mark.parametrize("name", ["ab", "Touches", "a-b-c", "x" * 257, "é12"])
def test_names_that_treasure_data_does_not_allow(td: Emulator, http: Http, name: str) -> None:
    quoted = urllib3.util.parse_url(f"http://h/{name}").path
    http.json("POST", f"/v3/table/create/mta{quoted}/log", 422)
    http.json("POST", f"/v3/table/rename/mta/touches{quoted}", 422)
    http.json("POST", f"/v3/database/create{quoted}", 422)
    assert td.engine.tables("mta") == ["touches"]


def test_connections_are_looked_up(td: Emulator, http: Http) -> None:
    td.connections["my conn"] = 77
    assert http.json("GET", "/v3/connections/lookup?name=my%20conn") == {"id": 77}
    http.json("GET", "/v3/connections/lookup?name=other", 404)


# --- bulk imports


def gzipped(*records: object) -> bytes:
    return gzip.compress(b"".join(map(msgpack.packb, records)))


def test_a_bulk_import_by_hand(td: Emulator, http: Http) -> None:
    http.json("POST", "/v3/bulk_import/create/load/mta/touches", mode="append")
    http.json("POST", "/v3/bulk_import/create/load/mta/touches", 409)
    upload = "/v3/bulk_import/upload_part/load/"
    wrong = gzipped({"time": 7, "id": "wrong"})
    assert http.ask("PUT", upload + "a", wrong).status == 200
    assert (
        http.ask("PUT", upload + "a", gzipped({"time": 7, "id": "y"}, {"id": "no time"}, 5)).status
        == 200
    )
    assert http.ask("PUT", upload + "b", gzipped({"time": 8, "id": "z"})[:-9]).status == 200
    assert http.json("GET", "/v3/bulk_import/list_parts/load")["parts"] == ["a", "b"]
    http.json("POST", "/v3/bulk_import/perform/load", 409)
    http.json("POST", "/v3/bulk_import/freeze/load")
    assert http.ask("PUT", upload + "c", wrong).status == 409
    http.json("POST", "/v3/bulk_import/commit/load", 409)
    job = http.json("POST", "/v3/bulk_import/perform/load")["job_id"]
    assert isinstance(job, int)
    assert http.ended(str(job))["status"] == "success"
    shown = http.json("GET", "/v3/bulk_import/show/load")
    assert {key: shown[key] for key in ("status", "valid_records", "error_records")} == {
        "status": "ready", "valid_records": 1, "error_records": 2,
    }  # fmt: skip
    assert (shown["valid_parts"], shown["error_parts"]) == (1, 1)
    errors = http.ask("GET", "/v3/bulk_import/error_records/load").data
    unpacker = msgpack.Unpacker()
    unpacker.feed(gzip.decompress(errors))
    assert list(unpacker) == [{"id": "no time"}, 5]
    assert td.engine.count("mta", "touches") == 2  # nothing is in the table before the commit
    http.json("POST", "/v3/bulk_import/commit/load")
    while http.json("GET", "/v3/bulk_import/show/load")["status"] != "committed":
        time.sleep(0.01)
    assert td.engine.read("mta", "touches").to_pylist()[-1] == {"id": "y", "time": 7}
    http.json("POST", "/v3/bulk_import/commit/load", 409)
    http.json("POST", "/v3/bulk_import/delete/load")
    http.json("GET", "/v3/bulk_import/show/load", 404)


def test_a_bulk_import_whose_job_fails_can_be_performed_again(td: Emulator, http: Http) -> None:
    http.json("POST", "/v3/bulk_import/create/load/mta/touches")
    http.ask("PUT", "/v3/bulk_import/upload_part/load/a", gzipped({"time": 7, "id": "y"}))
    http.json("POST", "/v3/bulk_import/freeze/load")
    td.faults.plan(Fault("job_error"))
    for status, state in (("error", "uploading"), ("success", "ready")):
        job = http.json("POST", "/v3/bulk_import/perform/load")["job_id"]
        assert http.ended(str(job))["status"] == status
        assert http.json("GET", "/v3/bulk_import/show/load")["status"] == state


def test_an_upload_that_ends_early_is_refused(td: Emulator, http: Http) -> None:
    http.json("POST", "/v3/bulk_import/create/load/mta/touches")
    host, port = td.endpoint.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        wire.sendall(
            b"PUT /v3/bulk_import/upload_part/load/a HTTP/1.1\r\nHost: localhost\r\n"
            + f"Authorization: TD1 {API_KEY}\r\nContent-Length: 1000\r\n\r\nhalf".encode()
        )
        wire.shutdown(socket.SHUT_WR)
        assert wire.makefile("rb").readline().split()[1] == b"400"
    assert td.requests[-1].status == 400
    assert http.json("GET", "/v3/bulk_import/list_parts/load")["parts"] == []


def test_types_are_decided_by_all_parts(td: Emulator, http: Http) -> None:
    http.json("POST", "/v3/table/create/mta/made/log")
    http.json("POST", "/v3/bulk_import/create/load/mta/made")
    first = {"n": 1, "mixed": 1, "big": 1, "raw": b"r", "truth": True, "Bad Name": 1, "none": None}
    second = {"n": 0.5, "mixed": "a", "big": 1 << 63, "truth": False, "map": {"a": [1]}}
    for number, record in enumerate((first, second)):
        path = f"/v3/bulk_import/upload_part/load/part-{number}"
        http.ask("PUT", path, gzipped({"time": number, **record}))
    http.json("POST", "/v3/bulk_import/freeze/load")
    http.ended(str(http.json("POST", "/v3/bulk_import/perform/load")["job_id"]))
    http.json("POST", "/v3/bulk_import/commit/load")
    while http.json("GET", "/v3/bulk_import/show/load")["status"] != "committed":
        time.sleep(0.01)
    assert td.engine.columns("mta", "made") == [
        ("n", "double"), ("mixed", "varchar"), ("big", "varchar"), ("raw", "varchar"),
        ("truth", "varchar"), ("none", "varchar"), ("map", "varchar"), ("time", "bigint"),
    ]  # fmt: skip
    assert [list(row.values()) for row in td.engine.read("mta", "made").to_pylist()] == [
        [1.0, "1", "1", "r", "true", None, None, 0],
        [0.5, "a", str(1 << 63), None, "false", None, '{"a": [1]}', 1],
    ]


# --- keys, faults, the log of requests


@pytest.mark.parametrize("form", ["{}", "TD1 {}"])
def test_a_key_is_taken_with_and_without_its_word(td: Emulator, form: str) -> None:
    http = Http(td, form.format(API_KEY))
    assert http.ask("GET", "/v3/database/list").status == 200
    assert Http(td, form.format("1/" + "0" * 40)).ask("GET", "/v3/database/list").status == 401
    assert Http(td, "").ask("GET", "/v3/database/list").status == 401


def test_a_key_that_only_reads(td: Emulator) -> None:
    http = Http(td, READ_ONLY_KEY)
    http.json("POST", "/v3/table/delete/mta/touches", 403)
    http.json("POST", "/v3/bulk_import/create/load/mta/touches", 403)
    shown = http.ended(http.issue("drop table touches"))
    assert shown["status"] == "error" and "may only read" in shown["debug"]["stderr"]
    job = http.issue("select id from touches")
    http.ended(job)
    assert len(http.rows(job)) == 2
    assert td.engine.tables("mta") == ["touches"]


def test_double_slashes_are_one_and_requests_are_kept(td: Emulator, http: Http) -> None:
    http.json("POST", "//v3//table/rename/mta/touches/moved", overwrite="true")
    found = td.requests[-1]
    assert (found.method, found.path) == ("POST", "/v3/table/rename/mta/touches/moved")
    assert (found.parameters, found.status) == ({"overwrite": "true"}, 200)
    assert API_KEY not in repr(td.requests)


@pytest.mark.parametrize("status", ["500", "503", "429", "401", "403", "422"])
def test_a_planned_status_is_answered_once_and_nothing_is_done(
    td: Emulator, http: Http, status: str
) -> None:
    td.faults.plan(Fault(status, at=1))  # type: ignore[arg-type]
    answers = [http.ask("POST", f"/v3/table/create/mta/made_{i}/log").status for i in range(3)]
    assert answers == [200, int(status), 200]
    assert td.engine.tables("mta") == ["made_0", "made_2", "touches"]
    assert td.faults.waiting == 0


@pytest.mark.parametrize(("kind", "made"), [("cut", []), ("cut_after", ["made"])])
def test_a_connection_is_cut_before_or_after_the_work(
    td: Emulator, http: Http, kind: str, made: list[str]
) -> None:
    td.faults.plan(Fault(kind))  # type: ignore[arg-type]
    with pytest.raises(urllib3.exceptions.ProtocolError):
        http.ask("POST", "/v3/table/create/mta/made/log")
    assert td.engine.tables("mta") == [*made, "touches"]
    assert td.requests[-1].status == 0


def test_half_an_answer(td: Emulator, http: Http) -> None:
    td.faults.plan(Fault("half"))
    with pytest.raises(urllib3.exceptions.ProtocolError, match="IncompleteRead"):
        http.ask("GET", "/v3/database/list")


def test_half_of_a_result_that_comes_in_pieces(td: Emulator, http: Http) -> None:
    td.engine.write("mta", "numbers", pa.table({"number": list(range(50_000))}))
    job = http.issue("select number from numbers")
    http.ended(job)
    td.faults.plan(Fault("half", path="/job/result/"))
    with pytest.raises(urllib3.exceptions.ProtocolError, match="IncompleteRead"):
        http.ask("GET", f"/v3/job/result/{job}?format=msgpack")
    assert len(http.rows(job)) == 50_000


def test_a_slow_answer_has_done_its_work(td: Emulator, http: Http) -> None:
    td.faults.plan(Fault("slow", seconds=0.5))
    start = time.monotonic()
    http.json("POST", "/v3/table/create/mta/made/log")
    assert time.monotonic() - start >= 0.5


def test_a_request_that_comes_twice(td: Emulator, http: Http) -> None:
    td.faults.plan(Fault("twice", path="/table/create"))
    http.json("POST", "/v3/table/create/mta/made/log", 409)
    td.faults.plan(Fault("twice", path="/upload_part/"))
    http.json("POST", "/v3/bulk_import/create/load/mta/made")
    assert http.ask("PUT", "/v3/bulk_import/upload_part/load/a", gzipped({"time": 1})).status == 200
    assert http.json("GET", "/v3/bulk_import/list_parts/load")["parts"] == ["a"]


def test_an_expired_key_stays_expired(td: Emulator, http: Http) -> None:
    td.faults.plan(Fault("expired", path="/table/"))
    http.json("GET", "/v3/database/list")
    for _ in range(2):
        http.json("GET", "/v3/table/list/mta", 401)
        http.json("GET", "/v3/database/list", 401)
    td.faults.clear()
    http.json("GET", "/v3/table/list/mta")


def test_a_fault_counts_the_requests_that_match_its_path(td: Emulator, http: Http) -> None:
    td.faults.plan(Fault("503", at=1, path="^/v3/table/list/", times=2))
    http.json("GET", "/v3/database/list")
    tables = [http.ask("GET", "/v3/table/list/mta").status for _ in range(4)]
    assert tables == [200, 503, 503, 200]


def test_a_fault_of_no_kind() -> None:
    with pytest.raises(ValueError, match="'flood': must be one of 500, 503"):
        Fault("flood")  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "state"), [("job_error", "error"), ("job_killed", "killed")])
def test_a_planned_fault_ends_a_job(td: Emulator, http: Http, kind: str, state: str) -> None:
    td.faults.plan(Fault(kind, at=1))  # type: ignore[arg-type]
    jobs = [http.issue(f"create table made_{i} as select 1 as one") for i in range(3)]
    assert [http.ended(job)["status"] for job in jobs] == ["success", state, "success"]
    assert td.engine.tables("mta") == ["made_0", "made_2", "touches"]


def test_stopping_wakes_whoever_waits(tmp_path: Path) -> None:
    start = time.monotonic()
    with Emulator(EmbeddedEngine(tmp_path)) as td:
        td.create_database("mta")
        td.faults.plan(Fault("slow", seconds=60), Fault("job_slow", seconds=60))
        left: list[type[Exception]] = []

        def ask() -> None:
            try:
                Http(td).ask("GET", "/v3/database/list")
            except urllib3.exceptions.HTTPError as error:
                left.append(type(error))

        thread = threading.Thread(target=ask)
        thread.start()
        while not td.requests:
            time.sleep(0.01)
        Http(td).issue("select 1")
    thread.join()
    assert left == [urllib3.exceptions.ProtocolError]
    assert time.monotonic() - start < 30


# --- texts of statements


@pytest.mark.parametrize(
    ("sql", "kind", "place", "query"),
    [
        ('create table "Made" as select 1', "create_as", ("mta", "made"), "select 1"),
        ("create table if not exists o.t with (x = 1) as (select 1)", "create_as", ("o", "t"),
         "(select 1)"),
        ('create table "td-presto".o.t (a bigint, b decimal(5, 2))', "create", ("o", "t"), ""),
        ("insert into t (a, b) values (1, ')')", "insert", ("mta", "t"), "values (1, ')')"),
        ("insert into t (select 1)", "insert", ("mta", "t"), "(select 1)"),
        ("/* ; */ with a as (select 1) select * from a", "query", ("", ""),
         "/* ; */ with a as (select 1) select * from a"),
        ("drop table if exists t", "drop", ("mta", "t"), ""),
        ("describe t", "show", ("", ""), ""),
        ("delete from t", "other", ("", ""), ""),
    ],
)  # fmt: skip
def test_the_beginning_of_a_statement_is_read(
    sql: str, kind: str, place: tuple[str, str], query: str
) -> None:
    (found,) = statements(f"{sql};\n-- the end;", "mta")
    assert (found.kind, (found.database, found.table), found.query) == (kind, place, query)


# --- python -m td_emulator


def test_the_command_serves_a_folder_and_says_what_to_export(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "touches.csv").write_text("id,clicks\n00012,1\n")
    stop, shown = threading.Event(), ""
    served = threading.Thread(target=main, args=(["--port", "0", "--folder", str(tmp_path)], stop))
    served.start()
    try:
        while "Ctrl-C" not in shown:
            shown += capsys.readouterr().out
            time.sleep(0.01)
        exports = dict(
            line.removeprefix("export ").split("=", 1)
            for line in shown.splitlines()
            if line.startswith("export ")
        )
        url = exports["TD_API_SERVER"]
        assert exports["TD_PRESTO_API"] == url.rstrip("/")
        headers = {"Authorization": f"TD1 {exports['TD_API_KEY']}"}
        answer = urllib3.request("GET", f"{url}v3/table/list/demo?apikey=1", headers=headers)
        (table,) = answer.json()["tables"]
        assert json.loads(table["schema"]) == [["id", "string", "id"], ["clicks", "long", "clicks"]]
    finally:
        stop.set()
        served.join()
    lines = capsys.readouterr().out
    assert lines.startswith("GET /v3/table/list/demo 200 ") and API_KEY not in lines


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys) -> None:
    assert main(["--folder", str(tmp_path / "nothing")]) == 2
    assert "must be a folder with a folder for each database" in capsys.readouterr().err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--folder", str(tmp_path), "--port", str(port)]) == 2
    assert f"--port {port}: Address already in use" in capsys.readouterr().err
