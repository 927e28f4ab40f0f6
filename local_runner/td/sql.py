"""The text of a td> query as Digdag sends it: who asks, and where its command goes."""

import re

from local_runner.task_request import TaskRequest
from local_runner.td.statement import TableName, TdStatement

_INSERT_LINE = re.compile(r"(\A|\r?\n)--[ \t\n\v\f\r]*DIGDAG_INSERT_LINE[^\n\r\x85\u2028\u2029]*")
_COMMENTS_AND_ONE_LINE = re.compile(
    r"\A([\r\n\t]*(?:(?:\A|\n)--[^\n]*)+)\n?([^\n\r\x85\u2028\u2029]*)\Z"
)
# The comment lines in front of each query, in Digdag's order.
_PREFIX = ("project_id", "project_name", "workflow_name", "session_id", "attempt_id", "task_name")
_COMMANDS = {
    ("presto", "create_table"): "DROP TABLE IF EXISTS {table};\nCREATE TABLE {table} AS",
    ("presto", "insert_into"): "INSERT INTO {table}",
    ("hive", "create_table"): "INSERT OVERWRITE TABLE {table}",
    ("hive", "insert_into"): "INSERT INTO TABLE {table}",
}


def text(task: TaskRequest, statement: TdStatement, engine: str) -> str:
    """The whole query of a td> task."""
    return _prefix(task) + _with_command(statement, engine)


def quoted(table: TableName, engine: str) -> str:
    """The name of a table in the marks of an engine's SQL."""
    return table.quoted("`" if engine == "hive" else '"')


def count(table: TableName, rows: int, engine: str) -> str:
    """The query of td_wait_table>."""
    name = quoted(table, engine)
    if engine == "hive":
        return f"select count(*) from (select * from {name} limit {rows}) sub"
    return f"select count(*) from {name}"


def _prefix(task: TaskRequest) -> str:
    workflow = re.split(r"[+^]", task.name)[1]
    values = {**task.params, "project_name": "default", "workflow_name": workflow}
    return "".join(f"-- {key}: {values[key]}\n" for key in _PREFIX)


def _with_command(statement: TdStatement, engine: str) -> str:
    """The command at its marker line, else after leading comments over one line, else in front."""
    if statement.verb is None or statement.table is None:
        return statement.sql
    command = _COMMANDS[engine, statement.verb].format(table=quoted(statement.table, engine))
    if marker := _INSERT_LINE.search(statement.sql):
        before, after = statement.sql[: marker.end(1)], statement.sql[marker.end() :]
        return f"{before}{command}{after}"
    if parts := _COMMENTS_AND_ONE_LINE.search(statement.sql):
        comments, line = parts.groups()
        return f"{comments}\n{command}\n{line}"
    return f"{command}\n{statement.sql}"
