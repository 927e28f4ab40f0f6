"""A real Trino as the emulator's engine: a schema of its catalog is a database."""

import contextlib
import itertools
import os
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import trino
from trino.dbapi import Cursor

from td_emulator.engines import types
from td_emulator.engines.protocol import TIME, EngineError, QueryResult
from td_emulator.engines.real_trino import functions, values
from td_emulator.engines.real_trino.connection import connect, executed
from td_emulator.engines.real_trino.job_text import job_text
from td_emulator.engines.real_trino.values import quoted
from td_emulator.engines.script import Statement, statements

_NOT_DATABASES = {"information_schema", "default", functions.SCHEMA}


class TrinoEngine:
    """Tables and statements of a Trino at an address, e.g. of `RealTrino.url`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._lock = threading.Lock()  # of what changes tables in several steps
        self._passing = itertools.count()

    def databases(self) -> list[str]:
        names = {row[0] for row in self._rows("show schemas")}
        return sorted(names - _NOT_DATABASES)

    def create_database(self, database: str) -> None:
        self._rows(f"create schema if not exists {quoted(database)}")

    def drop_database(self, database: str) -> None:
        for table in self.tables(database):
            self.drop_table(database, table)
        self._rows(f"drop schema {quoted(database)}")

    def tables(self, database: str) -> list[str]:
        return sorted(row[0] for row in self._rows(f"show tables from {quoted(database)}"))

    def columns(self, database: str, table: str) -> list[tuple[str, str]]:
        return [
            (row[0], row[1]) for row in self._rows(f"show columns from {_place(database, table)}")
        ]

    def count(self, database: str, table: str) -> int:
        return int(self._rows(f"select count(*) from {_place(database, table)}")[0][0])

    def create_table(self, database: str, table: str, columns: Sequence[tuple[str, str]]) -> None:
        with self._lock:
            self._rows(f"drop table if exists {_place(database, table)}")
            self._create(_place(database, table), columns)

    def drop_table(self, database: str, table: str) -> None:
        self._rows(f"drop table {_place(database, table)}")

    def rename_table(self, database: str, table: str, new: str) -> None:
        """The old table of the new name gives way in a step of its own: Trino has no other way."""
        with self._lock:
            self.columns(database, table)  # a missing table must not cost the other one
            if table != new:
                self._replace(database, table, new)

    def read(self, database: str, table: str) -> pa.Table:
        found = self._query(f"select * from {_place(database, table)}", database)
        schema = [
            (name, types.arrow(kind)) for name, kind in zip(found.columns, found.types, strict=True)
        ]
        batches = [batch.rename_columns(found.columns) for batch in found.batches]
        return pa.Table.from_batches(batches, pa.schema(schema))

    def write(self, database: str, table: str, rows: pa.Table) -> None:
        with self._lock:
            passing = f"passing_{os.getpid()}_{next(self._passing)}"
            columns = [(field.name, types.of_arrow(field.type)) for field in rows.schema]
            try:
                self._create(_place(database, passing), columns)
                self._insert(_place(database, passing), rows)
                self._replace(database, passing, table)
            except BaseException:
                with contextlib.suppress(EngineError):
                    self._rows(f"drop table if exists {_place(database, passing)}")
                raise

    def append(self, database: str, table: str, rows: pa.Table) -> None:
        with self._lock:
            self._widen(database, table, rows.schema)
            self._insert(_place(database, table), rows)

    def run(self, sql: str, database: str, scheduled_time: int) -> QueryResult | int:
        result: QueryResult | int = 0
        for statement in statements(sql, database):
            result = self._ran(statement, job_text(statement.text, scheduled_time), database)
        return result

    def _ran(self, statement: Statement, text: str, database: str) -> QueryResult | int:
        if not statement.writes:
            return self._query(text, database)
        rows = self._written(statement, text, database)
        return int(rows[0][0]) if rows and isinstance(rows[0][0], int) else 0

    def _written(self, statement: Statement, text: str, database: str) -> list[list[Any]]:
        """What a writing statement answers. Trino's memory connector leaves an empty table where
        `create table as` fails; Treasure Data leaves none."""
        place = _place(statement.database, statement.table)
        makes = statement.kind == "create_as"
        is_new = makes and statement.table not in self.tables(statement.database)
        try:
            with self._executed(text, database) as cursor:
                return list(cursor.fetchall())
        except EngineError:
            if is_new:
                self._rows(f"drop table if exists {place}")
            raise

    def _query(self, sql: str, database: str) -> QueryResult:
        with self._executed(sql, database) as cursor:
            described = cursor.description or []
            names, kinds = (tuple(str(part[n]) for part in described) for n in (0, 1))
            return QueryResult(names, kinds, values.spooled(iter(cursor.fetchone, None), kinds))

    def _rows(self, sql: str) -> list[list[Any]]:
        with self._executed(sql, None) as cursor:
            return list(cursor.fetchall())

    @contextlib.contextmanager
    def _executed(self, sql: str, database: str | None) -> Iterator[Cursor]:
        try:
            with (
                contextlib.closing(connect(self.url, database)) as connection,
                executed(connection, sql) as cursor,
            ):
                yield cursor
        except trino.exceptions.TrinoQueryError as error:
            raise _engine_error(error) from error

    def _widen(self, database: str, table: str, schema: pa.Schema) -> None:
        """Add the columns that only new rows have, before `time`, by making the table anew: a table
        of the memory connector cannot be read after `add column`."""
        there = [name for name, _ in self.columns(database, table)]
        new = [
            f"cast(null as {types.of_arrow(field.type)}) as {quoted(field.name)}"
            for field in schema
            if field.name not in there
        ]
        if not new:
            return
        first, last = ([quoted(n) for n in there if (n == TIME[0]) == end] for end in (False, True))
        passing = f"passing_{os.getpid()}_{next(self._passing)}"
        self._rows(
            f"create table {_place(database, passing)} as "
            f"select {', '.join([*first, *new, *last])} from {_place(database, table)}"
        )
        self._replace(database, passing, table)

    def _create(self, place: str, columns: Sequence[tuple[str, str]]) -> None:
        listed = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns)
        self._rows(f"create table {place} ({listed})")

    def _insert(self, place: str, rows: pa.Table) -> None:
        for statement in values.inserts(place, rows):
            self._rows(statement)

    def _replace(self, database: str, table: str, new: str) -> None:
        self._rows(f"drop table if exists {_place(database, new)}")
        self._rows(f"alter table {_place(database, table)} rename to {_place(database, new)}")


def _place(database: str, table: str) -> str:
    return f"{quoted(database)}.{quoted(table)}"


def _engine_error(error: trino.exceptions.TrinoQueryError) -> EngineError:
    name, kind = error.error_name or "UNKNOWN", error.error_type or "INTERNAL_ERROR"
    return EngineError(name, error.message, kind)
