"""What py> and sh> share: the environment of their process, and how it is started."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from local_runner.processes import groups
from local_runner.task_request import TaskError, TaskRequest
from local_runner.workflow.java_text import java_text
from local_runner.workflow.yaml_types import Value


def environment(task: TaskRequest, variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our own variables but for those withheld, the run's, `variables` and the task's `_env`.

    Later ones replace earlier ones. Raises `TaskError`.
    """
    context = task.context
    inherited = {key: os.environ[key] for key in os.environ.keys() - context.withheld}
    return {**inherited, **context.environment, **(variables or {}), **own_environment(task)}


def own_environment(task: TaskRequest) -> dict[str, str]:
    """The task's `_env`, secrets filled in; raises `TaskError`."""
    own = task.params.get("_env")
    # An exported _env alone has no effect; it joins that of a task which has its own.
    if not task.own_env or not isinstance(own, dict):
        return {}
    return {key: task.with_secrets(_variable(key, value)) for key, value in own.items()}


def _variable(key: str, value: Value) -> str:
    if value is None:
        raise TaskError(f"Parameter '{key}' is required but null (config)")
    return java_text(value)


def run(
    argv: Sequence[str], folder: Path, variables: Mapping[str, str], stdin: int | None = None
) -> int:
    """Run a process in a folder; its exit code. Raises `TaskError` where it cannot start."""
    try:
        return groups.run(argv, folder, variables, stdin)
    except OSError as error:
        raise TaskError(f'Cannot run program "{argv[0]}": {error.strerror} (runtime)') from None
    except ValueError as error:  # a NUL
        raise TaskError(f'Cannot run program "{argv[0]}": {error}', same_words=False) from None
