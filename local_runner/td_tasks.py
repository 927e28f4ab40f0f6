"""td> and td_ddl> on local tables. What only Treasure Data has is refused before the run."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from td_mta.errors import MtaError

if TYPE_CHECKING:
    from td_mta.warehouse.local import LocalWarehouse
from local_runner import templates
from local_runner.job import Job, Outcome, TaskError
from local_runner.yaml_types import Value

# What a td> task may say: names that are used here, and names that mean nothing on local files.
USED = frozenset({"create_table", "insert_into", "query", "engine"})
WITHOUT_EFFECT = frozenset(
    {"database", "priority", "job_retry", "presto_pool_name", "endpoint", "use_ssl"}
)
# Names that change what a task does on Treasure Data, and have no local meaning.
REFUSED = frozenset(
    {
        "download_file",
        "store_last_results",
        "preview",
        "result_url",
        "result_connection",
        "result_settings",
        "engine_version",
    }
)
DDL = ("drop_tables", "create_tables", "empty_tables", "rename_tables")
DDL_REFUSED = frozenset({"drop_databases", "create_databases", "empty_databases"})
_TABLE = re.compile(r"(?:[a-z0-9_]+\.)?([a-z0-9_]{3,255})")


class Statement(NamedTuple):
    """One td> task: its verb (`create_table`, `insert_into` or none) and its Trino select."""

    verb: str | None
    table: str | None
    sql: str


def settings(params: Mapping[str, Value]) -> dict[str, Value]:
    """A task's parameters, with those of the map `td` where it has none of its own."""
    shared = params.get("td")
    return {**(shared if isinstance(shared, dict) else {}), **params}


def statement(job: Job) -> Statement:
    """The rendered task; raises `TaskError`."""
    given = settings(job.params)
    verbs = [verb for verb in ("create_table", "insert_into") if given.get(verb) is not None]
    table = table_name(given[verbs[0]]) if verbs else None
    return Statement(verbs[0] if verbs else None, table, _sql(job, given))


def _sql(job: Job, given: Mapping[str, Value]) -> str:
    if isinstance(job.command, dict):
        return str(job.command.get("data"))
    if job.command is None:
        return str(given.get("query"))
    path = job.folder() / str(job.command)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise TaskError(f"File not found: {path} (config)") from None
    try:
        return templates.fill(text, job.params, f" in {job.command}")
    except templates.TemplateError as error:
        raise TaskError(str(error)) from None


def table_name(value: Value) -> str:
    """A table's name without its database; raises `TaskError`."""
    found = _TABLE.fullmatch(str(value))
    if not found:
        raise TaskError(f"{value!r} is no table name: 3 to 255 of a-z, 0-9 and _ (config)")
    return found[1]


def td(job: Job) -> Outcome:
    made, warehouse = statement(job), _warehouse(job)
    try:
        if made.verb and made.table:
            getattr(warehouse, made.verb)(made.table, made.sql)
        else:
            warehouse.query(made.sql)
    except MtaError as error:
        raise TaskError(str(error)) from error
    return Outcome()


def td_ddl(job: Job) -> Outcome:
    """In Treasure Data's order: drop, create, rename. A table without rows has no file here."""
    warehouse = _warehouse(job)
    try:
        renames = _renames(job.params.get("rename_tables"))
        for old, _ in renames:
            if old not in warehouse.tables():
                raise TaskError(f"Renaming table {old} doesn't exist (config)")
        for key in ("drop_tables", "empty_tables"):
            for table in _tables(job.params.get(key)):
                warehouse.drop_table(table)
        for old, new in renames:
            warehouse.create_table(new, f'select * from "{old}"')
            warehouse.drop_table(old)
    except MtaError as error:
        raise TaskError(str(error)) from error
    return Outcome()


def _tables(names: Value) -> list[str]:
    return [table_name(name) for name in names] if isinstance(names, list) else []


def _renames(pairs: Value) -> list[tuple[str, str]]:
    found = [pair for pair in pairs if isinstance(pair, dict)] if isinstance(pairs, list) else []
    return [(table_name(pair.get("from")), table_name(pair.get("to"))) for pair in found]


def _warehouse(job: Job) -> "LocalWarehouse":
    assert job.world.warehouse, "checked before the run"
    return job.world.warehouse()
