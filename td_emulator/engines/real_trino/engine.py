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
from td_emulator.engines.real_trino.connection import CATALOG, connect, executed
from td_emulator.engines.real_trino.job_text import job_text
from td_emulator.engines.script import Statement, statements
from td_mta.warehouse.names import quoted

_NOT_DATABASES = {"information_schema", "default", functions.SCHEMA}


class TrinoEngine:
    """Tables and statements of a Trino at an address, e.g. `RealTrino.url`.

    See `Engine` for the methods.
    """

    def __init__(self, url: str, catalog: str = CATALOG) -> None:
        self.url = url
        self.catalog = catalog
        self.lock = threading.RLock()  # held while tables change in several steps
        self._numbers = itertools.count()  # of temporary tables

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
        rows = self._rows(f"show columns from {_qualified(database, table)}")
        return [(name, kind) for name, kind, *_ in rows]

    def count(self, database: str, table: str) -> int:
        return int(self._rows(f"select count(*) from {_qualified(database, table)}")[0][0])

    def create_table(self, database: str, table: str, columns: Sequence[tuple[str, str]]) -> None:
        with self.lock:
            self._rows(f"drop table if exists {_qualified(database, table)}")
            self._create(_qualified(database, table), columns)

    def drop_table(self, database: str, table: str) -> None:
        self._rows(f"drop table {_qualified(database, table)}")

    def rename_table(self, database: str, table: str, new: str) -> None:
        """See `Engine`; in two steps, since Trino renames to no name that another table has."""
        with self.lock:
            self.columns(database, table)  # a missing table must not cost the other one
            if table != new:
                self._replace(database, table, new)

    def read(self, database: str, table: str) -> pa.Table:
        result = self._query(f"select * from {_qualified(database, table)}", database)
        pairs = zip(result.columns, result.types, strict=True)
        schema = pa.schema([(name, types.arrow(kind)) for name, kind in pairs])
        batches = [batch.rename_columns(result.columns) for batch in result.batches]
        return pa.Table.from_batches(batches, schema)

    def write(self, database: str, table: str, rows: pa.Table) -> None:
        with self.lock:
            temporary = self._temporary_name()
            columns = [(field.name, types.of_arrow(field.type)) for field in rows.schema]
            try:
                self._create(_qualified(database, temporary), columns)
                self._insert(_qualified(database, temporary), rows)
                self._replace(database, temporary, table)
            except BaseException:
                with contextlib.suppress(EngineError):
                    self._rows(f"drop table if exists {_qualified(database, temporary)}")
                raise

    def append(self, database: str, table: str, rows: pa.Table) -> None:
        with self.lock:
            self._widen(database, table, rows.schema)
            self._insert(_qualified(database, table), rows)

    def run(self, sql: str, database: str, scheduled_time: int) -> QueryResult | int:
        result: QueryResult | int = 0
        for statement in statements(sql, database):
            result = self._run(statement, job_text(statement.text, scheduled_time), database)
        return result

    def _run(self, statement: Statement, text: str, database: str) -> QueryResult | int:
        if not statement.writes:
            return self._query(text, database)
        rows = self._write(statement, text, database)
        # one row with the number of rows written, or with `true`
        return int(rows[0][0]) if rows and isinstance(rows[0][0], int) else 0

    def _write(self, statement: Statement, text: str, database: str) -> list[list[Any]]:
        """Run a writing statement; returns what Trino answers.

        Trino's memory connector leaves an empty table where `create table as` fails; Treasure Data
        leaves none.
        """
        is_new = statement.kind == "create_as" and (
            statement.table not in self.tables(statement.database)
        )
        try:
            with self._executed(text, database) as cursor:
                return list(cursor.fetchall())
        except EngineError:
            if is_new:
                table = _qualified(statement.database, statement.table)
                self._rows(f"drop table if exists {table}")
            raise

    def _query(self, sql: str, database: str) -> QueryResult:
        with self._executed(sql, database) as cursor:
            description = cursor.description or []
            names = tuple(str(column[0]) for column in description)
            trino_types = tuple(str(column[1]) for column in description)
            batches = values.spooled(iter(cursor.fetchone, None), trino_types)
            return QueryResult(names, trino_types, batches)

    def _rows(self, sql: str) -> list[list[Any]]:
        with self._executed(sql, None) as cursor:
            return list(cursor.fetchall())

    @contextlib.contextmanager
    def _executed(self, sql: str, database: str | None) -> Iterator[Cursor]:
        try:
            with (
                contextlib.closing(connect(self.url, database, self.catalog)) as connection,
                executed(connection, sql) as cursor,
            ):
                yield cursor
        except trino.exceptions.TrinoQueryError as error:
            raise _engine_error(error) from error

    def _widen(self, database: str, table: str, schema: pa.Schema) -> None:
        """Add the columns that only new rows have, before `time`.

        The table is made anew: one of the memory connector cannot be read after `add column`.
        """
        existing = [name for name, _ in self.columns(database, table)]
        new = [
            f"cast(null as {types.of_arrow(field.type)}) as {quoted(field.name)}"
            for field in schema
            if field.name not in existing
        ]
        if not new:
            return
        before_time = [quoted(name) for name in existing if name != TIME[0]]
        time_column = [quoted(name) for name in existing if name == TIME[0]]
        listed = ", ".join([*before_time, *new, *time_column])
        temporary = self._temporary_name()
        self._rows(
            f"create table {_qualified(database, temporary)} as "
            f"select {listed} from {_qualified(database, table)}"
        )
        self._replace(database, temporary, table)

    def _temporary_name(self) -> str:
        return f"passing_{os.getpid()}_{next(self._numbers)}"

    def _create(self, table: str, columns: Sequence[tuple[str, str]]) -> None:
        """Make a table; `table` is quoted already."""
        listed = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns)
        self._rows(f"create table {table} ({listed})")

    def _insert(self, table: str, rows: pa.Table) -> None:
        """Add rows; `table` is quoted already."""
        for statement in values.inserts(table, rows):
            self._rows(statement)

    def _replace(self, database: str, table: str, new: str) -> None:
        self._rows(f"drop table if exists {_qualified(database, new)}")
        self._rows(
            f"alter table {_qualified(database, table)} rename to {_qualified(database, new)}"
        )


def _qualified(database: str, table: str) -> str:
    return f"{quoted(database)}.{quoted(table)}"


def _engine_error(error: trino.exceptions.TrinoQueryError) -> EngineError:
    name, kind = error.error_name or "UNKNOWN", error.error_type or "INTERNAL_ERROR"
    return EngineError(name, error.message, kind)
