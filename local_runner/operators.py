"""What each operator does. One function an operator, listed in OPERATORS.

Operators that make subtasks return their configuration; the names are Digdag's.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote_plus

from local_runner.processes.python_task import py
from local_runner.processes.sh_task import sh
from local_runner.task_request import TaskError, TaskRequest, TaskResult
from local_runner.td import local as td_local
from local_runner.td import remote as td_remote
from local_runner.workflow.java_text import java_text, json_text
from local_runner.workflow.project import Workflow
from local_runner.workflow.yaml_types import Located, Location, Value, copy

UNCALLED = frozenset({"timezone", "schedule", "sla"})  # of a called file


def echo(task: TaskRequest) -> TaskResult:
    print(_text(task.command), flush=True)
    return TaskResult()


def fail(task: TaskRequest) -> TaskResult:
    raise TaskError("" if task.command is None else _text(task.command), raised=False)


def wait(task: TaskRequest) -> TaskResult:
    time.sleep(waiting(task.command))
    return TaskResult()


def waiting(command: Value) -> int:
    """The seconds of `10s`, `5m`, `1h`, `1d`; at least one second, as on Digdag."""
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", str(command))
    if found is None:
        raise TaskError(f"wait> needs a time such as 10s, 5m or 1h, got {command} (config)")
    return max(int(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]], 1)


def if_(task: TaskRequest) -> TaskResult:
    if "_do" not in task.params and "_else_do" not in task.params:
        raise TaskError("Both _do and _else_do are not specified. (config)")
    chosen = task.params.get("_do" if _truth(task.command, "_command") else "_else_do")
    return TaskResult(subtasks=chosen if isinstance(chosen, Located) else None)


def for_each(task: TaskRequest) -> TaskResult:
    lists = task.command if isinstance(task.command, dict) else {}
    values = {name: _list(items) for name, items in lists.items()}
    do = _do(task)
    tasks: dict[str, Located] = {}
    for locations in product(*(range(len(items)) for items in values.values())) if values else ():
        chosen = [(name, at, values[name][at]) for name, at in zip(values, locations, strict=True)]
        parts = [f"{n}={name}={at}={_short(value)}" for n, (name, at, value) in enumerate(chosen)]
        tasks["+for-" + "&".join(parts)] = with_export(do, {name: v for name, _, v in chosen})
    return TaskResult(subtasks=_group(task, tasks))


def loop(task: TaskRequest) -> TaskResult:
    do, count = _do(task), _integer(task.command, "_command")
    tasks = {f"+loop-{i}": with_export(do, {"i": i}) for i in range(count)}
    return TaskResult(subtasks=_group(task, tasks))


def for_range(task: TaskRequest) -> TaskResult:
    do, steps = _do(task), list(_ranges(task.command if isinstance(task.command, dict) else {}))
    tasks = {
        f"+range-from={start}&to={end}": with_export(
            do, {"range": {"from": start, "to": end, "index": index}}
        )
        for index, (start, end) in enumerate(steps)
    }
    return TaskResult(subtasks=_group(task, tasks))


def call(task: TaskRequest) -> TaskResult:
    path = called(task)
    file = path.relative_to(task.context.project.root).as_posix()
    if not path.is_file():
        raise TaskError(f"File not found: {path} (config)")
    workflow = task.context.project.workflow(file)
    config = body(workflow)
    folder = Path(file).parent.as_posix()
    return TaskResult(
        subtasks=config if folder == "." else with_export(config, {"_workdir": folder})
    )


def body(workflow: Workflow) -> Located:
    """The task tree of a workflow, without what only counts for the file that is run."""
    config = Located()
    for key, value in workflow.config.items():
        if key not in UNCALLED:
            config.put(key, copy(value), workflow.config.locations[key])
    return config


def called(task: TaskRequest) -> Path:
    """The file that a call> names, from the calling file's folder."""
    text = _text(task.command)
    if text.startswith("/"):
        raise TaskError(f"call> needs a path within the project, got {text} (config)")
    path = task.folder() / (text if text.endswith(".dig") else f"{text}.dig")
    normal = Path(*_normal(path.relative_to(task.context.project.root).parts))
    return task.context.project.root / normal


def _normal(parts: tuple[str, ...]) -> list[str]:
    kept: list[str] = []
    for part in parts:
        if part == ".." and not kept:
            raise TaskError(f"call> leaves the project: {'/'.join(parts)} (config)")
        kept = kept[:-1] if part == ".." else [*kept, part]
    return kept


