"""Bulk imports: create, upload parts, freeze, perform, commit.

Rows are in the table only after the commit. A part that is sent again replaces the one of its name.
What is done in a state that does not allow it is a 409 [which status TD gives was not verified].
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
from td_emulator.engines.protocol import TIME, Engine

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
        """A session whose job failed is as before it."""
        failed = self.job is not None and self.job.status in ("error", "killed")
        return "uploading" if self.status == "performing" and failed else self.status

    def shown(self) -> dict[str, Any]:
        """As `show` and `list` have it."""
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
        self._made = 0

    def create(self, call: Call, name: str, database: str, table: str) -> Answer:
        """POST /v3/bulk_import/create/{name}/{database}/{table}"""
        self._need_table(database, table)
        with self._lock:
            if name in self._imports:
                raise ApiError(409, f"Bulk import session {name} already exists")
            self._made += 1
            folder = self._folder / f"import_{self._made}"
            folder.mkdir()
            self._imports[name] = BulkImport(
                name=name, database=database, table=table, folder=folder,
                append=call.parameters.get("mode") == "append",
            )  # fmt: skip
        return answer(name=name, bulk_import=name)

    def upload_part(self, call: Call, name: str, part: str) -> Answer:
        """PUT /v3/bulk_import/upload_part/{name}/{part}; the server has seen that it is whole."""
        found = self._found(name)
        if call.body is None:
            raise ApiError(422, f"part {part} has no content")
        with found.lock:
            if found.frozen:
                raise ApiError(409, f"Bulk import session {name} is frozen: it takes no more parts")
            path = found.folder / f"{len(list(found.folder.iterdir()))}.msgpack.gz"
            os.link(call.body, path)
            found.parts[part] = path
        return answer(name=name, bulk_import=name)

    def delete_part(self, call: Call, name: str, part: str) -> Answer:
        """POST /v3/bulk_import/delete_part/{name}/{part}"""
        found = self._found(name)
        with found.lock:
            if found.frozen or part not in found.parts:
                raise ApiError(404 if not found.frozen else 409, f"part {part} cannot be deleted")
            del found.parts[part]
        return answer(name=name, bulk_import=name)

    def list_parts(self, call: Call, name: str) -> Answer:
        """GET /v3/bulk_import/list_parts/{name}"""
        return answer(name=name, parts=sorted(self._found(name).parts))

    def freeze(self, call: Call, name: str) -> Answer:
        """POST /v3/bulk_import/freeze/{name}"""
        self._found(name).frozen = True
        return answer(name=name, bulk_import=name)

    def unfreeze(self, call: Call, name: str) -> Answer:
        """POST /v3/bulk_import/unfreeze/{name}"""
        found = self._found(name)
        with found.lock:
            if found.state not in ("uploading", "ready"):
                raise ApiError(409, f"Bulk import session {name} is {found.state}")
            found.frozen, found.status = False, "uploading"
        return answer(name=name, bulk_import=name)

    def perform(self, call: Call, name: str) -> Answer:
        """POST /v3/bulk_import/perform/{name}: a job that reads the parts."""
        found = self._found(name)
        with found.lock:
            if not found.frozen or found.state not in ("uploading", "ready"):
                word = found.state if found.frozen else "not frozen"
                raise ApiError(409, f"Bulk import session {name} is {word}: it cannot be performed")
            found.status = "performing"

            def task(killed: threading.Event) -> None:
                self._perform(found, killed)

            found.job = self._jobs.start(call.path, "bulk_import_perform", found.database, task)
        return answer(name=name, bulk_import=name, job_id=int(found.job.id))

    def commit(self, call: Call, name: str) -> Answer:
        """POST /v3/bulk_import/commit/{name}: answered before the rows are in the table."""
        found = self._found(name)
        self._need_table(found.database, found.table)
        with found.lock:
            if found.state != "ready":
                raise ApiError(409, f"Bulk import session {name} is {found.state}, not ready")
            found.status = "committing"
        work = Work(lambda killed: self._commit(found))
        self._commits.append(work)
        work.start()
        return answer(name=name, bulk_import=name)

    def delete(self, call: Call, name: str) -> Answer:
        """POST /v3/bulk_import/delete/{name}; rows that are committed stay."""
        with self._lock:
            found = self._found(name)
            del self._imports[name]
        if found.state not in ("performing", "committing"):
            shutil.rmtree(found.folder, ignore_errors=True)
        return answer(name=name, bulk_import=name)

    def show(self, call: Call, name: str) -> Answer:
        """GET /v3/bulk_import/show/{name}"""
        return answer(**self._found(name).shown())

    def list_imports(self, call: Call) -> Answer:
        """GET /v3/bulk_import/list"""
        return answer(bulk_imports=[found.shown() for found in self._imports.values()])

    def error_records(self, call: Call, name: str) -> Answer:
        """GET /v3/bulk_import/error_records/{name}: gzipped msgpack."""
        imported = self._found(name).imported
        target = io.BytesIO()
        with gzip.GzipFile(fileobj=target, mode="wb") as file:
            for record in imported.errors if imported else []:
                file.write(msgpack.packb(record))
        return Answer(body=target.getvalue(), type="application/octet-stream")

    def stop(self) -> None:
        for work in self._commits:
            work.wait(10)

    def _perform(self, found: BulkImport, killed: threading.Event) -> None:
        there = dict(self._engine.columns(found.database, found.table))
        imported = read_parts(found.parts, there, found.folder / "rows.arrow")
        if not killed.is_set():
            found.imported, found.status = imported, "ready"

    def _commit(self, found: BulkImport) -> None:
        try:
            if found.imported is None:
                return
            rows = found.imported.table()
            is_new = self._engine.columns(found.database, found.table) == [TIME]
            if is_new and not self._engine.count(found.database, found.table):
                self._engine.write(found.database, found.table, rows)
            else:
                self._engine.append(found.database, found.table, rows)
            found.status = "committed"
        finally:
            if found.status != "committed":
                found.status = "ready"

    def _found(self, name: str) -> BulkImport:
        if name not in self._imports:
            raise ApiError(404, f"Couldn't find Bulk import session with name = {name}")
        return self._imports[name]

    def _need_table(self, database: str, table: str) -> None:
        if database not in self._engine.databases() or table not in self._engine.tables(database):
            raise ApiError(404, f"Couldn't find Table with name = {table} in {database}")
