"""What is particular to Treasure Data: one job per read, swaps, faults at each request, secrets."""

import http.server
import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from td_emulator import API_KEY, READ_ONLY_KEY, Fault
from td_mta.errors import ConfigError, DataError, MtaError, WarehouseError
from td_mta.warehouse import IfExists, td_jobs, td_types
from td_mta.warehouse.td_patience import Patience
from td_mta.warehouse.treasure_data import TreasureDataWarehouse
from tests.td_emulator.td_account import NOW, QUICK, Account, account

OLD = pd.DataFrame({"day": [7], "channel": ["old"]})
NEW = pd.DataFrame({"day": [1, 2], "channel": ["Email", None]})
BOTH = {"credits": NEW, "metrics": NEW}
OLD_ROWS = [{"day": 7, "channel": "old"}]
NEW_ROWS = [{"day": 1, "channel": "Email"}, {"day": 2, "channel": None}]


@pytest.fixture
def td(tmp_path: Path) -> Iterator[Account]:
    with account(tmp_path) as made:
        yield made


def put(td: Account, table: str, frame: pd.DataFrame = OLD) -> None:
    rows = pa.Table.from_pandas(frame, preserve_index=False)
    td.td.engine.write("mta", table, rows.append_column("time", pa.array([NOW] * len(frame))))


def paths(td: Account, since: int = 0) -> list[str]:
    return [f"{request.method} {request.path}" for request in td.td.requests[since:]]


def steps(td: Account, since: int = 0) -> list[str]:
    """The requests without the names and numbers in them."""
    return [re.sub(r"^\w+ /v3/(\w+/\w+).*", r"\1", path) for path in paths(td, since)]


# --- reading ---------------------------------------------------------------------------------


def test_a_read_is_one_job_that_names_the_asked_columns(td: Account) -> None:
    put(td, "touches", pd.DataFrame({"id": ["007"], "n": [1], "x": [0.5]}))
    (batch,) = td.warehouse().read("touches", ["x", "id"])
    assert batch.to_pylist() == [{"x": 0.5, "id": "007"}]
    issued = [r.parameters for r in td.td.requests if "/job/issue/" in r.path]
    assert [each["query"] for each in issued] == ['select "x", "id" from "touches"']
    assert issued[0]["scheduled_time"] == str(NOW)


