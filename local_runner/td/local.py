"""td> and its family on local tables. What only Treasure Data has is refused before the run.

Nothing else writes while a run waits here, so td_wait> and td_wait_table> look once and then fail.
"""

import decimal
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from local_runner import td_statement
from local_runner.task_request import TaskError, TaskRequest, TaskResult
from local_runner.td import results
from local_runner.td_statement import TableName
from local_runner.workflow.yaml_types import Value
from td_mta.errors import MtaError

if TYPE_CHECKING:
    import pyarrow as pa

    from td_mta.warehouse.local import LocalWarehouse

_PLAIN = (bool, int, float, str)


def td(task: TaskRequest) -> TaskResult:
    given, made = td_statement.settings(task.params), td_statement.statement(task)
    warehouse = _warehouse(task)
    try:
        if made.verb and made.table:
            getattr(warehouse, made.verb)(made.table.name, made.sql)
            rows = None
        else:
            rows = warehouse.query(made.sql)
        if td_statement.flag(given, "preview"):
            _preview(warehouse, made.table, rows)
    except MtaError as error:
        raise TaskError(str(error)) from error
    if rows is not None and given.get("download_file") is not None:
        with results.download(task, given["download_file"]) as out:
            results.write_csv(out, rows.column_names, _rows(rows))
    if not td_statement.flag(given, "store_last_results"):
        return TaskResult()
    first = None if rows is None else next(_rows(rows.slice(0, 1)), None)
    names = [] if rows is None else rows.column_names
    return TaskResult(store={"td": {"last_results": results.last_results(names, first)}})


def td_for_each(task: TaskRequest) -> TaskResult:
    rows = _answer(task)
    tasks = results.subtasks(task.params.get("_do"), rows.column_names, _rows(rows))
    return TaskResult(subtasks=results.group(task, tasks))


def td_wait(task: TaskRequest) -> TaskResult:
    first = next(_rows(_answer(task).slice(0, 1)), None)
    if not first or not results.fulfilled(first[0]):
        raise TaskError(
            f"td_wait>: not fulfilled, the first value is {first[0] if first else 'missing'}, and "
            "nothing else writes local tables meanwhile"
        )
    return TaskResult()


def td_wait_table(task: TaskRequest) -> TaskResult:
    table = td_statement.table_name(task.command).name
    wanted = td_statement.number(td_statement.settings(task.params), "rows")
    warehouse = _warehouse(task)
    if table not in warehouse.tables():
        raise TaskError(f"td_wait_table>: no table {table}, and nothing else writes local tables")
    if wanted > 0:
        counted = _count(warehouse, table)
        if counted < wanted:
            raise TaskError(
                f"td_wait_table>: {table} has {counted} rows, not {wanted}, and nothing else "
                "writes local tables meanwhile"
            )
    return TaskResult()


def td_ddl(task: TaskRequest) -> TaskResult:
    """In Treasure Data's order: drop, create, rename. A table without rows has no file here."""
    given, warehouse = td_statement.settings(task.params), _warehouse(task)
    try:
        renames = td_statement.renames(given.get("rename_tables"))
        for old, _ in renames:
            if old.name not in warehouse.tables():
                raise TaskError(f"Renaming table {old.name} doesn't exist (config)")
        for key in ("drop_tables", "empty_tables"):
            for table in td_statement.tables(given.get(key)):
                warehouse.drop_table(table.name)
        for old, new in renames:
            warehouse.create_table(new, f'select * from "{old.name}"')
            warehouse.drop_table(old.name)
    except MtaError as error:
        raise TaskError(str(error)) from error
    return TaskResult()


def _answer(task: TaskRequest) -> "pa.Table":
    try:
        return _warehouse(task).query(td_statement.query(task))
    except MtaError as error:
        raise TaskError(str(error)) from error


def _count(warehouse: "LocalWarehouse", table: str) -> int:
    try:
        return int(warehouse.query(f'select count(*) from "{table}"').column(0)[0].as_py())
    except MtaError as error:
        raise TaskError(str(error)) from error


def _preview(warehouse: "LocalWarehouse", table: TableName | None, rows: "pa.Table | None") -> None:
    what, most = f"table {table.name}" if table else "the query", results.PREVIEW_ROWS
    if table:
        rows = warehouse.query(f'select * from "{table.name}" limit {most}')
    assert rows is not None
    results.show(what, rows.column_names, list(_rows(rows.slice(0, most))))


def _rows(table: "pa.Table") -> Iterator[list[Value]]:
    """Rows of the types that a job's result has too, others refused by column."""
    names = table.column_names
    for batch in table.to_batches():
        columns = [column.to_pylist() for column in batch.columns]
        for row in zip(*columns, strict=True):
            yield [_value(value, name) for value, name in zip(row, names, strict=True)]


def _value(value: Any, column: str) -> Value:
    if value is None or isinstance(value, _PLAIN):
        return value
    kind = "decimal" if isinstance(value, decimal.Decimal) else type(value).__name__
    raise TaskError(
        f"column {column} is of type {kind}, which local tables do not hand to tasks as Treasure "
        "Data does: cast it to varchar, double or bigint"
    )


def _warehouse(task: TaskRequest) -> "LocalWarehouse":
    assert task.context.warehouse, "checked before the run"
    return task.context.warehouse()
