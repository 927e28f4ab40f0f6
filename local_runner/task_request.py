"""What an operator gets and what it leaves."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from local_runner.account import Account
from local_runner.workflow.project import Project
from local_runner.workflow.yaml_types import Located, Value

if TYPE_CHECKING:  # pandas and pyarrow take a second, and many workflows need no table
    from td_mta.warehouse.local import LocalWarehouse


class TaskError(Exception):
    """A task failed, as it does on Digdag; `raised` is False for fail> only."""

    def __init__(self, message: str, *, raised: bool = True) -> None:
        super().__init__(message)
        self.raised = raised


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """What tasks act on besides their parameters: one warehouse, local or Treasure Data, or none.

    `withheld` are variables of the environment that py> does not inherit.
    """

    project: Project
    secrets: dict[str, str] = field(repr=False)
    environment: dict[str, str]
    withheld: frozenset[str] = frozenset()
    warehouse: "Callable[[], LocalWarehouse] | None" = None
    account: Account | None = None


class TaskRequest(NamedTuple):
    """A task about to run: its evaluated parameters, the operator's argument among them."""

    operator: str
    params: dict[str, Value]
    context: RunContext
    own_env: bool  # the task itself has _env

    @property
    def name(self) -> str:
        return str(self.params["task_name"])

    @property
    def command(self) -> Value:
        return self.params.get(self.operator)

    def folder(self) -> Path:
        return self.context.project.root / str(self.params.get("_workdir", ""))


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """What a task leaves: values for later tasks, and subtasks."""

    store: dict[str, Value] = field(default_factory=dict)
    subtasks: Located | None = None
