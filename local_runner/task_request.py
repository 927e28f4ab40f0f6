"""What an operator receives and what it leaves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from local_runner.td.account import Account
from local_runner.workflow import templates
from local_runner.workflow.project import Project
from local_runner.workflow.templates import SECRET
from local_runner.workflow.yaml_types import Located, Value

if TYPE_CHECKING:  # pandas and pyarrow take a second, and many workflows need no table
    from td_mta.warehouse.local import LocalWarehouse


class TaskError(Exception):
    """A task failed, as it does on Digdag; `raised` is False for fail> only.

    `_error` reads Digdag's own message: `told`, where ours says more; `same_words` is False where
    it is not known.
    """

    def __init__(
        self, message: str, *, raised: bool = True, told: str | None = None, same_words: bool = True
    ) -> None:
        super().__init__(message)
        self.raised = raised
        self.told = message if told is None else told
        self.same_words = same_words


class Ended(NamedTuple):
    """Whether a required workflow succeeded, and the number of its session."""

    succeeded: bool
    number: int


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """What tasks act on besides their parameters: one warehouse, local or Treasure Data, or none.

    `environment` is what the processes of py> and sh> receive on top of ours, but for the
    variables `withheld`. `attempt` runs the workflow that a require> names.
    http> and mail> reach this machine and the `allowed_hosts`.
    """

    project: Project
    secrets: dict[str, str] = field(repr=False)
    environment: dict[str, str]
    withheld: frozenset[str] = frozenset()
    warehouse: "Callable[[], LocalWarehouse] | None" = None
    account: Account | None = None
    attempt: "Callable[[TaskRequest], Ended] | None" = None
    allowed_hosts: frozenset[str] = frozenset()


class TaskRequest(NamedTuple):
    """A task about to run: its evaluated parameters, the operator's argument among them."""

    operator: str  # with its mark, `py>`
    params: dict[str, Value]
    context: RunContext
    own_env: bool  # the task itself has _env

    @property
    def name(self) -> str:
        """The full name, `+main+load`; only in a run."""
        return str(self.params["task_name"])

    @property
    def command(self) -> Value:
        """The operator's argument; None where it is not known before the run."""
        return self.params.get(self.operator)

    def folder(self) -> Path:
        """The folder that relative paths and processes start from."""
        return self.context.project.root / str(self.params.get("_workdir", ""))

    def settings(self, section: str) -> dict[str, Value]:
        """The parameters, with those of the map `section` (`py`, `sh`, `td`) as defaults."""
        return with_defaults(self.params, section)

    def with_secrets(self, text: str) -> str:
        """The text with every `${secret:key}` filled; raises `TaskError`."""
        return SECRET.sub(lambda match: self._secret(match[1]), text)

    def filled(self, value: Value) -> Value:
        """A value with every secret in its texts; raises `TaskError`."""
        if isinstance(value, str):
            return self.with_secrets(value)
        if isinstance(value, dict):
            return {key: self.filled(item) for key, item in value.items()}
        return [self.filled(item) for item in value] if isinstance(value, list) else value

    def templated(self, section: str, key: str) -> str:
        """The text of the file that the command names, of its `{data: ...}`, or of the setting.

        Raises `TaskError`.
        """
        if isinstance(self.command, dict):
            return str(self.command.get("data"))
        if self.command is None:
            return str(self.settings(section).get(key))
        return self.file(str(self.command))

    def file(self, name: str) -> str:
        """The text of a file, its templates filled in; raises `TaskError`."""
        path = self.context.project.inside(self.folder() / name, f"{self.operator} {name}")
        try:
            return templates.fill(path.read_bytes().decode("utf-8"), self.params, f" in {name}")
        except OSError:
            raise TaskError(f"File not found: {path} (config)") from None
        except templates.TemplateError as error:
            raise TaskError(str(error), same_words=error.same_message) from None

    def _secret(self, key: str) -> str:
        if key not in self.context.secrets:
            raise TaskError(f"Secret not found for key: '{key}' (secret not found)")
        return self.context.secrets[key]


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """What a task leaves: values for later tasks, and subtasks."""

    store: dict[str, Value] = field(default_factory=dict)
    subtasks: Located | None = None


def with_defaults(params: Mapping[str, Value], section: str) -> dict[str, Value]:
    """Parameters, with those of the map `section` where they have none of their own.

    >>> with_defaults({"td": {"priority": 1, "engine": "hive"}, "priority": 2}, "td")["priority"]
    2
    """
    defaults = params.get(section)
    return {**(defaults if isinstance(defaults, dict) else {}), **params}
