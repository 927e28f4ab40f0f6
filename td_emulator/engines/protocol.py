"""What runs the SQL and keeps the tables behind the emulator.

`EmbeddedEngine` (embedded.py) is the project's own; real_trino/ has a real Trino.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

TIME = ("time", "bigint")  # the column that every table made by the API has


@dataclass(frozen=True)
class QueryResult:
    """The rows of a query: column names, Trino's types, and the rows in batches, to be read once.

    The batches do not change when another statement changes a table.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    batches: Iterator[pa.RecordBatch]


class EngineError(Exception):
    """A statement failed; `name` and `type` are Trino's, e.g. TABLE_NOT_FOUND and USER_ERROR."""

    def __init__(self, name: str, message: str, type: str = "USER_ERROR") -> None:
        super().__init__(message)
        self.name, self.type = name, type


class Engine(Protocol):
    """Databases of tables. Every method may be called from several threads at once.

    A missing table is an `EngineError` TABLE_NOT_FOUND, a missing database SCHEMA_NOT_FOUND.
    Who holds the `lock` changes tables alone: several steps are then one.
    """

    @property
    def lock(self) -> AbstractContextManager[object]:
        """One that a thread may hold twice."""
        ...

    def databases(self) -> list[str]:
        """The names of all databases, sorted."""
        ...

    def create_database(self, database: str) -> None:
        """Make an empty database; an existing one stays as it is."""
        ...

    def drop_database(self, database: str) -> None:
        """Drop a database with its tables."""
        ...

    def tables(self, database: str) -> list[str]:
        """The names of a database's tables, sorted."""
        ...

    def columns(self, database: str, table: str) -> list[tuple[str, str]]:
        """Names and Trino types, in the table's order."""
        ...

    def count(self, database: str, table: str) -> int:
        """The number of rows."""
        ...

    def create_table(self, database: str, table: str, columns: Sequence[tuple[str, str]]) -> None:
        """Make a table without rows, from names and Trino types; an existing one is replaced."""
        ...

    def drop_table(self, database: str, table: str) -> None:
        """Drop a table."""
        ...

    def rename_table(self, database: str, table: str, new: str) -> None:
        """Give a table another name; a table of that name is replaced, in one step if possible."""
        ...

    def read(self, database: str, table: str) -> pa.Table:
        """All rows of a table."""
        ...

    def write(self, database: str, table: str, rows: pa.Table) -> None:
        """Make or replace a table by these rows, which may be mapped from a file."""
        ...

    def append(self, database: str, table: str, rows: pa.Table) -> None:
        """Add rows by column name; a column that one side does not have is NULL there."""
        ...

    def run(self, sql: str, database: str, scheduled_time: int) -> QueryResult | int:
        """Run one statement, or several one after another; the last one's rows, or their number
        where it wrote a table.

        `scheduled_time` is the job's time in unix seconds. Raises `EngineError` where a statement
        fails.
        """
        ...


def is_new_table(engine: Engine, database: str, table: str) -> bool:
    """Whether a table is as the API makes it, with `time` alone: its first rows add columns."""
    return engine.columns(database, table) == [TIME] and not engine.count(database, table)
