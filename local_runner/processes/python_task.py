"""py>: one Python process a task, with the task's environment; see py_runner.py for its inside."""

import json
import sys
from pathlib import Path

from local_runner.bounds.texts import unwritable
from local_runner.processes import process
from local_runner.task_request import TaskError, TaskRequest, TaskResult
from local_runner.together import log
from local_runner.workflow.templates import strings
from local_runner.workflow.yaml_types import Located, Location, Value, located
from td_mta.publishing import scratch

_RUNNER = Path(__file__).with_name("py_runner.py")


def py(task: TaskRequest) -> TaskResult:
    """Run the function in a process of its own; raises `TaskError` when it fails."""
    params = task.settings("py")
    _warn_of_two_servers(task)
    variables = process.environment(task)
    with scratch.folder() as folder:
        input_file, output_file = folder / "input.json", folder / "output.json"
        input_file.write_text(json.dumps({"params": params}), encoding="utf-8")
        python = _interpreter(params.get("python"))
        argv = [*python, str(_RUNNER), str(task.command), str(input_file), str(output_file)]
        code = process.run(argv, task.folder(), variables)
        return _result(code, output_file)


def _warn_of_two_servers(task: TaskRequest) -> None:
    account = task.context.account
    if account is None:
        return
    reason = account.elsewhere(task.settings("td"), process.own_environment(task))
    if reason:
        log(f"warning: {task.name}: {reason}")


def _interpreter(python: Value) -> list[str]:
    if isinstance(python, list):
        return [str(word) for word in python]
    return [sys.executable if python is None else str(python)]


def _result(code: int, output_file: Path) -> TaskResult:
    """What a process left; the messages are Digdag's."""
    try:
        output = json.loads(output_file.read_text(encoding="utf-8"), parse_constant=_not_json)
    except FileNotFoundError:
        missing = (
            "output.json does not exist. Something unexpected error happened. Please check logs."
        )
        raise TaskError(f"{missing if code == 0 else _failed(code)} (runtime)") from None
    except ValueError as error:
        raise TaskError(f"{_failed(code) if code else error} (runtime)") from None
    if code != 0 or output["error"]:
        raise TaskError(_failed(code) + _reported(output["error"]))
    for text in strings([output["store"], output["subtasks"]]):
        if fault := unwritable(text):
            raise TaskError(f"what the task stored has a text with {fault}", same_words=False)
    return TaskResult(store=output["store"], subtasks=_subtasks(output["subtasks"]))


def _failed(code: int) -> str:
    return f"Python command failed with code {code}"


def _reported(error: dict[str, Value] | None) -> str:
    if not error:
        return " (runtime)"
    trace = error["backtrace"]
    lines = "".join(f"\n\tfrom {line}" for line in trace) if isinstance(trace, list) else ""
    return f"\nError messages from python: {error['message']} ({error['class']}){lines}"


def _not_json(word: str) -> Value:
    raise ValueError(f"Non-standard token '{word}' in what the task stored")


def _subtasks(configs: dict[str, Value]) -> Located | None:
    """The subtasks that Python added, as a group."""
    return located(configs, Location("digdag.env.add_subtask", 0)) if configs else None
