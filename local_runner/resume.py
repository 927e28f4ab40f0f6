"""Parts of a run: one task alone, or the rest of a run that failed (`--from +task`).

A failed run leaves in the out folder what its tasks stored, and its session.
"""

import difflib
import json
from pathlib import Path
from typing import NamedTuple

from local_runner.workflow.tasks import Task
from local_runner.workflow.yaml_types import Value, merge
from td_mta.errors import ConfigError, Refused

FILE = ".local_runner.json"
Stored = dict[str, dict[str, Value]]


class Left(NamedTuple):
    """What a failed run left: its session's local time, and what each task stored."""

    session: str | None
    stored: Stored


def _find(root: Task, name: str) -> Task:
    full = name if name.startswith(f"{root.name}+") else root.name + name
    names = {task.name: task for task in root.walk()}
    if full not in names:
        near = difflib.get_close_matches(full, names, 1)
        hint = f"; did you mean {near[0].removeprefix(root.name)}?" if near else ""
        raise ConfigError(f"there is no task {name} in {root.name[1:]}.dig{hint}")
    return names[full]


def only(root: Task, name: str) -> Task:
    found = _find(root, name)
    alike = [task.name for task in root.walk() if task.name.endswith(name)]
    if len(alike) > 1:
        raise Refused(f"{name} alone could be any of {', '.join(alike)}: give the whole name")
    for above in found.line()[:-1]:
        for key in above.config.keys() & {"_error", "_retry"}:
            raise Refused(
                f"{above.config.location(key)}: {key} around {name} alone is not supported"
            )
    return found


def before(root: Task, name: str) -> set[Task]:
    """What a resumed run skips: all that stands before the task, but the groups around it."""
    start = _find(root, name)
    earlier = list(root.walk())
    return set(earlier[: earlier.index(start)]) - set(start.line())


def save(root: Task, out: Path, session: str) -> None:
    """Keep what tasks stored, by the names that the workflow states."""
    stored: Stored = {}
    for task in root.walk():
        if "^" not in task.name:
            for below in task.walk() if task.operator else [task]:
                merge(stored.setdefault(task.name, {}), below.store)
    state = {"workflow": root.name, "session": session, "stored": stored}
    out.mkdir(parents=True, exist_ok=True)
    (out / FILE).write_text(json.dumps(state), encoding="utf-8")


def load(out: Path, workflow: str) -> Left:
    """What the last failed run of this workflow left; nothing where there was none."""
    file = out / FILE
    state = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if state.get("workflow") != f"+{workflow}":
        return Left(None, {})
    return Left(state["session"], state["stored"])
