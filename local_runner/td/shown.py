"""What a dry run prints of a td task: queries as they would be sent, and other requests.

Each text has a `-- ` line of its own on top. All raise `TaskError`, `TemplateError`.
"""

from collections.abc import Iterator

from local_runner.task_request import TaskRequest
from local_runner.td import ddl
from local_runner.td import sql as td_sql
from local_runner.td import statement as td_statement
from local_runner.td.other_jobs import KINDS


def td(task: TaskRequest) -> Iterator[str]:
    """td>: its query, on Treasure Data with the lines that are sent around it."""
    statement = td_statement.statement(task)
    on_treasure_data = task.context.account is not None
    sql = td_sql.text(task, statement, _engine(task)) if on_treasure_data else statement.sql
    table = statement.table.quoted("") if statement.table else ""
    head = f"-- {task.name}: {statement.verb or 'select'} {table}".rstrip()
    yield f"{head}\n{sql.strip()}\n"


def query(task: TaskRequest) -> Iterator[str]:
    """td_for_each> and td_wait>: their query."""
    sql = td_statement.query(task)
    yield f"-- {task.name}: {task.operator[:-1]}\n{sql.strip()}\n"


def td_wait_table(task: TaskRequest) -> Iterator[str]:
    """td_wait_table>: the query that counts rows."""
    table = td_statement.table_name(task.command)
    rows = td_statement.number(task.settings("td"), "rows")
    head = f"-- {task.name}: td_wait_table {task.command}\n"
    # Without a number of rows the table only has to exist, which takes no query.
    yield head + (td_sql.count(table, rows, _engine(task)) + "\n" if rows else "")


def td_ddl(task: TaskRequest) -> Iterator[str]:
    """td_ddl>: its requests; nothing on local tables, which have none."""
    if task.context.account:
        lines = [f"-- {line}\n" for line in ddl.requests(task)]
        yield f"-- {task.name}: td_ddl\n" + "".join(lines)


def other_job(task: TaskRequest) -> Iterator[str]:
    """td_run> and the operators beside it: the request that starts their job."""
    path = KINDS[task.operator].request(task, "...").path
    yield f"-- {task.name}: {task.operator[:-1]}\n-- POST {path}\n"


def _engine(task: TaskRequest) -> str:
    return str(task.settings("td").get("engine") or "presto")
