"""td> and its family on Treasure Data: the requests that Digdag 0.10.5.1 was seen to make."""

import functools
import re
import threading
import time
from collections.abc import Callable

import pyarrow as pa
import pytest

from td_emulator import Fault
from tests.local_runner.td_project import HEAD, Place, place_with_clicks  # noqa: F401 (a fixture)

JOB = ["POST job/issue/presto/mta", "GET job/status"]
SHOW, RESULT = ["GET job/show"], ["GET job/result"]


def test_td_issues_a_job_polls_it_and_shows_it_once(place: Place) -> None:
    place.write(main="+all:\n  +a: {td>: {data: select 1 as n}}\n")
    assert place.run() == 0
    assert place.asked() == [*JOB, *SHOW]
    (form,) = place.forms()
    key = form.pop("domain_key")
    assert len(key) == 36
    assert form == {
        "query": HEAD.format("+all+a") + "select 1 as n",
        "priority": "0",
        "scheduled_time": "1772323200",
        "version": "0.9.0",
        "retry_limit": "0",
    }


def test_every_option_has_its_field_in_digdags_order(place: Place) -> None:
    place.td.connections["warehouse"] = 77
    place.write(
        main="+a:\n  td>: {data: select 1 as n}\n  priority: 1\n  job_retry: '2'\n"
        "  presto_pool_name: small\n  pool_name: ignored\n  engine_version: stable\n"
        "  result_url: 'mysql://u:${secret:pass}@h/t'\n  result_connection: warehouse\n"
        "  result_settings: {table: t, pass: '${secret:pass}'}\n"
    )
    assert place.run("--secret", "pass=word") == 0
    assert place.asked()[0] == "GET connections/lookup"
    assert place.td.requests[0].parameters == {"name": "warehouse"}
    (form,) = place.forms()
    assert [field for field in form.items() if field[0] not in ("domain_key", "query")] == [
        ("result", "mysql://u:word@h/t"),
        ("priority", "1"),
        ("pool_name", "small"),
        ("scheduled_time", "1772323200"),
        ("result_connection_id", "77"),
        ("result_connection_settings", '{"table":"t","pass":"word"}'),
        ("engine_version", "stable"),
        ("version", "0.9.0"),
        ("retry_limit", "2"),
    ]
    assert list(form)[:3] == ["result", "domain_key", "query"]


MAKE = 'DROP TABLE IF EXISTS "made";\nCREATE TABLE "made" AS\n'


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("select 1 as n\n", MAKE + "select 1 as n\n"),
        ("-- what\n-- it is\nselect 1 as n", "-- what\n-- it is\n" + MAKE + "select 1 as n"),
        ("-- what\nselect 1 as n\n", MAKE + "-- what\nselect 1 as n\n"),
        ("-- what\r\nselect 1 as n", "-- what\r\n" + MAKE + "select 1 as n"),
        ("\n-- what\nselect 1 as n", "\n-- what\n" + MAKE + "select 1 as n"),
        ("select 1 as n\n-- what\n", MAKE + "select 1 as n\n-- what\n"),
        (
            "-- what\n-- DIGDAG_INSERT_LINE xyz\nselect 1 as n\n",
            "-- what\n" + MAKE + "select 1 as n\n",
        ),
        ("--DIGDAG_INSERT_LINE\r\nselect 1 as n", MAKE[:-1] + "\r\nselect 1 as n"),
    ],
    ids=[
        "in front",
        "after comments and before one line",
        "in front, a last line end",
        "CRLF",
        "a blank line first",
        "comments behind",
        "the line for it",
        "the line for it, CRLF",
    ],
)
def test_create_table_is_one_job_whose_command_has_its_place(
    written: str, sent: str, place: Place
) -> None:
    place.write(main="+a: {td>: q.sql, create_table: made}\n", q__sql=written)
    assert place.run() == 0
    assert place.queries() == [HEAD.format("+a") + sent]
    assert place.asked() == [*JOB, *SHOW]
    assert place.td.engine.read("mta", "made").column("n").to_pylist() == [1]


def test_a_table_of_another_database_is_quoted_in_two_parts(place: Place) -> None:
    place.td.create_database("other")
    place.write(main="+a: {td>: {data: select 1 as n}, create_table: other.made}\n")
    assert place.run() == 0
    assert 'CREATE TABLE "other"."made" AS\n' in place.queries()[0]
    assert place.td.engine.tables("other") == ["made"]