def test_a_large_result_comes_in_blocks_and_each_row_once(
    td: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(td_jobs, "BLOCK_ROWS", 1000)
    put(td, "touches", pd.DataFrame({"n": range(25_500)}))
    td.td.faults.plan(Fault("half", path="/job/result/"), Fault("cut", path="/job/result/", at=1))
    batches = list(td.warehouse().read("touches", ["n"]))
    assert max(len(batch) for batch in batches) == 1000
    read = np.concatenate([batch["n"].to_numpy() for batch in batches])
    assert read.tolist() == list(range(25_500))
    assert len([step for step in steps(td) if step == "job/issue"]) == 1
    assert len([step for step in steps(td) if step == "job/result"]) > 2


def test_a_download_that_breaks_every_time_ends_with_the_reason(td: Account) -> None:
    put(td, "touches", pd.DataFrame({"n": range(10)}))
    td.td.faults.plan(Fault("cut", path="/job/result/", times=99))
    with pytest.raises(WarehouseError, match=r"read the result of job \d+: .*tried 5 times"):
        list(td.warehouse().read("touches", ["n"]))


def test_every_type_of_a_query_arrives_as_its_own(td: Account) -> None:
    table = td.warehouse().query(
        "select 1 as i, cast(9007199254740993 as bigint) as b, '007' as s, 0.5e0 as d, "
        "true as t, date '2026-03-01' as day, timestamp '2026-03-01 05:06:07.5' as moment, "
        "cast(1.25 as decimal(4, 2)) as dec, cast(null as double) as nothing"
    )
    (row,) = table.to_pylist()
    assert {name: str(value) for name, value in row.items()} == {
        "i": "1", "b": "9007199254740993", "s": "007", "d": "0.5", "t": "True",
        "day": "2026-03-01", "moment": "2026-03-01 05:06:07.500000", "dec": "1.25",
        "nothing": "None",
    }  # fmt: skip
    assert table.schema.field("nothing").type == pa.float64()


def test_a_result_without_rows_has_its_columns(td: Account) -> None:
    table = td.warehouse().query("select 1 as n, 'a' as s where false")
    assert (table.num_rows, table.column_names) == (0, ["n", "s"])


# --- writing ---------------------------------------------------------------------------------


def test_every_table_is_staged_before_the_first_is_published(td: Account) -> None:
    td.warehouse().write_all(BOTH, "overwrite")
    done = steps(td)
    assert done.count("table/rename") == 2
    assert done.index("table/rename") > max(
        at for at, step in enumerate(done) if step.startswith("bulk_import")
    )
    assert td.tables() == ["credits", "metrics"]


def test_names_of_columns_become_those_that_are_allowed(td: Account) -> None:
    frame = pd.DataFrame({"Paid Search": [0.5], "7-Eleven": [0.25], "日本": [0.25]})
    td.warehouse().write("shares", frame, "overwrite")
    assert td.rows("shares") == [{"paid_search": 0.5, "_7_eleven": 0.25, "channel_1": 0.25}]


def test_columns_that_would_become_one_are_numbered(td: Account) -> None:
    td.warehouse().write("shares", pd.DataFrame({"A b": [1], "a-b": [2]}), "overwrite")
    assert td.rows("shares") == [{"a_b": 1, "a_b_2": 2}]


def test_time_is_the_sessions_unless_the_rows_have_their_own(td: Account) -> None:
    td.warehouse().write("one", OLD, "overwrite")
    td.warehouse().write("two", OLD.assign(time=5), "overwrite")
    times = [td.td.engine.read("mta", table)["time"].to_pylist() for table in ("one", "two")]
    assert times == [[NOW], [5]]


def test_many_rows_are_uploaded_in_parts(td: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(td_types, "PART_ROWS", 100)
    td.warehouse().write("many", pd.DataFrame({"n": range(201)}), "overwrite")
    assert steps(td).count("bulk_import/upload_part") == 3
    assert td.rows("many") == [{"n": n} for n in range(201)]


def test_append_loads_into_the_table_that_is_there(td: Account) -> None:
    put(td, "credits")
    td.warehouse().write_all(BOTH, "append")
    assert td.rows("credits") == [*OLD_ROWS, *NEW_ROWS]
    assert td.rows("metrics") == NEW_ROWS
    assert td.tables() == ["credits", "metrics"]


# --- faults at every request -----------------------------------------------------------------


IN_A_HURRY = replace(QUICK, answer=0.4)
SLOW = Fault("slow", seconds=0.8)
HELPLESS = ("401", "403", "expired")
EVERY = {"500": 1, "cut_after": 1, "401": 1, "expired": 2, "403": 3}  # else every fourth request


def reset(td: Account) -> None:
    td.td.faults.clear()
    for table in td.tables():
        td.td.engine.drop_table("mta", table)
    put(td, "credits")
    put(td, "metrics")


def length_of_a_write(td: Account, if_exists: IfExists) -> int:
    reset(td)
    before = len(td.td.requests)
    td.warehouse().write_all(BOTH, if_exists)
    return len(td.td.requests) - before


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["500", "503", "429", "cut", "cut_after", "half", "slow", "401", "403", "expired"]
)
@pytest.mark.parametrize("if_exists", ["overwrite", "append"])
def test_a_fault_at_any_request_leaves_all_tables_new_or_all_old(
    td: Account, if_exists: IfExists, kind: str
) -> None:
    new = NEW_ROWS if if_exists == "overwrite" else [*OLD_ROWS, *NEW_ROWS]
    tables = {"written": [new, new], "refused": [OLD_ROWS, OLD_ROWS], "half": [new, OLD_ROWS]}
    requests = length_of_a_write(td, if_exists)
    assert requests > 15
    ends = set()
    for at in range(requests - 1, -1, -EVERY.get(kind, 4)):
        reset(td)
        td.td.faults.plan(replace(SLOW if kind == "slow" else Fault(kind), at=at))
        end = outcome(td, if_exists)
        td.td.faults.clear()
        assert settled(td, tables[end]), f"{kind} at request {at} of {requests}: {end}"
        if kind != "expired":  # which leaves no way to clean up
            assert td.tables() == ["credits", "metrics"], f"{kind} at {at}"
        ends.add(end)
    assert ("refused" in ends) == (kind in HELPLESS)
    assert ends - {"refused"} <= {"written", *(["half"] if kind == "expired" else [])}


@pytest.mark.parametrize("step", ["/table/rename", "/bulk_import/commit"])
@pytest.mark.parametrize("kind", ["401", "403", "expired"])
def test_what_is_half_published_is_finished_or_reported(td: Account, step: str, kind: str) -> None:
    if_exists: IfExists = "overwrite" if "rename" in step else "append"
    reset(td)
    td.td.faults.plan(Fault(kind, path=step, at=1))
    end = outcome(td, if_exists)
    td.td.faults.clear()
    assert end == ("half" if kind == "expired" else "written")
    new = NEW_ROWS if if_exists == "overwrite" else [*OLD_ROWS, *NEW_ROWS]
    assert settled(td, [new, OLD_ROWS if end == "half" else new])


def outcome(td: Account, if_exists: IfExists) -> str:
    try:
        td.warehouse(patience=IN_A_HURRY).write_all(BOTH, if_exists)
    except ConfigError as error:
        assert re.search(r"TD_API_KEY \(40[13]: ", str(error))
        return "refused"
    except WarehouseError as error:
        if "the new rows of every table were accepted" in str(error):
            return "written"
        assert "Tables are new already: credits; " in str(error)
        return "half"
    return "written"


def settled(td: Account, tables: list[list[dict[str, object]]]) -> bool:
    """Whether the tables come to be these: a commit that nobody waits for takes a moment."""
    end = time.monotonic() + 5
    while (found := [td.rows(table) for table in BOTH]) != tables and time.monotonic() < end:
        time.sleep(0.05)
    return found == tables


def test_a_fault_that_stays_ends_with_the_step_and_the_old_tables(td: Account) -> None:
    put(td, "credits")
    td.td.faults.plan(Fault("503", path="/bulk_import/commit", times=99))
    with pytest.raises(WarehouseError, match=r"add the new rows to table .*: 503.*tried 5 times"):
        td.warehouse().write("credits", NEW, "overwrite")
    assert td.rows("credits") == OLD_ROWS
    assert td.tables() == ["credits"]


def test_rows_that_treasure_data_does_not_take_are_an_error(td: Account) -> None:
    put(td, "credits")
    td.td.faults.plan(Fault("job_error", path="/bulk_import/perform"))
    with pytest.raises(WarehouseError, match=r"job \d+ failed"):
        td.warehouse().write("credits", NEW, "overwrite")
    assert td.rows("credits") == OLD_ROWS
    assert td.tables() == ["credits"]


def test_a_query_is_issued_once_even_if_the_answer_is_lost(td: Account) -> None:
    put(td, "credits")
    td.td.faults.plan(Fault("cut_after", path="/job/issue/"))
    assert td.warehouse().insert_into("credits", "select 8, 'once'") == 1
    assert [row["day"] for row in td.rows("credits")] == [7, 8]


# --- retries ---------------------------------------------------------------------------------


def test_pauses_double_up_to_the_longest(td: Account) -> None:
    td.td.faults.plan(Fault("500", path="/table/list", times=4))
    patience = Patience(pause=1, longest_pause=5)
    with pytest.raises(DataError, match="no table 'nothing'"):
        td.warehouse(patience=patience).columns("nothing")
    assert td.pauses == [1, 2, 4, 5]


def test_a_retry_is_logged_with_its_reason(td: Account, caplog: pytest.LogCaptureFixture) -> None:
    put(td, "credits")
    td.td.faults.plan(Fault("503", path="/table/list"))
    with caplog.at_level(logging.WARNING):
        td.warehouse().columns("credits")
    (line,) = caplog.messages
    assert re.match(r"look at database mta: 503 .*; trying again in 0.001 s \(1 of 5\)", line)


@pytest.mark.slow
def test_an_endpoint_that_cannot_be_reached_is_reported_within_seconds() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    warehouse = TreasureDataWarehouse(API_KEY, f"http://127.0.0.1:{port}", "mta", now=NOW)
    started = time.monotonic()
    with pytest.raises(WarehouseError, match=rf"127.0.0.1:{port} cannot be reached.*refused"):
        warehouse.columns("credits")
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("status", [200, 404])
def test_a_server_that_is_not_treasure_data_is_reported(status: int) -> None:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "6")
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        warehouse = TreasureDataWarehouse(API_KEY, address, "mta", now=NOW, patience=QUICK)
        with pytest.raises(MtaError, match=r"is not Treasure Data's API.*check TD_API_SERVER"):
            warehouse.columns("credits")
        server.shutdown()


