"""td_run>, td_load>, td_partial_delete>, td_table_export>, td_result_export>: Digdag's requests.

The paths, fields and their order are those that the real Digdag 0.10.5.1 was seen to send; that a
saved query's rows are stored, and the secrets aws.*, were read in its source alone.
"""

import json

import pytest

from tests.local_runner.td_project import Place, place_with_clicks  # noqa: F401 (a fixture)

WAITED = ["GET job/status", "GET job/show"]
SECRETS = ("--secret", "aws.s3.access_key_id=id", "--secret", "aws.secret_access_key=key")


def sent(place: Place, number: int = 0) -> dict[str, str]:
    """The fields of a request, its domain key aside."""
    fields = dict(place.td.requests[number].parameters)
    assert len(fields.pop("domain_key", "x" * 36)) == 36
    return fields


def test_a_saved_query_runs_by_its_number_and_by_its_name(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.td.saved_queries["12345"] = place.td.saved_queries["my query"] = (
        "mta",
        "select max(n) as n from clicks",
    )
    place.write(
        main="+a: {td_run>: 12345}\n"
        "+b: {td_run>: my query, store_last_results: true}\n"
        "+c: {echo>: '${td.last_results.n} ${td.last_job.num_records}'}\n"
    )
    assert place.run() == 0
    assert capfd.readouterr().out == "3 1\n"
    assert [r.path for r in place.td.requests if r.method == "POST"] == [
        "/v4/queries/12345/jobs",
        "/v3/schedule/run/my query/1772323200",
    ]
    assert sent(place) == {"scheduled_time": "2026-03-01T00:00:00Z"}


def test_a_load_is_started_by_its_name(place: Place) -> None:
    place.td.bulk_loads.add("daily_load")
    place.write(main="+a: {td_load>: daily_load}\n")
    assert place.run() == 0
    assert place.asked() == ["POST bulk_loads/daily_load/jobs", *WAITED]
    assert sent(place) == {"scheduled_time": "1772323200"}


@pytest.mark.parametrize(
    "how", ["td_load>: load.yml", "td_load>:\n  config: {in: {n: '${day}', p: '${secret:p}'}}"]
)
def test_a_load_of_a_file_or_of_a_map_is_sent_with_its_secrets(how: str, place: Place) -> None:
    place.write(
        main=f"+g:\n  _export: {{day: 2}}\n  +a:\n    {how}\n    table: loaded\n".replace(
            "\n  config", "\n    config"
        ),
        load__yml="in: {n: '${day}', p: '${secret:p}'}\n",
    )
    assert place.run("--secret", "p=word") == 0
    assert place.asked() == ["POST job/issue/bulkload/mta", *WAITED]
    fields = sent(place)
    assert json.loads(fields.pop("config")) == {"in": {"n": "2", "p": "word"}}
    assert fields == {"query": "", "priority": "0", "version": "0.9.0", "table": "loaded"}


def test_a_partial_delete_takes_whole_hours(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(
        main="timezone: Asia/Tokyo\n"
        "+m: {td>: {data: 'select 0 as time union all select 7200 as time'}, create_table: abc}\n"
        "+d: {td_partial_delete>: abc, from: '1970-01-01T09:00:00', to: '1970-01-01T01:00:00Z'}\n"
        "+c: {td>: {data: 'select count(*) as n from abc'}, store_last_results: true}\n"
        "+e: {echo>: '${td.last_results.n}'}\n"
    )
    assert place.run() == 0
    assert capfd.readouterr().out == "1\n"
    number = place.asked().index("POST table/partialdelete/mta/abc")
    (request,) = (r for r in place.td.requests if "partialdelete" in r.path)
    assert number and {key: request.parameters[key] for key in ("from", "to")} == {
        "from": "0",
        "to": "3600",
    }
    for wrong in ("2026-01-01 00:00:00 +0900", "1800"):
        place.write(main=f"+d: {{td_partial_delete>: abc, from: '{wrong}', to: 7200}}\n")
        assert place.run() == 1


def test_a_table_is_exported_with_the_keys_of_s3(place: Place) -> None:
    place.write(
        main="+a:\n  td_table_export>:\n  table: clicks\n  from: '1970-01-01 00:00:00'\n"
        "  to: '1970-01-01 10:00:00 +0900'\n  file_format: jsonl.gz\n  s3_bucket: b\n"
        "  s3_path_prefix: p/\n"
    )
    assert place.run(*SECRETS) == 0
    assert place.asked() == ["POST export/run/mta/clicks", *WAITED]
    assert list(place.td.requests[0].parameters.items()) == [
        ("storage_type", "s3"),
        ("bucket", "b"),
        ("access_key_id", "id"),
        ("secret_access_key", "key"),
        ("from", "0"),
        ("to", "3600"),
        ("file_prefix", "p/"),
        ("file_format", "jsonl.gz"),
    ]


def test_the_result_of_a_job_goes_to_a_connection(place: Place) -> None:
    place.td.connections["out"] = 77
    place.write(
        main="+a: {td>: {data: select 1 as n}}\n"
        "+b:\n  td_result_export>:\n  job_id: '${td.last_job_id}'\n  result_connection: out\n"
        "  result_settings: {a: 1}\n"
    )
    assert place.run() == 0
    assert place.asked()[-4:] == [
        "GET connections/lookup",
        "POST job/result_export",
        *WAITED,
    ]
    (request,) = (r for r in place.td.requests if "result_export" in r.path)
    assert list(request.parameters.items()) == [
        ("result_connection_id", "77"),
        ("result_connection_settings", '{"a":1}'),
    ]


def test_a_dry_run_shows_the_request_and_sends_none(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(main="+a: {td_run>: 7}\n+b: {td_load>: daily}\n")
    assert place.run("--dry-run") == 0
    out = capfd.readouterr().out
    assert "-- POST /v4/queries/7/jobs" in out
    assert "-- POST /v3/bulk_loads/daily/jobs" in out
    assert place.td.requests == ()
