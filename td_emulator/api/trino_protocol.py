"""Trino's HTTP protocol: a statement is posted, its rows are fetched page by page by `nextUri`."""

import itertools
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from td_emulator.api.messages import Answer, ApiError, Call, encoded
from td_emulator.api.results import Pages
from td_emulator.api.work import ENDS, SqlTask, Work
from td_emulator.engines import types
from td_emulator.engines.protocol import Engine

WAIT_SECONDS = 1.0  # a poll waits this long for something new, as Trino's does
_LOOK_SECONDS = 0.005
_ERROR_CODES = {"USER_ERROR": 1, "INTERNAL_ERROR": 65536}
_WORDS = {
    "create": "CREATE TABLE",
    "create_as": "CREATE TABLE",
    "insert": "INSERT",
    "drop": "DROP TABLE",
}


@dataclass(frozen=True)
class _Query:
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
            id = f"{time.strftime('%Y%m%d_%H%M%S', time.gmtime())}_{next(self._numbers):05d}_tdemu"
        pages = Pages(self._folder / f"{id}.json")
        database = call.headers.get("x-trino-schema") or call.headers.get("x-presto-schema") or ""
        task = SqlTask(
            self._engine, call.text, database.lower(), scheduled_time=int(time.time()),
            may_write=call.may_write, sink=pages,
        )  # fmt: skip
        query = _Query(id, task, pages, Work(task))
        self._queries[id] = query
        query.work.start()
        return self._answer(call, query, "QUEUED", next_page=0)

    def page(self, call: Call, id: str, number: str) -> Answer:
        """GET nextUri: the page of that number as soon as it is there."""
        query, place = self._found(id), int(number)
        self._await(query, place)
        ended = query.work.state in ENDS  # looked at first: then no page comes after
        if place < len(query.pages):
            return self._answer(call, query, "RUNNING", next_page=place + 1, page=place)
        if not ended:
            return self._answer(call, query, "RUNNING", next_page=place)
        return self._answer(call, query, "FAILED" if query.work.error else "FINISHED")

    def cancel(self, call: Call, id: str, number: str) -> Answer:
        """DELETE nextUri"""
        query = self._queries.get(id)
        if query is not None:
            query.work.kill()
        return Answer(status=204)

    def stop(self) -> None:
        for query in self._queries.values():
            query.work.kill()
        for query in self._queries.values():
            query.work.wait(10)

    def _await(self, query: _Query, place: int) -> None:
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            if place < len(query.pages) or query.work.wait(_LOOK_SECONDS):
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
        base = f"http://{call.headers.get('host', '')}"
        content: dict[str, Any] = {
            "id": query.id,
            "infoUri": f"{base}/ui/query.html?{query.id}",
            "stats": {"state": state, "queued": state == "QUEUED", "nodes": 1},
            "warnings": [],
        }
        if next_page is not None:
            content["nextUri"] = f"{base}/v1/statement/executing/{query.id}/{next_page}"
        if query.work.error is not None and next_page is None:
            content["error"] = _error(query.work)
        elif query.task.types is not None:
            pairs = zip(query.task.columns, query.task.types, strict=True)
            content["columns"] = [_column(name, kind) for name, kind in pairs]
        elif state == "FINISHED":
            content |= _written(query.task)
        body = encoded(content)
        if page is not None:
            body = body[:-1] + b', "data": ' + query.pages.page(page) + b"}"
        return Answer(body=body)

    def _found(self, id: str) -> _Query:
        if id not in self._queries:
            raise ApiError(404, f"Query {id} not found")
        return self._queries[id]


def _column(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "type": kind, "typeSignature": types.signature(kind)}


def _written(task: SqlTask) -> dict[str, Any]:
    """What a statement that writes answers: how many rows, or that it is done."""
    kind = task.last.kind if task.last else "other"
    word = _WORDS.get(kind, "")
    if kind in ("insert", "create_as"):
        counted: dict[str, Any] = {"updateCount": task.affected, "data": [[task.affected]]}
        return {"updateType": word, "columns": [_column("rows", "bigint")], **counted}
    return {"updateType": word, "columns": [_column("result", "boolean")], "data": [[True]]}


def _error(work: Work) -> dict[str, Any]:
    error = work.error
    assert error is not None
    return {
        "message": str(error),
        "errorCode": _ERROR_CODES.get(error.type, 65536),
        "errorName": error.name,
        "errorType": error.type,
        "failureInfo": {"type": error.name, "message": str(error), "suppressed": [], "stack": []},
    }
