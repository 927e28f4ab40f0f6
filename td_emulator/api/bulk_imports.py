"""Bulk imports: create, upload parts, freeze, perform, commit.

Rows are in the table only after the commit. A part that is sent again replaces the one of its name.
A request that the state of an import does not allow is a 409 [TD's own status was not verified].
"""

import gzip
import io
import os
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgpack

from td_emulator.api.jobs import Job, Jobs
from td_emulator.api.messages import Answer, ApiError, Call, answer
from td_emulator.api.records import Imported, read_parts
from td_emulator.api.work import Work
from td_emulator.engines.protocol import Engine, is_new_table

Status = Literal["uploading", "performing", "ready", "committing", "committed"]


@dataclass(kw_only=True)
class BulkImport:
    """One session of uploads for a table."""

    name: str
    database: str
    table: str
    folder: Path
    append: bool
    status: Status = "uploading"
    frozen: bool = False
    job: Job | None = None
    parts: dict[str, Path] = field(default_factory=dict)
    imported: Imported | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def state(self) -> Status:
        """The status; after a failed job it is as before the job."""
        failed = self.job is not None and self.job.status in ("error", "killed")
        return "uploading" if self.status == "performing" and failed else self.status

    def shown(self) -> dict[str, Any]:
        """What the requests `show` and `list` answer."""
        imported = self.imported
        return {
            "name": self.name,
            "database": self.database,
            "table": self.table,
            "status": self.state,
            "upload_frozen": self.frozen,
            "job_id": self.job.id if self.job else None,
            "valid_records": imported.valid_records if imported else None,
            "error_records": imported.error_records if imported else None,
            "valid_parts": imported.valid_parts if imported else None,
            "error_parts": imported.error_parts if imported else None,
        }


