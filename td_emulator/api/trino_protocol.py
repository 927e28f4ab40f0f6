"""Trino's HTTP protocol: a statement is posted, its rows are fetched page by page by `nextUri`."""

import itertools
import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from td_emulator.api.messages import Answer, ApiError, Call, encoded
from td_emulator.api.results import Pages
from td_emulator.api.work import ENDS, SqlTask, Work
from td_emulator.engines import types
from td_emulator.engines.protocol import Engine, EngineError

WAIT_SECONDS = 1.0  # a poll waits this long for something new, as Trino's does
_CHECK_SECONDS = 0.005
_ERROR_CODES = {"USER_ERROR": 1, "INTERNAL_ERROR": 65536}
_UPDATE_TYPES = {  # of a kind of statement
    "create": "CREATE TABLE",
    "create_as": "CREATE TABLE",
    "insert": "INSERT",
    "drop": "DROP TABLE",
}


@dataclass(frozen=True)
class _Query:
    """A statement that was posted: its SQL, its rows so far, and the thread that runs it."""

    id: str
    task: SqlTask
    pages: Pages
    work: Work


class TrinoStatements:
    """All statements of an emulator."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine, self._folder = engine, folder
        self._numbers = itertools.count(1)
        self._queries: dict[str, _Query] = {}
        self._lock = threading.Lock()

    def post(self, call: Call) -> Answer:
        """POST /v1/statement, the body is the SQL: queued, rows come by `nextUri`."""
        with self._lock:
            number = next(self._numbers)
        began = time.strftime("%Y%m%d_%H%M%S", time.gmtime())
        id = f"{began}_{number:05d}_{secrets.token_hex(16)}"  # its pages come without the key
        pages = Pages(self._folder / f"{id}.json")
        database = call.headers.get("x-trino-schema") or call.headers.get("x-presto-schema") or ""
        task = SqlTask(
            self._engine,
            call.text,
            database.lower(),
            scheduled_time=int(time.time()),
            may_write=call.may_write,
            sink=pages,
        )
        query = _Query(id, task, pages, Work(task))
        self._queries[id] = query
        query.work.start()
        return self._answer(call, query, "QUEUED", next_page=0)

    def page(self, call: Call, id: str, number: str) -> Answer:
        """GET nextUri: the page of that number as soon as it is written."""
        query, page = self._query(id), int(number)
        self._await(query, page)
        ended = query.work.state in ENDS  # looked at before the pages: none comes after the end
        if page < len(query.pages):
            return self._answer(call, query, "RUNNING", next_page=page + 1, page=page)
        if not ended:
            return self._answer(call, query, "RUNNING", next_page=page)
        return self._answer(call, query, "FAILED" if query.work.error else "FINISHED")

    def cancel(self, call: Call, id: str, number: str) -> Answer:
        """DELETE nextUri"""
        query = self._queries.get(id)
        if query is not None:
            query.work.kill()
        return Answer(status=204)

    def stop(self) -> None:
        """Kill the statements that still run, and wait until they end."""
        for query in self._queries.values():
            query.work.kill()
        for query in self._queries.values():
            query.work.wait(10)

    def _await(self, query: _Query, page: int) -> None:
        """Wait for a page or the end of the query, but not for long."""
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            if page < len(query.pages) or query.work.wait(_CHECK_SECONDS):
                return

    def _answer(
        self,
        call: Call,
        query: _Query,
        state: str,
        *,
        next_page: int | None = None,
        page: int | None = None,
    ) -> Answer:
        """A reply of the protocol, with the rows of `page` if it is given."""
        base = f"http://{call.headers.get('host', '')}"
        content: dict[str, Any] = {
            "id": query.id,
            "infoUri": f"{base}/ui/query.html?{query.id}",
            "stats": {"state": state, "queued": state == "QUEUED", "nodes": 1},
            "warnings": [],
        }
        if next_page is not None:
            content["nextUri"] = f"{base}/v1/statement/executing/{query.id}/{next_page}"
        content |= _outcome(query, state, is_last=next_page is None)
        body = encoded(content)
        if page is not None:  # the rows are JSON already
            body = body[:-1] + b', "data": ' + query.pages.page(page) + b"}"
        return Answer(body=body)

    def _query(self, id: str) -> _Query:
        if id not in self._queries:
            raise ApiError(404, f"Query {id} not found")
        return self._queries[id]


def _outcome(query: _Query, state: str, *, is_last: bool) -> dict[str, Any]:
    """What is known of the result: an error, the columns of rows, or what was written."""
    task = query.task
    if query.work.error is not None and is_last:
        return {"error": _error(query.work.error)}
    if task.types is not None:
        pairs = zip(task.columns, task.types, strict=True)
        return {"columns": [_column(name, kind) for name, kind in pairs]}
    return _written(task) if state == "FINISHED" else {}


def _column(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "type": kind, "typeSignature": types.signature(kind)}


def _written(task: SqlTask) -> dict[str, Any]:
    """The answer to a statement that writes: the number of rows, or that it is done."""
    kind = task.last.kind if task.last else "other"
    update_type = _UPDATE_TYPES.get(kind, "")
    if kind in ("insert", "create_as"):
        return {
            "updateType": update_type,
            "columns": [_column("rows", "bigint")],
            "updateCount": task.affected,
            "data": [[task.affected]],
        }
    columns = [_column("result", "boolean")]
    return {"updateType": update_type, "columns": columns, "data": [[True]]}


def _error(error: EngineError) -> dict[str, Any]:
    return {
        "message": str(error),
        "errorCode": _ERROR_CODES.get(error.type, 65536),
        "errorName": error.name,
        "errorType": error.type,
        "failureInfo": {"type": error.name, "message": str(error), "suppressed": [], "stack": []},
    }
