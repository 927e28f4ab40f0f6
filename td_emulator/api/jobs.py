"""Jobs: issue, poll, show, kill; their rows as msgpack.

A job runs at once in a thread. `poll_again` polls are answered `queued` and `running` before its
end is shown, so that clients poll as they must with Treasure Data.
"""

import itertools
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from td_emulator.api.faults import Fault, Faults
from td_emulator.api.messages import Answer, ApiError, Call, answer
from td_emulator.api.results import JobResult
from td_emulator.api.work import ENDS, SqlTask, Work
from td_emulator.engines.protocol import Engine, EngineError

ENGINES = ("presto", "trino")  # there is no Hive: a job for it ends in an error
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_BINARY = "application/octet-stream"


@dataclass(kw_only=True)
class Job:
    """One job. `domain_key` is the client's own key of it, which no second job may have."""

    id: str
    type: str
    database: str
    query: str
    work: Work
    sql: SqlTask | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    created: float = field(default_factory=time.time)  # unix seconds
    polls: int = 0  # requests for its status so far

    @property
    def domain_key(self) -> str:
        """Empty where the client gave none."""
        return self.parameters.get("domain_key", "")

    @property
    def status(self) -> str:
        """The true state, which polls may be answered later."""
        return self.work.state

    @property
    def rows(self) -> JobResult | None:
        """The result of a query that succeeded, which may have no rows; None of any other job."""
        if self.sql is None or self.sql.types is None or self.status != "success":
            return None
        return self.sql.sink if isinstance(self.sql.sink, JobResult) else None


class Jobs:
    """All jobs of an emulator."""

    def __init__(self, engine: Engine, faults: Faults, folder: Path, poll_again: int) -> None:
        self._engine, self._faults, self._folder = engine, faults, folder
        self._poll_again = poll_again
        self._ids = itertools.count(1001)
        self._lock = threading.Lock()
        self.jobs: dict[str, Job] = {}
        self.duplicates: list[str] = []  # ids of jobs that were submitted again

    def issue(self, call: Call, type: str, database: str) -> Answer:
        """POST /v3/job/issue/{type}/{database}"""
        if database not in self._engine.databases():
            raise ApiError(404, f"Couldn't find database with name = {database}")
        query = call.parameters.get("query")
        if not query:
            raise ApiError(422, "job/issue: query must not be blank")
        parameters = {name: text for name, text in call.parameters.items() if name != "query"}
        job = self.begin(call, type, database, query, parameters)
        return answer(job=job.id, job_id=job.id, database=database)

    def begin(
        self, call: Call, type: str, database: str, query: str, parameters: dict[str, str]
    ) -> Job:
        """Start a query; raises `ApiError` 409 for one whose domain key is taken."""
        _check_numbers(parameters)
        with self._lock:
            self._refuse_duplicate(parameters.get("domain_key", ""))
            job = self._new(call, type, database, query, parameters)
        job.work.start()
        return job

    def start(
        self,
        path: str,
        type: str,
        database: str,
        task: Callable[[threading.Event], None],
        parameters: dict[str, str] | None = None,
    ) -> Job:
        """Start a job that is not SQL; `path` is that of the request, which chooses faults."""
        _check_numbers(parameters or {})
        with self._lock:
            self._refuse_duplicate((parameters or {}).get("domain_key", ""))
            work = Work(_with_fault(task, self._faults.of_job(path)))
            job = Job(
                id=str(next(self._ids)), type=type, database=database, query="", work=work,
                parameters=parameters or {},
            )  # fmt: skip
            self.jobs[job.id] = job
        job.work.start()
        return job

    def status(self, call: Call, job: str) -> Answer:
        """GET /v3/job/status/{job}"""
        return answer(**self._status(self._polled(job)))

    def show(self, call: Call, job: str) -> Answer:
        """GET /v3/job/show/{job}"""
        return answer(**self._shown(self._polled(job)))

    def list_jobs(self, call: Call) -> Answer:
        """GET /v3/job/list"""
        jobs = [self._shown(job) for job in self.jobs.values()]
        return answer(count=len(jobs), **{"from": 0, "to": len(jobs)}, jobs=jobs[::-1])

    def result(self, call: Call, job: str) -> Answer:
        """GET /v3/job/result/{job}?format=msgpack or msgpack.gz

        404 for a job without rows: Digdag takes it for no rows, td-client raises NotFoundError.
        """
        rows = self._job(job).rows
        if rows is None:
            raise ApiError(404, f"job {job} has no result")
        format = call.parameters.get("format", "")
        if format == "msgpack":
            return Answer(body=rows.plain(), length=rows.plain_bytes, type=_BINARY)
        if format == "msgpack.gz":
            return _gzipped_answer(rows, call.headers.get("range", ""))
        raise ApiError(422, f"job/result: format {format!r}: only msgpack and msgpack.gz are here")

    def kill(self, call: Call, job: str) -> Answer:
        """POST /v3/job/kill/{job}"""
        running = self._job(job)
        former_status = self._shown_status(running)
        running.work.kill()
        return answer(former_status=former_status, job_id=job)

    def stop(self) -> None:
        """Kill the jobs that still run, and wait until they end."""
        for job in self.jobs.values():
            job.work.kill()
        for job in self.jobs.values():
            job.work.wait(10)

    def _refuse_duplicate(self, domain_key: str) -> None:
        same = [job for job in self.jobs.values() if domain_key and job.domain_key == domain_key]
        if same:
            self.duplicates.append(same[0].id)
            raise ApiError(409, "domain_key has already been taken", conflicts_with=same[0].id)

    def _new(
        self, call: Call, type: str, database: str, query: str, parameters: dict[str, str]
    ) -> Job:
        id = str(next(self._ids))
        scheduled = parameters.get("scheduled_time", "")
        sql = SqlTask(
            self._engine,
            query,
            database,
            scheduled_time=int(scheduled) if scheduled.isdigit() else int(time.time()),
            may_write=call.may_write,
            sink=JobResult(self._folder / f"job_{id}.msgpack.gz"),
        )
        task = sql if type in ENGINES else _no_hive
        work = Work(_with_fault(task, self._faults.of_job(call.path)))
        job = Job(
            id=id, type=type, database=database, query=query, work=work, sql=sql,
            parameters=parameters,
        )  # fmt: skip
        self.jobs[id] = job
        return job

    def _job(self, id: str) -> Job:
        if id not in self.jobs:
            raise ApiError(404, f"Couldn't find Job with id = {id}")
        return self.jobs[id]

    def _polled(self, id: str) -> Job:
        job = self._job(id)
        job.polls += 1
        return job

    def _shown_status(self, job: Job) -> str:
        """The status that a client sees."""
        if job.polls <= self._poll_again:
            return "queued" if job.polls < 2 and self._poll_again > 1 else "running"
        return job.status

    def _status(self, job: Job) -> dict[str, Any]:
        status, work = self._shown_status(job), job.work
        ended = status in ENDS
        return {
            "job_id": job.id,
            "status": status,
            "created_at": utc(job.created),
            "updated_at": utc(work.ended or work.started or job.created),
            "start_at": utc(work.started) if work.started else None,
            "end_at": utc(work.ended) if ended else None,
            "duration": int(work.ended - work.started) if ended else 0,
            "cpu_time": None,
            "result_size": job.rows.gzip_bytes if job.rows else 0,
            "num_records": job.rows.rows if job.rows else 0,  # of a writing job: not verified
        }

    def _shown(self, job: Job) -> dict[str, Any]:
        ended = self._shown_status(job) in ENDS
        schema = None
        if ended and job.rows and job.sql and job.sql.types is not None:
            schema = json.dumps(list(zip(job.sql.columns, job.sql.types, strict=True)))
        return {
            **self._status(job),
            "type": job.type,
            "database": job.database,
            "query": job.query,
            "url": f"https://console.treasuredata.com/jobs/{job.id}",
            "result": job.parameters.get("result", ""),
            "hive_result_schema": schema,
            "debug": {"cmdout": f"started at {utc(job.created)}", "stderr": _stderr(job, ended)},
            "priority": int(job.parameters.get("priority") or 0),
            "retry_limit": int(job.parameters.get("retry_limit") or 0),
            "user_name": "emulator",
        }


