"""What a dry run prints of a td task: queries as they would be sent, and other requests."""

from collections.abc import Callable, Iterator

from local_runner import td_statement
from local_runner.task_request import TaskRequest
from local_runner.td import ddl
from local_runner.td import sql as td_sql


def blocks(task: TaskRequest) -> Iterator[str]:
    """Texts, each under a `-- ` line of its own; raises `TaskError`, `TemplateError`."""
    yield from _SHOWN[task.operator](task)


def has_blocks(operator: str) -> bool:
    """Whether a dry run prints tasks of this operator."""
    return operator in _SHOWN


def _td(task: TaskRequest) -> Iterator[str]:
    statement = td_statement.statement(task)
    on_treasure_data = task.context.account is not None
    sql = td_sql.text(task, statement, _engine(task)) if on_treasure_data else statement.sql
    table = statement.table.quoted("") if statement.table else ""
    head = f"-- {task.name}: {statement.verb or 'select'} {table}".rstrip()
    yield f"{head}\n{sql.strip()}\n"


def _query(task: TaskRequest) -> Iterator[str]:
    sql = td_statement.query(task)
    yield f"-- {task.name}: {task.operator[:-1]}\n{sql.strip()}\n"


def _td_wait_table(task: TaskRequest) -> Iterator[str]:
    table = td_statement.table_name(task.command)
    rows = td_statement.number(task.settings("td"), "rows")
    head = f"-- {task.name}: td_wait_table {task.command}\n"
    # Without a number of rows the table only has to exist, which takes no query.
    yield head + (td_sql.count(table, rows, _engine(task)) + "\n" if rows else "")


def _td_ddl(task: TaskRequest) -> Iterator[str]:
    if task.context.account:
        lines = [f"-- {line}\n" for line in ddl.requests(task)]
        yield f"-- {task.name}: td_ddl\n" + "".join(lines)


def _engine(task: TaskRequest) -> str:
    return str(task.settings("td").get("engine") or "presto")


_SHOWN: dict[str, Callable[[TaskRequest], Iterator[str]]] = {
    "td>": _td,
    "td_ddl>": _td_ddl,
    "td_for_each>": _query,
    "td_wait>": _query,
    "td_wait_table>": _td_wait_table,
}