def test_a_host_without_an_address_is_reported() -> None:
    warehouse = TreasureDataWarehouse(
        API_KEY, "http://no-such-host.invalid", "mta", now=NOW, patience=QUICK
    )
    with pytest.raises(WarehouseError, match=r"no-such-host\.invalid cannot be reached"):
        warehouse.columns("credits")


# --- what is told ----------------------------------------------------------------------------


@pytest.mark.parametrize("if_exists", ["overwrite", "append", "error"])
def test_a_key_that_may_not_write_is_found_before_the_work(td: Account, if_exists: str) -> None:
    with pytest.raises(ConfigError, match=r"does not allow this to TD_API_KEY \(403.*master key"):
        td.warehouse(key=READ_ONLY_KEY).check_writable({"credits": None}, if_exists)
    assert td.tables() == []


def test_the_check_leaves_nothing_behind(td: Account) -> None:
    put(td, "credits")
    td.warehouse().check_writable({"credits": None}, "overwrite")
    assert td.tables() == ["credits"]


def test_a_wrong_key_is_reported_at_once(td: Account) -> None:
    wrong = "9/" + "0" * 40
    with pytest.raises(ConfigError, match=r"does not accept TD_API_KEY \(401") as caught:
        td.warehouse(key=wrong).columns("credits")
    assert len(td.td.requests) == 1
    assert wrong not in str(caught.value) and "0" * 40 not in str(caught.value)


