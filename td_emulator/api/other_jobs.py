"""Jobs that a request of their own starts: saved queries, loads, exports, partial deletes.

A saved query runs and a partial delete deletes; loads and exports only end well, since there is
nothing outside to load from. [Their answers were not verified on TD, but for the ids in them.]
"""

import threading
from collections.abc import Callable, Mapping

from td_emulator.api.jobs import Job, Jobs
from td_emulator.api.messages import Answer, ApiError, Call, answer
from td_emulator.engines.protocol import Engine
from td_mta.warehouse.names import quoted


class OtherJobs:
    """`saved_queries` are (database, query) by name or number, `bulk_loads` names."""

    def __init__(
        self,
        engine: Engine,
        jobs: Jobs,
        saved_queries: Mapping[str, tuple[str, str]],
        bulk_loads: set[str],
    ) -> None:
        self._engine, self._jobs = engine, jobs
        self._saved_queries, self._bulk_loads = saved_queries, bulk_loads

    def run_saved_by_id(self, call: Call, query: str) -> Answer:
        """POST /v4/queries/{query}/jobs, with JSON"""
        return answer(id=self._saved(call, query).id)

    def run_saved(self, call: Call, query: str, time: str) -> Answer:
        """POST /v3/schedule/run/{query}/{time}"""
        job = self._saved(call, query)
        return answer(jobs=[{"job_id": job.id, "type": job.type, "scheduled_at": time}])

    def load_by_name(self, call: Call, name: str) -> Answer:
        """POST /v3/bulk_loads/{name}/jobs, with JSON"""
        if name not in self._bulk_loads:
            raise ApiError(404, f"Couldn't find bulk load with name = {name}")
        return answer(job_id=self._without_effect(call, "bulkload").id)

    def load(self, call: Call, database: str) -> Answer:
        """POST /v3/job/issue/bulkload/{database}, with JSON"""
        if not call.parameters.get("config"):
            raise ApiError(422, "job/issue: config must not be blank")
        return answer(job_id=self._without_effect(call, "bulkload", database).id)

    def export(self, call: Call, database: str, table: str) -> Answer:
        """POST /v3/export/run/{database}/{table}"""
        self._need_table(database, table)
        return answer(job_id=self._without_effect(call, "export", database).id)

    def export_result(self, call: Call, job: str) -> Answer:
        """POST /v3/job/result_export/{job}"""
        if job not in self._jobs.jobs:
            raise ApiError(404, f"Couldn't find Job with id = {job}")
        return answer(job_id=self._without_effect(call, "result_export").id)

    def partial_delete(self, call: Call, database: str, table: str) -> Answer:
        """POST /v3/table/partialdelete/{database}/{table}"""
        self._need_table(database, table)
        start, end = (int(call.parameters[key]) for key in ("from", "to"))
        kept = f"{table[:240]}__kept"
        old, new = (f"{quoted(database)}.{quoted(name)}" for name in (table, kept))
        sql = (
            f"create table {new} as select * from {old} "
            f"where time is null or time < {start} or time >= {end}"
        )

        def delete(killed: threading.Event) -> None:
            self._engine.run(sql, database, start)
            self._engine.rename_table(database, kept, table)

        return answer(job_id=self._start(call, "partialdelete", database, delete).id)

    def _saved(self, call: Call, name: str) -> Job:
        if name not in self._saved_queries:
            raise ApiError(404, f"Couldn't find schedule with name = {name}")
        database, query = self._saved_queries[name]
        return self._jobs.begin(call, "presto", database, query, dict(call.parameters))

    def _without_effect(self, call: Call, type: str, database: str = "") -> Job:
        return self._start(call, type, database, lambda killed: None)

    def _start(
        self, call: Call, type: str, database: str, task: Callable[[threading.Event], None]
    ) -> Job:
        return self._jobs.start(call.path, type, database, task, dict(call.parameters))

    def _need_table(self, database: str, table: str) -> None:
        if table not in self._engine.tables(database):
            raise ApiError(404, f"Couldn't find table {database}.{table}")
