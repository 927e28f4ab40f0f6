"""What each operator must satisfy before the run; one function an operator, listed in CHECKS."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from local_runner import operators
from local_runner.checks import td
from local_runner.checks.scope import Doubts, ParameterScope, Walk
from local_runner.task_request import TaskError, TaskRequest
from local_runner.workflow.yaml_types import Located, Location, Value
from td_mta.errors import Refused

MOST_TURNS = 100  # of a loop; Digdag has a limit of its own

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Within a task name: characters that every URL encoder writes alike.
_PLAIN = re.compile(r"[^ *~\U00010000-\U0010ffff]*")


def check(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> Doubts:
    """Raises `Refused`; what it returns is about the tasks that this one makes."""
    return CHECKS[request.operator](walk, config, request, scope) or Doubts()


def _location(config: Located, request: TaskRequest) -> Location | str:
    return config.location(request.operator) or ""


def _fail(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    if isinstance(config[request.operator], dict | list):
        raise Refused(f"{_location(config, request)}: fail> needs a message")


def _nothing(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    return None


def _if(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> Doubts:
    condition = config["if>"]
    number = isinstance(condition, int) and condition not in (0, 1)
    if number or (isinstance(condition, str) and condition != condition.strip()):
        raise Refused(
            f"{_location(config, request)}: if> of {condition!r} is not supported; "
            "write true or false"
        )
    return Doubts().union(*(_branch(walk, config, key, scope) for key in ("_do", "_else_do")))


def _branch(walk: Walk, config: Located, key: str, scope: ParameterScope) -> Doubts:
    if key not in config:
        return Doubts()
    body = config[key]
    if not isinstance(body, Located):
        raise Refused(f"{config.location(key)}: {key} must be a mapping")
    return walk.alone(body, scope, config.location(key) or "")


def _loop(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> Doubts:
    """Every turn, where the turns are known; else the body once, its variables unknown."""
    location = _location(config, request)
    _loop_command(config[request.operator], request.command, f"{location}: {request.operator}")
    if not isinstance(config.get("_do", Located()), Located):
        raise Refused(f"{config.location('_do')}: _do must be a mapping")
    try:
        known = request.operator in request.params
        turns = operators.OPERATORS[request.operator].run(request).subtasks if known else None
    except TaskError:
        turns = None  # fails in the run too
    if turns is not None:
        if len(turns) - 1 > MOST_TURNS:
            raise Refused(f"{location}: more than {MOST_TURNS} turns are not supported")
        return walk.task(turns, scope, location)
    parallel = Doubts({"_parallel"}) if config.get("_parallel") else Doubts()
    return _branch(walk, config, "_do", scope) | parallel


def _loop_command(written: Value, known: Value, what: str) -> None:
    if what.endswith("loop>"):
        if isinstance(written, bool | float) or str(known).startswith("-"):
            raise Refused(f"{what} needs a number of turns, got {written}")
    elif not isinstance(written, dict):
        raise Refused(f"{what} needs a mapping, got {written!r}")
    elif what.endswith("for_range>"):
        _range(known if isinstance(known, dict) else {}, what)
    else:
        _each(known if isinstance(known, dict) else {}, what)


def _range(known: dict[str, Value], what: str) -> None:
    unknown = known.keys() - {"from", "to", "step", "slices"}
    numbers = {key: value for key, value in known.items() if isinstance(value, int)}
    backward = numbers.get("from", 0) > numbers.get("to", numbers.get("from", 0))
    if (
        unknown
        or backward
        or {"step", "slices"} <= known.keys()
        or any(numbers.get(key, 1) < 1 for key in ("step", "slices"))
    ):
        raise Refused(f"{what} needs from, a larger to, and step or slices above 0")


def _each(known: dict[str, Value], what: str) -> None:
    for items in known.values():
        for item in items if isinstance(items, list) else []:
            if isinstance(item, str) and not _PLAIN.fullmatch(item[:8]):
                raise Refused(
                    f"{what}: the value {item!r} begins with blanks, * or ~: not supported"
                )


def _call(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> Doubts:
    location = _location(config, request)
    if not isinstance(request.command, str):
        raise Refused(
            f"{location}: call> of {config['call>']!r}: which file is not known before the run"
        )
    try:
        path = operators.called(request)
        file = path.relative_to(request.context.project.root).as_posix()
        if file in scope.calls:
            raise Refused(f"{location}: call> of {file} goes in a circle")
        if Path(file).parent == Path() and "_workdir" in request.params:
            raise Refused(f"{location}: call> from a subfolder up to the root is not supported")
        subtasks = operators.call(request).subtasks
    except TaskError as error:
        raise Refused(f"{location}: call>: {error}") from None
    assert subtasks is not None
    inside = replace(scope, calls=(*scope.calls, file))
    return walk.task(subtasks, inside, location)


def _py(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    if not isinstance(config["py>"], str) or not config["py>"]:
        raise Refused(f"{_location(config, request)}: py> needs package.module.function")
    _environment(walk, config, request)


def _sh(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    command, location = config["sh>"], _location(config, request)
    if not isinstance(command, str) or not command or "${secret:" in command:
        raise Refused(f"{location}: sh> needs a script, with secrets in _env alone")
    defaults = request.params.get("sh")
    given = {**(defaults if isinstance(defaults, dict) else {}), **request.params}
    shell = given.get("shell", [])
    if not isinstance(shell, list) or not all(isinstance(part, str) for part in shell):
        raise Refused(f"{location}: shell must be a list of words")
    _environment(walk, config, request)


def _wait(walk: Walk, config: Located, request: TaskRequest, scope: ParameterScope) -> None:
    unknown = config.keys() & {"poll_interval", "_retry"}
    if unknown:
        raise Refused(
            f"{_location(config, request)}: wait> with {', '.join(unknown)} is not supported"
        )
    try:
        if request.operator in request.params:
            operators.waiting(request.command)
    except TaskError as error:
        raise Refused(f"{_location(config, request)}: {error}") from None


def _environment(walk: Walk, config: Located, request: TaskRequest) -> None:
    """The task's own `_env`."""
    if "_env" not in config:
        return
    own = config["_env"]
    variables = request.params.get("_env") if isinstance(own, dict) else None
    if not isinstance(variables, dict):
        raise Refused(f"{config.location('_env')}: _env must be a mapping")
    for key, value in variables.items():
        location = (own.location(key) if isinstance(own, Located) else None) or config.location(
            "_env"
        )
        if not _VARIABLE.fullmatch(key) or isinstance(value, dict | list):
            raise Refused(
                f"{location}: _env needs names of letters, digits and _, and plain values: {key}"
            )
        walk.secrets(str(value), f"{location}: {key}")


CHECKS: dict[str, Callable[[Walk, Located, TaskRequest, ParameterScope], Doubts | None]] = {
    "call>": _call,
    "echo>": _nothing,
    "fail>": _fail,
    "for_each>": _loop,
    "for_range>": _loop,
    "if>": _if,
    "loop>": _loop,
    "py>": _py,
    "sh>": _sh,
    "td>": td.td,
    "td_ddl>": td.td_ddl,
    "td_for_each>": td.td_for_each,
    "td_wait>": td.td_wait,
    "td_wait_table>": td.td_wait_table,
    "wait>": _wait,
}
