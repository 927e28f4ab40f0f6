"""Jobs of Treasure Data that are no query of the workflow: saved queries, loads, exports, deletes.

Each operator is a function from a task and the job's domain key to the request that starts it, as
Digdag's source has it, and a row of KINDS.
"""

import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import NamedTuple
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from local_runner.config_values import integer, parsed, text
from local_runner.task_request import TaskError, TaskRequest
from local_runner.td import ddl
from local_runner.td import statement as td_statement
from local_runner.td.api import Fields, TdApi
from local_runner.td.jobs import VERSION
from local_runner.td.statement import TableName
from local_runner.workflow import yaml_types
from local_runner.workflow.java_text import json_text
from local_runner.workflow.yaml_types import Value
from td_mta.errors import Refused

FILE_FORMATS = ("jsonl.gz", "tsv.gz", "json.gz")
LOAD_FILES = (".yml", ".yaml")
_HOUR = 3600


class JobRequest(NamedTuple):
    """A POST that starts a job: with a form, or with a JSON body."""

    path: str
    form: Fields = ()
    body: Value = None

    def send(self, client: TdApi) -> Value:
        """The answer; raises `TdApiError`."""
        answer: Value = (
            client.post(self.path, self.form)
            if self.body is None
            else client.post_json(self.path, json_text(self.body))
        )
        return answer


def td_run(task: TaskRequest, domain_key: str) -> JobRequest:
    """td_run>: a saved query by its number or its name."""
    session = task.params["session_unixtime"]
    if isinstance(task.command, int) and not isinstance(task.command, bool):
        time = datetime.fromtimestamp(integer(session, "session_unixtime", "long"), timezone.utc)
        body: Value = {"scheduled_time": f"{time:%Y-%m-%dT%H:%M:%SZ}", "domain_key": domain_key}
        return JobRequest(f"/v4/queries/{task.command}/jobs", body=body)
    if not isinstance(task.command, str):
        raise TaskError(f"Invalid saved query reference: {json_text(task.command)} (config)")
    name = quote(task.command, safe="")
    return JobRequest(f"/v3/schedule/run/{name}/{session}", [("domain_key", domain_key)])


def td_load(task: TaskRequest, domain_key: str) -> JobRequest:
    """td_load>: a bulk load of a file, of `config`, or one that has a name."""
    settings = task.settings("td")
    given = [
        value for value in (task.command, settings.get("name"), settings.get("config")) if value
    ]
    if len(given) != 1:
        raise TaskError("td_load> needs one of a command, name and config (config)")
    if isinstance(given[0], str) and not given[0].endswith(LOAD_FILES):
        time = str(task.params["session_unixtime"])
        body: Value = {"scheduled_time": time, "domain_key": domain_key}
        return JobRequest(f"/v3/bulk_loads/{quote(given[0], safe='')}/jobs", body=body)
    config = _load_file(task, given[0]) if isinstance(given[0], str) else given[0]
    table = td_statement.table_name(text(settings.get("table"), "table"))
    fields = {
        "domain_key": domain_key,
        "query": "",
        "priority": 0,
        "version": VERSION,
        "table": table.name,
    }
    path = f"/v3/job/issue/bulkload/{_database(task, table)}?{urlencode(fields)}"
    return JobRequest(path, body={"config": task.filled(config)})


def td_partial_delete(task: TaskRequest, domain_key: str) -> JobRequest:
    """td_partial_delete>: the rows of whole hours, from a time to another."""
    settings, table = task.settings("td"), text(task.command)
    times = {key: _iso_time(task, settings, key) for key in ("from", "to")}
    if any(time % _HOUR for time in times.values()):
        raise TaskError("'from' and 'to' parameters must be whole hours (config)")
    form = [("domain_key", domain_key), *((key, str(time)) for key, time in times.items())]
    database = ddl.database_of(task)
    return JobRequest(f"/v3/table/partialdelete/{database}/{td_statement.name(table)}", form)


