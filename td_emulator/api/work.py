"""Work in a thread of its own, with the state that a job shows; and work that is SQL."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Literal

from td_emulator import names
from td_emulator.api.results import JobResult, Pages
from td_emulator.engines.protocol import Engine, EngineError, QueryResult, is_new_table
from td_emulator.engines.script import Statement, statements
from td_mta.warehouse.names import quoted

State = Literal["queued", "running", "success", "error", "killed"]
ENDS = ("success", "error", "killed")
log = logging.getLogger(__name__)


class Work:
    """Runs `task` in a thread. The task gets an event that is set when it should stop."""

    def __init__(self, task: Callable[[threading.Event], None]) -> None:
        self.state: State = "queued"
        self.error: EngineError | None = None
        self.started = self.ended = 0.0  # unix seconds; 0 before
        self._task, self._killed = task, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def kill(self) -> None:
        """Stop the work at its next look at the event; what a statement has done stays done."""
        self._killed.set()

    def wait(self, seconds: float) -> bool:
        """Whether the work ends within this time."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        self.state, self.started = "running", time.time()
        end: State = "success"
        try:
            self._task(self._killed)
        except EngineError as error:
            end, self.error = "error", error
        except Exception as error:
            log.exception("the emulator's engine failed")
            message = f"{type(error).__name__}: {error}"
            end, self.error = "error", EngineError("INTERNAL", message, "INTERNAL_ERROR")
        if self._killed.is_set():
            end, self.error = "killed", EngineError("USER_CANCELED", "the query was killed")
        self.ended = time.time()
        self.state = end


class SqlTask:
    """Runs a text of statements; the rows of the last one go to `sink`.

    `columns` and `types` are those of its rows, `types` None until it is known that it has rows;
    `affected` is the number of rows that it wrote otherwise.
    """

    def __init__(
        self,
        engine: Engine,
        sql: str,
        database: str,
        *,
        scheduled_time: int,
        may_write: bool,
        sink: JobResult | Pages,
    ) -> None:
        self.engine, self.sql, self.database = engine, sql, database
        self.scheduled_time, self.may_write, self.sink = scheduled_time, may_write, sink
        self.columns: tuple[str, ...] = ()
        self.types: tuple[str, ...] | None = None
        self.affected = 0
        self.last: Statement | None = None

    def __call__(self, killed: threading.Event) -> None:
        parsed = statements(self.sql, self.database)
        result: QueryResult | int = 0
        for statement in parsed:
            if killed.is_set():
                return
            result = self._run(statement)
        self.last = parsed[-1]
        if isinstance(result, int):
            self.affected = result
            return
        self.columns, self.types = result.columns, result.types
        for _ in self.sink.fill(result):
            if killed.is_set():
                return

    def _run(self, statement: Statement) -> QueryResult | int:
        if statement.writes and not self.may_write:
            raise EngineError("PERMISSION_DENIED", "Access Denied: this API key may only read")
        if statement.kind in ("create", "create_as"):
            complaint = names.complaint("table", statement.table)
            if complaint:
                raise EngineError("INVALID_TABLE_PROPERTY", complaint)
        if statement.kind == "insert":
            with self.engine.lock:  # until the first rows are there, no others may be the first
                if self._has_no_columns(statement):
                    return self._insert_first(statement)
        return self.engine.run(statement.text, self.database, self.scheduled_time)

    def _has_no_columns(self, statement: Statement) -> bool:
        """Whether the API has just made the table; Digdag makes one for `insert_into`."""
        if statement.columns or statement.table not in self.engine.tables(statement.database):
            return False
        return is_new_table(self.engine, statement.database, statement.table)

    def _insert_first(self, statement: Statement) -> QueryResult | int:
        """The first rows of such a table give it its columns [not verified on TD]."""
        temporary = names.unused(statement.table, "first_rows")
        table = f"{quoted(statement.database)}.{quoted(temporary)}"
        sql = f"create table {table} as\n{statement.query}"
        count = self.engine.run(sql, self.database, self.scheduled_time)
        self.engine.rename_table(statement.database, temporary, statement.table)
        return count
