"""Tables of one database of Treasure Data, over pytd and td-client.

Reading a table is one job, which scans the named columns once. Writing is a bulk import into a new
table, which then replaces the old one by one request.
"""

import contextlib
import re
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import pandas as pd
import pyarrow as pa

from td_mta.errors import DataError, MtaError
from td_mta.publishing.publication import Publication
from td_mta.warehouse import IfExists, names, td_jobs, td_loading, td_writing
from td_mta.warehouse.repeated import repeated
from td_mta.warehouse.td_connection import Connection, MissingError
from td_mta.warehouse.td_patience import Patience
from td_mta.warehouse.td_types import stored

TIME = "time"  # every table of Treasure Data has this column; its schema does not name it
_NO_TABLE = re.compile(r"""Table '?(?:["\w-]+\.)*"?(\w+)"?'? does not exist""")
# what is wrong in the query or in a table, by Treasure Data's text: a `DataError`
_USERS_FAULT = re.compile(r"line \d+:\d+:|does not exist|no (table|column) '|Column (name|type) ")


class TreasureDataWarehouse:
    """The tables of a database, see `Warehouse` for its methods.

    `now` is the session's time in unix seconds.
    """

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
        self._connection = Connection(
            key, server, database, patience or Patience(), sleep or time.sleep
        )

    def columns(self, table: str) -> list[str]:
        tables = self._tables()
        if table not in tables:
            raise DataError(self._no_table(table, tables))
        return [*tables[table], TIME]

    def read(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        existing = self.columns(table)
        stored_names = [names.find_column(name, existing, self._named(table)) for name in columns]
        listed = ", ".join(names.quoted(name) for name in stored_names)
        job = self._job(f"select {listed} from {names.quoted(table)}")
        for batch in td_jobs.batches(self._connection, job):
            yield batch.rename_columns(list(columns))

    def keeps_order(self, table: str) -> bool:
        return False

    def write(self, table: str, frame: pd.DataFrame, if_exists: IfExists) -> None:
        self.write_all({table: frame}, if_exists)

    def write_all(
        self,
        frames: Mapping[str, pd.DataFrame | pa.Table],
        if_exists: IfExists,
        *,
        replaced: Collection[str] = (),
        files: Publication | None = None,
    ) -> None:
        rows = {table: self._rows(frame) for table, frame in frames.items()}
        columns = {table: new.column_names for table, new in rows.items()}
        existing = self._check(columns, if_exists, replaced)
        loads = []
        for table, new in rows.items():
            is_replaced = if_exists == "append" and table in replaced
            way: IfExists = "overwrite" if is_replaced else if_exists
            loads.append(self._load(table, new, way, existing))
        td_writing.write([load for load in loads if load is not None])

    def check_writable(
        self,
        tables: Mapping[str, Sequence[str] | None],
        if_exists: IfExists,
        *,
        replaced: Collection[str] = (),
    ) -> None:
        """See `Warehouse`; a table that is made and dropped shows that the key may write."""
        self._check(tables, if_exists, replaced)
        probe = _temporary_name("td_mta_probe")
        td_loading.create_table(self._connection, self.database, probe)
        td_loading.drop_table(self._connection, self.database, probe)

    def query(self, sql: str) -> pa.Table:
        return pa.Table.from_batches(td_jobs.batches(self._connection, self._job(sql)))

    def create_table(self, table: str, sql: str) -> int:
        names.check_table_name(table)
        staging = _temporary_name(table)
        try:
            self._job(f"create table {names.quoted(staging)} as\n{sql}")
            rows = self._count(staging)
            self._rename(staging, table)
        except BaseException:
            self._drop_quietly(staging)
            raise
        return rows

    def insert_into(self, table: str, sql: str) -> int:
        if table not in self._tables():
            return self.create_table(table, sql)
        rows_before = self._count(table)
        self._job(f"insert into {names.quoted(table)}\n{sql}")
        return self._count(table) - rows_before

    def drop_table(self, table: str) -> None:
        td_loading.drop_table(self._connection, self.database, table)

    def notes(self) -> list[str]:
        return []  # a database leaves nothing to guess

    def _check(
        self,
        tables: Mapping[str, Sequence[str] | None],
        if_exists: IfExists,
        replaced: Collection[str],
    ) -> dict[str, list[str]]:
        """The existing tables; raises `DataError` where these cannot be written to them."""
        for table in tables:
            names.check_table_name(table)
        existing = self._tables()
        if if_exists == "overwrite":
            return existing
        for table, columns in tables.items():
            if table not in existing:
                continue
            if if_exists == "error":
                raise DataError(
                    f"{self._named(table)} is already there, drop it first (if_exists: error)"
                )
            if columns is not None and table not in replaced:
                new = {names.column_name(name) for name in columns} - {TIME}
                names.check_same_columns(new, existing[table], self._named(table))
        return existing

    def _rows(self, frame: pd.DataFrame | pa.Table) -> pa.Table:
        """As the table will have them: names that are allowed, types that are stored, `time`."""
        rows = stored(frame)
        distinct = names.wide_columns(rows.column_names, [])
        columns = [names.column_name(name) for name in distinct]
        rows = rows.rename_columns(columns)
        if TIME in columns:
            return rows
        return rows.append_column(TIME, repeated(self.now, rows.num_rows))

    def _load(
        self, table: str, rows: pa.Table, if_exists: IfExists, existing: Collection[str]
    ) -> td_writing.Load | None:
        """How to bring the rows there; None where there is nothing to add."""
        temporary_name = _temporary_name(table)
        if if_exists != "append" or table not in existing:
            return td_writing.Replacement(
                connection=self._connection,
                database=self.database,
                table=table,
                staging=temporary_name,
                rows=rows,
                overwrite=if_exists == "overwrite",
            )
        if not rows.num_rows:
            return None
        return td_writing.Addition(
            connection=self._connection,
            database=self.database,
            table=table,
            name=temporary_name,
            rows=rows,
        )

    def _tables(self) -> dict[str, list[str]]:
        """The columns of each table, `time` left out."""
        try:
            tables = self._connection.call(
                f"look at database {self.database}", lambda api: api.list_tables(self.database)
            )
        except MissingError:
            raise DataError(self._no_database()) from None
        return {
            # a schema has [name, type, alias] of each column
            table: [name for name, *_ in description["schema"] if name != TIME]
            for table, description in tables.items()
        }

    def _job(self, sql: str) -> td_jobs.FinishedJob:
        try:
            return td_jobs.run(self._connection, self.database, sql, self.now)
        except td_jobs.JobFailedError as error:
            missing = _NO_TABLE.search(error.reason)
            if missing:
                raise DataError(self._no_table(missing[1], self._tables())) from None
            if _USERS_FAULT.search(error.reason):
                raise DataError(str(error)) from None
            raise

    def _count(self, table: str) -> int:
        counted = self.query(f"select count(*) as n from {names.quoted(table)}")
        return int(counted["n"][0].as_py())

    def _rename(self, old: str, new: str) -> None:
        td_loading.rename(self._connection, self.database, old, new, overwrite=True, forward=False)

    def _drop_quietly(self, table: str) -> None:
        with contextlib.suppress(MtaError):
            td_loading.drop_table(
                self._connection, self.database, table, tries=td_loading.CLEANING_TRIES
            )

    def _named(self, table: str) -> str:
        """A table in messages."""
        return f"table {table!r} in database {self.database}"

    def _no_table(self, table: str, tables: Collection[str]) -> str:
        others = names.nearest(table, tables, "this database holds no table")
        return f"no {self._named(table)}; {others}"

    def _no_database(self) -> str:
        try:
            databases = self._connection.call(
                "look for databases", lambda api: api.list_databases()
            )
        except MissingError:
            return f"{self._connection.server} is not Treasure Data's API: check TD_API_SERVER"
        others = names.nearest(self.database, databases, "this key sees none")
        return f"no database {self.database!r} at {self._connection.server}; {others}"


def _temporary_name(table: str) -> str:
    """A table's name that was never used before, which shows what it is for."""
    return f"{table[:200]}_staging_{uuid.uuid4().hex[:12]}"
