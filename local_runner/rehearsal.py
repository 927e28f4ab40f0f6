"""Every query of a workflow translated before the run, so that none is refused halfway.

Tables of the data folder are known, and those that earlier queries make of them. A query that
reads others (what py> writes, what an earlier run left) is only searched for unknown functions.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from local_runner import td_statement
from local_runner.operators import OPERATORS
from local_runner.run import WorkflowRun
from local_runner.task_request import TaskError, TaskRequest
from local_runner.td_statement import TdStatement
from local_runner.workflow.tasks import Task
from local_runner.workflow.templates import TemplateError
from local_runner.workflow.yaml_types import Located, Value
from td_mta.errors import DataError, MtaError, Refused

if TYPE_CHECKING:
    from td_mta.trino_on_datafusion.types import Type
    from td_mta.warehouse.local import LocalWarehouse

Columns = Sequence[tuple[str, "Type", str]]  # name, Trino type, DataFusion text


class Rehearsal:
    """Walks a tree as a run would, with what is known of the parameters; raises `Refused`."""

    def __init__(self, run: WorkflowRun, warehouse: "LocalWarehouse") -> None:
        self.run, self.warehouse = run, warehouse
        self.made: dict[str, Columns | None] = {}

    def task(self, task: Task) -> None:
        if task.config.get("_disable") is True or task in self.run.skipped:
            return
        if task.operator is None:
            for child in task.children:
                self.task(child)
            return
        # What depends on a value stored by then, or fails as on Digdag, is left to the run.
        with contextlib.suppress(TaskError, TemplateError):
            self._operator(task, self.run.request(task))

    def _operator(self, task: Task, request: TaskRequest) -> None:
        location = task.config.location(request.operator) or ""
        if request.operator == "td>":
            self._query(td_statement.statement(request), f"{location}: {_file(request) or 'query'}")
        elif request.operator in ("td_for_each>", "td_wait>"):
            statement = TdStatement(None, None, td_statement.query(request))
            self._query(statement, f"{location}: {_file(request) or 'query'}")
            self._group(task, request.params.get("_do"))
        elif OPERATORS[request.operator].nests:
            self._group(task, OPERATORS[request.operator].run(request).subtasks)

    def _group(self, task: Task, subtasks: Value) -> None:
        if isinstance(subtasks, Located):
            group = Task(name=f"{task.name}^sub", config=subtasks, parent=task)
            group.expand()
            self.task(group)

    def _query(self, statement: TdStatement, what: str) -> None:
        from td_mta.trino_on_datafusion.binding.query import translate

        columns: Columns | None = None
        try:
            _functions(statement.sql)
            plan = translate(statement.sql, self._catalog, self.warehouse.now)
            named = zip(plan.names, plan.types, strict=True)
            columns = [(name or "", kind, f'"{name}"') for name, kind in named]
        except Refused as error:
            raise Refused(f"{what}: not supported on local tables: {error}") from None
        except MtaError:
            pass  # a table that is not known yet; or Trino's own error, which the run will tell
        if statement.table:
            self.made[statement.table.name] = columns

    def _catalog(self, table: str) -> Columns:
        from td_mta.trino_on_datafusion.engine import stored
        from td_mta.trino_on_datafusion.types import from_arrow

        made = self.made.get(table)
        if made is not None:
            return made
        if table in self.made or not self._given(table):
            raise DataError(f"table {table} is not known before the run")
        import pyarrow.parquet

        schema = pyarrow.parquet.read_schema(self.warehouse.typed_file(table))
        return [(f.name.lower(), from_arrow(f.type, f.name), stored(f)) for f in schema]

    def _given(self, table: str) -> bool:
        """Only the data folder is certain; a table in out may be of another run."""
        data, out = self.warehouse.data, self.warehouse.out
        if data is None or data.resolve() == out.resolve():
            return False
        return any((data / f"{table}{suffix}").is_file() for suffix in (".csv", ".parquet"))


_WINDOWED = ("window", "ignorenulls", "respectnulls")


def _functions(sql: str) -> None:
    """Every function must be on the engine's list, whatever the tables are."""
    from td_mta.trino_on_datafusion import parse
    from td_mta.trino_on_datafusion.functions import calls
    from td_mta.trino_on_datafusion.functions.aggregate_names import AGGREGATE_NAMES

    for node in parse.parse(sql).walk():
        if node.key == "anonymous" and not (node.parent and node.parent.key in _WINDOWED):
            name = node.name.lower()
            if not (calls.known(name) or name in AGGREGATE_NAMES or name == "try"):
                raise Refused(f"function {name}")


def _file(request: TaskRequest) -> str | None:
    return Path(str(request.command)).as_posix() if isinstance(request.command, str) else None