class BulkImports:
    """All bulk imports of an emulator."""

    def __init__(self, engine: Engine, jobs: Jobs, folder: Path) -> None:
        self._engine, self._jobs, self._folder = engine, jobs, folder
        self._imports: dict[str, BulkImport] = {}
        self._commits: list[Work] = []
        self._lock = threading.Lock()
        self._created = 0

    def create(self, call: Call, name: str, database: str, table: str) -> Answer:
        """POST /v3/bulk_import/create/{name}/{database}/{table}"""
        self._need_table(database, table)
        with self._lock:
            if name in self._imports:
                raise ApiError(409, f"Bulk import session {name} already exists")
            self._created += 1
            folder = self._folder / f"import_{self._created}"
            folder.mkdir()
            self._imports[name] = BulkImport(
                name=name, database=database, table=table, folder=folder,
                append=call.parameters.get("mode") == "append",
            )  # fmt: skip
        return answer(name=name, bulk_import=name)

    def upload_part(self, call: Call, name: str, part: str) -> Answer:
        """PUT /v3/bulk_import/upload_part/{name}/{part}; the server checked that it is complete."""
        session = self._session(name)
        if call.body is None:
            raise ApiError(422, f"part {part} has no content")
        with session.lock:
            if session.frozen:
                raise ApiError(409, f"Bulk import session {name} is frozen: it takes no more parts")
            number = len(list(session.folder.iterdir()))
            path = session.folder / f"{number}.msgpack.gz"
            os.link(call.body, path)  # the server removes its own name of the file
            session.parts[part] = path
        return answer(name=name, bulk_import=name)

    def delete_part(self, call: Call, name: str, part: str) -> Answer:
        """POST /v3/bulk_import/delete_part/{name}/{part}"""
        session = self._session(name)
        with session.lock:
            if session.frozen or part not in session.parts:
                status = 409 if session.frozen else 404
                raise ApiError(status, f"part {part} cannot be deleted")
            del session.parts[part]
        return answer(name=name, bulk_import=name)

    def list_parts(self, call: Call, name: str) -> Answer:
        """GET /v3/bulk_import/list_parts/{name}"""
        return answer(name=name, parts=sorted(self._session(name).parts))

    def freeze(self, call: Call, name: str) -> Answer:
        """POST /v3/bulk_import/freeze/{name}"""
        self._session(name).frozen = True
        return answer(name=name, bulk_import=name)

    def unfreeze(self, call: Call, name: str) -> Answer:
        """POST /v3/bulk_import/unfreeze/{name}"""
        session = self._session(name)
        with session.lock:
            if session.state not in ("uploading", "ready"):
                raise ApiError(409, f"Bulk import session {name} is {session.state}")
            session.frozen, session.status = False, "uploading"
        return answer(name=name, bulk_import=name)

    def perform(self, call: Call, name: str) -> Answer:
        """POST /v3/bulk_import/perform/{name}: a job that reads the parts."""
        session = self._session(name)
        with session.lock:
            if not session.frozen or session.state not in ("uploading", "ready"):
                state = session.state if session.frozen else "not frozen"
                raise ApiError(
                    409, f"Bulk import session {name} is {state}: it cannot be performed"
                )
            session.status = "performing"

            def task(killed: threading.Event) -> None:
                self._perform(session, killed)

            session.job = self._jobs.start(call.path, "bulk_import_perform", session.database, task)
        return answer(name=name, bulk_import=name, job_id=int(session.job.id))

    def commit(self, call: Call, name: str) -> Answer:
        """POST /v3/bulk_import/commit/{name}: answered before the rows are in the table."""
        session = self._session(name)
        self._need_table(session.database, session.table)
        with session.lock:
            if session.state != "ready":
                raise ApiError(409, f"Bulk import session {name} is {session.state}, not ready")
            session.status = "committing"
        work = Work(lambda killed: self._commit(session))
        self._commits.append(work)
        work.start()
        return answer(name=name, bulk_import=name)

    def delete(self, call: Call, name: str) -> Answer:
        """POST /v3/bulk_import/delete/{name}; rows that are committed stay."""
        with self._lock:
            session = self._session(name)
            del self._imports[name]
        if session.state not in ("performing", "committing"):
            shutil.rmtree(session.folder, ignore_errors=True)
        return answer(name=name, bulk_import=name)

    def show(self, call: Call, name: str) -> Answer:
        """GET /v3/bulk_import/show/{name}"""
        return answer(**self._session(name).shown())

    def list_imports(self, call: Call) -> Answer:
        """GET /v3/bulk_import/list"""
        return answer(bulk_imports=[session.shown() for session in self._imports.values()])

    def error_records(self, call: Call, name: str) -> Answer:
        """GET /v3/bulk_import/error_records/{name}: gzipped msgpack."""
        imported = self._session(name).imported
        target = io.BytesIO()
        with gzip.GzipFile(fileobj=target, mode="wb") as file:
            for record in imported.errors if imported else []:
                file.write(msgpack.packb(record))
        return Answer(body=target.getvalue(), type="application/octet-stream")

    def stop(self) -> None:
        """Wait for the commits that have begun."""
        for work in self._commits:
            work.wait(10)

    def _perform(self, session: BulkImport, killed: threading.Event) -> None:
        columns = dict(self._engine.columns(session.database, session.table))
        imported = read_parts(session.parts, columns, session.folder / "rows.arrow")
        if not killed.is_set():
            session.imported, session.status = imported, "ready"

    def _commit(self, session: BulkImport) -> None:
        try:
            if session.imported is None:
                return
            rows = session.imported.table()
            with self._engine.lock:  # of two imports into a new table one comes second
                is_first = is_new_table(self._engine, session.database, session.table)
                add = self._engine.write if is_first else self._engine.append
                add(session.database, session.table, rows)
            session.status = "committed"
        finally:
            if session.status != "committed":
                session.status = "ready"  # to be committed again

    def _session(self, name: str) -> BulkImport:
        if name not in self._imports:
            raise ApiError(404, f"Couldn't find Bulk import session with name = {name}")
        return self._imports[name]

    def _need_table(self, database: str, table: str) -> None:
        if database not in self._engine.databases() or table not in self._engine.tables(database):
            raise ApiError(404, f"Couldn't find Table with name = {table} in {database}")