def with_export(config: Located, values: dict[str, Value]) -> Located:
    """The same tasks with values exported over them."""
    copied = copy(config)
    assert isinstance(copied, Located)
    export = copied.get("_export")
    export = export if isinstance(export, dict) else {}
    exported: dict[str, Value] = {**export, **values}
    copied.put("_export", exported, copied.location("_export") or Location("", 0))
    return copied


def _do(task: TaskRequest) -> Located:
    do = task.params.get("_do")
    if not isinstance(do, Located):
        raise TaskError("Parameter '_do' is required but not set (config)")
    return do


def _group(task: TaskRequest, tasks: dict[str, Located]) -> Located | None:
    group = Located()
    parallel = task.params.get("_parallel", False)
    if isinstance(parallel, dict):
        limit: dict[str, Value] = {"limit": _integer(parallel.get("limit"), "limit")}
        group.put("_parallel", limit, Location("", 0))
    else:
        group.put("_parallel", _truth(parallel, "_parallel"), Location("", 0))
    for key, config in tasks.items():
        group.put(key, config, Location("", 0))
    return group if tasks else None


def _ranges(command: dict[str, Value]) -> Iterator[tuple[int, int]]:
    start, end = (_integer(command.get(key), key) for key in ("from", "to"))
    if "step" not in command and "slices" not in command:
        raise TaskError("step or slices option is required for for_range (config)")
    slices = command.get("slices")
    step = (
        _integer(command.get("step"), "step")
        if slices is None
        else -(-(end - start) // _integer(slices, "slices"))
    )
    for first in range(start, end, max(step, 1)):
        yield first, min(first + step, end)


def _list(items: Value) -> list[Value]:
    if isinstance(items, str):
        try:
            items = json.loads(items, parse_constant=_not_json)
        except ValueError:
            raise TaskError(
                f"for_each> needs a list or a list in JSON, got {items} (config)"
            ) from None
    if not isinstance(items, list):
        raise TaskError(f"for_each> needs a list, got {json_text(items)} (config)")
    return items


def _not_json(word: str) -> Value:
    raise ValueError(f"{word} is not JSON")


def _short(value: Value) -> str:
    """A value within a task name: eight characters at most, URL-encoded."""
    text = value if isinstance(value, str) else json_text(value)
    return quote_plus(text[:8], safe="*").replace("~", "%7E")


def _text(command: Value) -> str:
    if command is None:
        raise TaskError("Parameter '_command' is required but not set (config)")
    if isinstance(command, dict | list):
        raise TaskError(
            f"Expected string type for key '_command' but got {json_text(command)} (config)"
        )
    return java_text(command)


_WORDS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    "": False,
}


def _truth(value: Value, key: str) -> bool:
    if isinstance(value, bool) or (value in (0, 1) and isinstance(value, int)):
        return bool(value)
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    raise TaskError(
        f"Expected 'true' or 'false' for key '{key}' but got {json_text(value)} (config)"
    )


def _integer(value: Value, key: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]+", value):
        return int(value)
    raise TaskError(
        f"Expected integer (int) type for key '{key}' but got {json_text(value)} (config)"
    )


class Operator(NamedTuple):
    """What an operator does, whether it repeats itself on `_retry`, whether it makes subtasks."""

    run: Callable[[TaskRequest], TaskResult]
    retries: bool = False
    nests: bool = False


def _on(
    local: Callable[[TaskRequest], TaskResult], remote: Callable[[TaskRequest], TaskResult]
) -> Callable[[TaskRequest], TaskResult]:
    """The same task on local tables or on Treasure Data."""
    return lambda task: (remote if task.context.account else local)(task)


OPERATORS = {
    "call>": Operator(call, nests=True),
    "echo>": Operator(echo),
    "fail>": Operator(fail),
    "for_each>": Operator(for_each, nests=True),
    "for_range>": Operator(for_range, nests=True),
    "if>": Operator(if_, nests=True),
    "loop>": Operator(loop, nests=True),
    "py>": Operator(py, retries=True),
    "sh>": Operator(sh, retries=True),
    "td>": Operator(_on(td_local.td, td_remote.td), retries=True),
    "td_ddl>": Operator(_on(td_local.td_ddl, td_remote.td_ddl), retries=True),
    "td_for_each>": Operator(_on(td_local.td_for_each, td_remote.td_for_each)),
    "td_wait>": Operator(_on(td_local.td_wait, td_remote.td_wait), retries=True),
    "td_wait_table>": Operator(_on(td_local.td_wait_table, td_remote.td_wait_table), retries=True),
    "wait>": Operator(wait),
}
