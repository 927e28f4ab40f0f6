"""What a dry run prints of a td task: queries as they would be sent, and other requests."""

from collections.abc import Callable, Iterator

from local_runner import td_statement
from local_runner.job import Job
from local_runner.td import ddl
from local_runner.td import sql as td_sql


def blocks(job: Job) -> Iterator[str]:
    """Texts, each under a `-- ` line of its own; raises `TaskError`, `TemplateError`."""
    yield from _SHOWN[job.operator](job)


def known(operator: str) -> bool:
    return operator in _SHOWN


def _td(job: Job) -> Iterator[str]:
    made = td_statement.statement(job)
    what = f"{made.verb or 'select'} {made.table.quoted('') if made.table else ''}"
    sql = td_sql.text(job, made, _engine(job)) if job.world.account else made.sql
    yield f"-- {_task(job)}: {what}".rstrip() + f"\n{sql.strip()}\n"


def _query(job: Job) -> Iterator[str]:
    yield f"-- {_task(job)}: {job.operator[:-1]}\n{td_statement.query(job).strip()}\n"


def _td_wait_table(job: Job) -> Iterator[str]:
    given, table = td_statement.settings(job.params), td_statement.table_name(job.command)
    head = f"-- {_task(job)}: td_wait_table {job.command}\n"
    rows = td_statement.number(given, "rows")
    yield head + (td_sql.count(table, rows, _engine(job)) + "\n" if rows else "")


def _td_ddl(job: Job) -> Iterator[str]:
    if job.world.account:
        yield f"-- {_task(job)}: td_ddl\n" + "".join(f"-- {r}\n" for r in ddl.requests(job))


def _engine(job: Job) -> str:
    return str(td_statement.settings(job.params).get("engine") or "presto")


def _task(job: Job) -> str:
    return str(job.params["task_name"])


_SHOWN: dict[str, Callable[[Job], Iterator[str]]] = {
    "td>": _td,
    "td_ddl>": _td_ddl,
    "td_for_each>": _query,
    "td_wait>": _query,
    "td_wait_table>": _td_wait_table,
}
