"""Every query of a workflow translated before the run, so that none is refused halfway.

Tables of the data folder are known, and those that earlier queries make of them. A query that
reads others (what py> writes, what an earlier run left) is only searched for unknown functions.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from local_runner.missing_names import explained
from local_runner.operators import OPERATORS
from local_runner.required import RequiredWorkflows
from local_runner.run import WorkflowRun
from local_runner.task_request import TaskError, TaskRequest
from local_runner.td.statement import TdStatement
from local_runner.workflow.tasks import Task, detached
from local_runner.workflow.templates import TemplateError
from local_runner.workflow.yaml_types import Located, Value
from td_mta.errors import DataError, MtaError, Refused

if TYPE_CHECKING:
    from td_mta.trino_on_datafusion.types import Type
    from td_mta.warehouse.local import LocalWarehouse

Columns = Sequence[tuple[str, "Type", str]]  # name, Trino type, DataFusion text


class Rehearsal:
    """Walks a tree as a run would, with what is known of the parameters; raises `Refused`."""

    def __init__(
        self, run: WorkflowRun, warehouse: "LocalWarehouse", required: RequiredWorkflows
    ) -> None:
        self.run, self.warehouse, self.required = run, warehouse, required
        self.tables: dict[str, Columns | None] = {}  # of earlier queries; None: columns not known

    def task(self, task: Task) -> None:
        """Translate the queries of a task and all below it; raises `Refused`."""
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
        operator = OPERATORS[request.operator]
        if operator.query:
            location = task.config.location(request.operator) or ""
            self._query(request, operator.query(request), str(location))
        if operator.do_per_row:
            self._subtasks(task, request.params.get("_do"))
        elif request.operator == "require>":
            run, root = self.required.attempt(request)
            rehearsal = Rehearsal(run, self.warehouse, self.required)
            rehearsal.tables = self.tables
            rehearsal.task(root)
        elif operator.nests:
            self._subtasks(task, operator.run(request).subtasks)

    def _subtasks(self, task: Task, subtasks: Value) -> None:
        if isinstance(subtasks, Located):
            self.task(detached(task, subtasks))

    def _query(self, request: TaskRequest, statement: TdStatement, location: str) -> None:
        where = f"{location}: {_file(request) or 'query'}"
        from td_mta.trino_on_datafusion.binding.query import translate

        columns: Columns | None = None
        try:
            _check_functions(statement.sql)
            plan = translate(statement.sql, self._columns, self.warehouse.now)
            types = zip(plan.names, plan.types, strict=True)
            columns = [(name or "", kind, f'"{name}"') for name, kind in types]
        except Refused as error:
            if str(error).startswith("no column"):
                raise DataError(explained(f"{where}: {error}", request)) from None
            raise Refused(f"{where}: not supported on local tables: {error}") from None
        except MtaError:
            pass  # a table that is not known yet; or Trino's own error, which the run reports
        if statement.table:
            self.tables[statement.table.name] = columns

    def _columns(self, table: str) -> Columns:
        """The columns of a table; raises `DataError` where they are not known before the run."""
        from td_mta.trino_on_datafusion.engine import stored
        from td_mta.trino_on_datafusion.types import from_arrow

        columns = self.tables.get(table)
        if columns is not None:
            return columns
        if table in self.tables or not self._in_data_folder(table):
            raise DataError(f"table {table} is not known before the run")
        import pyarrow.parquet

        schema = pyarrow.parquet.read_schema(self.warehouse.typed_file(table))
        return [
            (field.name.lower(), from_arrow(field.type, field.name), stored(field))
            for field in schema
        ]

    def _in_data_folder(self, table: str) -> bool:
        """Only the data folder is certain; a table in out may be of another run."""
        data, out = self.warehouse.data, self.warehouse.out
        if data is None or data.resolve() == out.resolve():
            return False
        from td_mta.warehouse.files import folder

        return bool(folder.find(data, table))


# Functions with `over (...)` or `ignore nulls` are not on the list: translation decides on them.
_WINDOWED = ("window", "ignorenulls", "respectnulls")


def _check_functions(sql: str) -> None:
    """Every function must be on the engine's list, whatever the tables are; raises `Refused`."""
    from td_mta.trino_on_datafusion import parse
    from td_mta.trino_on_datafusion.functions import calls
    from td_mta.trino_on_datafusion.functions.aggregate_names import AGGREGATE_NAMES

    for node in parse.parse(sql).walk():
        if node.key == "anonymous" and not (node.parent and node.parent.key in _WINDOWED):
            name = node.name.lower()
            if not (calls.known(name) or name in AGGREGATE_NAMES or name == "try"):
                raise Refused(f"function {name}")


def _file(request: TaskRequest) -> str | None:
    """The query file that a task names."""
    return Path(str(request.command)).as_posix() if isinstance(request.command, str) else None
