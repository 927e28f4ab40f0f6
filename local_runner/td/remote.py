"""td> and its family on Treasure Data. The order of the requests is Digdag's."""

from typing import Any

from local_runner.config_values import parallel, text
from local_runner.task_request import TaskError, TaskRequest, TaskResult
from local_runner.td import ddl, jobs, results
from local_runner.td import sql as td_sql
from local_runner.td import statement as td_statement
from local_runner.td.api import TdApi
from local_runner.td.jobs import Query, TdJob
from local_runner.td.other_jobs import KINDS
from local_runner.td.statement import TableName
from local_runner.together import sleep
from local_runner.workflow.java_text import json_text
from local_runner.workflow.tasks import group_of
from local_runner.workflow.yaml_types import Value
from td_mta.errors import ConfigError

_EXISTENCE_SECONDS = 30  # td_wait_table> looks for the table at least this often


def api(task: TaskRequest) -> TdApi:
    """The client for a task; raises `TaskError`."""
    account = task.context.account
    assert account, "checked before the run"
    try:
        connection = account.connection(task.settings("td"))
        return TdApi(connection, account.patience, account.answered)
    except ConfigError as error:
        raise TaskError(f"{error} (config)") from None


def td(task: TaskRequest) -> TaskResult:
    """td>: one job, after the table that it inserts into was created."""
    settings, client = task.settings("td"), api(task)
    statement, engine = td_statement.statement(task), _engine(settings)
    query = _query(task, settings, td_sql.text(task, statement, engine))
    # Presto's own `create table as` makes its table; every other statement needs an existing one.
    if statement.table and (statement.verb == "insert_into" or engine == "hive"):
        ddl.create(statement.table, query.database).run(client)
    job = jobs.run(client, _with_result(task, settings, query, client), task.name)
    _download(task, settings, job)
    if td_statement.flag(settings, "preview"):
        _preview(client, job, statement.table, query.database, task.name)
    return TaskResult(store=_store(settings, job))


def td_for_each(task: TaskRequest) -> TaskResult:
    """td_for_each>: one job, whose rows become subtasks."""
    settings, client = task.settings("td"), api(task)
    job = jobs.run(client, _query(task, settings, td_statement.query(task)), task.name)
    columns = job.columns()
    do = task.params.get("_do")
    subtasks = job.rows(lambda rows: results.subtasks(do, columns, rows))
    group = group_of(subtasks, parallel(task.params))
    stored = td_statement.stored_job(job.id, job.records())
    return TaskResult(store={"td": stored}, subtasks=group)


def td_wait(task: TaskRequest) -> TaskResult:
    """A new job each time, until the first value of the first row is neither null, false nor 0."""
    settings, client = task.settings("td"), api(task)
    query = _query(task, settings, td_statement.query(task))
    pause = td_statement.interval(settings) * client.patience.interval_unit
    while True:
        row = jobs.run(client, query, task.name).first_row()
        if row and results.fulfilled(row[0]):
            return TaskResult()
        sleep(pause)


def td_wait_table(task: TaskRequest) -> TaskResult:
    """Wait until the table exists, then, where `rows` is set, until it has so many."""
    settings, client = task.settings("td"), api(task)
    table, rows = td_statement.table_name(task.command), td_statement.number(settings, "rows")
    query = _query(task, settings, td_sql.count(table, rows, _engine(settings)))
    query = query._replace(scheduled=None)  # as Digdag, which sends no scheduled_time here
    pause = td_statement.interval(settings)
    lookup = ddl.table_lookup(TableName(None, table.name), query.database)
    while not lookup.exists(client):
        sleep(min(pause, _EXISTENCE_SECONDS) * client.patience.interval_unit)
    if query.engine == "presto":
        query = query._replace(engine_version=None)
    while rows > 0 and _count(client, query, task) < rows:
        sleep(pause * client.patience.interval_unit)
    return TaskResult()


def td_ddl(task: TaskRequest) -> TaskResult:
    """td_ddl>: tables and databases dropped, created and renamed."""
    ddl.run(task, api(task))
    return TaskResult()


