"""td_ddl> on Treasure Data: its requests as data, in Digdag's order whatever the file's."""

from collections.abc import Iterator
from typing import NamedTuple

from local_runner import td_statement
from local_runner.task_request import TaskError, TaskRequest
from local_runner.td.api import Fields, TdApi, TdApiError
from local_runner.td_statement import TableName
from local_runner.workflow.yaml_types import Value


class Look(NamedTuple):
    """Whether a list of tables or databases has a name."""

    path: str
    key: str
    name: str

    def found(self, client: TdApi) -> bool:
        try:
            told = client.get(self.path)
        except TdApiError as error:
            if error.status == 404:
                return False
            raise
        return any(each.get("name") == self.name for each in told.get(self.key, ()))


class Step(NamedTuple):
    """One POST, the status that means it was done before, and the look that it ends with."""

    path: str
    form: Fields = ()
    done_before: int | None = None
    look: Look | None = None

    def run(self, client: TdApi) -> None:
        """A creation that is not seen afterwards is tried once more, as Digdag does."""
        self._post(client)
        if self.look and not self.look.found(client):
            self._post(client)

    def _post(self, client: TdApi) -> None:
        try:
            client.post(self.path, self.form)
        except TdApiError as error:
            if error.status != self.done_before:
                raise


def ddl(task: TaskRequest, client: TdApi) -> None:
    """All steps; raises `TaskError` before the first one where a table to rename is missing."""
    for look in renamed(task):
        if not look.found(client):
            table = f"{look.path.rsplit('/', 1)[1]}.{look.name}"
            raise TaskError(f"Renaming table {table} doesn't exist (config)")
    for step in steps(task):
        step.run(client)


def requests(task: TaskRequest) -> list[str]:
    """The requests of a task, method and path, for a dry run."""
    shown = [f"GET {look.path}" for look in renamed(task)]
    for step in steps(task):
        shown.append(f"POST {step.path}")
        shown += [f"GET {step.look.path}"] if step.look else []
    return shown


def create(table: TableName, default: str) -> Step:
    """A table that is there afterwards, whether it was before or not."""
    database = table.database or default
    path = f"/v3/table/create/{database}/{table.name}/log"
    return Step(path, done_before=409, look=table_look(table, default))


def table_look(table: TableName, default: str) -> Look:
    return Look(f"/v3/table/list/{table.database or default}", "tables", table.name)


def database_of(given: dict[str, Value]) -> str:
    """The database of a task; raises `TaskError`."""
    named = given.get("database")
    if named is None:
        raise TaskError("Parameter 'database' is required but not set (config)")
    return td_statement.name(str(named).strip(), "database")


def renamed(task: TaskRequest) -> list[Look]:
    given = td_statement.settings(task.params)
    default = database_of(given)
    pairs = td_statement.renames(given.get("rename_tables"))
    return [table_look(old, default) for old, _ in pairs]


def steps(task: TaskRequest) -> Iterator[Step]:
    """Raises `TaskError`."""
    given = td_statement.settings(task.params)
    default = database_of(given)
    for database in _databases(given, "drop_databases", "empty_databases"):
        yield Step(f"/v3/database/delete/{database}", done_before=404)
    for database in _databases(given, "create_databases", "empty_databases"):
        look = Look("/v3/database/list", "databases", database)
        yield Step(f"/v3/database/create/{database}", done_before=409, look=look)
    for table in _tables(given, "drop_tables", "empty_tables"):
        path = f"/v3/table/delete/{table.database or default}/{table.name}"
        yield Step(path, done_before=404)
    for table in _tables(given, "create_tables", "empty_tables"):
        yield create(table, default)
    for old, new in td_statement.renames(given.get("rename_tables")):
        path = f"/v3/table/rename/{old.database or default}/{old.name}/{new}"
        yield Step(path, [("overwrite", "true")], done_before=404)


def _databases(given: dict[str, Value], *keys: str) -> list[str]:
    lists = [given.get(key) for key in keys]
    found = [name for names in lists if isinstance(names, list) for name in names]
    return [td_statement.name(name, "database") for name in found]


def _tables(given: dict[str, Value], *keys: str) -> list[TableName]:
    return [table for key in keys for table in td_statement.tables(given.get(key))]
