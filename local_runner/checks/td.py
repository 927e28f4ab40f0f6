"""What td tasks must satisfy before the run: settings, names, query files, a key to send them with.

What depends on a value that an earlier task stores is left to the run.
"""

import re
from collections.abc import Callable, Mapping

from local_runner import td_statement
from local_runner.checks.scope import Doubts, ParameterScope, Walk
from local_runner.javascript.tokens import UnsupportedError
from local_runner.task_request import TaskError, TaskRequest
from local_runner.workflow import templates
from local_runner.workflow.yaml_types import Located, Location, Value
from td_mta.errors import ConfigError, Refused

_WITH_SECRETS = ("result_url", "result_settings")
_JOB = re.compile(r"\$\{[^}]*\btd\.last_job")
_VERBS = ("create_table", "insert_into")


def td(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    location, given = _start(walk, config, request, scope)
    verbs = [key for key in _VERBS if given.get(key) is not None]
    if len(verbs) == 2:
        raise Refused(f"{location}: td> with both create_table and insert_into is not supported")
    if verbs and given.get("download_file") is not None:
        raise Refused(f"{location}: download_file with {verbs[0]}: such a query has no rows")
    if given.get("result_settings") is not None and given.get("result_connection") is None:
        raise Refused(f"{location}: result_settings needs result_connection")
    for key in _WITH_SECRETS:
        for text in templates.strings(given.get(key)):
            walk.secrets(text, f"{location}: {key}")
    _rules(given, location)
    _query(walk, config, request, given, location)


def td_for_each(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> Doubts:
    """`_do` is checked once, without its row."""
    location, given = _start(walk, config, request, scope)
    if "_retry" in config or "_check" in config:
        raise Refused(f"{location}: _retry and _check on td_for_each> are not supported")
    do = config.get("_do")
    if not isinstance(do, Located):
        raise Refused(f"{location}: td_for_each> needs _do, a mapping")
    _rules(given, location)
    _query(walk, config, request, given, location)
    doubts = walk.alone(do, scope, config.location("_do") or "")
    return doubts | ({"_parallel"} if config.get("_parallel") else set())


def td_wait(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    location, given = _start(walk, config, request, scope)
    _rules(given, location, lambda: td_statement.interval(given))
    _query(walk, config, request, given, location)


def td_wait_table(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    location, given = _start(walk, config, request, scope)
    written = config["td_wait_table>"]
    if not isinstance(written, str):
        raise Refused(f"{location}: td_wait_table> needs the name of a table")

    def own() -> None:
        td_statement.interval(given)
        td_statement.number(given, "rows")
        if request.command is not None:
            td_statement.table_name(request.command)

    _rules(given, location, own)


def td_ddl(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    location, given = _start(walk, config, request, scope)
    for key in td_statement.DDL_DATABASES:
        if given.get(key) is not None and not walk.context.account and walk.context.warehouse:
            raise Refused(f"{location}: td_ddl> with {key} has no local meaning")
    for key in (*td_statement.DDL_DATABASES, *td_statement.DDL):
        _ddl_list(given.get(key), key, location)


def no_local_job(walk: Walk, text: str, what: str) -> None:
    """Local tables have no jobs for later tasks to refer to."""
    if walk.context.warehouse and not walk.context.account and _JOB.search(text):
        raise Refused(f"{what}: td.last_job and td.last_job_id have no local meaning")


def _start(
    walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope
) -> tuple[Location | str, dict[str, Value]]:
    """Where the task stands and what it says, once its warehouse is there and can take it."""
    location, given = config.location(request.operator) or "", td_statement.settings(request.params)
    if walk.context.account:
        _remote(walk, config, request, scope, given, location)
        return location, given
    unknown = [key for key in given if key in td_statement.REFUSED and given[key] is not None]
    if unknown or given.get("engine", "presto") != "presto":
        raise Refused(
            f"{location}: {request.operator} with {', '.join(unknown) or 'this engine'} has "
            "no local meaning"
        )
    if walk.context.warehouse is None and not walk.dry_run:
        raise Refused(
            f"{location}: {request.operator} needs tables: give --data DIR, --warehouse local or "
            "--warehouse td"
        )
    return location, given


def _remote(
    walk: Walk,
    config: Located,
    request: TaskRequest,
    scope: ParameterScope,
    given: Mapping[str, Value],
    location: Location | str,
) -> None:
    engine = given.get("engine") or "presto"
    if engine not in td_statement.ENGINES:
        raise Refused(f"{location}: engine must be presto or hive, got {engine}")
    account = walk.context.account
    assert account
    if not walk.dry_run:
        try:
            account.connection(given)
        except ConfigError as error:
            raise ConfigError(f"{location}: {error}") from None
    written = scope.export(config).params  # as it stands there: the value may come in the run
    if td_statement.settings(written).get("database") is None:
        raise Refused(f"{location}: {request.operator} needs the parameter database")
    if given.get("database") is not None:
        _rules({}, location, lambda: td_statement.name(str(given["database"]).strip(), "database"))


def _rules(
    given: Mapping[str, Value], location: Location | str, own: Callable[[], object] = lambda: None
) -> None:
    """Numbers, flags and names that are known by now are of their kind."""
    try:
        own()
        for key in ("priority", "job_retry"):
            td_statement.number(given, key)
        for key in ("preview", "store_last_results"):
            td_statement.flag(given, key)
        for key in _VERBS:
            if given.get(key) is not None:
                td_statement.table_name(given[key])
    except TaskError as error:
        raise Refused(f"{location}: {error}") from None


def _query(
    walk: Walk,
    config: Located,
    request: TaskRequest,
    given: Mapping[str, Value],
    location: Location | str,
) -> None:
    walk.queries += 1
    written = config[request.operator]
    inline = written["data"] if isinstance(written, dict) and written.keys() == {"data"} else None
    if written is None:
        inline = given.get("query")
    if isinstance(inline, str):
        return
    if not isinstance(written, str):
        raise Refused(f"{location}: {request.operator} needs a file, {{data: ...}} or query")
    if not isinstance(request.command, str):
        raise Refused(
            f"{location}: {request.operator} of {written}: which file is not known before the run"
        )
    try:
        sql = (request.folder() / request.command).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Refused(
            f"{location}: {request.operator}: no such file, or not UTF-8: {request.command}"
        ) from None
    try:
        templates.parse(sql)
    except UnsupportedError as error:
        line = sql.count("\n", 0, error.at) + 1
        raise Refused(f"{request.command}:{line}: ${{...}} with {error} is not supported") from None
    try:
        templates.fill(sql, request.params, f" in {request.command}")
    except templates.UnknownTemplateError as error:
        raise Refused(f"{location}: {error}: not supported") from None
    except templates.TemplateError:
        pass  # it may read what an earlier task stores
    no_local_job(walk, sql, f"{location}: {request.command}")


def _ddl_list(names: Value, key: str, location: Location | str) -> None:
    if names is not None and not isinstance(names, list):
        raise Refused(f"{location}: {key} must be a list")
    for name in names or []:
        pair = isinstance(name, dict) and name.keys() == {"from", "to"}
        if pair != (key == "rename_tables"):
            raise Refused(
                f"{location}: {key} must list {'{from, to}' if key == 'rename_tables' else 'names'}"
            )
        try:
            if isinstance(name, dict):
                td_statement.renames([name])
            elif key in td_statement.DDL_DATABASES:
                td_statement.name(name, "database")
            else:
                td_statement.table_name(name)
        except TaskError as error:
            raise Refused(f"{location}: {key}: {error}") from None
