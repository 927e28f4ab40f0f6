"""sh>: a script of the shell. Parameters whose names are identifiers are environment variables."""

import re
import subprocess

from local_runner.processes import process
from local_runner.task_request import TaskError, TaskRequest, TaskResult
from local_runner.workflow.java_text import json_text
from local_runner.workflow.yaml_types import Value
from td_mta.publishing import scratch

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def sh(task: TaskRequest) -> TaskResult:
    """Run the script in a shell of its own; raises `TaskError` when it fails."""
    params = task.settings("sh")
    variables = process.environment(task, _variables(params))
    with scratch.folder() as folder:
        script = folder / "runner.sh"
        script.write_text(f"{task.command}\n", encoding="utf-8")
        argv = [*_shell(params.get("shell")), str(script)]
        code = process.run(argv, task.folder(), variables, stdin=subprocess.DEVNULL)
    if code != 0:
        raise TaskError(f"Command failed with code {code} (runtime)")
    return TaskResult()


def _shell(shell: Value) -> list[str]:
    return [str(word) for word in shell] if isinstance(shell, list) and shell else ["/bin/sh"]


def _variables(params: dict[str, Value]) -> dict[str, str]:
    """Parameters as variables; one that is null fails the task, as on Digdag."""
    variables: dict[str, str] = {}
    for key, value in params.items():
        if not _IDENTIFIER.fullmatch(key):
            continue
        if value is None:
            raise TaskError(f"Parameter '{key}' is required but null (config)")
        variables[key] = value if isinstance(value, str) else json_text(value)
    return variables