@pytest.mark.parametrize("table", ["clicks", "fresh"], ids=["there before", "new"])
def test_insert_into_makes_sure_of_the_table_first(table: str, place: Place) -> None:
    query = "select 'eve' as name, 4 as n"
    place.write(main=f'+a: {{td>: {{data: "{query}"}}, insert_into: {table}}}\n')
    assert place.run() == 0
    ensured = [f"POST table/create/mta/{table}/log", "GET table/list/mta"]
    assert place.asked() == [*ensured, *JOB, *SHOW]
    assert place.queries() == [HEAD.format("+a") + f'INSERT INTO "{table}"\n{query}']
    assert place.td.engine.read("mta", table).column("n").to_pylist()[-1] == 4


@pytest.mark.parametrize(
    ("verb", "command"),
    [
        ("create_table", "INSERT OVERWRITE TABLE `made`"),
        ("insert_into", "INSERT INTO TABLE `made`"),
    ],
)
def test_hive_makes_sure_of_the_table_and_quotes_by_backquotes(
    verb: str, command: str, place: Place
) -> None:
    place.write(main=f"+a: {{td>: {{data: select 1 as n}}, engine: hive, {verb}: made}}\n")
    assert place.run() == 1  # the emulator has no Hive
    assert place.asked()[:3] == [
        "POST table/create/mta/made/log",
        "GET table/list/mta",
        "POST job/issue/hive/mta",
    ]
    assert place.queries() == [HEAD.format("+a") + f"{command}\nselect 1 as n"]


