"""Which handler answers which request: the whole surface of the emulator as one table."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from td_emulator.api.bulk_imports import BulkImports
from td_emulator.api.databases import Databases
from td_emulator.api.jobs import Jobs
from td_emulator.api.messages import Answer, ApiError, Call
from td_emulator.api.trino_protocol import TrinoStatements

Handler = Callable[..., Answer]


@dataclass(frozen=True)
class Route:
    """A method, a path with `{names}`, its handler, and whether a key that only reads may ask."""

    method: str
    path: str
    handler: Handler
    reads: bool

    def match(self, method: str, path: str) -> dict[str, str] | None:
        if method != self.method:
            return None
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path)
        found = re.fullmatch(pattern, path)
        return found.groupdict() if found else None


def routes(
    databases: Databases, jobs: Jobs, imports: BulkImports, statements: TrinoStatements
) -> list[Route]:
    """Every request that is understood. What a job or a statement may do is seen when it runs."""
    read, write = True, False
    table: list[tuple[str, str, Handler, bool]] = [
        ("GET", "/v3/database/list", databases.list_databases, read),
        ("POST", "/v3/database/create/{database}", databases.create_database, write),
        ("POST", "/v3/database/delete/{database}", databases.delete_database, write),
        ("GET", "/v3/table/list/{database}", databases.list_tables, read),
        ("POST", "/v3/table/create/{database}/{table}/log", databases.create_table, write),
        ("POST", "/v3/table/delete/{database}/{table}", databases.delete_table, write),
        ("POST", "/v3/table/rename/{database}/{table}/{new}", databases.rename_table, write),
        ("POST", "/v3/table/swap/{database}/{table}/{other}", databases.swap_tables, write),
        ("POST", "/v3/table/update-schema/{database}/{table}", databases.update_schema, write),
        ("GET", "/v3/connections/lookup", databases.look_up_connection, read),
        ("GET", "/v3/system/server_status", databases.status, read),
        ("POST", "/v3/job/issue/{type}/{database}", jobs.issue, read),
        ("GET", "/v3/job/status/{job}", jobs.status, read),
        ("GET", "/v3/job/show/{job}", jobs.show, read),
        ("GET", "/v3/job/result/{job}", jobs.result, read),
        ("GET", "/v3/job/list", jobs.list_jobs, read),
        ("POST", "/v3/job/kill/{job}", jobs.kill, read),
        ("POST", "/v3/bulk_import/create/{name}/{database}/{table}", imports.create, write),
        ("PUT", "/v3/bulk_import/upload_part/{name}/{part}", imports.upload_part, write),
        ("POST", "/v3/bulk_import/delete_part/{name}/{part}", imports.delete_part, write),
        ("GET", "/v3/bulk_import/list_parts/{name}", imports.list_parts, read),
        ("POST", "/v3/bulk_import/freeze/{name}", imports.freeze, write),
        ("POST", "/v3/bulk_import/unfreeze/{name}", imports.unfreeze, write),
        ("POST", "/v3/bulk_import/perform/{name}", imports.perform, write),
        ("POST", "/v3/bulk_import/commit/{name}", imports.commit, write),
        ("POST", "/v3/bulk_import/delete/{name}", imports.delete, write),
        ("GET", "/v3/bulk_import/show/{name}", imports.show, read),
        ("GET", "/v3/bulk_import/list", imports.list_imports, read),
        ("GET", "/v3/bulk_import/error_records/{name}", imports.error_records, read),
        ("POST", "/v1/statement", statements.post, read),
        ("GET", "/v1/statement/executing/{id}/{number}", statements.page, read),
        ("DELETE", "/v1/statement/executing/{id}/{number}", statements.cancel, read),
    ]
    return [Route(*line) for line in table]


def dispatch(table: list[Route], method: str, call: Call) -> Answer:
    """The answer of the handler; an unknown path is a 404, a write by a reader a 403."""
    for route in table:
        found = route.match(method, call.path)
        if found is None:
            continue
        if not route.reads and not call.may_write:
            raise ApiError(403, "this API key may only read")
        return route.handler(call, **found)
    raise ApiError(404, f"the emulator does not know {method} {call.path}")
