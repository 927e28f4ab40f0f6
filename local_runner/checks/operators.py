"""What each operator must satisfy before the run; one function an operator, listed in CHECKS."""

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from local_runner import network, operators
from local_runner.checks import td
from local_runner.checks.scope import Doubts, ParameterScope, Subject, Walk, refusing
from local_runner.task_request import TaskError, TaskRequest
from local_runner.td.other_jobs import KINDS
from local_runner.workflow import templates
from local_runner.workflow.yaml_types import Located, Location
from td_mta.errors import Refused

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check(task: Subject) -> Doubts:
    """Check one task by its operator; raises `Refused`. The doubts are of the tasks it makes."""
    return CHECKS[task.request.operator](task) or Doubts()


def _any(task: Subject) -> None:
    """Nothing to check before the run."""


def _fail(task: Subject) -> None:
    message = task.config["fail>"]
    if isinstance(message, dict | list):
        raise Refused(f"{task.location}: fail> needs a message, got {message!r}")


def _if(task: Subject) -> Doubts:
    condition = task.config["if>"]
    is_other_number = isinstance(condition, int) and condition not in (0, 1)
    has_blanks = isinstance(condition, str) and condition != condition.strip()
    if is_other_number or has_blanks:
        raise Refused(f"{task.location}: if> must be true or false, got {condition!r}")
    return _branch(task, "_do") | _branch(task, "_else_do")


def _branch(task: Subject, key: str) -> Doubts:
    if key not in task.config:
        return Doubts()
    body, location = task.config[key], task.config.location(key)
    if not isinstance(body, Located):
        raise Refused(f"{location}: {key} must be a mapping, got {body!r}")
    return task.walk.alone(body, task.scope, location or "")


def _loop(task: Subject) -> Doubts:
    """Every turn, where the turns are known; else the body once, its variables unknown."""
    operator, location = task.request.operator, task.location
    if operator != "loop>" and not isinstance(task.config[operator], dict | str):
        raise Refused(f"{location}: {operator} needs a mapping, got {task.config[operator]!r}")
    if operator == "loop>" and isinstance(task.config[operator], bool | float):
        raise Refused(f"{location}: loop> needs a number of turns, got {task.config[operator]}")
    do = task.config.get("_do", Located())
    if not isinstance(do, Located):
        raise Refused(f"{task.config.location('_do')}: _do must be a mapping, got {do!r}")
    turns = _turns(task.request)
    if turns is not None:
        return task.walk.task(turns, task.scope, location)
    return _branch(task, "_do")


def _turns(request: TaskRequest) -> Located | None:
    """The subtasks of a loop; None where they are known only in the run, or where it fails."""
    if request.operator not in request.params:
        return None
    try:
        return operators.OPERATORS[request.operator].run(request).subtasks
    except TaskError:
        return None


def _call(task: Subject) -> Doubts:
    location, project = task.location, task.request.context.project
    if "call>" not in task.request.params and isinstance(task.config["call>"], str):
        files = [path.relative_to(project.root) for path in sorted(project.root.rglob("*.dig"))]
        return _any_of(task, [file.as_posix() for file in files], task.scope)
    if not isinstance(task.request.command, str):
        raise Refused(f"{location}: call> must name a file, got {task.config['call>']!r}")
    with refusing(f"{location}: call>"):
        path = operators.called(task.request)
    file = path.relative_to(project.root).as_posix()
    if file in task.scope.calls:
        raise Refused(f"{location}: call> of {file} goes in a circle")
    if not path.is_file():
        raise Refused(f"{location}: call>: File not found: {path} (config)")
    return _called(task, file, task.scope)


def _called(task: Subject, file: str, scope: ParameterScope) -> Doubts:
    project = task.walk.context.project
    export = project.workflow(file).config.get("_export")
    if "/" in file and isinstance(export, Located) and "_workdir" in export:
        raise Refused(
            f"{export.location('_workdir')}: _workdir in _export of a called file in a subfolder: "
            "which folder Digdag makes of the two is not known; set it on the tasks"
        )
    subtasks = operators.called_body(project, file)
    return task.walk.task(subtasks, replace(scope, calls=(*scope.calls, file)), task.location)


def _any_of(task: Subject, files: list[str], scope: ParameterScope) -> Doubts:
    """Check every workflow that a name known only in the run may mean, but for those around."""
    doubts, operator = Doubts(), task.request.operator
    if operator in scope.calls:  # within such a check, where all of them are seen to already
        return doubts
    within = replace(scope, calls=(*scope.calls, operator))
    for file in files:
        if file in scope.calls:
            continue
        try:
            doubts |= _called(task, file, within)
        except Refused as error:
            raise Refused(
                f"{error} ({task.location}: the name of {operator} is known only in the run, and "
                "may be this file's)"
            ) from None
    return doubts


