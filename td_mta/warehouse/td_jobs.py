"""Queries as jobs: issued once, waited for, and the result streamed in blocks of rows.

Every job has a key of its own: issuing it again after a lost answer gives the same job. A result is
kept by Treasure Data, so that a broken download starts over and skips what was already given.
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
    """A job that succeeded. `rows` is None where Treasure Data does not tell."""

    id: str
    columns: list[ResultColumn]
    rows: int | None


class JobFailedError(WarehouseError):
    """The warehouse refused or stopped a job; `told` is its own text."""

    def __init__(self, message: str, told: str) -> None:
        super().__init__(message)
        self.told = told


def run(connection: Connection, database: str, sql: str, now: int) -> FinishedJob:
    """One Trino statement as one job; `now` is the session's time. Raises `JobFailedError`."""
    id = _issue(connection, database, sql, now)
    try:
        wait(connection, id)
    except KeyboardInterrupt:
        connection.call(f"kill job {id}", lambda api: api.kill(id) or True)
        raise
    shown = connection.call(f"look at job {id}", lambda api: api.show_job(id))
    columns = [
        ResultColumn(str(name), str(kind)) for name, kind in shown["hive_result_schema"] or ()
    ]
    return FinishedJob(id, columns, shown["num_records"])


def wait(connection: Connection, id: str) -> None:
    """Return when the job has succeeded."""
    patience = connection.patience
    waited, pause = 0.0, patience.poll
    while (status := _status(connection, id)) not in FINISHED:
        if waited >= patience.job:
            connection.call(f"kill job {id}", lambda api: api.kill(id) or True)
            raise WarehouseError(f"job {id} was stopped: still {status} after {waited:.0f} s")
        connection.sleep(pause)
        waited += pause
        pause = min(pause * 1.5, patience.longest_poll)
    if status != "success":
        raise _failed(connection, id, status)


def batches(connection: Connection, job: FinishedJob) -> Iterator[pa.RecordBatch]:
    """The job's rows, each once, in bounded memory; a result without rows is one empty batch."""
    tries = Tries(connection, f"read the result of job {job.id}")
    given = 0
    while True:
        try:
            for rows in _blocks(connection.api, job, given):
                given += len(rows)
                tries.progressed()
                yield batch_of(rows, job.columns)
        except FAILURES as error:
            tries.failed(error)
        else:
            break
    if not given:
        yield batch_of([], job.columns)


def _issue(connection: Connection, database: str, sql: str, now: int) -> str:
    domain_key = uuid.uuid4().hex

    def issue(api: API) -> str:
        more: dict[str, Any] = {"domain_key": domain_key, "scheduled_time": str(now)}
        return api.query(sql, type="presto", db=database, **more)

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


def _failed(connection: Connection, id: str, status: str) -> JobFailedError:
    shown = connection.call(f"look at job {id}", lambda api: api.show_job(id))
    debug = shown["debug"] or {}
    if isinstance(debug, str):
        debug = json.loads(debug)
    texts = (str(debug.get(part) or "").strip() for part in ("cmdout", "stderr"))
    told = connection.scrub(" ".join(text for text in texts if text))
    told = re.sub(r"^started at .*?Query \S+ failed: ", "", told, flags=re.DOTALL)
    if status == "killed":
        message = f"job {id} was killed in Treasure Data" + (f": {told}" if told else "")
        return JobFailedError(f"{message}; start again", told)
    return JobFailedError(f"job {id} failed: {told or 'Treasure Data gives no reason'}", told)


def _blocks(api: API, job: FinishedJob, skip: int) -> Iterator[list[list[object]]]:
    """Lists of rows from row `skip` on. Raises `TransientError` when the result is not whole."""
    path = f"/v3/job/result/{job.id}?format=msgpack&header=False"
    with api.get(path) as response:
        if response.status == 404 and not job.rows:  # how a result without rows may look
            return
        if response.status != 200:
            api.raise_error("Get job result failed", response, response.read())
        rows = itertools.islice(_rows(response), skip, None)
        seen = skip
        while block := list(itertools.islice(rows, BLOCK_ROWS)):
            seen += len(block)
            yield block
        if seen < (job.rows or 0):
            raise TransientError(f"the result broke off after {seen} of {job.rows} rows")


def _rows(response: urllib3.BaseHTTPResponse) -> Iterator[list[object]]:
    unpacker = msgpack.Unpacker(unicode_errors="replace", max_buffer_size=MOST_BYTES_OF_A_ROW)
    for chunk in response.stream(CHUNK_BYTES):
        unpacker.feed(chunk)
        yield from unpacker
