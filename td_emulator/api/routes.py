"""Which handler answers which request: all that the emulator understands, as tables."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from td_emulator.api.bulk_imports import BulkImports
from td_emulator.api.databases import Databases
from td_emulator.api.jobs import Jobs
from td_emulator.api.messages import Answer, ApiError, Call
from td_emulator.api.other_jobs import OtherJobs
from td_emulator.api.trino_protocol import TrinoStatements

Handler = Callable[..., Answer]


@dataclass(frozen=True)
class Route:
    """A method, a path with `{names}`, its handler; `reads`: a read-only key may use it."""

    method: str
    path: str
    handler: Handler
    reads: bool

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """What stands in the path for each `{name}`; None where this is another request."""
        if method != self.method:
            return None
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path)
        matched = re.fullmatch(pattern, path)
        return matched.groupdict() if matched else None


def routes(
    databases: Databases,
    jobs: Jobs,
    other_jobs: OtherJobs,
    imports: BulkImports,
    statements: TrinoStatements,
) -> list[Route]:
    """Every request that is understood; what a job or a statement may do is checked later."""
    return [
        *_database_routes(databases),
        *_other_job_routes(other_jobs),
        *_job_routes(jobs),
        *_import_routes(imports),
        *_statement_routes(statements),
    ]


def _database_routes(databases: Databases) -> list[Route]:
    return [
        _read("GET", "/v3/database/list", databases.list_databases),
        _write("POST", "/v3/database/create/{database}", databases.create_database),
        _write("POST", "/v3/database/delete/{database}", databases.delete_database),
        _read("GET", "/v3/table/list/{database}", databases.list_tables),
        _write("POST", "/v3/table/create/{database}/{table}/log", databases.create_table),
        _write("POST", "/v3/table/delete/{database}/{table}", databases.delete_table),
        _write("POST", "/v3/table/rename/{database}/{table}/{new}", databases.rename_table),
        _write("POST", "/v3/table/swap/{database}/{table}/{other}", databases.swap_tables),
        _write("POST", "/v3/table/update-schema/{database}/{table}", databases.update_schema),
        _read("GET", "/v3/connections/lookup", databases.look_up_connection),
        _read("GET", "/v3/system/server_status", databases.status),
    ]


def _job_routes(jobs: Jobs) -> list[Route]:
    return [
        _read("POST", "/v3/job/issue/{type}/{database}", jobs.issue),
        _read("GET", "/v3/job/status/{job}", jobs.status),
        _read("GET", "/v3/job/show/{job}", jobs.show),
        _read("GET", "/v3/job/result/{job}", jobs.result),
        _read("GET", "/v3/job/list", jobs.list_jobs),
        _read("POST", "/v3/job/kill/{job}", jobs.kill),
    ]


def _other_job_routes(jobs: OtherJobs) -> list[Route]:
    return [
        _read("POST", "/v4/queries/{query}/jobs", jobs.run_saved_by_id),
        _read("POST", "/v3/schedule/run/{query}/{time}", jobs.run_saved),
        _write("POST", "/v3/bulk_loads/{name}/jobs", jobs.load_by_name),
        _write("POST", "/v3/job/issue/bulkload/{database}", jobs.load),
        _write("POST", "/v3/table/partialdelete/{database}/{table}", jobs.partial_delete),
        _read("POST", "/v3/export/run/{database}/{table}", jobs.export),
        _read("POST", "/v3/job/result_export/{job}", jobs.export_result),
    ]


def _import_routes(imports: BulkImports) -> list[Route]:
    return [
        _write("POST", "/v3/bulk_import/create/{name}/{database}/{table}", imports.create),
        _write("PUT", "/v3/bulk_import/upload_part/{name}/{part}", imports.upload_part),
        _write("POST", "/v3/bulk_import/delete_part/{name}/{part}", imports.delete_part),
        _read("GET", "/v3/bulk_import/list_parts/{name}", imports.list_parts),
        _write("POST", "/v3/bulk_import/freeze/{name}", imports.freeze),
        _write("POST", "/v3/bulk_import/unfreeze/{name}", imports.unfreeze),
        _write("POST", "/v3/bulk_import/perform/{name}", imports.perform),
        _write("POST", "/v3/bulk_import/commit/{name}", imports.commit),
        _write("POST", "/v3/bulk_import/delete/{name}", imports.delete),
        _read("GET", "/v3/bulk_import/show/{name}", imports.show),
        _read("GET", "/v3/bulk_import/list", imports.list_imports),
        _read("GET", "/v3/bulk_import/error_records/{name}", imports.error_records),
    ]


def _statement_routes(statements: TrinoStatements) -> list[Route]:
    return [
        _read("POST", "/v1/statement", statements.post),
        _read("GET", "/v1/statement/executing/{id}/{number}", statements.page),
        _read("DELETE", "/v1/statement/executing/{id}/{number}", statements.cancel),
    ]


def _read(method: str, path: str, handler: Handler) -> Route:
    """For every key."""
    return Route(method, path, handler, reads=True)


def _write(method: str, path: str, handler: Handler) -> Route:
    """For a key that may write."""
    return Route(method, path, handler, reads=False)


def dispatch(table: list[Route], method: str, call: Call) -> Answer:
    """The answer of the handler; an unknown path is a 404, a write by a reader a 403."""
    for route in table:
        names = route.match(method, call.path)
        if names is None:
            continue
        if not route.reads and not call.may_write:
            raise ApiError(403, "this API key may only read")
        return route.handler(call, **names)
    raise ApiError(404, f"the emulator does not know {method} {call.path}")
