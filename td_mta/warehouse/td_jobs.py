"""Queries as jobs: issued once, waited for, and the result streamed in blocks of rows.

Every job has a domain key of its own: issued again after a lost answer, it is the same job.
Treasure Data keeps the result, so that a broken download starts over and skips the rows that came.
"""

import itertools
import json
import logging
import re
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgpack
import pyarrow as pa
import urllib3

from td_mta.errors import WarehouseError
from td_mta.warehouse.td_connection import (
    API,
    FAILURES,
    AlreadyThereError,
    Connection,
    TransientError,
    Tries,
)
from td_mta.warehouse.td_types import ResultColumn, batch_of

log = logging.getLogger(__name__)

BLOCK_ROWS = 1 << 16
CHUNK_BYTES = 1 << 20
MOST_BYTES_OF_A_ROW = 1 << 28
FINISHED = ("success", "error", "killed")


class FinishedJob(NamedTuple):
    """A job that succeeded."""

    id: str
    columns: list[ResultColumn]
    rows: int | None  # None where Treasure Data does not say


class JobFailedError(WarehouseError):
    """Treasure Data refused or stopped a job; `reason` is its own text."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def run(connection: Connection, database: str, sql: str, now: int) -> FinishedJob:
    """One Trino statement as one job; `now` is the session's time. Raises `JobFailedError`."""
    id = _issue(connection, database, sql, now)
    try:
        wait(connection, id)
    except KeyboardInterrupt:
        _kill(connection, id)
        raise
    shown = _show(connection, id)
    columns = [
        ResultColumn(str(name), str(kind)) for name, kind in shown["hive_result_schema"] or ()
    ]
    return FinishedJob(id, columns, shown["num_records"])


def wait(connection: Connection, id: str) -> None:
    """Return when the job has succeeded; raises `JobFailedError`, and stops one that takes too
    long."""
    patience = connection.patience
    waited, pause = 0.0, patience.poll
    while (status := _status(connection, id)) not in FINISHED:
        if waited >= patience.job:
            _kill(connection, id)
            raise WarehouseError(f"job {id} was stopped: still {status} after {waited:.0f} s")
        connection.sleep(pause)
        waited += pause
        pause = min(pause * 1.5, patience.longest_poll)
    if status != "success":
        raise _failed(connection, id, status)


def batches(connection: Connection, job: FinishedJob) -> Iterator[pa.RecordBatch]:
    """The job's rows, each once, in bounded memory; a result without rows is one empty batch."""
    tries = Tries(connection, f"read the result of job {job.id}")
    rows_read = 0
    while True:
        try:
            for rows in _blocks(connection.api, job, rows_read):
                rows_read += len(rows)
                tries.progressed()
                yield batch_of(rows, job.columns)
        except FAILURES as error:
            tries.failed(error)
        else:
            break
    if not rows_read:
        yield batch_of([], job.columns)


def _issue(connection: Connection, database: str, sql: str, now: int) -> str:
    """Issue a job once, whatever answers are lost; returns its id."""
    # parameters of the API that td-client's own signature does not name
    extra: dict[str, Any] = {"domain_key": uuid.uuid4().hex, "scheduled_time": str(now)}

    def issue(api: API) -> str:
        return api.query(sql, type="presto", db=database, **extra)

    try:
        id = connection.call("issue a query", issue)
    except AlreadyThereError as error:
        if "conflicts_with" not in error.details:
            raise
        id = str(error.details["conflicts_with"])
    log.info("job %s: %s", id, " ".join(sql.split())[:200])
    return id


def _status(connection: Connection, id: str) -> str:
    return connection.call(f"ask for the state of job {id}", lambda api: api.job_status(id))


def _show(connection: Connection, id: str) -> dict[str, Any]:
    return connection.call(f"look at job {id}", lambda api: api.show_job(id))


def _kill(connection: Connection, id: str) -> None:
    connection.call(f"kill job {id}", lambda api: api.kill(id) or True)


def _failed(connection: Connection, id: str, status: str) -> JobFailedError:
    debug = _show(connection, id)["debug"] or {}
    if isinstance(debug, str):
        debug = json.loads(debug)
    texts = (str(debug.get(part) or "").strip() for part in ("cmdout", "stderr"))
    log_text = connection.scrub(" ".join(text for text in texts if text))
    reason = re.sub(r"^started at .*?Query \S+ failed: ", "", log_text, flags=re.DOTALL)
    if status == "killed":
        message = f"job {id} was killed in Treasure Data" + (f": {reason}" if reason else "")
        return JobFailedError(f"{message}; start again", reason)
    return JobFailedError(f"job {id} failed: {reason or 'Treasure Data gives no reason'}", reason)


def _blocks(api: API, job: FinishedJob, skip: int) -> Iterator[list[list[object]]]:
    """Lists of rows from row `skip` on. Raises `TransientError` where the result is incomplete."""
    path = f"/v3/job/result/{job.id}?format=msgpack&header=False"
    with api.get(path) as response:
        if response.status == 404 and not job.rows:  # how a result without rows may look
            return
        if response.status != 200:
            api.raise_error("Get job result failed", response, response.read())
        rows = itertools.islice(_rows(response), skip, None)
        rows_read = skip
        while block := list(itertools.islice(rows, BLOCK_ROWS)):
            rows_read += len(block)
            yield block
        if rows_read < (job.rows or 0):
            raise TransientError(f"the result broke off after {rows_read} of {job.rows} rows")


def _rows(response: urllib3.BaseHTTPResponse) -> Iterator[list[object]]:
    unpacker = msgpack.Unpacker(unicode_errors="replace", max_buffer_size=MOST_BYTES_OF_A_ROW)
    for chunk in response.stream(CHUNK_BYTES):
        unpacker.feed(chunk)
        yield from unpacker
