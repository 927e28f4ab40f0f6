"""Where tables live. `Warehouse` is the seam; `local.py` keeps tables as files in folders,
`treasure_data.py` in a database of Treasure Data.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Protocol

import pandas as pd
import pyarrow as pa

IfExists = Literal["overwrite", "append", "error"]


class Warehouse(Protocol):
    """A database of tables. Every method raises `DataError` for a missing table or column."""

    def columns(self, table: str) -> list[str]:
        """Column names, in the table's order."""
        ...

    def read(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows of some columns, in any order, by one scan in bounded memory."""
        ...

    def write(self, table: str, frame: pd.DataFrame, if_exists: IfExists) -> None:
        """Make a table whole in one step; `append` adds rows to the one that is there."""
        ...

    def write_all(self, frames: Mapping[str, pd.DataFrame], if_exists: IfExists) -> None:
        """Several tables: a failure before all of them are staged leaves each as it was."""
        ...

    def check_writable(
        self, tables: Mapping[str, Sequence[str] | None], if_exists: IfExists
    ) -> None:
        """Raise now what `write_all` would after hours of work; nothing that lasts is written.

        The tables' columns are None where they are not known yet.
        """
        ...

    def query(self, sql: str) -> pa.Table:
        """The rows of one Trino `select`."""
        ...

    def create_table(self, table: str, sql: str) -> int:
        """Make or replace a table by the rows of a Trino `select`; returns their number."""
        ...

    def insert_into(self, table: str, sql: str) -> int:
        """Add the rows of a Trino `select`, by position; makes the table where there is none."""
        ...

    def drop_table(self, table: str) -> None:
        """Drop a table; one that is not there is no error."""
        ...
