"""The process of a py> task: `py_runner.py COMMAND INPUT.json OUTPUT.json`, run as a script.

It finds `package.module.function` or `package.module.Class.method`, binds parameters by name, and
writes what the function stored. It must not import anything of ours: the function finds the same
import path as on Digdag, the working folder last.
"""

import inspect
import json
import os
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any


class Env:
    """`digdag.env`: the task's parameters, and what it leaves for later tasks."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params
        self.stored: dict[str, Any] = {}
        self.subtasks: dict[str, Any] = {}

    def store(self, params: dict[str, Any] | None = None, **more: Any) -> None:
        """Set parameters of later tasks."""
        self.stored.update(params or {}, **more)

    def export(self, params: dict[str, Any] | None = None, **more: Any) -> None:
        """Accepted, and without effect on other tasks, as on Digdag."""

    def add_subtask(self, function: Any = None, **params: Any) -> None:
        """A function to call after this task, or a task's configuration."""
        config = dict(function, **params) if isinstance(function, dict) else dict(params)
        if function is not None and not isinstance(function, dict):
            config["py>"] = f"{function.__module__}.{function.__qualname__}"
        self.subtasks[f"+subtask{len(self.subtasks)}"] = json.loads(json.dumps(config))


def find(command: str) -> tuple[Any, str | None]:
    """A function and None, or a class and the name of its method."""
    path = command.split(".")
    name = path.pop()
    try:
        module = __import__(".".join(path), fromlist=[name])
        try:
            target = getattr(module, name)
        except AttributeError:
            message = f"Module '{'.'.join(path)}' has no attribute '{name}'"
            raise AttributeError(message)  # noqa: B904 (Digdag shows both)
    except ImportError:
        class_name = path.pop()
        return getattr(__import__(".".join(path), fromlist=[class_name]), class_name), name
    return (target, "run") if isinstance(target, type) else (target, None)


def bind(
    function: Callable[..., Any], params: dict[str, Any], *, skip_first: bool
) -> dict[str, Any]:
    """Arguments by name; keyword-only ones only where the function takes `**`."""
    if function == object.__init__:
        return {}
    spec = inspect.getfullargspec(function)
    required = len(spec.args) - len(spec.defaults or ())
    bound = {}
    for index, name in enumerate(spec.args):
        if skip_first and index == 0:  # self
            continue
        if name in params:
            bound[name] = params[name]
        elif index < required:
            owner = getattr(function, "__qualname__", function)
            raise TypeError(f"Method '{owner}' requires parameter '{name}' but not set")
    return {**params, **bound} if spec.varkw else bound


# Digdag's runner keeps these until the process ends: a coroutine that nobody awaits is told of
# then, and what a destructor does comes last.
kept: list[Any] = []


def call(command: str, params: dict[str, Any]) -> None:
    """Call what a task names, its arguments bound by name."""
    target, method = find(command)
    if method is None:
        kept.append(target(**bind(target, params, skip_first=False)))
        return
    kept.append(target(**bind(target.__init__, params, skip_first=True)))
    function = getattr(kept[0], method)
    kept.append(function(**bind(function, params, skip_first=True)))


def attempt(
    command: str, params: dict[str, Any]
) -> tuple[BaseException | None, dict[str, Any] | None]:
    """The error to raise in the end, and how it is reported."""
    try:
        call(command, params)
        return None, None
    except SystemExit as error:
        messages = (
            # A text or None as code fails here, as it does on Digdag.
            "Failed to call python command with code:%d" % error.code,  # type: ignore  # noqa: UP031
            "Possible cause: Invalid python module call, "
            "duplicate module name with standard library",
        )
        return Exception(*messages), report(error, " ".join(messages))
    except Exception as error:
        return error, report(error, str(error))


def report(error: BaseException, message: str) -> dict[str, Any]:
    """An error as output.json has it."""
    kind = type(error)
    lines = traceback.format_exception(kind, error, error.__traceback__)
    return {"class": kind.__name__, "message": message, "backtrace": lines}


def main(command: str, input_file: str, output_file: str) -> None:
    """Run a task; raises its error after writing what it stored until then."""
    with open(input_file, encoding="utf-8") as file:
        params = json.load(file)["params"]
    env = Env(params)
    module = types.ModuleType("digdag")
    module.env = env  # type: ignore[attr-defined]
    sys.modules["digdag"] = module
    sys.path[0] = os.path.dirname(input_file)
    sys.path.append(os.getcwd())
    error, reported = attempt(command, params)
    with open(output_file, "w", encoding="utf-8") as file:
        json.dump({"store": env.stored, "subtasks": env.subtasks, "error": reported}, file)
    if hasattr(error, "exit_code"):  # a message for the user, which the runner shows
        sys.exit(1)
    if error is not None:
        raise error


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)  # the runner says so
