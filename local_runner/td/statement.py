"""What td tasks state, on any warehouse: settings, queries, tables, and the rules for them."""

from collections.abc import Mapping
from typing import NamedTuple

from local_runner.config_values import duration, integer, items, truth
from local_runner.task_request import TaskError, TaskRequest
from local_runner.workflow.yaml_types import Value
from td_mta.warehouse.names import NAME_RULE, is_allowed

# Settings that change what a task does on Treasure Data, and have no meaning on local tables.
ONLY_REMOTE = ("result_url", "result_connection", "result_settings", "engine_version")
ENGINES = ("presto", "hive")
DDL_DATABASES = ("drop_databases", "create_databases", "empty_databases")
DDL_TABLES = ("drop_tables", "create_tables", "empty_tables")
MOST_ROWS = 900  # of td_for_each>: each is a task, and Digdag has a limit of its own
_SHORTEST_INTERVAL, _LONGEST_INTERVAL = 30, 2 * 86400  # seconds


class TableName(NamedTuple):
    """A table as a task names it, `database.table` or `table`."""

    database: str | None
    name: str

    def quoted(self, mark: str = '"') -> str:
        """The name within a query."""
        parts = [self.database] if self.database else []
        return ".".join(f"{mark}{part}{mark}" for part in [*parts, self.name])


class TdStatement(NamedTuple):
    """One td> task: its verb (`create_table`, `insert_into` or none) and its query."""

    verb: str | None
    table: TableName | None
    sql: str


def statement(task: TaskRequest) -> TdStatement:
    """The rendered td> task; raises `TaskError`."""
    settings = task.settings("td")
    verbs = [verb for verb in ("create_table", "insert_into") if settings.get(verb) is not None]
    if len(verbs) == 2:
        raise TaskError("Setting both insert_into and create_table is invalid (config)")
    if verbs and settings.get("download_file") is not None:
        raise TaskError(f"download_file together with {verbs[0]} is invalid (config)")
    verb = verbs[0] if verbs else None
    table = table_name(settings[verb]) if verb else None
    return TdStatement(verb, table, query(task))


def select(task: TaskRequest) -> TdStatement:
    """The rendered query of td_for_each> or td_wait>; raises `TaskError`."""
    return TdStatement(None, None, query(task))


def query(task: TaskRequest) -> str:
    """The rendered query of a file, of `{data: ...}` or of `query`; raises `TaskError`."""
    return task.templated("td", "query")


def name(value: Value, what: str = "table", of: str = "") -> str:
    """A legal name of a table or database, `of` a list's key; raises `TaskError`."""
    if not is_allowed(str(value)):
        raise TaskError(
            f"{of}{value!r} is no {what} name: Treasure Data allows {NAME_RULE} (config)"
        )
    return str(value)


def table_name(value: Value, of: str = "") -> TableName:
    """A table, with or without its database; raises `TaskError`."""
    database, dot, table = str(value).rpartition(".")
    return TableName(name(database, "database", of) if dot else None, name(table, of=of))


def databases(settings: Mapping[str, Value], *keys: str) -> list[str]:
    """The databases of several lists of td_ddl>; raises `TaskError`."""
    return [
        name(value, "database", of=f"{key}: ") for key in keys for value in _list(settings, key)
    ]


def tables(settings: Mapping[str, Value], *keys: str) -> list[TableName]:
    """The tables of several lists of td_ddl>; raises `TaskError`."""
    return [table_name(value, of=f"{key}: ") for key in keys for value in _list(settings, key)]


def renames(settings: Mapping[str, Value]) -> list[tuple[TableName, str]]:
    """The old and new names in `rename_tables`, a list of `{from, to}`; raises `TaskError`."""
    pairs = []
    for pair in _list(settings, "rename_tables"):
        if not isinstance(pair, dict) or pair.keys() != {"from", "to"}:
            raise TaskError(f"rename_tables must list {{from, to}}, got {pair!r} (config)")
        pairs.append((table_name(pair["from"]), name(pair["to"])))
    return pairs


def _list(settings: Mapping[str, Value], key: str) -> list[Value]:
    """A list of td_ddl>, as such or as the JSON text that a template makes."""
    return [] if settings.get(key) is None else items(settings[key], key)


# td_mta's own parameters (config/checks.py) have other rules: 1e3 is a whole number there.
def flag(settings: Mapping[str, Value], key: str) -> bool:
    """A setting that is true or false, false where it is missing; raises `TaskError`."""
    value = settings.get(key)
    return value is not None and truth(value, key)


def number(settings: Mapping[str, Value], key: str) -> int:
    """A whole number, 0 where it is missing; raises `TaskError`."""
    value = settings.get(key)
    return 0 if value is None else integer(value, key)


def interval(settings: Mapping[str, Value]) -> int:
    """Seconds between two polls of td_wait> and td_wait_table>; raises `TaskError`."""
    text = settings.get("interval") or "10m"
    seconds = duration(text) or 0
    if not _SHORTEST_INTERVAL <= seconds <= _LONGEST_INTERVAL:
        raise TaskError(
            f"interval must be like 90s, 10m or 1h, from 30s to 2d, got {text} (config)"
        )
    return seconds


def stored_job(job_id: str, records: int) -> dict[str, Value]:
    """What a job leaves for later tasks, below `td`."""
    return {"last_job_id": job_id, "last_job": {"id": job_id, "num_records": records}}
