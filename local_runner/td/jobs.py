"""A job on Treasure Data, from its issue to its rows, with the requests of Digdag."""

import contextlib
import itertools
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from local_runner.task_request import TaskError
from local_runner.td.api import REMEDIES, Row, TdApi, TdApiError
from local_runner.together import log, sleep

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
        """The fields of the request that issues the job."""
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
        """What Treasure Data knows of the job."""
        return _mapping(self.api.get(f"/v3/job/show/{self.id}"))

    def columns(self) -> list[str]:
        """The names of the result's columns; none where the job has no result."""
        schema = json.loads(self.show().get("hive_result_schema") or "[]")
        return [str(column[0]) for column in schema]

    def records(self) -> int:
        """The number of rows of the result."""
        return int(self.show().get("num_records") or 0)

    def rows(self, read: Callable[[Iterator[Row]], T]) -> T:
        """What `read` makes of the rows; it is called again when the connection breaks."""
        return self.api.result(self.id, read)

    def first(self, most: int) -> list[Row]:
        """The first rows; none where the job, an insert, has no result."""
        try:
            return self.rows(lambda rows: list(itertools.islice(rows, most)))
        except TdApiError as error:
            if error.status == 404:
                return []
            raise

    def first_row(self) -> Row | None:
        """The first row; None where the result is empty or missing."""
        rows = self.first(1)
        return rows[0] if rows else None


def run(api: TdApi, query: Query, task_name: str) -> TdJob:
    """A query as a job, waited for; raises `TaskError` when it fails."""
    path = f"/v3/job/issue/{query.engine}/{query.database}"
    return run_started(api, lambda domain_key: api.post(path, query.form(domain_key)), task_name)


def run_started(api: TdApi, start: Callable[[str], Any], task_name: str) -> TdJob:
    """The job that `start` makes of a domain key, waited for; raises `TaskError`.

    By the domain key a job that is sent twice, after a lost answer, is started once.
    """
    job_id = _id(lambda: start(str(uuid.uuid4())))
    log(f"job {job_id} of {task_name} is running")
    try:
        status = _wait(api, job_id)
    except KeyboardInterrupt:
        with contextlib.suppress(TaskError):
            api.post(f"/v3/job/kill/{job_id}")
        raise
    job = TdJob(api, job_id)
    if status != "success":
        shown = job.show()
        raise TaskError(f"job {job_id} ended as {status}: {_reason(shown)}", told=_told(shown))
    return job


def _id(start: Callable[[], Any]) -> str:
    """The id of the new job, or of the one that an earlier try started."""
    try:
        answer = _mapping(start())
    except TdApiError as error:
        started_before = error.details.get("conflicts_with")
        if error.status == 409 and started_before:
            return str(started_before)
        raise
    started = _mapping(next(iter(answer.get("jobs") or ()), answer))
    job_id = started.get("job_id") or started.get("id")
    if not job_id:
        raise TaskError(f"Treasure Data's answer must name a job, it has only {sorted(answer)}")
    return str(job_id)


def _wait(api: TdApi, job_id: str) -> str:
    patience = api.patience
    pause = patience.poll
    sleep(pause)
    while True:  # 1, 2, 4 ... 30 s, as Digdag
        status = str(_mapping(api.get(f"/v3/job/status/{job_id}")).get("status"))
        if status in _ENDED:
            return status
        sleep(pause)
        pause = min(2 * pause, patience.longest_poll)


def _logs(job: dict[str, Any]) -> list[str]:
    logs = _mapping(job.get("debug") or {})
    return [str(logs.get(part) or "") for part in ("cmdout", "stderr")]


def _told(job: dict[str, Any]) -> str:
    """What Digdag says of a job that failed: both of its logs."""
    return "\n".join(_logs(job))


def _reason(job: dict[str, Any]) -> str:
    """Why a job failed, from its logs."""
    texts = [text.strip() for text in _logs(job)]
    reason = "\n".join(text for text in texts if text) or "it left no message"
    return f"{reason}: {REMEDIES[403]}" if "Access Denied" in reason else reason


def _mapping(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise TaskError(f"Treasure Data answered with {type(answer).__name__}, not an object")
    return answer
