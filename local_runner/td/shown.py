"""What a dry run prints of a td task: queries as they would be sent, and other requests."""

from collections.abc import Callable, Iterator

from local_runner import td_statement
from local_runner.task_request import TaskRequest
from local_runner.td import ddl
from local_runner.td import sql as td_sql


def blocks(task: TaskRequest) -> Iterator[str]:
    """Texts, each under a `-- ` line of its own; raises `TaskError`, `TemplateError`."""
    yield from _SHOWN[task.operator](task)


def known(operator: str) -> bool:
    return operator in _SHOWN


def _td(task: TaskRequest) -> Iterator[str]:
    made = td_statement.statement(task)
    what = f"{made.verb or 'select'} {made.table.quoted('') if made.table else ''}"
    sql = td_sql.text(task, made, _engine(task)) if task.context.account else made.sql
    yield f"-- {task.name}: {what}".rstrip() + f"\n{sql.strip()}\n"


def _query(task: TaskRequest) -> Iterator[str]:
    yield f"-- {task.name}: {task.operator[:-1]}\n{td_statement.query(task).strip()}\n"


def _td_wait_table(task: TaskRequest) -> Iterator[str]:
    given, table = td_statement.settings(task.params), td_statement.table_name(task.command)
    head = f"-- {task.name}: td_wait_table {task.command}\n"
    rows = td_statement.number(given, "rows")
    yield head + (td_sql.count(table, rows, _engine(task)) + "\n" if rows else "")


def _td_ddl(task: TaskRequest) -> Iterator[str]:
    if task.context.account:
        yield f"-- {task.name}: td_ddl\n" + "".join(f"-- {r}\n" for r in ddl.requests(task))


def _engine(task: TaskRequest) -> str:
    return str(td_statement.settings(task.params).get("engine") or "presto")


_SHOWN: dict[str, Callable[[TaskRequest], Iterator[str]]] = {
    "td>": _td,
    "td_ddl>": _td_ddl,
    "td_for_each>": _query,
    "td_wait>": _query,
    "td_wait_table>": _td_wait_table,
}
