"""Databases and tables through the REST API; a few requests of a line beside them."""

import itertools
import json
import time
from collections.abc import Mapping
from typing import Any

from td_emulator import names
from td_emulator.api.jobs import utc
from td_emulator.api.messages import Answer, ApiError, Call, answer
from td_emulator.engines import types
from td_emulator.engines.protocol import TIME, Engine, EngineError


class Databases:
    """The databases and tables of an engine; connections are names with numbers."""

    def __init__(self, engine: Engine, connections: Mapping[str, int]) -> None:
        self._engine, self._connections = engine, connections
        self._ids: dict[tuple[str, str], int] = {}
        self._next_id = itertools.count(1)
        self._began = utc(time.time())

    def list_databases(self, call: Call) -> Answer:
        """GET /v3/database/list: one root key, which td-client-java unwraps."""
        return answer(databases=[self._database(name) for name in self._engine.databases()])

    def create_database(self, call: Call, database: str) -> Answer:
        """POST /v3/database/create/{database}"""
        _allowed("database", database)
        if database in self._engine.databases():
            raise ApiError(409, f"Database {database} already exists")
        self._engine.create_database(database)
        return answer(database=database)

    def delete_database(self, call: Call, database: str) -> Answer:
        """POST /v3/database/delete/{database}"""
        self._need_database(database)
        self._engine.drop_database(database)
        return answer(database=database)

    def list_tables(self, call: Call, database: str) -> Answer:
        """GET /v3/table/list/{database}"""
        self._need_database(database)
        tables = [self._table(database, name) for name in self._engine.tables(database)]
        return answer(database=database, tables=[table for table in tables if table])

    def create_table(self, call: Call, database: str, table: str) -> Answer:
        """POST /v3/table/create/{database}/{table}/log: a table with `time` alone."""
        self._need_database(database)
        _allowed("table", table)
        with self._engine.lock:
            if table in self._engine.tables(database):
                raise ApiError(409, f"Table {database}.{table} already exists")
            self._engine.create_table(database, table, [TIME])
        return _log_table(database, table)

    def delete_table(self, call: Call, database: str, table: str) -> Answer:
        """POST /v3/table/delete/{database}/{table}"""
        self._need_table(database, table)
        self._engine.drop_table(database, table)
        return _log_table(database, table)

    def rename_table(self, call: Call, database: str, table: str, new: str) -> Answer:
        """POST /v3/table/rename/{database}/{table}/{new}, which replaces with overwrite=true."""
        self._need_table(database, table)
        _allowed("table", new)
        overwrite = call.parameters.get("overwrite", "").lower() == "true"
        with self._engine.lock:
            if new in self._engine.tables(database) and not overwrite:
                raise ApiError(409, f"Table {database}.{new} already exists")
            self._engine.rename_table(database, table, new)
        return _log_table(database, new)

    def swap_tables(self, call: Call, database: str, table: str, other: str) -> Answer:
        """POST /v3/table/swap/{database}/{table}/{other}"""
        with self._engine.lock:
            self._need_table(database, table)
            self._need_table(database, other)
            temporary = names.unused(table, "swapping")
            for old, new in ((table, temporary), (other, table), (temporary, other)):
                self._engine.rename_table(database, old, new)
        return answer(database=database, table1=table, table2=other)

    def update_schema(self, call: Call, database: str, table: str) -> Answer:
        """POST /v3/table/update-schema/{database}/{table}, here only while it has no rows."""
        self._need_table(database, table)
        try:
            schema = json.loads(call.parameters.get("schema", ""))
            columns = [(str(name), types.from_td(kind)) for name, kind, *_ in schema]
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise ApiError(422, f"update-schema: not a schema: {error}") from error
        with self._engine.lock:
            if self._engine.count(database, table):
                raise ApiError(
                    422, "update-schema: the emulator can do it only to a table without rows"
                )
            self._engine.create_table(database, table, [*columns, TIME])
        return _log_table(database, table)

    def look_up_connection(self, call: Call) -> Answer:
        """GET /v3/connections/lookup?name="""
        name = call.parameters.get("name", "")
        if name not in self._connections:
            raise ApiError(404, f"Couldn't find connection with name = {name}")
        return answer(id=self._connections[name])

    def status(self, call: Call) -> Answer:
        """GET /v3/system/server_status"""
        return answer(status="ok")

    def _database(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "count": 0,
            "created_at": self._began,
            "updated_at": self._began,
            "organization": None,
            "permission": "administrator",
        }

    def _table(self, database: str, table: str) -> dict[str, Any] | None:
        """The entry of a table in the list; None where it was dropped meanwhile."""
        try:
            columns = self._engine.columns(database, table)
            count = self._engine.count(database, table)
        except EngineError:
            return None
        schema = [[name, types.to_td(kind), name] for name, kind in columns if name != TIME[0]]
        return {
            "id": self._ids.setdefault((database, table), next(self._next_id)),
            "name": table,
            "type": "log",
            "count": count,
            "estimated_storage_size": 0,
            "created_at": self._began,
            "updated_at": self._began,
            "counter_updated_at": self._began,
            "last_log_timestamp": None,
            "delete_protected": False,
            "expire_days": None,
            "schema": json.dumps(schema),
        }

    def _need_database(self, database: str) -> None:
        if database not in self._engine.databases():
            raise ApiError(404, f"Couldn't find Database with name = {database}")

    def _need_table(self, database: str, table: str) -> None:
        self._need_database(database)
        if table not in self._engine.tables(database):
            raise ApiError(404, f"Couldn't find Table with name = {table} in {database}")


def _allowed(kind: str, name: str) -> None:
    complaint = names.complaint(kind, name)
    if complaint:
        raise ApiError(422, complaint)


def _log_table(database: str, table: str) -> Answer:
    return answer(database=database, table=table, type="log")
