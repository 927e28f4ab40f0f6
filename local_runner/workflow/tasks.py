"""The tree of tasks: names, order, and which parameters a task sees."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from local_runner.workflow.yaml_types import NOWHERE, Located, Value, copy, merge

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
    same_words: bool = True  # `message` is Digdag's too

    @property
    def operator(self) -> str | None:
        """The operator's key, `py>`; None for a group."""
        return next((key for key in self.config if key.endswith(">")), None)

    @property
    def export(self) -> dict[str, Value]:
        """`_export`, as written."""
        export = self.config.get("_export")
        return export if isinstance(export, dict) else {}

    @property
    def own(self) -> dict[str, Value]:
        """The task's own parameters, as written."""
        return {key: value for key, value in self.config.items() if key not in OWN_TREES}

    def line(self) -> list["Task"]:
        """The root first, this task last."""
        return [*(self.parent.line() if self.parent else []), self]

    def walk(self) -> Iterator["Task"]:
        """This task and all below it, each before its children."""
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
        added: dict[str, Task] = {}
        for key, upstream_keys in self._upstream_keys().items():
            config = self.config[key]
            assert isinstance(config, Located), "checked when the file was loaded"
            upstreams = [added[name] for name in upstream_keys]
            added[key] = self.add(self.name + key, config, upstreams)
        return list(added.values())

    def _upstream_keys(self) -> dict[str, list[str]]:
        """For each task of a group, the siblings that it waits for."""
        keys = [key for key in self.config if key.startswith("+")]
        parallel = self.config.get("_parallel", False)
        limit = parallel.get("limit") if isinstance(parallel, dict) else None
        if isinstance(limit, int):  # n at a time; the next n wait for all of these
            starts = [index // limit * limit for index in range(len(keys))]
            return {
                key: [*keys[max(start - limit, 0) : start], *self._after(key)]
                for key, start in zip(keys, starts, strict=True)
            }
        return {key: self._after(key) for key in keys} if parallel else self._in_sequence(keys)

    def _after(self, key: str) -> list[str]:
        """`_after` of a task in a parallel group."""
        body = self.config[key]
        after = body.get("_after") if isinstance(body, dict) else None
        return [str(name) for name in after] if isinstance(after, list) else []

    def _in_sequence(self, keys: list[str]) -> dict[str, list[str]]:
        """Each task waits for the one before and for the `_background` tasks beside that."""
        upstream_keys: dict[str, list[str]] = {}
        running: list[str] = []  # what the next task waits for
        for key in keys:
            body = self.config[key]
            if isinstance(body, dict) and body.get("_background") is True:
                upstream_keys[key] = []
                running = [*running, key]
            else:
                upstream_keys[key] = running
                running = [key]
        return upstream_keys


def tree(name: str, config: Located) -> Task:
    """The tree of a workflow."""
    root = Task(name=f"+{name}", config=config)
    root.expand()
    return root


def detached(parent: Task, subtasks: Located) -> Task:
    """The subtasks of a task as a tree that sees its parameters and is not among its children."""
    group = Task(name=f"{parent.name}^sub", config=subtasks, parent=parent)
    group.expand()
    return group


def with_export(config: Located, values: dict[str, Value]) -> Located:
    """A copy of a task or group that also exports `values`, over its own exports.

    All else is shared with the original: a loop has as many copies as turns.
    """
    copied = Located()
    copied.update(config)
    copied.locations.update(config.locations)
    export = copied.get("_export")
    exported = {**(export if isinstance(export, dict) else {}), **values}
    copied.put("_export", exported, copied.location("_export") or NOWHERE)
    return copied


def group_of(subtasks: dict[str, Located], parallel: Value) -> Located | None:
    """The group of the subtasks that an operator made; None where there are none."""
    if not subtasks:
        return None
    group = Located()
    group.put("_parallel", parallel, NOWHERE)
    for key, config in subtasks.items():
        group.put(key, config, NOWHERE)
    return group


def params(task: Task, base: dict[str, Value]) -> dict[str, Value]:
    """What a task sees, raw: `base`, then along its line stores of tasks before, and exports.

    So a group's export beats what was stored before the group, and loses to what was stored in it.
    """
    seen = copy(base)
    assert isinstance(seen, dict)
    for node in task.line():
        for upstream in _upstreams(node):
            for ended in upstream.walk():
                _merge_store(seen, ended.store)
        merge(seen, node.export)
        if node is not task:
            _merge_store(seen, node.store)
    return seen


def _merge_store(seen: dict[str, Value], store: dict[str, Value]) -> None:
    """Merge what a task stored; td.last_results alone is replaced, as each task sets it anew."""
    new, earlier = store.get("td"), seen.get("td")
    if isinstance(new, dict) and isinstance(earlier, dict) and "last_results" in new:
        seen["td"] = {key: value for key, value in earlier.items() if key != "last_results"}
    merge(seen, store)


def _upstreams(task: Task) -> list[Task]:
    """Everything that ended before this task could start, in the order of the file."""
    ended: set[Task] = set()
    waiting = list(task.upstreams)
    while waiting:
        upstream = waiting.pop()
        ended.add(upstream)
        waiting += [before for before in upstream.upstreams if before not in ended]
    siblings = task.parent.children if task.parent else []
    return [sibling for sibling in siblings if sibling in ended]
