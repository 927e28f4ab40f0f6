"""A job on Treasure Data, from its issue to its rows, with the requests of Digdag."""

import contextlib
import itertools
import json
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from time import sleep
from typing import Any, NamedTuple, TypeVar

from local_runner.task_request import TaskError
from local_runner.td.api import REMEDIES, Row, TdApi, TdApiError

T = TypeVar("T")
VERSION = "0.9.0"  # of the client that Digdag 0.10.5 brings
_ENDED = frozenset({"success", "error", "killed"})


class Query(NamedTuple):
    """What a job is asked for. The fields are sent in this order, those that are None left out."""

    engine: str
    database: str
    sql: str
    result: str | None = None
    priority: int = 0
    pool: str | None = None
    scheduled: int | None = None
    connection: str | None = None
    connection_settings: str | None = None
    engine_version: str | None = None
    retries: int | None = 0

    def form(self, domain_key: str) -> list[tuple[str, str]]:
        fields = {
            "result": self.result,
            "domain_key": domain_key,
            "query": self.sql,
            "priority": self.priority,
            "pool_name": self.pool,
            "scheduled_time": self.scheduled,
            "result_connection_id": self.connection,
            "result_connection_settings": self.connection_settings,
            "engine_version": self.engine_version,
            "version": VERSION,
            "retry_limit": self.retries,
        }
        return [(key, str(value)) for key, value in fields.items() if value is not None]


class TdJob:
    """A job that succeeded."""

    def __init__(self, api: TdApi, job_id: str) -> None:
        self.api, self.id = api, job_id

    def show(self) -> dict[str, Any]:
        return _mapping(self.api.get(f"/v3/job/show/{self.id}"))

    def columns(self) -> list[str]:
        """The names of the result's columns; none where the job has no result."""
        schema = json.loads(self.show().get("hive_result_schema") or "[]")
        return [str(column[0]) for column in schema]

    def records(self) -> int:
        return int(self.show().get("num_records") or 0)

    def rows(self, read: Callable[[Iterator[Row]], T]) -> T:
        return self.api.result(self.id, read)

    def first(self, most: int) -> list[Row]:
        """The first rows; none where the job, an insert, has no result."""
        try:
            return self.rows(lambda rows: list(itertools.islice(rows, most)))
        except TdApiError as error:
            if error.status == 404:
                return []
            raise


def run(api: TdApi, query: Query, task: str) -> TdJob:
    """A query as a job, waited for; raises `TaskError` when it fails."""
    path = f"/v3/job/issue/{query.engine}/{query.database}"
    return start(api, lambda key: api.post(path, query.form(key)), task)


def start(api: TdApi, issue: Callable[[str], Any], task: str) -> TdJob:
    """`issue` gets a domain key, by which a job that is sent twice is started once."""
    job_id = _issued(issue, str(uuid.uuid4()))
    print(f"job {job_id} of {task} is running", file=sys.stderr, flush=True)
    try:
        status = _wait(api, job_id)
    except KeyboardInterrupt:
        with contextlib.suppress(TaskError):
            api.post(f"/v3/job/kill/{job_id}")
        raise
    job = TdJob(api, job_id)
    if status != "success":
        raise TaskError(f"job {job_id} ended as {status}: {_why(job.show())}")
    return job


def _issued(issue: Callable[[str], Any], domain_key: str) -> str:
    try:
        told = _mapping(issue(domain_key))
    except TdApiError as error:
        known = error.details.get("conflicts_with")
        if error.status == 409 and known:
            return str(known)
        raise
    return job_of(told)


def job_of(told: dict[str, Any]) -> str:
    """The id in an answer; raises `TaskError`."""
    found = told.get("job_id") or told.get("id")
    if not found:
        raise TaskError(f"the answer names no job: {sorted(told)}")
    return str(found)


def _wait(api: TdApi, job_id: str) -> str:
    pace = api.pace
    sleep(pace.poll)
    for turn in itertools.count():
        status = str(_mapping(api.get(f"/v3/job/status/{job_id}")).get("status"))
        if status in _ENDED:
            return status
        sleep(min(pace.poll * 2**turn, pace.longest_poll))
    raise AssertionError("a job ends")


def _why(shown: dict[str, Any]) -> str:
    debug = _mapping(shown.get("debug") or {})
    texts = (str(debug.get(part) or "").strip() for part in ("cmdout", "stderr"))
    told = "\n".join(text for text in texts if text) or "it left no message"
    return f"{told}: {REMEDIES[403]}" if "Access Denied" in told else told


def _mapping(told: Any) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise TaskError(f"Treasure Data answered with {type(told).__name__}, not an object")
    return told


def first_of(rows: Sequence[Row]) -> Row | None:
    return rows[0] if rows else None
