"""What td tasks must satisfy before the run: settings, names, query files, a key to send them with.

What depends on a value that an earlier task stores is left to the run.
"""

import re
from collections.abc import Mapping

from local_runner.checks.scope import Doubts, Subject, Walk, refusing
from local_runner.javascript.tokens import UnsupportedError
from local_runner.task_request import TaskRequest
from local_runner.td import statement as td_statement
from local_runner.td.other_jobs import KINDS, LOAD_FILES, aws_secrets
from local_runner.workflow import templates
from local_runner.workflow.yaml_types import Located, Location, Value
from td_mta.errors import ConfigError, Refused

_WITH_SECRETS = ("result_url", "result_settings")
_LAST_JOB = re.compile(r"\$\{[^}]*\btd\.last_job")
_VERBS = ("create_table", "insert_into")


def td(task: Subject) -> None:
    """td>: where its rows go, its names, its query."""
    location, settings = _common(task)
    verbs = [key for key in _VERBS if settings.get(key) is not None]
    if len(verbs) == 2:
        raise Refused(f"{location}: td> takes create_table or insert_into, got both")
    if verbs and settings.get("download_file") is not None:
        raise Refused(f"{location}: download_file with {verbs[0]}: such a query returns no rows")
    if settings.get("result_settings") is not None and settings.get("result_connection") is None:
        raise Refused(f"{location}: result_settings needs result_connection")
    for key in _WITH_SECRETS:
        for text in templates.strings(settings.get(key)):
            task.walk.secrets(text, f"{location}: {key}")
    _check_values(settings, location)
    _check_query(task)


def td_for_each(task: Subject) -> Doubts:
    """td_for_each>: its query, and `_do` once, without its row."""
    location, settings = _common(task)
    if "_retry" in task.config or "_check" in task.config:
        raise Refused(f"{location}: _retry and _check on td_for_each> are not supported")
    do = task.config.get("_do")
    if not isinstance(do, Located):
        raise Refused(f"{location}: td_for_each> needs _do, a mapping")
    _check_values(settings, location)
    _check_query(task)
    return task.walk.alone(do, task.scope, task.config.location("_do") or "")


def td_wait(task: Subject) -> None:
    """td_wait>: its interval and its query."""
    location, settings = _common(task)
    _check_values(settings, location)
    with refusing(location):
        td_statement.interval(settings)
    _check_query(task)


def td_wait_table(task: Subject) -> None:
    """td_wait_table>: its table, interval and number of rows."""
    location, settings = _common(task)
    written = task.config["td_wait_table>"]
    if not isinstance(written, str):
        raise Refused(f"{location}: td_wait_table> needs the name of a table, got {written!r}")
    _check_values(settings, location)
    with refusing(location):
        td_statement.interval(settings)
        td_statement.number(settings, "rows")
        if task.request.command is not None:
            td_statement.table_name(task.request.command)


def td_ddl(task: Subject) -> None:
    """td_ddl>: its lists of tables and databases."""
    location, settings = _common(task)
    for key in td_statement.DDL_DATABASES:
        if settings.get(key) is not None and _on_local_tables(task.walk):
            raise Refused(
                f"{location}: td_ddl> with {key} has no meaning on local tables, which have no "
                "databases"
            )
    with refusing(location):
        td_statement.databases(settings, *td_statement.DDL_DATABASES)
        td_statement.tables(settings, *td_statement.DDL_TABLES)
        td_statement.renames(settings)


def other_job(task: Subject) -> None:
    """td_run> and the operators beside it: on Treasure Data alone, with what they must have."""
    location, kind = task.location, KINDS[task.request.operator]
    if not task.walk.context.account:
        raise Refused(
            f"{location}: {task.request.operator} has no meaning on local tables: run it with "
            "--warehouse td, or make its tables with td>"
        )
    _check_remote(task, task.request.settings("td"))
    written = task.written()
    missing = [key for key in kind.needs if written.get(key) is None]
    if missing:
        raise Refused(f"{location}: {task.request.operator} needs {', '.join(missing)}")
    file = str(task.request.command) if task.request.operator == "td_load>" else ""
    if file.endswith(LOAD_FILES) and not (task.request.folder() / file).is_file():
        raise Refused(f"{location}: td_load>: no such file: {file}")
    for text in templates.strings([written.get("config"), written.get("result_settings")]):
        task.walk.secrets(text, str(location))
    for name in ("access_key_id", "secret_access_key") if kind.aws else ():
        if not task.walk.context.secrets.keys() & set(aws_secrets(name)):
            task.walk.secrets(f"${{secret:{aws_secrets(name)[0]}}}", str(location))


