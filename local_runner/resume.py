"""Parts of a run: one task alone, or the rest of a run that failed (`--from +task`).

Every whole run leaves in the out folder what its tasks stored, and its session.
"""

import difflib
import json
from pathlib import Path
from typing import Any, NamedTuple

from local_runner.workflow.tasks import Task
from local_runner.workflow.yaml_types import Value, merge
from td_mta.atomic_files import replacing
from td_mta.errors import ConfigError, Refused

FILE = ".local_runner.json"
Stored = dict[str, dict[str, Value]]


class EarlierRun(NamedTuple):
    """What a run left: its session's local time, and what each task stored."""

    session: str | None
    stored: Stored


def only(root: Task, name: str) -> Task:
    """The one task or group that is to run; raises `ConfigError`, `Refused`."""
    task = _find(root, name)
    same_end = [other.name for other in root.walk() if other.name.endswith(name)]
    if len(same_end) > 1:
        raise Refused(f"{name} alone could be any of {', '.join(same_end)}: give the full name")
    for group in task.line()[:-1]:
        for key in ("_error", "_retry"):
            if key in group.config:
                raise Refused(
                    f"{group.config.location(key)}: a run of {name} alone is not supported within "
                    f"a group that has {key}"
                )
    return task


def before(root: Task, name: str) -> set[Task]:
    """What a resumed run skips: all that stands before the task, but the groups around it."""
    start = _find(root, name)
    in_order = list(root.walk())
    earlier = in_order[: in_order.index(start)]
    return set(earlier) - set(start.line())


def _find(root: Task, name: str) -> Task:
    full_name = name if name.startswith(f"{root.name}+") else root.name + name
    tasks = {task.name: task for task in root.walk()}
    if full_name not in tasks:
        nearest = difflib.get_close_matches(full_name, tasks, 1)
        hint = f"; did you mean {nearest[0].removeprefix(root.name)}?" if nearest else ""
        raise ConfigError(f"there is no task {name} in {root.name[1:]}.dig{hint}")
    return tasks[full_name]


def save(root: Task, out: Path, session: str) -> None:
    """Keep the session, and what tasks stored by the names that the workflow states."""
    stored: Stored = {}
    for task in root.walk():
        if "^" in task.name:  # made in the run: what it stored goes to the task that made it
            continue
        task_store = stored.setdefault(task.name, {})
        for storing in task.walk() if task.operator else [task]:
            merge(task_store, storing.store)
    state = {"workflow": root.name, "session": session, "stored": stored}
    out.mkdir(parents=True, exist_ok=True)
    with replacing(out / FILE) as temporary:
        temporary.write_text(json.dumps(state), encoding="utf-8")


def load(out: Path, workflow: str) -> EarlierRun:
    """What the last run of this workflow left; raises `ConfigError` where there was none."""
    file = out / FILE
    state = _kept(file)
    if state.get("workflow") != f"+{workflow}":
        raise ConfigError(
            f"--from: no run of {workflow}.dig is kept in {file}, so its session and what its "
            "tasks stored are not known: run all of it first, or give the --out of that run"
        )
    session: Any = state.get("session")
    stored: Any = state.get("stored")
    is_record = isinstance(stored, dict) and all(isinstance(one, dict) for one in stored.values())
    if not isinstance(session, str) or not is_record:
        raise _broken(file)
    return EarlierRun(session, stored)


def _kept(file: Path) -> dict[str, Any]:
    """What a file holds; nothing where there is none. Raises `ConfigError`."""
    try:
        state = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise _broken(file, error) from None
    if not isinstance(state, dict):
        raise _broken(file)
    return state


def _broken(file: Path, error: Exception | None = None) -> ConfigError:
    reason = f" ({error})" if error else ""
    return ConfigError(
        f"--from: {file} is not what a run leaves{reason}: run all of the workflow again"
    )
