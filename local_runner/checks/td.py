"""What td tasks must satisfy before the run: settings, names, query files, a key to send them with.

What depends on a value that an earlier task stores is left to the run.
"""

import re
from collections.abc import Mapping

from local_runner.checks.scope import Doubts, ParameterScope, Walk, refusing
from local_runner.javascript.tokens import UnsupportedError
from local_runner.task_request import TaskRequest, with_defaults
from local_runner.td import statement as td_statement
from local_runner.td.other_jobs import KINDS, LOAD_FILES, aws_secrets
from local_runner.workflow import templates
from local_runner.workflow.yaml_types import Located, Location, Value
from td_mta.errors import ConfigError, Refused

_WITH_SECRETS = ("result_url", "result_settings")
_LAST_JOB = re.compile(r"\$\{[^}]*\btd\.last_job")
_VERBS = ("create_table", "insert_into")


def td(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    """td>: where its rows go, its names, its query."""
    location, settings = _common(walk, config, request, scope)
    verbs = [key for key in _VERBS if settings.get(key) is not None]
    if len(verbs) == 2:
        raise Refused(f"{location}: td> takes create_table or insert_into, got both")
    if verbs and settings.get("download_file") is not None:
        raise Refused(f"{location}: download_file with {verbs[0]}: such a query returns no rows")
    if settings.get("result_settings") is not None and settings.get("result_connection") is None:
        raise Refused(f"{location}: result_settings needs result_connection")
    for key in _WITH_SECRETS:
        for text in templates.strings(settings.get(key)):
            walk.secrets(text, f"{location}: {key}")
    _check_values(settings, location)
    _check_query(walk, config, request, scope, location)


def td_for_each(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> Doubts:
    """td_for_each>: its query, and `_do` once, without its row."""
    location, settings = _common(walk, config, request, scope)
    if "_retry" in config or "_check" in config:
        raise Refused(f"{location}: _retry and _check on td_for_each> are not supported")
    do = config.get("_do")
    if not isinstance(do, Located):
        raise Refused(f"{location}: td_for_each> needs _do, a mapping")
    _check_values(settings, location)
    _check_query(walk, config, request, scope, location)
    return walk.alone(do, scope, config.location("_do") or "")


def td_wait(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    """td_wait>: its interval and its query."""
    location, settings = _common(walk, config, request, scope)
    _check_values(settings, location)
    with refusing(location):
        td_statement.interval(settings)
    _check_query(walk, config, request, scope, location)


def td_wait_table(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    """td_wait_table>: its table, interval and number of rows."""
    location, settings = _common(walk, config, request, scope)
    written = config["td_wait_table>"]
    if not isinstance(written, str):
        raise Refused(f"{location}: td_wait_table> needs the name of a table, got {written!r}")
    _check_values(settings, location)
    with refusing(location):
        td_statement.interval(settings)
        td_statement.number(settings, "rows")
        if request.command is not None:
            td_statement.table_name(request.command)


def td_ddl(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    """td_ddl>: its lists of tables and databases."""
    location, settings = _common(walk, config, request, scope)
    for key in td_statement.DDL_DATABASES:
        if settings.get(key) is not None and _on_local_tables(walk):
            raise Refused(
                f"{location}: td_ddl> with {key} has no meaning on local tables, which have no "
                "databases"
            )
    with refusing(location):
        td_statement.databases(settings, *td_statement.DDL_DATABASES)
        td_statement.tables(settings, *td_statement.DDL_TABLES)
        td_statement.renames(settings)


def other_job(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    """td_run> and the operators beside it: on Treasure Data alone, with what they must have."""
    location, kind = config.location(request.operator) or "", KINDS[request.operator]
    if not walk.context.account:
        raise Refused(
            f"{location}: {request.operator} has no meaning on local tables: run it with "
            "--warehouse td, or make its tables with td>"
        )
    _check_remote(walk, config, request, scope, request.settings("td"), location)
    written = _written(config, scope)
    missing = [key for key in kind.needs if written.get(key) is None]
    if missing:
        raise Refused(f"{location}: {request.operator} needs {', '.join(missing)}")
    file = str(request.command) if request.operator == "td_load>" else ""
    if file.endswith(LOAD_FILES) and not (request.folder() / file).is_file():
        raise Refused(f"{location}: td_load>: no such file: {file}")
    for text in templates.strings([written.get("config"), written.get("result_settings")]):
        walk.secrets(text, str(location))
    for name in ("access_key_id", "secret_access_key") if kind.aws else ():
        if not walk.context.secrets.keys() & set(aws_secrets(name)):
            walk.secrets(f"${{secret:{aws_secrets(name)[0]}}}", str(location))


def no_local_job(walk: Walk, text: str, where: str) -> None:
    """Check that a text does not refer to a job of Treasure Data where tables are local."""
    if _on_local_tables(walk) and _LAST_JOB.search(text):
        raise Refused(f"{where}: td.last_job and td.last_job_id have no meaning on local tables")


def _on_local_tables(walk: Walk) -> bool:
    return bool(walk.context.warehouse) and not walk.context.account


def _common(
    walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope
) -> tuple[Location | str, dict[str, Value]]:
    """The task's location and settings, once its warehouse is known to take it."""
    location, settings = config.location(request.operator) or "", request.settings("td")
    if walk.context.account:
        _check_remote(walk, config, request, scope, settings, location)
        return location, settings
    unknown = [key for key in td_statement.ONLY_REMOTE if settings.get(key) is not None]
    if settings.get("engine", "presto") != "presto":
        unknown.append(f"engine {settings['engine']}")
    if unknown:
        raise Refused(
            f"{location}: {request.operator} with {', '.join(unknown)} has no meaning on local "
            "tables"
        )
    if walk.context.warehouse is None and not walk.dry_run:
        raise Refused(
            f"{location}: {request.operator} needs tables: give --data DIR, --warehouse local or "
            "--warehouse td"
        )
    return location, settings


def _written(config: Located, scope: ParameterScope) -> dict[str, Value]:
    """The settings as the files state them: their values may be known only in the run."""
    return with_defaults(scope.export(config).params, "td")


def _check_remote(
    walk: Walk,
    config: Located,
    request: TaskRequest,
    scope: ParameterScope,
    settings: Mapping[str, Value],
    location: Location | str,
) -> None:
    engine = settings.get("engine") or "presto"
    if engine not in td_statement.ENGINES:
        raise Refused(f"{location}: engine must be presto or hive, got {engine}")
    account = walk.context.account
    assert account
    if not walk.dry_run:
        try:
            account.connection(settings)
        except ConfigError as error:
            raise ConfigError(f"{location}: {error}") from None
    if request.operator == "td_result_export>":  # of a job, wherever its tables were
        return
    if _written(config, scope).get("database") is None:
        raise Refused(f"{location}: {request.operator} needs the parameter database")
    database = walk.context.secrets.get("td.database") or settings.get("database")
    if isinstance(database, str) and "${secret:" in database:
        walk.secrets(database, f"{location}: database")  # only td.database has a meaning there
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


def _check_query(
    walk: Walk,
    config: Located,
    request: TaskRequest,
    scope: ParameterScope,
    location: Location | str,
) -> None:
    walk.queries += 1
    file = _query_file(config, request, scope, location)
    if file is not None:  # else it stands in the task, whose templates were checked before
        no_local_job(walk, check_file(request, file, location), f"{location}: {file}")


def check_file(request: TaskRequest, file: str, location: Location | str) -> str:
    """The text of a file whose templates a task fills in, once it is sound; raises `Refused`."""
    try:
        text = (request.folder() / file).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Refused(
            f"{location}: {request.operator}: no such file, or not UTF-8: {file}"
        ) from None
    _check_templates(text, file, request, location)
    return text


def _query_file(
    config: Located,
    request: TaskRequest,
    scope: ParameterScope,
    location: Location | str,
) -> str | None:
    """The file of the query; None where the query stands in the task."""
    written, command = config[request.operator], request.command
    inline = written["data"] if isinstance(written, dict) and written.keys() == {"data"} else None
    if written is None:
        inline = _written(config, scope).get("query")
    if isinstance(inline, str):
        return None
    if not isinstance(written, str):
        raise Refused(f"{location}: {request.operator} needs a file, {{data: ...}} or query")
    if not isinstance(command, str):
        raise Refused(
            f"{location}: {request.operator} must name a file that is known before the run, got "
            f"{written}"
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
