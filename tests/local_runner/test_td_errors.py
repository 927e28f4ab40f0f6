"""What goes wrong with Treasure Data: one message at the right task, an exit code, no key."""

import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_runner.td.account import DIGDAG_PATIENCE, Account
from td_emulator import API_KEY, READ_ONLY_KEY, Fault
from td_mta.errors import ConfigError
from tests.local_runner.td_project import Place, place_with_clicks  # noqa: F401 (a fixture)

SELECT = "+a: {td>: {data: select n from clicks}}\n"
WRONG_KEY = "9/" + "0" * 40
KEYS = (API_KEY, READ_ONLY_KEY, WRONG_KEY)


@pytest.fixture(autouse=True)
def no_key_is_left(place: Place, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Neither in what a test did not read itself nor in a file of the project's folder."""
    yield
    shown(capfd)
    files = [path.read_bytes() for path in place.root.rglob("*") if path.is_file()]
    assert not any(key.encode() in content for key in KEYS for content in files)


def shown(capfd: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Standard output and error so far, in which no key is."""
    out, err = capfd.readouterr()
    assert not any(key in out + err for key in KEYS)
    return out, err


def failed(capfd: pytest.CaptureFixture[str]) -> str:
    """The list of errors that a run ends with."""
    return shown(capfd)[1].partition("error:")[2]


def test_a_wrong_key_is_tried_twice_and_then_an_error_at_its_task(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(main=SELECT)
    assert place.run("--secret", f"td.apikey={WRONG_KEY}") == 1
    assert place.asked() == ["POST job/issue/presto/mta"] * 2
    told = failed(capfd)
    assert "* +main+a:" in told
    assert "POST /v3/job/issue/presto/mta has failed: 401" in told
    assert "the API key is wrong or expired: see TD_API_KEY" in told


def test_a_key_that_expires_in_the_run_stops_it_at_that_task(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(main=SELECT + "+b: {td_ddl>: , drop_tables: [clicks]}\n")
    place.td.faults.plan(Fault("expired", path="/table/delete/"))
    assert place.run() == 1
    assert "* +main+b:" in (told := failed(capfd))
    assert "401" in told
    assert place.td.engine.tables("mta") == ["clicks"]


def test_a_key_without_write_rights_is_reported_at_once(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(main="+a: {td_ddl>: , create_tables: [fresh]}\n")
    assert place.run("--secret", f"td.apikey={READ_ONLY_KEY}") == 1
    assert "403" in (told := failed(capfd))
    assert "the account's master key is needed, with write rights" in told


def test_without_a_key_no_task_runs(
    place: Place, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TD_API_KEY")
    place.write(main="+first: {echo>: ran}\n" + SELECT)
    assert place.run() == 2
    out, err = shown(capfd)
    assert out == ""
    assert err.startswith("error: main.dig:3: the secret td.apikey is missing: export TD_API_KEY")
    assert place.td.requests == ()


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("td>: {data: select 1}\n  database: my", "'my' is no database name"),
        ("td>: {data: select 1}\n  create_table: Upper", "'Upper' is no table name: Treasure Data"),
        (
            "td>: {data: select 1}\n  create_table: t1",
            "allows 3 to 256 characters of a-z, 0-9 and _",
        ),
        ("td>: {data: select 1}\n  insert_into: " + "x" * 257, "is no table name"),
        ("td_ddl>:\n  drop_tables: [ok_, no-good]", "drop_tables: 'no-good' is no table name"),
        ("td_ddl>:\n  create_databases: [x]", "create_databases: 'x' is no database name"),
        ("td_ddl>:\n  rename_tables: [{from: abc, to: db.abc}]", "'db.abc' is no table name"),
        ("td>: {data: select 1}\n  engine: trino", "engine must be presto or hive, got trino"),
        ("td>: {data: select 1}\n  priority: HIGH", "Expected integer (int) type for key 'prior"),
        ("td>: {data: select 1}\n  preview: yes", "Expected 'true' or 'false' for key 'preview'"),
        ("td>: {data: select 1}\n  result_settings: {a: 1}", "result_settings needs result_conn"),
        ("td>: {data: select 1}\n  result_url: '${secret:u}'", "result_url: the secret u is miss"),
        (
            "td>: {data: select 1}\n  create_table: abc\n  insert_into: abc",
            "or insert_into, got both",
        ),
        ("td>: {data: select 1}\n  create_table: abc\n  download_file: f.csv", "returns no rows"),
        ("td>: nowhere.sql", "td>: no such file, or not UTF-8: nowhere.sql"),
        ("td_wait>: {data: select 1}\n  interval: 5s", "from 30s to 2d, got 5s"),
        ("td_wait_table>: x", "'x' is no table name"),
        ("td_for_each>: {data: select 1}", "td_for_each> needs _do"),
        ("td_load>: nowhere.yml\n  table: abc", "td_load>: no such file: nowhere.yml"),
        ("td_partial_delete>: abc\n  from: 0", "td_partial_delete> needs to"),
        ("td_result_export>:\n  job_id: 1", "needs result_connection, result_settings"),
        (
            "td_table_export>: {}\n  table: abc\n  from: 0\n  to: 1\n  s3_bucket: b\n"
            "  file_format: tsv.gz\n  s3_path_prefix: p",
            "the secret aws.s3.access_key_id is missing",
        ),
    ],
    ids=lambda value: value.replace("\n ", "")[:40],
)
def test_what_cannot_be_meant_is_refused_by_place_before_any_request(
    task: str, message: str, place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(main=f"+first: {{echo>: ran}}\n+t:\n  {task}\n")
    assert place.run() == 2
    out, err = shown(capfd)
    assert (out, place.td.requests) == ("", ())
    assert "error: main.dig:4: " in err or "error: main.dig:5: " in err
    assert message in err


def test_the_map_td_of_a_task_joins_the_one_around_it(place: Place) -> None:
    place.write(main="+a: {td>: {data: select n from clicks}, td: {priority: 2}}\n")
    assert place.run() == 0
    assert place.forms()[0]["priority"] == "2"


def test_a_task_without_a_database_is_refused(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(main__dig=SELECT)
    assert place.run() == 2
    assert "main.dig:1: td> needs the parameter database" in shown(capfd)[1]


def test_a_database_that_is_known_only_in_the_run_is_checked_then(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(main__dig="+a: {td>: {data: select 1}, database: '${stored.db}'}\n")
    assert place.run() == 1
    assert "Failed to evaluate a variable ${stored.db}" in failed(capfd)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("td>: {data: select 1}\n  database: not_there", "404 Not Found: Couldn't find database"),
        ("td>: {data: select 1}\n  result_connection: nope", "find connection with name = nope"),
        ("td>: {data: select n from nowhere}", "job 1001 ended as error: "),
        ("td>: {data: select nope from clicks}", "nope"),
        ("td_ddl>:\n  create_tables: [not_there.abc]", "404 Not Found: Couldn't find Database"),
    ],
    ids=["database", "connection", "table", "column", "database of td_ddl>"],
)
def test_what_is_not_there_is_one_message_at_its_task(
    task: str, message: str, place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(main=f"+t:\n  {task}\n+later: {{echo>: never}}\n")
    assert place.run() == 1
    out, err = shown(capfd)
    assert out == ""
    told = err.partition("error:")[2]
    assert told.count("  * ") == 1
    assert "* +main+t:" in told
    assert message in told


def test_a_job_that_is_killed_in_the_warehouse_fails_its_task(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(main=SELECT)
    place.td.faults.plan(Fault("job_killed"))
    assert place.run() == 1
    assert "job 1001 ended as killed" in failed(capfd)


def test_a_task_with_retry_issues_another_job(place: Place) -> None:
    place.write(main="+a: {td>: {data: select n from clicks}, _retry: 1}\n")
    place.td.faults.plan(Fault("job_error"))
    assert place.run() == 0
    keys = {form["domain_key"] for form in place.forms()}
    assert len(keys) == len(place.td.jobs) == 2


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.slow
def test_a_server_that_cannot_be_reached_is_reported_within_seconds(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(main=SELECT)
    started, server = time.monotonic(), f"127.0.0.1:{free_port()}"
    secrets = ("--secret", f"td.endpoint={server}", "--secret", "td.use_ssl=false")
    assert place.run(*secrets, patience=DIGDAG_PATIENCE) == 1
    assert time.monotonic() - started < 10
    told = failed(capfd)
    assert f"cannot be reached at http://{server} (the secret td.endpoint; " in told
    assert "Check TD_API_SERVER, td.endpoint and td.use_ssl" in told


def test_https_to_a_plain_server_names_use_ssl(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(main=SELECT)
    assert place.run("-p", f"td.endpoint={place.td.endpoint}") == 1
    told = failed(capfd)
    assert f"cannot be reached at https://{place.td.endpoint} (the parameter td.endpoint; " in told
    assert "td.use_ssl" in told


def test_a_server_that_stays_away_later_is_reported_after_all_retries(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(main=SELECT)
    place.td.faults.plan(Fault("cut", path="/job/status/", times=1000))
    assert place.run() == 1
    told = failed(capfd)
    assert "GET /v3/job/status/1001 has failed: the connection broke" in told
    assert place.asked().count("GET job/status") == 1  # polls in a row are shown once


def test_a_pause_between_two_tasks_is_waited_out(place: Place) -> None:
    place.write(main=SELECT + SELECT.replace("+a", "+b"))
    place.td.faults.plan(Fault("cut", path="/job/issue/", at=1, times=5))
    assert place.run() == 0
    assert len(place.td.jobs) == 2


def test_a_server_that_is_not_treasure_data_is_named(
    place: Place, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = []

    class Page(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            keys.append(self.headers["Authorization"])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>log in</html>")

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("TD_API_SERVER", f"http://127.0.0.1:{server.server_address[1]}/")
        place.write(main=SELECT)
        assert place.run() == 1
        assert place.run("--secret", "td.apikey=1/key") == 1
        server.shutdown()
        thread.join()
    assert "(TD_API_SERVER) is not Treasure Data's API: its answer is not JSON" in failed(capfd)
    assert keys == [f"TD1 {API_KEY}", "1/key"]  # as td-client-java sends them


def test_an_answer_that_repeats_the_key_is_shown_without_it(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(main="+a: {td>: {data: select 1}, database: repeated}\n")
    assert place.run("--secret", "td.apikey=repeated") == 1
    assert "POST /v3/job/issue/presto/*** has failed" in (told := failed(capfd))
    assert "repeated" not in told


def heeds_interrupts() -> None:
    """Tests that a shell runs in the background would hand down that interrupts are ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_control_c_kills_the_job_and_keeps_what_a_resumed_run_needs(place: Place) -> None:
    place.write(main="+a: {echo>: done}\n+b: {td>: {data: select n from clicks}}\n")
    place.td.faults.plan(Fault("job_slow", seconds=60))
    command = [sys.executable, "-m", "local_runner", "run", "main.dig", "--warehouse", "td"]
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    with subprocess.Popen(
        command,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heeds_interrupts,
    ) as run:
        while not any("/job/status/" in request.path for request in place.td.requests):
            assert run.poll() is None
            time.sleep(0.01)
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=20)
    assert run.returncode == 130
    assert place.asked()[-1] == "POST job/kill"
    assert err.endswith("resume with --from +task\nerror: interrupted\n")
    assert place.run("--from", "+b") == 0


def test_a_failed_run_is_resumed_with_its_session_and_stores(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    tasks = (
        "+a: {td>: {data: select sum(n) as n from clicks}, store_last_results: true}\n"
        "+b: {td>: {data: 'select ${td.last_results.n} as n'}, create_table: made}\n"
    )
    place.write(main=tasks)
    place.td.faults.plan(Fault("job_error", at=1))
    assert place.run() == 1
    assert failed(capfd).endswith("resume with --from +task\n")
    assert place.run("--from", "+b") == 0
    assert place.td.engine.read("mta", "made").column("n").to_pylist() == [5]
    assert [form["scheduled_time"] for form in place.forms()] == ["1772323200"] * 3


def test_py_gets_key_and_address_only_by_its_own_env(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(
        main="+a: {py>: m.f}\n"
        "+b:\n  py>: m.f\n  _env: {TD_API_KEY: '${secret:td.apikey}',"
        " TD_API_SERVER: '${secret:td.apiserver}', HOST: '${secret:td.endpoint}'}\n",
        m__py="import os\n"
        "def f():\n"
        "    key = os.environ.get('TD_API_KEY')\n"
        "    print(key and len(key), *map(os.environ.get, ('TD_API_SERVER', 'HOST')))\n"
        "    print(os.environ['MTA_WAREHOUSE'], os.environ['MTA_OUT'])\n",
    )
    assert place.run("--out", "made") == 0
    td, always = place.td, f"td {place.root / 'made'}"
    wanted = ["None None None", always, f"{len(API_KEY)} {td.url} {td.endpoint}", always]
    assert shown(capfd)[0].splitlines() == wanted


@pytest.mark.parametrize("server", ["the same", "another"])
def test_a_py_task_that_is_sent_to_another_server_is_warned_about(
    server: str, place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    url = place.td.url if server == "the same" else "https://api.treasuredata.com"
    place.write(
        main=f"+a: {{py>: m.f, _env: {{TD_API_SERVER: '{url}'}}}}\n", m__py="def f(): pass\n"
    )
    assert place.run() == 0
    warning = f"warning: +main+a: its TD_API_SERVER is {url}, while td> goes to http://127.0.0.1"
    assert (warning in shown(capfd)[1]) == (server == "another")


def test_a_dry_run_shows_what_would_be_sent_and_asks_nothing(
    place: Place, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TD_API_KEY")
    place.write(
        main="+a: {td>: {data: 'select ${1 + 1} as n'}, create_table: made}\n"
        "+b: {td_for_each>: {data: select 1 as n}, _do: {echo>: '${td.each.n}'}}\n"
        "+c: {td_wait_table>: made, rows: 1}\n"
        "+d: {td_ddl>: , drop_tables: [made]}\n"
    )
    assert place.run("--dry-run") == 0
    assert place.td.requests == ()
    assert shown(capfd)[0] == (
        "-- +main+a: create_table made\n"
        "-- project_id: 1\n-- project_name: default\n-- workflow_name: main\n-- session_id: 1\n"
        "-- attempt_id: 1\n-- task_name: +main+a\n"
        'DROP TABLE IF EXISTS "made";\nCREATE TABLE "made" AS\nselect 2 as n\n\n'
        "-- +main+b: td_for_each\nselect 1 as n\n\n"
        '-- +main+c: td_wait_table made\nselect count(*) from "made"\n\n'
        "-- +main+d: td_ddl\n-- POST /v3/table/delete/mta/made\n\n"
    )


@pytest.mark.parametrize(
    ("secrets", "given", "environment", "url"),
    [
        ({}, {}, {}, "https://api.treasuredata.com"),
        ({}, {}, {"TD_API_SERVER": "http://here:1/"}, "http://here:1"),
        (
            {},
            {},
            {"TD_API_SERVER": "api.eu01.treasuredata.com"},
            "https://api.eu01.treasuredata.com",
        ),
        ({}, {"endpoint": "there:2"}, {"TD_API_SERVER": "http://here:1/"}, "https://there:2"),
        ({}, {"endpoint": "there:2", "use_ssl": False}, {}, "http://there:2"),
        ({"td.endpoint": "that:3"}, {"endpoint": "there:2"}, {}, "https://that:3"),
        ({"td.endpoint": "that:3", "td.use_ssl": "false"}, {"use_ssl": True}, {}, "http://that:3"),
        ({"td.apiserver": "http://a:4/"}, {}, {"TD_API_SERVER": "http://here:1/"}, "http://a:4"),
        ({"td.apiserver": "http://a:4/"}, {"endpoint": "there:2"}, {}, "https://there:2"),
    ],
    ids=str,
)
def test_a_secret_beats_a_parameter_and_that_the_environment(
    secrets: dict[str, str],
    given: dict[str, str | bool],
    environment: dict[str, str],
    url: str,
) -> None:
    account = Account(secrets={"td.apikey": "k"} | secrets, environment=environment)
    assert account.connection({**given}).url == url
    assert "'k'" not in repr(account) + repr(account.connection({**given}))


@pytest.mark.parametrize(
    ("secrets", "message"),
    [
        ({"td.endpoint": "https://here/"}, "the secret td.endpoint must be a host, or host:port"),
        ({"td.apiserver": "ftp://u:p@here"}, "must be an address such as .*, got 'ftp://here'$"),
    ],
    ids=["a scheme", "no address"],
)
def test_an_address_of_another_form_is_an_error(secrets: dict[str, str], message: str) -> None:
    account = Account(secrets={"td.apikey": "k"} | secrets, environment={})
    with pytest.raises(ConfigError, match=message):
        account.connection({})