def test_a_missing_database_is_reported_with_those_that_are_there(td: Account) -> None:
    with pytest.raises(DataError, match=r"no database 'mtaa' at http.*; there is mta"):
        td.warehouse(database="mtaa").columns("credits")


@pytest.mark.parametrize("name", ["ab", "Shapley", "my table", "x" * 257])
def test_a_table_name_that_is_not_allowed_is_reported_before_any_request(
    td: Account, name: str
) -> None:
    with pytest.raises(
        ConfigError, match="Treasure Data allows 3 to 256 characters of a-z, 0-9 and _"
    ):
        td.warehouse().check_writable({name: None}, "overwrite")
    assert td.td.requests == ()


def test_a_job_that_fails_is_reported_with_its_number_and_text(td: Account) -> None:
    with pytest.raises(DataError, match=r"job \d+ failed: .*'nope'"):
        td.warehouse().query("select nope from (values 1) as v(n)")
    with pytest.raises(WarehouseError, match=r"job \d+ failed: (?i:.*division.by.zero)"):
        td.warehouse().query("select 1 / n from (values 0) as v(n)")


def test_a_job_that_somebody_kills_is_reported(td: Account) -> None:
    td.td.faults.plan(Fault("job_killed"))
    with pytest.raises(WarehouseError, match=r"job \d+ was killed in Treasure Data"):
        td.warehouse().query("select 1 as n")


def test_a_job_that_takes_too_long_is_stopped(td: Account) -> None:
    td.td.faults.plan(Fault("job_slow", seconds=30))
    patience = replace(QUICK, job=0.05)
    with pytest.raises(WarehouseError, match=r"job \d+ was stopped: still \w+ after 0 s"):
        td.warehouse(patience=patience).query("select 1 as n")
    assert "job/kill" in steps(td)


# --- secrets ---------------------------------------------------------------------------------


SECRET = API_KEY.rpartition("/")[2]


@pytest.mark.parametrize("kind", ["500", "401", "403", "422", "cut", "half", "job_error"])
def test_the_key_is_in_no_log_and_in_no_error(
    td: Account, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    put(td, "credits")
    told = []
    with caplog.at_level(logging.DEBUG):
        td.td.faults.plan(Fault(kind, times=99, at=0 if kind == "job_error" else 3))
        for work in (lambda w: w.write("credits", NEW, "append"), lambda w: w.query("select 1")):
            warehouse = td.warehouse()
            told.append(repr(warehouse) + repr(warehouse.__dict__))
            try:
                work(warehouse)
            except MtaError as error:
                told += [str(error), repr(error)]
    assert len(told) > 2
    assert SECRET not in " ".join([*told, caplog.text])


def test_a_server_that_repeats_the_key_is_not_repeated(td: Account) -> None:
    connection = td.warehouse()._connection
    assert connection.scrub(f"bad key {API_KEY}, or {SECRET}") == "bad key ***, or ***"
