"""What each operator must satisfy before the run; one function an operator, listed in CHECKS."""

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from local_runner import network, operators
from local_runner.checks import td
from local_runner.checks.scope import Doubts, ParameterScope, Walk, refusing
from local_runner.task_request import TaskError, TaskRequest, with_defaults
from local_runner.td.other_jobs import KINDS
from local_runner.workflow import templates
from local_runner.workflow.yaml_types import Located, Location
from td_mta.errors import Refused

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> Doubts:
    """Check one task by its operator; raises `Refused`. The doubts are of the tasks it makes."""
    return CHECKS[request.operator](walk, config, request, scope) or Doubts()


def _location(config: Located, request: TaskRequest) -> Location | str:
    return config.location(request.operator) or ""


def _any(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    """Nothing to check before the run."""


def _fail(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    message = config["fail>"]
    if isinstance(message, dict | list):
        raise Refused(f"{_location(config, request)}: fail> needs a message, got {message!r}")


def _if(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> Doubts:
    condition = config["if>"]
    is_other_number = isinstance(condition, int) and condition not in (0, 1)
    has_blanks = isinstance(condition, str) and condition != condition.strip()
    if is_other_number or has_blanks:
        location = _location(config, request)
        raise Refused(f"{location}: if> must be true or false, got {condition!r}")
    return _branch(walk, config, "_do", scope) | _branch(walk, config, "_else_do", scope)


def _branch(walk: Walk, config: Located, key: str, scope: ParameterScope) -> Doubts:
    if key not in config:
        return Doubts()
    body, location = config[key], config.location(key)
    if not isinstance(body, Located):
        raise Refused(f"{location}: {key} must be a mapping, got {body!r}")
    return walk.alone(body, scope, location or "")


def _loop(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> Doubts:
    """Every turn, where the turns are known; else the body once, its variables unknown."""
    operator, location = request.operator, _location(config, request)
    if operator != "loop>" and not isinstance(config[operator], dict | str):
        raise Refused(f"{location}: {operator} needs a mapping, got {config[operator]!r}")
    if operator == "loop>" and isinstance(config[operator], bool | float):
        raise Refused(f"{location}: loop> needs a number of turns, got {config[operator]}")
    do = config.get("_do", Located())
    if not isinstance(do, Located):
        raise Refused(f"{config.location('_do')}: _do must be a mapping, got {do!r}")
    turns = _turns(request)
    if turns is not None:
        return walk.task(turns, scope, location)
    return _branch(walk, config, "_do", scope)


def _turns(request: TaskRequest) -> Located | None:
    """The subtasks of a loop; None where they are known only in the run, or where it fails."""
    if request.operator not in request.params:
        return None
    try:
        return operators.OPERATORS[request.operator].run(request).subtasks
    except TaskError:
        return None


def _call(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> Doubts:
    location, project = _location(config, request), request.context.project
    if "call>" not in request.params and isinstance(config["call>"], str):
        files = [path.relative_to(project.root) for path in sorted(project.root.rglob("*.dig"))]
        return _any_of(walk, [file.as_posix() for file in files], scope, location, "call>")
    if not isinstance(request.command, str):
        raise Refused(f"{location}: call> must name a file, got {config['call>']!r}")
    with refusing(f"{location}: call>"):
        path = operators.called(request)
    file = path.relative_to(project.root).as_posix()
    if file in scope.calls:
        raise Refused(f"{location}: call> of {file} goes in a circle")
    if not path.is_file():
        raise Refused(f"{location}: call>: File not found: {path} (config)")
    return _called(walk, file, scope, location)


def _called(walk: Walk, file: str, scope: ParameterScope, location: Location | str) -> Doubts:
    subtasks = operators.called_body(walk.context.project, file)
    return walk.task(subtasks, replace(scope, calls=(*scope.calls, file)), location)


def _any_of(
    walk: Walk, files: list[str], scope: ParameterScope, location: Location | str, operator: str
) -> Doubts:
    """Check every workflow that a name known only in the run may mean, but for those around."""
    doubts = Doubts()
    if operator in scope.calls:  # within such a check, where all of them are seen to already
        return doubts
    within = replace(scope, calls=(*scope.calls, operator))
    for file in files:
        if file in scope.calls:
            continue
        try:
            doubts |= _called(walk, file, within, location)
        except Refused as error:
            raise Refused(
                f"{error} ({location}: the name of {operator} is known only in the run, and may be "
                "this file's)"
            ) from None
    return doubts


def _require(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> Doubts:
    location, project = _location(config, request), request.context.project
    own = config.keys() & {"project_id", "project_name", "retry_attempt_name", "session_time"}
    if own or request.params.get("rerun_on", "none") != "none":
        option = min(own, default="rerun_on")
        raise Refused(
            f"{location}: require> with {option} is not supported: only workflows of this project, "
            "once in a session, are at hand; run another project's there"
        )
    if walk.has_given_parameters:
        raise Refused(
            f"{location}: require> together with -p or -P is not supported: whether the other "
            "workflow sees these is not known; set them in params of require>"
        )
    if not isinstance(request.params.get("params", {}), dict):
        raise Refused(f"{location}: params of require> must be a mapping")
    alone = replace(scope, params=dict(scope.builtins))  # it sees nothing of this workflow
    if "require>" not in request.params and isinstance(config["require>"], str):
        files = [path.name for path in sorted(project.root.glob("*.dig"))]
        return _any_of(walk, files, alone, location, "require>")
    file = f"{request.command}.dig"
    if not (project.root / file).is_file():
        hint = ": a name has no .dig" if file.endswith(".dig.dig") else ""
        raise Refused(
            f"{location}: require>: there is no workflow {request.command} in the project's "
            f"root{hint}"
        )
    if file in scope.calls:
        raise Refused(f"{location}: require> of {file} goes in a circle")
    given = request.params.get("params")
    _called(walk, file, alone.export(given), location)
    return Doubts()


def _py(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    command = config["py>"]
    if not isinstance(command, str) or not command:
        raise Refused(
            f"{_location(config, request)}: py> needs package.module.function, got {command!r}"
        )
    _environment(config, walk, scope)


def _sh(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    command, location = config["sh>"], _location(config, request)
    if not isinstance(command, str) or not command or "${secret:" in command:
        raise Refused(f"{location}: sh> needs a script, with secrets in _env alone")
    shell = request.settings("sh").get("shell", [])
    if not isinstance(shell, list) or not all(isinstance(word, str) for word in shell):
        raise Refused(f"{location}: shell must be a list of words, got {shell!r}")
    _environment(config, walk, scope)


def _wait(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    location = _location(config, request)
    if request.operator in request.params:
        with refusing(location):
            operators.waiting(request.command)


def _http(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    location = _location(config, request)
    walk.secrets(str(config["http>"]), str(location))
    for text in templates.strings([request.params.get(key) for key in ("content", "headers")]):
        walk.secrets(text, str(location))
    is_known = "http>" in request.params or "http.uri" in request.context.secrets
    host = None
    if is_known and not walk.dry_run:
        with refusing(location):
            host = urlsplit(network.address(request)).hostname or ""
    _reached(walk, "http>", host, location)


def _mail(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    location, host = _location(config, request), network.mail_host(request)
    settings = with_defaults(scope.export(config).params, "mail")
    if host is None and settings.get("host") is None and not walk.dry_run:
        raise Refused(
            f"{location}: mail> has no mail server here, as Treasure Data has: give --secret "
            "mail.host=HOST, -p mail.port=PORT and --allow-network HOST, or take the task out"
        )
    if isinstance(config["mail>"], str) and isinstance(request.command, str):
        td.check_file(request, request.command, location)
    _reached(walk, "mail>", host, location)


def _reached(walk: Walk, operator: str, host: str | None, location: Location | str) -> None:
    """Check that a host may be reached; None where it is known only in the run."""
    allowed = walk.context.allowed_hosts
    if walk.dry_run or (allowed if host is None else network.is_allowed(host, allowed)):
        return
    where = "a host known only in the run" if host is None else host
    raise Refused(
        f"{location}: {operator} reaches {where}: allow it with --allow-network {host or 'HOST'}"
    )


def _environment(config: Located, walk: Walk, scope: ParameterScope) -> None:
    """Check the task's own `_env`, which an exported one joins, as written."""
    if "_env" not in config:
        return
    own, location = config["_env"], config.location("_env")
    if not isinstance(own, Located):
        raise Refused(f"{location}: _env must be a mapping of names to values, got {own!r}")
    exported = scope.params.get("_env")
    for key, value in {**(exported if isinstance(exported, dict) else {}), **own}.items():
        where = f"{own.location(key) or location}: {key}"
        if not _VARIABLE.fullmatch(key) or isinstance(value, dict | list):
            # The value is not shown: it may hold a secret.
            raise Refused(f"{where}: _env needs names of letters, digits and _, and plain values")
        walk.secrets(str(value), where)


# A check sees the task as written (`config`) and as far as its values are known (`request`).
Check = Callable[[Walk, Located, TaskRequest, ParameterScope], Doubts | None]

CHECKS: dict[str, Check] = {
    "call>": _call,
    "echo>": _any,
    "fail>": _fail,
    "for_each>": _loop,
    "for_range>": _loop,
    "http>": _http,
    "if>": _if,
    "loop>": _loop,
    "mail>": _mail,
    "py>": _py,
    "require>": _require,
    "sh>": _sh,
    "td>": td.td,
    "td_ddl>": td.td_ddl,
    "td_for_each>": td.td_for_each,
    "td_wait>": td.td_wait,
    "td_wait_table>": td.td_wait_table,
    "wait>": _wait,
    **dict.fromkeys(KINDS, td.other_job),
}
