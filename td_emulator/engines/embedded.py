"""The project's own Trino dialect over files: the engine that needs nothing but Python.

Statements run one after another. A query's rows go to a file first, so that rows which a client
still fetches do not change when their table does.

Tables loaded by bulk import have `time` as their last column, so `select *` lists it last. On
Treasure Data a table made by SQL gets a `time` of its own too [not verified]; here it does not.
"""

import contextlib
import functools
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from td_emulator.engines import inserts, types
from td_emulator.engines.folders import Folder
from td_emulator.engines.protocol import EngineError, QueryResult
from td_emulator.engines.script import Statement, statements
from td_emulator.engines.show import shown
from td_emulator.engines.spill import spilled
from td_emulator.engines.table_names import joined, separated
from td_mta.errors import MtaError, Refused
from td_mta.trino_on_datafusion import engine as sql_engine
from td_mta.trino_on_datafusion.binding.query import translate
from td_mta.trino_on_datafusion.program import TranslatedQuery
from td_mta.trino_on_datafusion.time_limit import QueryTookTooLong, TimeLimit
from td_mta.trino_on_datafusion.types import TrinoError, Type, from_arrow

P = ParamSpec("P")
R = TypeVar("R")


def _alone(
    method: Callable[Concatenate["EmbeddedEngine", P], R],
) -> Callable[Concatenate["EmbeddedEngine", P], R]:
    """A method that runs in one thread at a time."""

    @functools.wraps(method)
    def locked(self: "EmbeddedEngine", *args: P.args, **kwargs: P.kwargs) -> R:
        with self.lock:
            return method(self, *args, **kwargs)

    return locked