def _require(task: Subject) -> Doubts:
    location, project = task.location, task.request.context.project
    own = task.config.keys() & {"project_id", "project_name", "retry_attempt_name", "session_time"}
    if own or task.request.params.get("rerun_on", "none") != "none":
        option = min(own, default="rerun_on")
        raise Refused(
            f"{location}: require> with {option} is not supported: only workflows of this project, "
            "once in a session, are at hand; run another project's there"
        )
    if task.walk.has_given_parameters:
        raise Refused(
            f"{location}: require> together with -p or -P is not supported: whether the other "
            "workflow sees these is not known; set them in params of require>"
        )
    if not isinstance(task.request.params.get("params", {}), dict):
        raise Refused(f"{location}: params of require> must be a mapping")
    alone = replace(
        task.scope, params=dict(task.scope.builtins)
    )  # it sees nothing of this workflow
    if "require>" not in task.request.params and isinstance(task.config["require>"], str):
        files = [path.name for path in sorted(project.root.glob("*.dig"))]
        return _any_of(task, files, alone)
    file = f"{task.request.command}.dig"
    if not (project.root / file).is_file():
        hint = ": a name has no .dig" if file.endswith(".dig.dig") else ""
        raise Refused(
            f"{location}: require>: there is no workflow {task.request.command} in the project's "
            f"root{hint}"
        )
    if file in task.scope.calls:
        raise Refused(f"{location}: require> of {file} goes in a circle")
    given = task.request.params.get("params")
    _called(task, file, alone.export(given))
    return Doubts()


def _py(task: Subject) -> None:
    command = task.config["py>"]
    if not isinstance(command, str) or not command:
        raise Refused(f"{task.location}: py> needs package.module.function, got {command!r}")
    _environment(task)


def _sh(task: Subject) -> None:
    command, location = task.config["sh>"], task.location
    if not isinstance(command, str) or not command or "${secret:" in command:
        raise Refused(f"{location}: sh> needs a script, with secrets in _env alone")
    shell = task.request.settings("sh").get("shell", [])
    if not isinstance(shell, list) or not all(isinstance(word, str) for word in shell):
        raise Refused(f"{location}: shell must be a list of words, got {shell!r}")
    _environment(task)


def _wait(task: Subject) -> None:
    location = task.location
    if task.request.operator in task.request.params:
        with refusing(location):
            operators.waiting(task.request.command)


def _http(task: Subject) -> None:
    location = task.location
    task.walk.secrets(str(task.config["http>"]), str(location))
    for text in templates.strings([task.request.params.get(key) for key in ("content", "headers")]):
        task.walk.secrets(text, str(location))
    is_known = "http>" in task.request.params or "http.uri" in task.request.context.secrets
    host = None
    if is_known and not task.walk.dry_run:
        with refusing(location):
            host = urlsplit(network.address(task.request)).hostname or ""
    _reached(task.walk, "http>", host, location)


def _mail(task: Subject) -> None:
    location, host = task.location, network.mail_host(task.request)
    settings = task.written("mail")
    if host is None and settings.get("host") is None and not task.walk.dry_run:
        raise Refused(
            f"{location}: mail> has no mail server here, as Treasure Data has: give --secret "
            "mail.host=HOST, -p mail.port=PORT and --allow-network HOST, or take the task out"
        )
    if isinstance(task.config["mail>"], str) and isinstance(task.request.command, str):
        td.check_file(task.request, task.request.command, location)
    _reached(task.walk, "mail>", host, location)


def _reached(walk: Walk, operator: str, host: str | None, location: Location | str) -> None:
    """Check that a host may be reached; None where it is known only in the run."""
    allowed = walk.context.allowed_hosts
    if walk.dry_run or (allowed if host is None else network.is_allowed(host, allowed)):
        return
    where = "a host known only in the run" if host is None else host
    raise Refused(
        f"{location}: {operator} reaches {where}: allow it with --allow-network {host or 'HOST'}"
    )


def _environment(task: Subject) -> None:
    """Check the task's own `_env`, which an exported one joins, as written."""
    if "_env" not in task.config:
        return
    own, location = task.config["_env"], task.config.location("_env")
    if not isinstance(own, Located):
        raise Refused(f"{location}: _env must be a mapping of names to values, got {own!r}")
    exported = task.scope.params.get("_env")
    for key, value in {**(exported if isinstance(exported, dict) else {}), **own}.items():
        where = f"{own.location(key) or location}: {key}"
        if not _VARIABLE.fullmatch(key) or isinstance(value, dict | list):
            # The value is not shown: it may hold a secret.
            raise Refused(f"{where}: _env needs names of letters, digits and _, and plain values")
        task.walk.secrets(str(value), where)


# A check sees the task as written (`config`) and as far as its values are known (`request`).
Check = Callable[[Subject], Doubts | None]

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
