"""What each operator does. One function an operator, listed in OPERATORS.

Operators that make subtasks return their configuration; the names are Digdag's.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from math import prod
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from local_runner import network
from local_runner.config_values import duration, integer, items, mapping, parallel, text, truth
from local_runner.processes.python_task import py
from local_runner.processes.sh_task import sh
from local_runner.task_request import TaskError, TaskRequest, TaskResult
from local_runner.td import local as td_local
from local_runner.td import other_jobs, shown
from local_runner.td import remote as td_remote
from local_runner.td import statement as td_statement
from local_runner.td.statement import TdStatement
from local_runner.together import say, sleep
from local_runner.workflow.java_text import json_text
from local_runner.workflow.project import Project, Workflow
from local_runner.workflow.tasks import group_of, with_export
from local_runner.workflow.yaml_types import Located, Value, copy

UNCALLED = frozenset({"timezone", "schedule", "sla"})  # of a called file
MOST_SUBTASKS = 1000  # Digdag's limit for one operator


def echo(task: TaskRequest) -> TaskResult:
    """echo>: print a text."""
    say(text(task.command))
    return TaskResult()


def fail(task: TaskRequest) -> TaskResult:
    """fail>: end with a message and no stack trace."""
    raise TaskError("" if task.command is None else text(task.command), raised=False)


def wait(task: TaskRequest) -> TaskResult:
    """wait>: do nothing for a while."""
    sleep(waiting(task.command))
    return TaskResult()


def waiting(command: Value) -> int:
    """The seconds of `10s`, `5m`, `1h 30m`, `1d`; at least one second, as on Digdag."""
    seconds = duration(command)
    if seconds is None:
        message = f"wait> needs a time such as 10s, 5m or 1h, got {command} (config)"
        raise TaskError(message, same_words=False)
    return max(seconds, 1)


def if_(task: TaskRequest) -> TaskResult:
    """if>: the subtasks of `_do` or of `_else_do`."""
    if "_do" not in task.params and "_else_do" not in task.params:
        raise TaskError("Both _do and _else_do are not specified. (config)")
    branch = task.params.get("_do" if truth(task.command, "_command") else "_else_do")
    return TaskResult(subtasks=branch if isinstance(branch, Located) else None)


def for_each(task: TaskRequest) -> TaskResult:
    """for_each>: `_do` once for each combination of the values of several variables."""
    do, lists = _do(task), mapping(task.command)
    values = {name: items(given, name) for name, given in lists.items()}
    _limit(prod(map(len, values.values())), f"Too many for_each subtasks. Limit: {MOST_SUBTASKS}")
    # Digdag begins anew after an empty list: only the variables behind the last one count.
    numbered = list(enumerate(values.items()))
    begin = max((number + 1 for number, (_, given) in numbered if not given), default=0)
    counted = [(number, name, given) for number, (name, given) in numbered[begin:]]
    subtasks: dict[str, Located] = {}
    for combination in product(*(range(len(given)) for *_, given in counted)) if counted else ():
        chosen = list(zip(counted, combination, strict=True))
        parts = [  # of the task's name, `0=color=1=red`
            f"{number}={_short(name)}={index}={_short(given[index])}"
            for (number, name, given), index in chosen
        ]
        variables = {name: given[index] for (_, name, given), index in chosen}
        subtasks[_allowed("+for-" + "&".join(parts))] = with_export(do, variables)
    return TaskResult(subtasks=group_of(subtasks, parallel(task.params)))


def loop(task: TaskRequest) -> TaskResult:
    """loop>: `_do` a number of times, with the variable `i`."""
    do, count = _do(task), integer(task.command, "_command")
    if task.params.get("count") is not None:  # an option that Digdag's source has
        count = integer(task.params["count"], "count")
    _limit(count, f"Too many loop subtasks. Limit: {MOST_SUBTASKS}")
    subtasks = {f"+loop-{i}": with_export(do, {"i": i}) for i in range(count)}
    return TaskResult(subtasks=group_of(subtasks, parallel(task.params)))


def for_range(task: TaskRequest) -> TaskResult:
    """for_range>: `_do` for each part of a range, with range.from, range.to and range.index."""
    do = _do(task)
    parts = _parts(mapping(task.command))
    subtasks: dict[str, Located] = {}
    for index, (start, end) in enumerate(parts):
        part: dict[str, Value] = {"from": start, "to": end, "index": index}
        subtasks[f"+range-from={start}&to={end}"] = with_export(do, {"range": part})
    return TaskResult(subtasks=group_of(subtasks, parallel(task.params)))


def call(task: TaskRequest) -> TaskResult:
    """call>: the tasks of another workflow, which run in the folder of its file."""
    path = called(task)
    if not path.is_file():
        raise TaskError(f"File not found: {path} (config)")
    file = path.relative_to(task.context.project.root).as_posix()
    return TaskResult(subtasks=called_body(task.context.project, file))


def called_body(project: Project, file: str) -> Located:
    """The tasks of a workflow that is called, in the folder of its file.

    One in the root stays in the folder of the caller, as on Digdag.
    """
    config = body(project.workflow(file))
    folder = Path(file).parent.as_posix()
    return config if folder == "." else with_export(config, {"_workdir": folder})


def body(workflow: Workflow) -> Located:
    """The task tree of a workflow, without what only counts for the file that is run."""
    config = Located()
    for key, value in workflow.config.items():
        if key not in UNCALLED:
            config.put(key, copy(value), workflow.config.locations[key])
    return config


def called(task: TaskRequest) -> Path:
    """The file that a call> names, from the calling file's folder; raises `TaskError`."""
    name = text(task.command)
    if name.startswith("/"):
        raise TaskError(
            f"call> needs a path within the project, got {name} (config)", same_words=False
        )
    root = task.context.project.root
    path = task.folder() / (name if name.endswith(".dig") else f"{name}.dig")
    return root.joinpath(*_without_parents(path.relative_to(root).parts))


