"""py>: one Python process a task, with the task's environment; see py_runner.py for its inside."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from local_runner.task_request import TaskError, TaskRequest, TaskResult
from local_runner.workflow.java_text import java_text
from local_runner.workflow.templates import SECRET
from local_runner.workflow.yaml_types import Located, Location, Value, located

_RUNNER = Path(__file__).with_name("py_runner.py")


def py(task: TaskRequest) -> TaskResult:
    """Run the function in a process of its own; raises `TaskError` when it fails."""
    params = task.settings("py")
    own = environment_of(task)
    _warn_of_two_servers(task, own)
    inherited = {key: os.environ[key] for key in os.environ.keys() - task.context.withheld}
    environment = {**inherited, **task.context.environment, **own}
    with tempfile.TemporaryDirectory(prefix="digdag-py-") as name:
        folder = Path(name)
        (folder / "input.json").write_text(json.dumps({"params": params}), encoding="utf-8")
        code = _run(
            _interpreter(params.get("python")),
            str(task.command),
            folder,
            task.folder(),
            environment,
        )
        return _outcome(code, folder / "output.json")


def _warn_of_two_servers(task: TaskRequest, environment: dict[str, str]) -> None:
    account = task.context.account
    reason = account.elsewhere(task.settings("td"), environment) if account else None
    if reason:
        print(f"warning: {task.params['task_name']}: {reason}", file=sys.stderr, flush=True)


def _interpreter(python: Value) -> list[str]:
    if isinstance(python, list):
        return [str(word) for word in python]
    return [sys.executable if python is None else str(python)]


def _run(
    python: list[str], command: str, folder: Path, cwd: Path, environment: dict[str, str]
) -> int:
    """Both streams of the process go to standard output, as on Digdag."""
    argv = [*python, str(_RUNNER), command, str(folder / "input.json"), str(folder / "output.json")]
    sys.stdout.flush()
    try:
        return subprocess.run(
            argv, cwd=cwd, env=environment, stderr=subprocess.STDOUT, check=False
        ).returncode
    except OSError as error:
        raise TaskError(f'Cannot run program "{python[0]}": {error.strerror} (runtime)') from None


def _outcome(code: int, file: Path) -> TaskResult:
    try:
        out = json.loads(file.read_text(encoding="utf-8"), parse_constant=_not_json)
    except FileNotFoundError:
        missing = (
            "output.json does not exist. Something unexpected error happened. Please check logs."
        )
        raise TaskError(f"{missing if code == 0 else _failed(code)} (runtime)") from None
    except ValueError as error:
        raise TaskError(f"{_failed(code) if code else error} (runtime)") from None
    if code != 0 or out["error"]:
        raise TaskError(_failed(code) + _reported(out["error"]))
    return TaskResult(store=out["store"], subtasks=_subtasks(out["subtasks"]))


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


def environment_of(task: TaskRequest) -> dict[str, str]:
    """The task's `_env`, secrets filled in."""
    own = task.params.get("_env")
    if not task.own_env or not isinstance(own, dict):
        return {}
    return {key: with_secrets(_variable(key, value), task) for key, value in own.items()}


def with_secrets(text: str, task: TaskRequest) -> str:
    """Every `${secret:key}` filled; raises `TaskError`."""
    return SECRET.sub(lambda match: _secret(match[1], task), text)


def _variable(key: str, value: Value) -> str:
    if value is None:
        raise TaskError(f"Parameter '{key}' is required but null (config)")
    return java_text(value)


def _secret(key: str, task: TaskRequest) -> str:
    if key not in task.context.secrets:
        raise TaskError(f"Secret not found for key: '{key}' (secret not found)")
    return task.context.secrets[key]
