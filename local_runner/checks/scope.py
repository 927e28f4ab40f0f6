"""What the checks share: the parameters in scope, doubts, and what a check asks of the walk."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from local_runner.task_request import RunContext, TaskError, TaskRequest, with_defaults
from local_runner.workflow.yaml_types import Located, Location, Value, copy, merge
from td_mta.errors import Refused

# What makes `error.message` of an `_error` around it uncertain.
Doubts = frozenset[str]


@dataclass(frozen=True, kw_only=True)
class ParameterScope:
    """What a task can see where the walk stands: raw parameters, and the files called so far.

    Nothing exported replaces the `builtins` among the parameters.
    """

    params: dict[str, Value]
    calls: tuple[str, ...]
    builtins: Mapping[str, Value] = field(default_factory=dict)

    def export(self, values: Value) -> "ParameterScope":
        """The scope below a task or group that exports `values`."""
        params = copy(self.params)
        assert isinstance(params, dict)
        merge(params, values if isinstance(values, dict) else {})
        return replace(self, params=params | dict(self.builtins))


class Walk(Protocol):
    """The walk over a workflow's tree, as the check of one operator sees it.

    `queries` counts the queries met so far.
    """

    context: RunContext
    dry_run: bool
    has_given_parameters: bool
    queries: int

    def task(self, config: Located, scope: ParameterScope, location: Location | str) -> Doubts:
        """Check a task or group and all below it."""

    def alone(self, config: Located, scope: ParameterScope, location: Location | str) -> Doubts:
        """Check a task without siblings: `_do`, `_error`, `_check`."""

    def secrets(self, text: str, what: str) -> None:
        """Every `${secret:key}` of a text must be there before the run."""


class Subject(NamedTuple):
    """A task to check: as written (`config`), and as far as its values are known (`request`)."""

    walk: Walk
    config: Located
    request: TaskRequest
    scope: ParameterScope

    @property
    def location(self) -> Location | str:
        """Where its operator stands."""
        return self.config.location(self.request.operator) or ""

    def written(self, section: str = "td") -> dict[str, Value]:
        """Its settings as the files state them: their values may be known only in the run."""
        return with_defaults(self.scope.export(self.config).params, section)


@contextlib.contextmanager
def refusing(where: Location | str) -> Iterator[None]:
    """What would fail a task in the run is refused before it; `where` opens the message."""
    try:
        yield
    except TaskError as error:
        raise Refused(f"{where}: {error}") from None
