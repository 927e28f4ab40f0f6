"""What td tasks say, on any warehouse: settings, queries, tables, and the rules for them."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from local_runner.task_request import TaskError, TaskRequest
from local_runner.workflow import templates
from local_runner.workflow.java_text import json_text
from local_runner.workflow.yaml_types import Value
from td_mta.warehouse.names import NAME_RULE, is_allowed

# Names that change what a task does on Treasure Data, and have no local meaning.
REFUSED = frozenset({"result_url", "result_connection", "result_settings", "engine_version"})
ENGINES = ("presto", "hive")
DDL_DATABASES = ("drop_databases", "create_databases", "empty_databases")
DDL = ("drop_tables", "create_tables", "empty_tables", "rename_tables")
MOST_ROWS = 900  # each is a task, and Digdag has a limit of its own
_DURATION = re.compile(r"(?:([0-9]+) *d)? *(?:([0-9]+) *h)? *(?:([0-9]+) *m)? *(?:([0-9]+) *s)?")
_SECONDS = (86400, 3600, 60, 1)
_INTERVALS = (30, 2 * 86400)


class TableName(NamedTuple):
    """A table as a task names it, `database.table` or `table`."""

    database: str | None
    name: str

    def quoted(self, mark: str = '"') -> str:
        parts = [self.database] if self.database else []
        return ".".join(f"{mark}{part}{mark}" for part in [*parts, self.name])


class TdStatement(NamedTuple):
    """One td> task: its verb (`create_table`, `insert_into` or none) and its query."""

    verb: str | None
    table: TableName | None
    sql: str


def settings(params: Mapping[str, Value]) -> dict[str, Value]:
    """A task's parameters, with those of the map `td` where it has none of its own."""
    shared = params.get("td")
    return {**(shared if isinstance(shared, dict) else {}), **params}


def statement(task: TaskRequest) -> TdStatement:
    """The rendered td> task; raises `TaskError`."""
    given = settings(task.params)
    verbs = [verb for verb in ("create_table", "insert_into") if given.get(verb) is not None]
    if len(verbs) == 2:
        raise TaskError("Setting both insert_into and create_table is invalid (config)")
    if verbs and given.get("download_file") is not None:
        raise TaskError(f"download_file together with {verbs[0]} is invalid (config)")
    table = table_name(given[verbs[0]]) if verbs else None
    return TdStatement(verbs[0] if verbs else None, table, query(task))


def query(task: TaskRequest) -> str:
    """The rendered query of a file, of `{data: ...}` or of `query`; raises `TaskError`."""
    if isinstance(task.command, dict):
        return str(task.command.get("data"))
    if task.command is None:
        return str(settings(task.params).get("query"))
    path = task.folder() / str(task.command)
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError:
        raise TaskError(f"File not found: {path} (config)") from None
    try:
        return templates.fill(text, task.params, f" in {task.command}")
    except templates.TemplateError as error:
        raise TaskError(str(error)) from None


def name(value: Value, what: str = "table") -> str:
    """A legal name of a table or database; raises `TaskError`."""
    if not is_allowed(str(value)):
        raise TaskError(f"{value!r} is no {what} name: Treasure Data allows {NAME_RULE} (config)")
    return str(value)


def table_name(value: Value) -> TableName:
    """A table, with or without its database; raises `TaskError`."""
    database, dot, table = str(value).rpartition(".")
    return TableName(name(database, "database") if dot else None, name(table))


def tables(names: Value) -> list[TableName]:
    """The tables of a list; raises `TaskError`."""
    return [table_name(each) for each in names] if isinstance(names, list) else []


def renames(pairs: Value) -> list[tuple[TableName, str]]:
    """The `{from, to}` of a list; raises `TaskError`."""
    found = [pair for pair in pairs if isinstance(pair, dict)] if isinstance(pairs, list) else []
    return [(table_name(pair.get("from")), name(pair.get("to"))) for pair in found]


def flag(given: Mapping[str, Value], key: str) -> bool:
    """A setting that is true or false; raises `TaskError`."""
    value = given.get(key)
    if value is None or isinstance(value, bool):
        return bool(value)
    if str(value) in ("true", "false"):
        return value == "true"
    raise TaskError(f"Expected 'true' or 'false' for key '{key}' but got {json_text(value)}")


def number(given: Mapping[str, Value], key: str) -> int:
    """A whole number, 0 where it is missing; raises `TaskError`."""
    value = given.get(key)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value or 0
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]+", value):
        return int(value)
    raise TaskError(f"Expected integer (int) type for key '{key}' but got {json_text(value)}")


def interval(given: Mapping[str, Value]) -> int:
    """Seconds between two looks of td_wait> and td_wait_table>; raises `TaskError`."""
    text = str(given.get("interval") or "10m").strip()
    found = _DURATION.fullmatch(text)
    parts = found.groups() if found else ()
    seconds = sum(int(part or 0) * size for part, size in zip(parts, _SECONDS, strict=False))
    if not _INTERVALS[0] <= seconds <= _INTERVALS[1]:
        raise TaskError(
            f"interval must be like 90s, 10m or 1h, from 30s to 2d, got {text} (config)"
        )
    return seconds


def stored_job(job_id: str, records: int) -> dict[str, Value]:
    """What a job leaves for later tasks."""
    return {"last_job_id": job_id, "last_job": {"id": job_id, "num_records": records}}
