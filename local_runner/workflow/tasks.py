"""The tree of tasks: names, order, and which parameters a task sees."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from local_runner.workflow.yaml_types import Located, Value, copy, merge

State = Literal["planned", "success", "failed", "blocked"]
# Not among a task's own parameters.
OWN_TREES = frozenset({"_export", "_check", "_error", "_after", "_background"})


@dataclass(eq=False, kw_only=True)
class Task:
    """One node: a task with an operator, or a group of tasks.

    `name` is the full name (`+main+a^sub`). `store` is what it stored, `message` why it failed,
    its own failure or the first one below.
    """

    name: str
    config: Located
    parent: "Task | None" = None
    upstreams: list["Task"] = field(default_factory=list)
    children: list["Task"] = field(default_factory=list)
    store: dict[str, Value] = field(default_factory=dict)
    state: State = "planned"
    message: str = ""
    raised: bool = True  # an exception, not fail>: Digdag adds a stack trace

    @property
    def operator(self) -> str | None:
        """The operator's key, `py>`; None for a group."""
        return next((key for key in self.config if key.endswith(">")), None)

    @property
    def export(self) -> dict[str, Value]:
        export = self.config.get("_export")
        return export if isinstance(export, dict) else {}

    @property
    def local(self) -> dict[str, Value]:
        return {key: value for key, value in self.config.items() if key not in OWN_TREES}

    def line(self) -> list["Task"]:
        """The root first, this task last."""
        return [*(self.parent.line() if self.parent else []), self]

    def walk(self) -> Iterator["Task"]:
        yield self
        for child in self.children:
            yield from child.walk()

    def add(self, name: str, config: Located, upstreams: list["Task"]) -> "Task":
        """A new child with everything below it that the file states."""
        child = Task(name=name, config=config, parent=self, upstreams=upstreams)
        self.children.append(child)
        child.expand()
        return child

    def expand(self) -> list["Task"]:
        """The tasks of a group, linked as `_parallel`, `_after` and `_background` say."""
        keys = [key for key in self.config if key.startswith("+")]
        parallel = self.config.get("_parallel", False)
        limit = parallel.get("limit") if isinstance(parallel, dict) else None
        made: dict[str, Task] = {}
        beside: list[str] = []  # what the next task waits for, outside of _parallel
        for number, key in enumerate(keys):
            config = self.config[key]
            assert isinstance(config, Located)
            if isinstance(limit, int):  # n at a time; the next n wait for all of these
                first = number // limit * limit
                before = keys[max(first - limit, 0) : first]
            elif parallel:
                after = config.get("_after")
                before = [str(name) for name in after] if isinstance(after, list) else []
            elif config.get("_background") is True:  # waits for nothing
                before = []
                beside = [*beside, key]
            else:
                before, beside = beside, [key]
            made[key] = self.add(self.name + key, config, [made[name] for name in before])
        return list(made.values())


def tree(name: str, config: Located) -> Task:
    """The tree of a workflow."""
    root = Task(name=f"+{name}", config=config)
    root.expand()
    return root


def params(task: Task, base: dict[str, Value]) -> dict[str, Value]:
    """What a task sees, raw: `base`, then along its line stores of tasks before, and exports.

    So a group's export beats what was stored before the group, and loses to what was stored in it.
    """
    seen = copy(base)
    assert isinstance(seen, dict)
    for node in task.line():
        for before in _upstreams(node):
            for stored in before.walk():
                _merge_store(seen, stored.store)
        merge(seen, node.export)
        if node is not task:
            _merge_store(seen, node.store)
    return seen


def _merge_store(seen: dict[str, Value], store: dict[str, Value]) -> None:
    """Stores join what is there, but for td.last_results, which each task sets anew."""
    td, before = store.get("td"), seen.get("td")
    if isinstance(td, dict) and isinstance(before, dict) and "last_results" in td:
        seen["td"] = {key: value for key, value in before.items() if key != "last_results"}
    merge(seen, store)


def _upstreams(task: Task) -> list[Task]:
    """Everything that ended before this task could start, in the order of the file."""
    found: dict[Task, None] = {}
    waiting = list(task.upstreams)
    while waiting:
        found[waiting[0]] = None
        waiting = waiting[1:] + [up for up in waiting[0].upstreams if up not in found]
    siblings = task.parent.children if task.parent else []
    return [sibling for sibling in siblings if sibling in found]