def other_job(task: TaskRequest) -> TaskResult:
    """td_run> and the operators beside it: a job that another request starts."""
    client, settings = api(task), task.settings("td")
    start = KINDS[task.operator].request
    if task.operator == "td_result_export>":
        connection = _connection(client, text(task.params.get("result_connection")))
        job = jobs.run_started(client, lambda _: start(task, connection).send(client), task.name)
    else:
        ddl.database_of(task)  # Digdag wants one, even where none is sent
        job = jobs.run_started(client, lambda key: start(task, key).send(client), task.name)
    if task.operator != "td_run>":
        return TaskResult(store=_store({}, job))
    _download(task, settings, job)
    if td_statement.flag(settings, "preview"):
        _preview(client, job, None, "", task.name)
    return TaskResult(store=_store(settings, job))


def _connection(client: TdApi, name: str) -> str:
    """The id of a connection by its name."""
    return str(client.get("/v3/connections/lookup", [("name", name)])["id"])


def _count(client: TdApi, query: Query, task: TaskRequest) -> int:
    row = jobs.run(client, query, task.name).first_row()
    if row is None or not isinstance(row[0], int):
        raise TaskError(f"the count of {task.command} must be a number, got {row}")
    return row[0]


def _engine(settings: dict[str, Value]) -> str:
    engine = settings.get("engine") or "presto"
    if engine not in td_statement.ENGINES:
        raise TaskError(
            f"Unknown 'engine:' option (available options are: hive and presto): {engine} (config)"
        )
    return str(engine)


def _query(task: TaskRequest, settings: dict[str, Value], sql: str) -> Query:
    engine = _engine(settings)
    pool, version = settings.get(f"{engine}_pool_name"), settings.get("engine_version")
    return Query(
        engine=engine,
        database=ddl.database_of(task),
        sql=sql,
        priority=td_statement.number(settings, "priority"),
        pool=None if pool is None else str(pool),
        scheduled=td_statement.number(task.params, "session_unixtime"),
        engine_version=None if version is None else str(version),
        retries=td_statement.number(settings, "job_retry"),
    )


def _with_result(
    task: TaskRequest, settings: dict[str, Value], query: Query, client: TdApi
) -> Query:
    """Where the rows go: `result_url`, or a connection that is looked up by its name."""
    url, connection = settings.get("result_url"), settings.get("result_connection")
    if url is not None:
        query = query._replace(result=task.with_secrets(str(url)))
    if connection is None:
        return query
    connection_id = _connection(client, str(connection))
    of_result = settings.get("result_settings")
    if of_result is not None:
        text = of_result if isinstance(of_result, str) else json_text(of_result)
        query = query._replace(connection_settings=task.with_secrets(text))
    return query._replace(connection=connection_id)


def _download(task: TaskRequest, settings: dict[str, Value], job: TdJob) -> None:
    file = settings.get("download_file")
    if file is None:
        return

    def write(rows: Any) -> None:
        with results.download(task, file) as out:
            results.write_csv(out, job.columns(), rows)

    job.rows(write)


def _preview(
    client: TdApi, job: TdJob, table: TableName | None, database: str, task_name: str
) -> None:
    what = f"job id {job.id}"
    try:
        if table:
            sql = f"-- preview results of {what}\nSELECT * FROM {table.quoted()} LIMIT 20"
            job = jobs.run(client, Query("presto", database, sql, retries=None), task_name)
            what = f"table {table.name}"
        columns = job.columns()
        results.show(what, columns, job.first(results.PREVIEW_ROWS))
    except TaskError as error:
        results.no_preview(what, error)


def _store(settings: dict[str, Value], job: TdJob) -> dict[str, Value]:
    stored: dict[str, Value] = {}
    if td_statement.flag(settings, "store_last_results"):
        row = job.first_row()
        columns = job.columns() if row is not None else []
        stored["last_results"] = results.last_results(columns, row)
    return {"td": stored | td_statement.stored_job(job.id, job.records())}
