"""td> and its family on Treasure Data. The order of the requests is Digdag's."""

from time import sleep
from typing import Any

from local_runner import td_statement
from local_runner.processes.python_task import with_secrets
from local_runner.task_request import TaskError, TaskRequest, TaskResult
from local_runner.td import ddl, jobs, results
from local_runner.td import sql as td_sql
from local_runner.td.api import TdApi
from local_runner.td.jobs import Query, TdJob
from local_runner.td_statement import TableName
from local_runner.workflow.java_text import json_text
from local_runner.workflow.yaml_types import Value
from td_mta.errors import ConfigError

_EXISTENCE_SECONDS = 30  # td_wait_table> looks for the table at least so often


def api(task: TaskRequest) -> TdApi:
    """The client for a task; raises `TaskError`."""
    account = task.context.account
    assert account, "checked before the run"
    try:
        connection = account.connection(td_statement.settings(task.params))
        return TdApi(connection, account.pace, account.answered)
    except ConfigError as error:
        raise TaskError(f"{error} (config)") from None


def td(task: TaskRequest) -> TaskResult:
    given, client = td_statement.settings(task.params), api(task)
    statement, engine = td_statement.statement(task), _engine(given)
    query = _query(task, given, td_sql.text(task, statement, engine))
    if statement.table and (statement.verb == "insert_into" or engine == "hive"):
        ddl.create(statement.table, query.database).run(client)
    made = jobs.run(client, _with_result(task, given, query, client), task.name)
    _download(task, given, made)
    if td_statement.flag(given, "preview"):
        _preview(client, made, statement.table, query.database, task.name)
    return TaskResult(store=_store(given, made))


def td_for_each(task: TaskRequest) -> TaskResult:
    given, client = td_statement.settings(task.params), api(task)
    made = jobs.run(client, _query(task, given, td_statement.query(task)), task.name)
    columns = made.columns()
    do = task.params.get("_do")
    tasks = made.rows(lambda rows: results.subtasks(do, columns, rows))
    stored = td_statement.stored_job(made.id, made.records())
    return TaskResult(store={"td": stored}, subtasks=results.group(task, tasks))


def td_wait(task: TaskRequest) -> TaskResult:
    """A new job each time, until the first value of the first row is neither null, false nor 0."""
    given, client = td_statement.settings(task.params), api(task)
    query = _query(task, given, td_statement.query(task))
    pause = td_statement.interval(given) * client.pace.wait_unit
    while True:
        row = jobs.first_of(jobs.run(client, query, task.name).first(1))
        if row and results.fulfilled(row[0]):
            return TaskResult()
        sleep(pause)


def td_wait_table(task: TaskRequest) -> TaskResult:
    given, client = td_statement.settings(task.params), api(task)
    table, rows = td_statement.table_name(task.command), td_statement.number(given, "rows")
    query = _query(task, given, td_sql.count(table, rows, _engine(given)))._replace(scheduled=None)
    pause = td_statement.interval(given)
    look = ddl.table_look(TableName(None, table.name), query.database)
    while not look.found(client):
        sleep(min(pause, _EXISTENCE_SECONDS) * client.pace.wait_unit)
    if query.engine == "presto":
        query = query._replace(engine_version=None)
    while rows > 0:
        row = jobs.first_of(jobs.run(client, query, task.name).first(1))
        if row is None or not isinstance(row[0], int):
            raise TaskError(f"the count of {task.command} is no number: {row}")
        if row[0] >= rows:
            break
        sleep(pause * client.pace.wait_unit)
    return TaskResult()


def td_ddl(task: TaskRequest) -> TaskResult:
    ddl.ddl(task, api(task))
    return TaskResult()


def _engine(given: dict[str, Value]) -> str:
    engine = given.get("engine") or "presto"
    if engine not in td_statement.ENGINES:
        raise TaskError(
            f"Unknown 'engine:' option (available options are: hive and presto): {engine} (config)"
        )
    return str(engine)


def _query(task: TaskRequest, given: dict[str, Value], sql: str) -> Query:
    engine = _engine(given)
    pool, version = given.get(f"{engine}_pool_name"), given.get("engine_version")
    return Query(
        engine=engine,
        database=ddl.database_of(given),
        sql=sql,
        priority=td_statement.number(given, "priority"),
        pool=None if pool is None else str(pool),
        scheduled=td_statement.number(task.params, "session_unixtime"),
        engine_version=None if version is None else str(version),
        retries=td_statement.number(given, "job_retry"),
    )


def _with_result(task: TaskRequest, given: dict[str, Value], query: Query, client: TdApi) -> Query:
    """Where the rows go: `result_url`, or a connection that is looked up by its name."""
    url, connection = given.get("result_url"), given.get("result_connection")
    if url is not None:
        query = query._replace(result=with_secrets(str(url), task))
    if connection is None:
        return query
    found = client.get("/v3/connections/lookup", [("name", str(connection))])
    settings = given.get("result_settings")
    text = settings if isinstance(settings, str) or settings is None else json_text(settings)
    filled = None if text is None else with_secrets(text, task)
    return query._replace(connection=str(found["id"]), connection_settings=filled)


def _download(task: TaskRequest, given: dict[str, Value], made: TdJob) -> None:
    file = given.get("download_file")
    if file is None:
        return

    def write(rows: Any) -> None:
        with results.download(task, file) as out:
            results.write_csv(out, made.columns(), rows)

    made.rows(write)


def _preview(client: TdApi, made: TdJob, table: TableName | None, database: str, task: str) -> None:
    what = f"job id {made.id}"
    try:
        if table:
            sql = f"-- preview results of {what}\nSELECT * FROM {table.quoted()} LIMIT 20"
            made = jobs.run(client, Query("presto", database, sql, retries=None), task)
            what = f"table {table.name}"
        columns = made.columns()
        results.show(what, columns, made.first(results.PREVIEW_ROWS))
    except TaskError as error:
        results.no_preview(what, error)


def _store(given: dict[str, Value], made: TdJob) -> dict[str, Value]:
    stored: dict[str, Value] = {}
    if td_statement.flag(given, "store_last_results"):
        first = jobs.first_of(made.first(1))
        columns = made.columns() if first is not None else []
        stored["last_results"] = results.last_results(columns, first)
    return {"td": stored | td_statement.stored_job(made.id, made.records())}
