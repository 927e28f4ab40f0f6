"""What runs the SQL and keeps the tables behind the emulator.

`EmbeddedEngine` (embedded.py) is the project's own; real_trino/ has a real Trino.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

TIME = ("time", "bigint")  # the column that every table made by the API has


@dataclass(frozen=True)
class QueryResult:
    """The rows of a query: column names, Trino's types, and the rows in batches, to be read once.

    The batches hold on to nothing that another statement may change.
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
    """

    def databases(self) -> list[str]: ...

    def create_database(self, database: str) -> None:
        """Make an empty database; one that is there stays as it is."""
        ...

    def drop_database(self, database: str) -> None:
        """Drop a database with its tables."""
        ...

    def tables(self, database: str) -> list[str]: ...

    def columns(self, database: str, table: str) -> list[tuple[str, str]]:
        """Names and Trino types, in the table's order."""
        ...

    def count(self, database: str, table: str) -> int:
        """The number of rows."""
        ...

    def create_table(self, database: str, table: str, columns: Sequence[tuple[str, str]]) -> None:
        """Make a table without rows; one that is there is replaced."""
        ...

    def drop_table(self, database: str, table: str) -> None: ...

    def rename_table(self, database: str, table: str, new: str) -> None:
        """Give a table another name; a table of that name is replaced, in one step if possible."""
        ...

    def read(self, database: str, table: str) -> pa.Table: ...

    def write(self, database: str, table: str, rows: pa.Table) -> None:
        """Make or replace a table by these rows; only as much of them is in memory as need be."""
        ...

    def append(self, database: str, table: str, rows: pa.Table) -> None:
        """Add rows by column name; a column that one side lacks is NULL there."""
        ...

    def run(self, sql: str, database: str, scheduled_time: int) -> QueryResult | int:
        """Run one statement, or several one after another; the last one's rows, or their number
        where it wrote a table. Raises `EngineError` where a statement fails."""
        ...