def td_table_export(task: TaskRequest, domain_key: str) -> JobRequest:
    """td_table_export>: a table's rows of a time to files of S3."""
    settings = task.settings("td")
    table = td_statement.table_name(text(settings.get("table"), "table"))
    if settings.get("file_format") not in FILE_FORMATS:
        raise TaskError(f"file_format must be one of {', '.join(FILE_FORMATS)} (config)")
    fields = {
        "storage_type": "s3",
        "bucket": text(settings.get("s3_bucket"), "s3_bucket"),
        "access_key_id": _aws_secret(task, "access_key_id"),
        "secret_access_key": _aws_secret(task, "secret_access_key"),
        "from": str(_sql_time(task, settings, "from")),
        "to": str(_sql_time(task, settings, "to")),
        "file_prefix": text(settings.get("s3_path_prefix"), "s3_path_prefix"),
        "file_format": settings["file_format"],
        "pool_name": settings.get("hive_pool_name"),
    }
    form = [(key, str(value)) for key, value in fields.items() if value is not None]
    return JobRequest(f"/v3/export/run/{_database(task, table)}/{table.name}", form)


def td_result_export(task: TaskRequest, connection: str) -> JobRequest:
    """td_result_export>: the result of an earlier job to a connection, by the connection's id."""
    settings = parsed(task.params.get("result_settings"))
    form = [
        ("result_connection_id", connection),
        ("result_connection_settings", json_text(task.filled(settings))),
    ]
    return JobRequest(f"/v3/job/result_export/{text(task.params.get('job_id'), 'job_id')}", form)


class Kind(NamedTuple):
    """One operator: its request, the settings that it must have, the secrets that it sends."""

    request: Callable[[TaskRequest, str], JobRequest]
    needs: tuple[str, ...] = ()
    aws: bool = False


KINDS = {
    "td_run>": Kind(td_run),
    "td_load>": Kind(td_load),
    "td_partial_delete>": Kind(td_partial_delete, needs=("from", "to")),
    "td_table_export>": Kind(
        td_table_export,
        needs=("table", "from", "to", "file_format", "s3_bucket", "s3_path_prefix"),
        aws=True,
    ),
    "td_result_export>": Kind(
        td_result_export, needs=("job_id", "result_connection", "result_settings")
    ),
}


def aws_secrets(name: str) -> tuple[str, str]:
    """The secrets that hold a key of S3, the first one first."""
    return f"aws.s3.{name}", f"aws.{name}"


def _aws_secret(task: TaskRequest, name: str) -> str:
    found = [task.context.secrets[key] for key in aws_secrets(name) if key in task.context.secrets]
    return found[0] if found else task.with_secrets(f"${{secret:{aws_secrets(name)[1]}}}")


def _database(task: TaskRequest, table: TableName) -> str:
    default = ddl.database_of(task)
    return table.database or default


def _load_file(task: TaskRequest, name: str) -> Value:
    try:
        return yaml_types.load(task.file(name), name)
    except Refused as error:
        raise TaskError(str(error), same_words=False) from None


def _iso_time(task: TaskRequest, settings: dict[str, Value], key: str) -> int:
    """A time in unix seconds: such a number, or `2026-01-01T00:00:00`, perhaps with an offset."""
    return _time(task, settings, key, r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?")


def _sql_time(task: TaskRequest, settings: dict[str, Value], key: str) -> int:
    """A time in unix seconds: such a number, or `2026-01-01 00:00:00`, perhaps with ` +0900`."""
    return _time(task, settings, key, r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d( [+-]\d{4})?")


def _time(task: TaskRequest, settings: dict[str, Value], key: str, form: str) -> int:
    value = text(settings.get(key), key)
    if re.fullmatch(r"-?[0-9]+", value):
        return int(value)
    try:
        if not re.fullmatch(form, value):
            raise ValueError
        offset = re.sub(r" ?([+-]\d\d):?(\d\d)$", r"\1:\2", value.replace("Z", "+00:00"))
        time = datetime.fromisoformat(offset)
    except ValueError:
        raise TaskError(f"Invalid timestamp format: {key}: {value} (config)") from None
    zone = ZoneInfo(str(task.params.get("timezone", "UTC")))
    return int((time if time.tzinfo else time.replace(tzinfo=zone)).timestamp())
