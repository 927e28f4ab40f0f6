"""Tables of one database of Treasure Data, over pytd and td-client.

Reading costs the warehouse one job per table, which scans the named columns once. Writing is bulk
import into a new table, which then takes the old one's name in one request.
"""

import contextlib
import re
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from td_mta.errors import DataError, MtaError
from td_mta.warehouse import IfExists, names, td_jobs, td_loading, td_writing
from td_mta.warehouse.td_connection import Connection, MissingError, Patience
from td_mta.warehouse.td_types import stored

TIME = "time"  # every table of Treasure Data has it; its schema does not name it
_NO_TABLE = re.compile(r"""Table '?(?:["\w-]+\.)*"?(\w+)"?'? does not exist""")
_USERS_FAULT = re.compile(r"line \d+:\d+:|does not exist|no (table|column) '|Column (name|type) ")


class TreasureDataWarehouse:
    """The tables of a database. `now` is the session's time in unix seconds."""

    def __init__(
        self,
        key: str,
        server: str,
        database: str,
        *,
        now: int,
        patience: Patience | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        names.check_database_name(database)
        self.database, self.now = database, now
        more = {} if sleep is None else {"sleep": sleep}
        self._connection = Connection(key, server, database, patience or Patience(), **more)

    def columns(self, table: str) -> list[str]:
        tables = self._tables()
        if table not in tables:
            raise DataError(self._no_table(table, tables))
        return [*tables[table], TIME]

    def read(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        there = self.columns(table)
        place = f"table {table!r} in database {self.database}"
        found = [names.find_column(name, there, place) for name in columns]
        job = self._job(f"select {', '.join(map(_quoted, found))} from {_quoted(table)}")
        for batch in td_jobs.batches(self._connection, job):
            yield batch.rename_columns(list(columns))

    def write(self, table: str, frame: pd.DataFrame, if_exists: IfExists) -> None:
        self.write_all({table: frame}, if_exists)

    def write_all(self, frames: Mapping[str, pd.DataFrame], if_exists: IfExists) -> None:
        rows = {table: self._rows(frame, table) for table, frame in frames.items()}
        there = self._check({t: each.column_names for t, each in rows.items()}, if_exists)
        loads = [self._load(table, rows[table], if_exists, there) for table in rows]
        td_writing.write([load for load in loads if load is not None])

    def check_writable(
        self, tables: Mapping[str, Sequence[str] | None], if_exists: IfExists
    ) -> None:
        """What the Protocol says; a right to write is shown by a table made and dropped again."""
        self._check(tables, if_exists)
        probe = _passing("td_mta_probe")
        td_loading.create_table(self._connection, self.database, probe)
        td_loading.drop_table(self._connection, self.database, probe)

    def query(self, sql: str) -> pa.Table:
        return pa.Table.from_batches(td_jobs.batches(self._connection, self._job(sql)))

    def create_table(self, table: str, sql: str) -> int:
        names.check_table_name(table)
        staging = _passing(table)
        try:
            self._job(f"create table {_quoted(staging)} as\n{sql}")
            rows = self._count(staging)
            self._rename(staging, table)
        except BaseException:
            self._drop_quietly(staging)
            raise
        return rows

    def insert_into(self, table: str, sql: str) -> int:
        if table not in self._tables():
            return self.create_table(table, sql)
        before = self._count(table)
        self._job(f"insert into {_quoted(table)}\n{sql}")
        return self._count(table) - before

    def drop_table(self, table: str) -> None:
        td_loading.drop_table(self._connection, self.database, table)

    def _check(
        self, tables: Mapping[str, Sequence[str] | None], if_exists: IfExists
    ) -> dict[str, list[str]]:
        """The tables that are there; raises when these cannot be written to them."""
        for table in tables:
            names.check_table_name(table)
        there = self._tables()
        for table in [table for table in tables if table in there and if_exists != "overwrite"]:
            place = f"table {table!r} in database {self.database}"
            if if_exists == "error":
                raise DataError(f"{place} is already there, drop it first (if_exists: error)")
            columns = tables[table]
            if columns is not None:
                allowed = {names.column_name(name) for name in columns} - {TIME}
                names.check_same_columns(allowed, there[table], place)
        return there

    def _rows(self, frame: pd.DataFrame, table: str) -> pa.Table:
        """As the table will have them: names that are allowed, types that are stored, `time`."""
        rows = stored(frame)
        columns = [names.column_name(name) for name in rows.column_names]
        twice = [name for name in columns if columns.count(name) > 1]
        if twice:
            raise DataError(f"table {table!r}: two columns would be called {twice[0]!r}")
        rows = rows.rename_columns(columns)
        if TIME in columns:
            return rows
        return rows.append_column(TIME, pa.array([self.now] * rows.num_rows, pa.int64()))

    def _load(
        self, table: str, rows: pa.Table, if_exists: IfExists, there: Collection[str]
    ) -> td_writing.Load | None:
        place: dict[str, Any] = {"connection": self._connection, "database": self.database}
        if if_exists == "append" and table in there:
            if not rows.num_rows:
                return None
            return td_writing.Addition(**place, table=table, name=_passing(table), rows=rows)
        return td_writing.Replacement(
            **place,
            table=table,
            staging=_passing(table),
            rows=rows,
            overwrite=if_exists == "overwrite",
        )

    def _tables(self) -> dict[str, list[str]]:
        """The columns of each table, `time` left out."""
        try:
            found = self._connection.call(
                f"look at database {self.database}", lambda api: api.list_tables(self.database)
            )
        except MissingError:
            raise DataError(self._no_database()) from None
        return {
            table: [column[0] for column in facts["schema"] if column[0] != TIME]
            for table, facts in found.items()
        }

    def _job(self, sql: str) -> td_jobs.FinishedJob:
        try:
            return td_jobs.run(self._connection, self.database, sql, self.now)
        except td_jobs.JobFailedError as error:
            missing = _NO_TABLE.search(error.told)
            if missing:
                raise DataError(self._no_table(missing[1], self._tables())) from None
            if _USERS_FAULT.search(error.told):
                raise DataError(str(error)) from None
            raise

    def _count(self, table: str) -> int:
        return int(self.query(f"select count(*) as n from {_quoted(table)}")["n"][0].as_py())

    def _rename(self, old: str, new: str) -> None:
        td_loading.rename(self._connection, self.database, old, new, overwrite=True, forward=False)

    def _drop_quietly(self, table: str) -> None:
        with contextlib.suppress(MtaError):
            td_loading.drop_table(
                self._connection, self.database, table, tries=td_loading.CLEANING_TRIES
            )

    def _no_table(self, table: str, tables: Collection[str]) -> str:
        near = names.nearest(table, tables, "this database holds no table")
        return f"no table {table!r} in database {self.database}; {near}"

    def _no_database(self) -> str:
        try:
            there = self._connection.call("look for databases", lambda api: api.list_databases())
        except MissingError:
            return f"{self._connection.server} is not Treasure Data's API: check TD_API_SERVER"
        near = names.nearest(self.database, there, "this key sees none")
        return f"no database {self.database!r} at {self._connection.server}; {near}"


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _passing(table: str) -> str:
    """A name of our own beside `table`, never used before."""
    return f"{table[:200]}_staging_{uuid.uuid4().hex[:12]}"
