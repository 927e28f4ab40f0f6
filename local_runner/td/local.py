"""td> and its family on local tables. What only Treasure Data has is refused before the run.

Only tasks of the same run write local tables: where none is at work beside them, td_wait> and
td_wait_table> look once and then fail.
"""

import contextlib
import decimal
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from local_runner import together
from local_runner.config_values import parallel
from local_runner.task_request import TaskError, TaskRequest, TaskResult
from local_runner.td import results
from local_runner.td import statement as td_statement
from local_runner.td.statement import TableName
from local_runner.workflow.tasks import group_of
from local_runner.workflow.yaml_types import Value
from td_mta.errors import MtaError
from td_mta.warehouse.names import quoted

if TYPE_CHECKING:
    import pyarrow as pa

    from td_mta.warehouse.local import LocalWarehouse

_LOOK_AGAIN = 0.5  # seconds
_tables = threading.RLock()
_SCALARS = (bool, int, float, str)  # the same type in a job's result and in a local table


def td(task: TaskRequest) -> TaskResult:
    """td>: a query whose rows become a table, a file or a preview, or are only read."""
    settings, statement = task.settings("td"), td_statement.statement(task)
    warehouse = _warehouse(task)
    rows: pa.Table | None = None
    with _failing_the_task():
        if statement.table and statement.verb == "create_table":
            warehouse.create_table(statement.table.name, statement.sql)
        elif statement.table and statement.verb == "insert_into":
            warehouse.insert_into(statement.table.name, statement.sql)
        else:
            rows = warehouse.query(statement.sql)
        if td_statement.flag(settings, "preview"):
            _preview(warehouse, statement.table, rows)
    if rows is not None and settings.get("download_file") is not None:
        with results.download(task, settings["download_file"]) as file:
            results.write_csv(file, rows.column_names, _values(rows))
    if not td_statement.flag(settings, "store_last_results"):
        return TaskResult()
    names = [] if rows is None else rows.column_names
    first_row = None if rows is None else _first_row(rows)
    return TaskResult(store={"td": {"last_results": results.last_results(names, first_row)}})


def td_for_each(task: TaskRequest) -> TaskResult:
    """td_for_each>: a query whose rows become subtasks."""
    rows = _query(task)
    subtasks = results.subtasks(task.params.get("_do"), rows.column_names, _values(rows))
    return TaskResult(subtasks=group_of(subtasks, parallel(task.params)))


def td_wait(task: TaskRequest) -> TaskResult:
    """td_wait>: the first value must be neither null, false nor 0."""

    def missing() -> str | None:
        row = _first_row(_query(task))
        if row and results.fulfilled(row[0]):
            return None
        value = row[0] if row else "no row"
        return f"td_wait>: the first value must be neither null, false nor 0, got {value}"

    _wait_while(missing)
    return TaskResult()


def td_wait_table(task: TaskRequest) -> TaskResult:
    """td_wait_table>: the table must exist and have its `rows`."""
    table = td_statement.table_name(task.command).name
    wanted_rows = td_statement.number(task.settings("td"), "rows")
    warehouse = _warehouse(task)

    def missing() -> str | None:
        if table not in warehouse.tables():
            return f"td_wait_table>: no table {table}"
        count = _count(warehouse, table) if wanted_rows > 0 else 0
        if count < wanted_rows:
            return f"td_wait_table>: {table} must have {wanted_rows} rows, got {count}"
        return None

    _wait_while(missing)
    return TaskResult()


def _wait_while(missing: Callable[[], str | None]) -> None:
    """Wait as long as something is missing and a task at work beside this one may bring it."""
    with together.waiting() as others_work:
        while True:
            may_come = together.among_others() and others_work()
            what = missing()
            if what is None:
                return
            if not may_come:
                raise TaskError(
                    f"{what}; nothing else writes local tables meanwhile, so waiting would not help"
                )
            together.sleep(_LOOK_AGAIN)


def td_ddl(task: TaskRequest) -> TaskResult:
    """In Treasure Data's order: drop, create, rename. A table without rows has no file here."""
    settings, warehouse = task.settings("td"), _warehouse(task)
    with _failing_the_task():
        renames = td_statement.renames(settings)
        for old, _ in renames:
            if old.name not in warehouse.tables():
                raise TaskError(f"Renaming table {old.name} doesn't exist (config)")
        for table in td_statement.tables(settings, "drop_tables", "empty_tables"):
            warehouse.drop_table(table.name)
        for old, new_name in renames:
            warehouse.create_table(new_name, f"select * from {quoted(old.name)}")
            warehouse.drop_table(old.name)
    return TaskResult()


@contextlib.contextmanager
def _failing_the_task() -> Iterator[None]:
    """One task at the tables; their error fails it, where `_retry` and `_error` see it."""
    try:
        with _tables:
            yield
    except MtaError as error:
        raise TaskError(str(error)) from error
    except OSError as error:
        raise TaskError(f"{error.filename or 'a table'}: {error.strerror or error}") from error


def _query(task: TaskRequest) -> "pa.Table":
    with _failing_the_task():
        return _warehouse(task).query(td_statement.query(task))


def _count(warehouse: "LocalWarehouse", table: str) -> int:
    with _failing_the_task():
        rows = warehouse.query(f"select count(*) from {quoted(table)}")
    return int(rows.column(0)[0].as_py())


def _preview(warehouse: "LocalWarehouse", table: TableName | None, rows: "pa.Table | None") -> None:
    what, limit = f"table {table.name}" if table else "the query", results.PREVIEW_ROWS
    if table:
        rows = warehouse.query(f"select * from {quoted(table.name)} limit {limit}")
    assert rows is not None
    results.show(what, rows.column_names, list(_values(rows.slice(0, limit))))


def _first_row(rows: "pa.Table") -> list[Value] | None:
    return next(_values(rows.slice(0, 1)), None)


def _values(rows: "pa.Table") -> Iterator[list[Value]]:
    """Rows of the types that a job's result has too, others refused by column."""
    names = rows.column_names
    for batch in rows.to_batches():
        columns = [column.to_pylist() for column in batch.columns]
        for row in zip(*columns, strict=True):
            yield [_value(value, name) for value, name in zip(row, names, strict=True)]


def _value(value: Any, column: str) -> Value:
    if value is None or isinstance(value, _SCALARS):
        return value
    kind = "decimal" if isinstance(value, decimal.Decimal) else type(value).__name__
    raise TaskError(
        f"column {column} is of type {kind}, which local tables do not hand to tasks as Treasure "
        "Data does: cast it to varchar, double or bigint"
    )


def _warehouse(task: TaskRequest) -> "LocalWarehouse":
    assert task.context.warehouse, "checked before the run"
    with _tables:
        return task.context.warehouse()