def _check_numbers(parameters: dict[str, str]) -> None:
    """Raise `ApiError` for numbers that whoever lists the jobs could not read."""
    for name in ("priority", "retry_limit"):
        if not re.fullmatch(r"(-?[0-9]{1,9})?", parameters.get(name, "")):
            raise ApiError(422, f"job/issue: {name} must be a whole number")


def utc(seconds: float) -> str:
    """A time in unix seconds as Treasure Data writes it."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def _stderr(job: Job, ended: bool) -> str:
    if not ended or job.status == "success":
        return ""
    return f"Query {job.id} failed: {job.work.error}"


def _no_hive(killed: threading.Event) -> None:
    raise EngineError("NOT_SUPPORTED", "there is no Hive in this emulator: use presto or trino")


def _with_fault(
    task: Callable[[threading.Event], None], fault: Fault | None
) -> Callable[[threading.Event], None]:
    """The task, spoilt by the fault if there is one."""
    if fault is None:
        return task

    def spoilt(killed: threading.Event) -> None:
        if fault.kind == "job_error":
            raise EngineError("GENERIC_INTERNAL_ERROR", "the emulator was told to fail this job")
        if fault.kind == "job_killed":
            killed.set()
            return
        if not killed.wait(fault.seconds):
            task(killed)

    return spoilt


def _gzipped_answer(rows: JobResult, range_header: str) -> Answer:
    """The gzipped rows, or the range of bytes that td-client asks for when it loads in parallel."""
    size = rows.gzip_bytes
    bounds = _RANGE.fullmatch(range_header)
    if not bounds:
        return Answer(body=rows.gzipped(0, size), length=size, type=_BINARY)
    first, last = int(bounds[1]), min(int(bounds[2] or size), size - 1)
    return Answer(
        status=206,
        body=rows.gzipped(first, last + 1),
        length=max(last + 1 - first, 0),
        type=_BINARY,
        headers={"Content-Range": f"bytes {first}-{last}/{size}"},
    )