def no_local_job(walk: Walk, text: str, where: str) -> None:
    """Check that a text does not refer to a job of Treasure Data where tables are local."""
    if _on_local_tables(walk) and _LAST_JOB.search(text):
        raise Refused(f"{where}: td.last_job and td.last_job_id have no meaning on local tables")


def _on_local_tables(walk: Walk) -> bool:
    return bool(walk.context.warehouse) and not walk.context.account


def _common(task: Subject) -> tuple[Location | str, dict[str, Value]]:
    """The task's location and settings, once its warehouse is known to take it."""
    location, settings = task.location, task.request.settings("td")
    operator = task.request.operator
    if task.walk.context.account:
        _check_remote(task, settings)
        return location, settings
    unknown = [key for key in td_statement.ONLY_REMOTE if settings.get(key) is not None]
    if settings.get("engine", "presto") != "presto":
        unknown.append(f"engine {settings['engine']}")
    if unknown:
        raise Refused(
            f"{location}: {operator} with {', '.join(unknown)} has no meaning on local tables"
        )
    if task.walk.context.warehouse is None and not task.walk.dry_run:
        raise Refused(
            f"{location}: {operator} needs tables: give --data DIR, --warehouse local or "
            "--warehouse td"
        )
    return location, settings


def _check_remote(task: Subject, settings: Mapping[str, Value]) -> None:
    location = task.location
    engine = settings.get("engine") or "presto"
    if engine not in td_statement.ENGINES:
        raise Refused(f"{location}: engine must be presto or hive, got {engine}")
    account = task.walk.context.account
    assert account
    if not task.walk.dry_run:
        try:
            account.connection(settings)
        except ConfigError as error:
            raise ConfigError(f"{location}: {error}") from None
    if task.request.operator == "td_result_export>":  # of a job, wherever its tables were
        return
    if task.written().get("database") is None:
        raise Refused(f"{location}: {task.request.operator} needs the parameter database")
    database = task.walk.context.secrets.get("td.database") or settings.get("database")
    if isinstance(database, str) and "${secret:" in database:
        task.walk.secrets(database, f"{location}: database")  # only td.database has a meaning there
    elif database is not None:
        with refusing(location):
            td_statement.name(str(database).strip(), "database")


def _check_values(settings: Mapping[str, Value], location: Location | str) -> None:
    """Numbers, flags and names that are known by now are of their kind."""
    with refusing(location):
        for key in ("priority", "job_retry"):
            td_statement.number(settings, key)
        for key in ("preview", "store_last_results"):
            td_statement.flag(settings, key)
        for key in _VERBS:
            if settings.get(key) is not None:
                td_statement.table_name(settings[key])


def _check_query(task: Subject) -> None:
    location = task.location
    task.walk.queries += 1
    file = _query_file(task)
    if file is not None:  # else it stands in the task, whose templates were checked before
        no_local_job(task.walk, check_file(task.request, file, location), f"{location}: {file}")


def check_file(request: TaskRequest, file: str, location: Location | str) -> str:
    """The text of a file whose templates a task fills in, once it is sound; raises `Refused`."""
    path = request.context.project.inside(request.folder() / file, f"{location}: {file}")
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Refused(
            f"{location}: {request.operator}: no such file, or not UTF-8: {file}"
        ) from None
    _check_templates(text, file, request, location)
    return text


def _query_file(task: Subject) -> str | None:
    """The file of the query; None where the query stands in the task."""
    location, operator = task.location, task.request.operator
    written, command = task.config[operator], task.request.command
    inline = written["data"] if isinstance(written, dict) and written.keys() == {"data"} else None
    if written is None:
        inline = task.written().get("query")
    if isinstance(inline, str):
        return None
    if not isinstance(written, str):
        raise Refused(f"{location}: {operator} needs a file, {{data: ...}} or query")
    if not isinstance(command, str):
        raise Refused(
            f"{location}: {operator} must name a file that is known before the run, got {written}"
        )
    return command


def _check_templates(sql: str, file: str, request: TaskRequest, location: Location | str) -> None:
    try:
        templates.parse(sql)
    except UnsupportedError as error:
        line = sql.count("\n", 0, error.position) + 1
        raise Refused(f"{file}:{line}: ${{...}} with {error} is not supported") from None
    try:
        templates.fill(sql, request.params, f" in {file}")
    except templates.UnknownTemplateError as error:
        raise Refused(f"{location}: {error}: not supported") from None
    except templates.TemplateError:
        pass  # it may read what an earlier task stores
