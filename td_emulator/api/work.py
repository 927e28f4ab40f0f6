"""Work in a thread of its own, with the state that a job shows; and the work that is SQL."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Literal

from td_emulator import names
from td_emulator.api.results import JobResult, Pages
from td_emulator.engines.protocol import TIME, Engine, EngineError, QueryResult
from td_emulator.engines.script import Statement, statements

State = Literal["queued", "running", "success", "error", "killed"]
ENDS = ("success", "error", "killed")
log = logging.getLogger(__name__)


class Work:
    """Runs `task` in a thread. `task` is given an event to look at: set means stop."""

    def __init__(self, task: Callable[[threading.Event], None]) -> None:
        self.state: State = "queued"
        self.error: EngineError | None = None
        self.started = self.ended = 0.0
        self._task, self._killed, self._changed = task, threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def kill(self) -> None:
        """Stop the work where it looks for this; what a statement has done stays done."""
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

    `types` is None until it is known whether rows come; `affected` says how many rows were written
    where none come.
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
        found = statements(self.sql, self.database)
        if not found:
            raise EngineError("SYNTAX_ERROR", "line 1:1: there is no statement in this text")
        result: QueryResult | int = 0
        for statement in found:
            if killed.is_set():
                return
            result = self._run(statement)
        self.last = found[-1]
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
        if statement.kind == "insert" and self._has_no_columns(statement):
            return self._insert_first(statement)
        return self.engine.run(statement.text, self.database, self.scheduled_time)

    def _has_no_columns(self, statement: Statement) -> bool:
        """A table that the API has just made; Digdag makes one for `insert_into`."""
        there = self.engine.tables(statement.database)
        return (
            not statement.columns
            and statement.table in there
            and self.engine.columns(statement.database, statement.table) == [TIME]
            and not self.engine.count(statement.database, statement.table)
        )

    def _insert_first(self, statement: Statement) -> QueryResult | int:
        """The first rows of such a table give it its columns [not verified on TD]."""
        passing = f"{statement.table[:240]}__first_rows"
        quoted = f'"{statement.database}"."{passing}"'
        sql = f"create table {quoted} as\n{statement.query}"
        count = self.engine.run(sql, self.database, self.scheduled_time)
        self.engine.rename_table(statement.database, passing, statement.table)
        return count
