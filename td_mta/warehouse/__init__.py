"""Where tables live: `Warehouse` is what the project needs of a database.

    local.py             tables as CSV and Parquet files in two folders
      csv_tables.py        CSV files that we write
      file_options.py      what somebody says about the files of a folder
      files/               files as people have them, as typed tables
      appending.py         new rows after those of a stored table
    treasure_data.py     tables of a database of Treasure Data
      td_address.py        where its API is
      td_connection.py     one request, repeated while that may help
      td_patience.py       how long, and how often
      td_jobs.py           a query as a job, its result in blocks
      td_loading.py        one table by bulk import
      td_writing.py        several tables, all or none
      td_types.py          types and rows as Treasure Data writes them
    names.py             names that are allowed, and what to say of a missing one

To add a warehouse: write a class with the methods of `Warehouse` in a file beside these two, choose
it in `cli.open_warehouse`, and add a line to `MAKERS` in `tests/warehouse/test_warehouse.py`: every
warehouse runs that suite. What yours cannot do is marked there with a reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:  # so that `names` and `td_address` are imported in no time, for --help
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import pandas as pd
    import pyarrow as pa

    from td_mta.publishing.publication import Publication

IfExists = Literal["overwrite", "append", "error"]


class Warehouse(Protocol):
    """A database of tables. Every method raises `DataError` for a missing table or column."""

    def columns(self, table: str) -> list[str]:
        """Column names, in the table's order."""
        ...

    def read(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows of some columns, in any order, by one scan in bounded memory."""
        ...

    def keeps_order(self, table: str) -> bool:
        """Whether `read` gives the rows in an order that their owner gave them, as a file has."""
        ...

    def write(self, table: str, frame: pd.DataFrame, if_exists: IfExists) -> None:
        """Make a complete table in one step; `append` adds rows to the one that exists."""
        ...

    def write_all(
        self,
        frames: Mapping[str, pd.DataFrame | pa.Table],
        if_exists: IfExists,
        *,
        replaced: Collection[str] = (),
        files: Publication | None = None,
    ) -> None:
        """Several tables by name: a failure before all of them are staged changes none.

        Where tables are files, they appear together with those of `files`.

        A table of Arrow's may be mapped from a file, and is never held in memory as a whole.

        Those of `replaced` are replaced where the others are appended to.
        """
        ...

    def check_writable(
        self,
        tables: Mapping[str, Sequence[str] | None],
        if_exists: IfExists,
        *,
        replaced: Collection[str] = (),
    ) -> None:
        """Raise now what `write_all` would raise after hours of work; writes nothing that lasts.

        `tables` has the columns of each table, None where they are not known yet.
        """
        ...

    def query(self, sql: str) -> pa.Table:
        """The rows of one Trino `select`."""
        ...

    def create_table(self, table: str, sql: str) -> int:
        """Make or replace a table by the rows of a Trino `select`; returns their number."""
        ...

    def insert_into(self, table: str, sql: str) -> int:
        """Add the rows of a Trino `select`, by position; makes the table where there is none.

        Returns the number of rows that were added.
        """
        ...

    def drop_table(self, table: str) -> None:
        """Drop a table; a missing one is no error."""
        ...

    def notes(self) -> list[str]:
        """What was guessed to read the tables so far, in sentences."""
        ...
