"""td_ddl> on Treasure Data: its requests as data, in Digdag's order whatever the file's."""

from collections.abc import Iterator
from typing import NamedTuple

from local_runner.task_request import TaskError, TaskRequest
from local_runner.td import statement as td_statement
from local_runner.td.api import Fields, TdApi, TdApiError
from local_runner.td.statement import TableName


class Lookup(NamedTuple):
    """Whether a list of tables or databases has a name."""

    path: str
    key: str  # of the list in the answer
    name: str

    def exists(self, client: TdApi) -> bool:
        """Ask for the list; raises `TdApiError`."""
        try:
            answer = client.get(self.path)
        except TdApiError as error:
            if error.status == 404:  # the database of a list of tables is missing
                return False
            raise
        return any(item.get("name") == self.name for item in answer.get(self.key, ()))


class Step(NamedTuple):
    """One POST, the status that means it was done before, and the lookup that it ends with."""

    path: str
    form: Fields = ()
    done_before: int | None = None
    lookup: Lookup | None = None

    def run(self, client: TdApi) -> None:
        """Send it; a creation that is not seen afterwards is sent once more, as Digdag does."""
        self._post(client)
        if self.lookup and not self.lookup.exists(client):
            self._post(client)

    def _post(self, client: TdApi) -> None:
        try:
            client.post(self.path, self.form)
        except TdApiError as error:
            if error.status != self.done_before:
                raise


def run(task: TaskRequest, client: TdApi) -> None:
    """All steps; raises `TaskError` before the first one where a table to rename is missing."""
    for lookup in _renamed_tables(task):
        if not lookup.exists(client):
            database = lookup.path.rsplit("/", 1)[1]
            raise TaskError(f"Renaming table {database}.{lookup.name} doesn't exist (config)")
    for step in _steps(task):
        step.run(client)


def requests(task: TaskRequest) -> list[str]:
    """The requests of a task, method and path, for a dry run; raises `TaskError`."""
    lines = [f"GET {lookup.path}" for lookup in _renamed_tables(task)]
    for step in _steps(task):
        lines.append(f"POST {step.path}")
        if step.lookup:
            lines.append(f"GET {step.lookup.path}")
    return lines


def create(table: TableName, default_database: str) -> Step:
    """A table that exists afterwards, whether it did before or not."""
    database = table.database or default_database
    path = f"/v3/table/create/{database}/{table.name}/log"
    return Step(path, done_before=409, lookup=table_lookup(table, default_database))


def table_lookup(table: TableName, default_database: str) -> Lookup:
    """Whether a table exists."""
    database = table.database or default_database
    return Lookup(f"/v3/table/list/{database}", "tables", table.name)


def database_of(task: TaskRequest) -> str:
    """The database of a task; raises `TaskError`.

    The secret td.database beats the parameter, which must be there all the same.
    """
    database = task.settings("td").get("database")
    if database is None:
        raise TaskError("Parameter 'database' is required but not set (config)")
    wanted = task.context.secrets.get("td.database") or database
    return td_statement.name(str(wanted).strip(), "database")


def _renamed_tables(task: TaskRequest) -> list[Lookup]:
    settings = task.settings("td")
    default_database = database_of(task)
    pairs = td_statement.renames(settings)
    return [table_lookup(old, default_database) for old, _ in pairs]


def _steps(task: TaskRequest) -> Iterator[Step]:
    """The requests that change something: drop, create, rename; raises `TaskError`."""
    settings = task.settings("td")
    default_database = database_of(task)
    for database in td_statement.databases(settings, "drop_databases", "empty_databases"):
        yield Step(f"/v3/database/delete/{database}", done_before=404)
    for database in td_statement.databases(settings, "create_databases", "empty_databases"):
        lookup = Lookup("/v3/database/list", "databases", database)
        yield Step(f"/v3/database/create/{database}", done_before=409, lookup=lookup)
    for table in td_statement.tables(settings, "drop_tables", "empty_tables"):
        path = f"/v3/table/delete/{table.database or default_database}/{table.name}"
        yield Step(path, done_before=404)
    for table in td_statement.tables(settings, "create_tables", "empty_tables"):
        yield create(table, default_database)
    for old, new_name in td_statement.renames(settings):
        path = f"/v3/table/rename/{old.database or default_database}/{old.name}/{new_name}"
        yield Step(path, [("overwrite", "true")], done_before=404)