def _without_parents(parts: tuple[str, ...]) -> list[str]:
    """A path without `..`, worked out on its text, so that it stays in the project."""
    resolved: list[str] = []
    for part in parts:
        if part == ".." and not resolved:
            raise TaskError(f"call> leaves the project: {'/'.join(parts)} (config)")
        resolved = resolved[:-1] if part == ".." else [*resolved, part]
    return resolved


def require(task: TaskRequest) -> TaskResult:
    """require>: another workflow of the project, once in a session."""
    ignore_failure = task.params.get("ignore_failure")
    assert task.context.attempt, "given by the command"
    ended = task.context.attempt(task)
    if not ended.succeeded and not truth(ignore_failure or False, "ignore_failure"):
        ids = f"Session id: {ended.number}, attempt id: {ended.number}"
        raise TaskError(
            f"Dependent workflow failed. {ids}: {task.command}",
            told=f"Dependent workflow failed. {ids}",
        )
    return TaskResult()


def _do(task: TaskRequest) -> Located:
    do = task.params.get("_do")
    if not isinstance(do, Located):
        raise TaskError("Parameter '_do' is required but not set (config)")
    return do


def _parts(command: Mapping[str, Value]) -> Iterator[tuple[int, int]]:
    """First and last number of each part of a range; the last part may be shorter."""
    for key in ("from", "to"):
        if key not in command:
            raise TaskError(f"Parameter '{key}' is required but not set (config)")
    start, end = (integer(command[key], key, "long") for key in ("from", "to"))
    given = [key for key in ("step", "slices") if command.get(key) is not None]
    if len(given) == 2:
        raise TaskError("Setting both step and slices options to for_range is invalid (config)")
    if not given:
        raise TaskError("step or slices option is required for for_range (config)")
    step = integer(command[given[0]], given[0], "long")
    if step < 1:
        raise TaskError(f"{given[0]} option must be same or greater than 1 but got {step} (config)")
    if given == ["slices"]:
        step = max(-(-(end - start) // step), 1)  # rounded up
    count = max(-(-(end - start) // step), 0)
    _limit(count, f"Too many for_range subtasks ({count}). Limit: {MOST_SUBTASKS}")
    for first in range(start, end, step):
        yield first, min(first + step, end)


def _limit(count: int, message: str) -> None:
    if count > MOST_SUBTASKS:
        raise TaskError(f"{message} (config)")


def _allowed(name: str) -> str:
    """A task name that a value is part of; of what Java's encoding leaves, Digdag takes all but *.

    Raises `TaskError`.
    """
    if len(name) > 255:
        raise TaskError(f"task name can't be longer than 255 characters: {name}", same_words=False)
    if "*" in name:
        message = f"task name must not contain character '*': \"{name}\" (model validation)"
        raise TaskError(message, same_words=False)
    return name


def _short(value: Value) -> str:
    """A value within a task name: eight units of UTF-16 at most, URL-encoded as Java does."""
    whole = value if isinstance(value, str) else json_text(value)
    units = whole.encode("utf-16-be")[:16]
    start = units.decode("utf-16-be", "ignore")
    half = "?" if len(start.encode("utf-16-be")) < len(units) else ""  # of a character, cut
    return quote(start + half, safe="*").replace("~", "%7E")


class Operator(NamedTuple):
    """What an operator does in the run, and before it."""

    run: Callable[[TaskRequest], TaskResult]
    retries: bool = False  # it repeats itself on `_retry`
    nests: bool = False  # it only makes subtasks, so that it may be run ahead of the run
    query: Callable[[TaskRequest], TdStatement] | None = None  # tried on local tables before a run
    do_per_row: bool = False  # `_do` runs once for each row of the query
    shown: Callable[[TaskRequest], Iterator[str]] | None = None  # what a dry run prints


def _on(
    local: Callable[[TaskRequest], TaskResult], remote: Callable[[TaskRequest], TaskResult]
) -> Callable[[TaskRequest], TaskResult]:
    """One operator on local tables or on Treasure Data."""
    return lambda task: (remote if task.context.account else local)(task)


OPERATORS = {
    "call>": Operator(call, nests=True),
    "echo>": Operator(echo),
    "fail>": Operator(fail),
    "for_each>": Operator(for_each, nests=True),
    "for_range>": Operator(for_range, nests=True),
    "http>": Operator(network.http, retries=True),
    "if>": Operator(if_, nests=True),
    "loop>": Operator(loop, nests=True),
    "mail>": Operator(network.mail, retries=True),
    "py>": Operator(py, retries=True),
    "require>": Operator(require),
    "sh>": Operator(sh, retries=True),
    "td>": Operator(
        _on(td_local.td, td_remote.td),
        retries=True,
        query=td_statement.statement,
        shown=shown.td,
    ),
    "td_ddl>": Operator(_on(td_local.td_ddl, td_remote.td_ddl), retries=True, shown=shown.td_ddl),
    "td_for_each>": Operator(
        _on(td_local.td_for_each, td_remote.td_for_each),
        query=td_statement.select,
        do_per_row=True,
        shown=shown.query,
    ),
    "td_wait>": Operator(
        _on(td_local.td_wait, td_remote.td_wait),
        retries=True,
        query=td_statement.select,
        shown=shown.query,
    ),
    "td_wait_table>": Operator(
        _on(td_local.td_wait_table, td_remote.td_wait_table),
        retries=True,
        shown=shown.td_wait_table,
    ),
    "wait>": Operator(wait),
    **{
        name: Operator(td_remote.other_job, retries=True, shown=shown.other_job)
        for name in other_jobs.KINDS
    },
}