class EmbeddedEngine:
    """Databases are the folders in `folder`, see `Engine` for the methods.

    `memory_bytes`, `threads` and `limit` bound what one query takes.
    """

    def __init__(
        self,
        folder: Path,
        *,
        memory_bytes: int = 1 << 30,
        threads: int | None = None,
        limit: TimeLimit | None = None,
    ) -> None:
        self._limit = limit
        self._folder = Folder(Path(folder))
        self._memory_bytes, self._threads = memory_bytes, threads or os.cpu_count() or 1
        self.lock = threading.RLock()

    @_alone
    def databases(self) -> list[str]:
        return self._folder.databases()

    @_alone
    def create_database(self, database: str) -> None:
        self._folder.create_database(database)

    @_alone
    def drop_database(self, database: str) -> None:
        self._folder.drop_database(database)

    @_alone
    def tables(self, database: str) -> list[str]:
        return self._folder.tables(database)

    @_alone
    def columns(self, database: str, table: str) -> list[tuple[str, str]]:
        schema = self._folder.schema(database, table)
        return [(field.name.lower(), types.of_arrow(field.type)) for field in schema]

    @_alone
    def count(self, database: str, table: str) -> int:
        return int(pq.read_metadata(self._folder.typed_file(database, table)).num_rows)

    @_alone
    def create_table(self, database: str, table: str, columns: Sequence[tuple[str, str]]) -> None:
        try:
            schema = pa.schema([(name, types.arrow(kind)) for name, kind in columns])
        except (ValueError, TypeError, IndexError) as error:
            raise EngineError("TYPE_NOT_FOUND", f"table {table}: {error}") from error
        self._folder.store(database, table, pa.RecordBatchReader.from_batches(schema, []))

    @_alone
    def drop_table(self, database: str, table: str) -> None:
        self._folder.drop(database, table)

    @_alone
    def rename_table(self, database: str, table: str, new: str) -> None:
        self._folder.rename(database, table, new)

    @_alone
    def read(self, database: str, table: str) -> pa.Table:
        return pq.read_table(self._folder.typed_file(database, table))

    @_alone
    def write(self, database: str, table: str, rows: pa.Table) -> None:
        self._folder.store(database, table, rows.replace_schema_metadata(None).to_reader())

    @_alone
    def append(self, database: str, table: str, rows: pa.Table) -> None:
        with pq.ParquetFile(self._folder.typed_file(database, table)) as old:
            self._folder.store(database, table, inserts.by_name(old, rows))

    @_alone
    def run(self, sql: str, database: str, scheduled_time: int) -> QueryResult | int:
        results = [
            self._run(statement, database, scheduled_time)
            for statement in statements(sql, database)
        ]
        return results[-1]

    def _run(self, statement: Statement, database: str, now: int) -> QueryResult | int:
        with _as_engine_errors():
            match statement.kind:
                case "query":
                    return self._query(statement.query, database, now)
                case "show":
                    return shown(statement.words, database, self)
                case "create" | "create_as" if self._exists(statement):
                    return 0
                case "create":
                    self.create_table(statement.database, statement.table, statement.columns)
                    return 0
                case "create_as":
                    return self._create_as(statement, database, now)
                case "insert":
                    return self._insert(statement, database, now)
                case "drop":
                    return self._drop(statement)
        raise EngineError(
            "NOT_SUPPORTED",
            "the embedded engine runs select, show, create table, insert into and drop table, not "
            f"{' '.join(statement.words.split())[:60]!r}; a real Trino (--trino) runs more",
        )

    def _query(self, sql: str, database: str, now: int) -> QueryResult:
        query = self._translated(sql, database, now)
        # Trino's names for columns without one
        columns = tuple(name or f"_col{position}" for position, name in enumerate(query.names))
        batches = spilled(self._rows(query, database), query.types, self._folder.scratch)
        return QueryResult(columns, tuple(str(kind) for kind in query.types), batches)

    def _exists(self, statement: Statement) -> bool:
        """Whether the table to make exists already; an error unless `if not exists` allows it."""
        if self._folder.find(statement.database, statement.table) is None:
            return False
        if statement.lenient:
            return True
        table = f'"td-presto".{statement.database}.{statement.table}'
        raise EngineError("TABLE_ALREADY_EXISTS", f"line 1:1: Table '{table}' already exists")

    def _create_as(self, statement: Statement, database: str, now: int) -> int:
        query = self._translated(statement.query, database, now)
        column_names = [name for name, _ in statement.columns]
        rows = inserts.as_table(query, self._rows(query, database), column_names)
        return self._folder.store(statement.database, statement.table, rows)

    def _insert(self, statement: Statement, database: str, now: int) -> int:
        with pq.ParquetFile(self._folder.typed_file(statement.database, statement.table)) as old:
            schema = old.schema_arrow
            target = inserts.Target(schema, [name for name, _ in statement.columns])
            query = self._translated(target.with_typed_nulls(statement.query), database, now)
            new = target.filled(query, self._rows(query, database), time_now=int(time.time()))
            rows = pa.RecordBatchReader.from_batches(schema, inserts.after(old, new))
            rows_before = old.metadata.num_rows
            return self._folder.store(statement.database, statement.table, rows) - rows_before

    def _drop(self, statement: Statement) -> int:
        path = self._folder.find(statement.database, statement.table)
        if path is not None or not statement.lenient:
            self.drop_table(statement.database, statement.table)
        return 0

    def _translated(self, sql: str, database: str, now: int) -> TranslatedQuery:
        def catalog(name: str) -> list[tuple[str, Type, str]]:
            schema = self._folder.schema(*separated(name, database))
            return [
                (field.name.lower(), from_arrow(field.type, field.name), sql_engine.stored(field))
                for field in schema
            ]

        return translate(joined(sql), catalog, now)

    def _rows(self, query: TranslatedQuery, database: str) -> pa.RecordBatchReader:
        return sql_engine.run(
            query,
            lambda name: self._folder.typed_file(*separated(name, database)),
            scratch=self._folder.scratch,
            memory_bytes=self._memory_bytes,
            threads=self._threads,
            limit=self._limit,
        )


@contextlib.contextmanager
def _as_engine_errors() -> Iterator[None]:
    """Turns errors of the SQL engine into those that a client of Trino sees."""
    try:
        yield
    except TrinoError as error:
        detail = str(error).removeprefix(f"TRINO[{error.name}]").strip()
        name_in_words = error.name.replace("_", " ").capitalize()
        raise EngineError(error.name, detail or name_in_words) from error
    except RecursionError:
        too_deep = "a query whose expressions or queries are nested too deep"
        raise EngineError("NOT_SUPPORTED", too_deep) from None
    except Refused as error:
        name = "COLUMN_NOT_FOUND" if str(error).startswith("no column") else "NOT_SUPPORTED"
        raise EngineError(name, str(error)) from error
    except QueryTookTooLong as error:
        raise EngineError("EXCEEDED_TIME_LIMIT", str(error)) from None
    except MtaError as error:
        raise EngineError("GENERIC_USER_ERROR", str(error)) from error