def test_later_tasks_see_the_last_job_and_only_the_newest_results(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(
        main="+a: {td>: {data: select 1 as a}, store_last_results: true}\n"
        "+b: {td>: {data: select n from clicks order by n}, store_last_results: true}\n"
        "+c: {echo>: '${td.last_job.num_records} ${td.last_results.n} ${td.last_results.a}'}\n"
        "+d: {echo>: '${td.last_job_id == td.last_job.id}'}\n"
    )
    assert place.run() == 0
    assert capfd.readouterr().out == "2 2 \ntrue\n"
    assert place.asked() == [*JOB, *RESULT, *SHOW, *SHOW] * 2


def test_a_preview_of_a_made_table_is_a_job_of_its_own(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(main="+a: {td>: {data: select 7 as n}, create_table: made, preview: true}\n")
    assert place.run() == 0
    assert place.asked() == [*JOB, *JOB, *SHOW, *RESULT, *SHOW]
    form = place.forms()[1]
    assert form["query"].endswith('\nSELECT * FROM "made" LIMIT 20')
    assert [key for key in form if key != "query"] == ["domain_key", "priority", "version"]
    assert "preview of table made:\n  n\n  7\n" in capfd.readouterr().err


def test_td_ddl_keeps_digdags_order_whatever_the_files(place: Place) -> None:
    for database in ("old_one", "emptied"):
        place.td.create_database(database)
    for table in ("drop_me", "empty_me", "from_me"):
        place.td.engine.write("mta", table, pa.table({"n": [1]}))
    place.write(
        main="+a:\n  td_ddl>:\n  rename_tables: [{from: from_me, to: to_me}]\n"
        "  create_tables: [new_one, emptied.inner]\n  empty_tables: [empty_me]\n"
        "  drop_tables: [drop_me, never_there]\n  empty_databases: [emptied]\n"
        "  create_databases: [new_db, mta]\n  drop_databases: [old_one, no_such_db]\n"
    )
    assert place.run() == 0
    made = "GET database/list"
    assert place.asked() == [
        "GET table/list/mta",
        *(f"POST database/delete/{name}" for name in ("old_one", "no_such_db", "emptied")),
        "POST database/create/new_db",
        made,
        "POST database/create/mta",
        made,
        "POST database/create/emptied",
        made,
        *(f"POST table/delete/mta/{name}" for name in ("drop_me", "never_there", "empty_me")),
        "POST table/create/mta/new_one/log",
        "GET table/list/mta",
        "POST table/create/emptied/inner/log",
        "GET table/list/emptied",
        "POST table/create/mta/empty_me/log",
        "GET table/list/mta",
        "POST table/rename/mta/from_me/to_me",
    ]
    assert place.td.requests[-1].parameters == {"overwrite": "true"}
    assert sorted(place.td.engine.tables("mta")) == ["clicks", "empty_me", "new_one", "to_me"]
    assert "old_one" not in place.td.engine.databases()


def test_a_table_to_rename_that_is_not_there_stops_td_ddl_before_it_drops(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(
        main="+a:\n  td_ddl>:\n  drop_tables: [clicks]\n  rename_tables: [{from: nope, to: yes_}]\n"
    )
    assert place.run() == 1
    assert "Renaming table mta.nope doesn't exist (config)" in capfd.readouterr().err
    assert place.asked() == ["GET table/list/mta"]


def test_td_for_each_asks_without_a_head_and_names_its_subtasks(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    query = "select name, n from clicks order by n"
    place.write(
        main=f"+fe:\n  td_for_each>: {{data: '{query}'}}\n  _do: {{echo>: '${{td.each.n}}'}}\n"
    )
    assert place.run() == 0
    assert place.asked() == [*JOB, *SHOW, *RESULT, *SHOW]
    assert place.queries() == [query]
    assert "scheduled_time" in place.forms()[0]
    err = capfd.readouterr().err
    assert "+main+fe^sub+td-for-each-0\techo>: 2\n+main+fe^sub+td-for-each-1\techo>: 3\n" in err


def when(place: Place, asked: str, work: Callable[[], object]) -> threading.Thread:
    """Work done once the emulator was asked something twice, so that one answer came without it."""

    def watch() -> None:
        while sum(asked in request.path for request in place.td.requests) < 2:
            time.sleep(0.001)
        work()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def test_td_wait_starts_a_new_job_until_it_is_fulfilled(place: Place) -> None:
    query = "select count(*) = 4 from clicks"
    place.write(main=f"+w: {{td_wait>: {{data: '{query}'}}, interval: 30s}}\n")
    four = pa.table({"name": ["a"] * 4, "n": [1, 2, 3, 4]})
    write = functools.partial(place.td.engine.write, "mta", "clicks", four)
    thread = when(place, "/job/result/", write)
    assert place.run() == 0
    thread.join()
    turns = len(place.forms())
    assert turns >= 2
    assert place.asked() == [*JOB, *RESULT] * turns
    assert place.queries() == [query] * turns
    assert len({form["domain_key"] for form in place.forms()}) == turns


def test_td_wait_table_looks_for_the_table_and_then_counts(place: Place) -> None:
    place.write(main="+w: {td_wait_table>: later, rows: 2, interval: 1m, engine_version: stable}\n")

    two = pa.table({"n": [1, 2]})
    write = functools.partial(place.td.engine.write, "mta", "later", two)
    thread = when(place, "/table/list/", write)
    assert place.run() == 0
    thread.join()
    asked = place.asked()
    looks = asked.count("GET table/list/mta")
    assert looks >= 2
    assert asked == ["GET table/list/mta"] * looks + [*JOB, *RESULT]
    (form,) = place.forms()
    assert form["query"] == 'select count(*) from "later"'
    assert list(form) == ["domain_key", "query", "priority", "version", "retry_limit"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["500", "503", "429", "cut", "cut_after", "half", "401"])
def test_a_fault_at_any_request_is_made_good_and_no_job_runs_twice(kind: str, place: Place) -> None:
    place.write(
        main="+a: {td>: {data: 'select n from clicks'}, insert_into: total}\n"
        "+b: {td>: {data: 'select sum(n) as n from total'}, store_last_results: true}\n"
        "+d: {td_ddl>: , rename_tables: [{from: total, to: 'final_${td.last_results.n}'}]}\n"
    )
    assert place.run() == 0
    total = len(place.td.requests)
    for at in range(total):
        place.td.engine.drop_table("mta", "final_5")
        jobs = len(place.td.jobs)
        place.td.faults.plan(Fault(kind, at=at))  # type: ignore[arg-type]
        assert place.run() == 0, at
        assert place.td.engine.tables("mta") == ["clicks", "final_5"], at
        assert len(place.td.jobs) == jobs + 2, at
        place.td.faults.clear()


def test_error_reads_the_logs_of_a_job_as_digdag_tells_them(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(
        main="_error: {echo>: '${error.message}'}\n+a: {td>: {data: select nope from clicks}}\n"
    )
    assert place.run() == 1
    out, err = capfd.readouterr()
    assert re.match(r"started at .* UTC\nQuery \d+ failed: ", out)
    assert "ended as error: started at" in err
