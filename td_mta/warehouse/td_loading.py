"""Rows into a table by bulk import: uploaded and checked first, visible to nobody before `commit`.

Each step can be repeated after a lost answer: the state of the import is looked at before, so that
no row is loaded twice.
"""

import contextlib
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from td_mta.errors import WarehouseError
from td_mta.warehouse import td_jobs
from td_mta.warehouse.td_connection import API, AlreadyThereError, Connection, MissingError
from td_mta.warehouse.td_types import parts, schema_of

CLEANING_TRIES = 3  # what cannot be cleaned up must not hide what went wrong
COMMITTED = ("committing", "committed")


class Import:
    """One bulk import of a table's rows; `name` must be new."""

    def __init__(self, connection: Connection, name: str, database: str, table: str) -> None:
        self.connection, self.name = connection, name
        self.database, self.table = database, table

    def stage(self, rows: pa.Table, *, append: bool) -> None:
        """Upload the rows and have them checked; the table stays as it is.

        Raises `WarehouseError` where Treasure Data refuses a row.
        """
        self._create(append)
        for number, part in enumerate(parts(rows)):
            self._upload(f"part-{number}", part)
        self._freeze()
        td_jobs.wait(self.connection, self._perform())
        state = self._wait_until("ready", limit=self.connection.patience.job)
        valid, bad = int(state["valid_records"] or 0), int(state["error_records"] or 0)
        if bad or valid != rows.num_rows:
            raise WarehouseError(
                f"table {self.table!r}: Treasure Data took {valid} of {rows.num_rows} rows and "
                f"refused {bad}; nothing was written"
            )

    def commit(self, *, forward: bool) -> None:
        """Have the rows added to the table, once; `wait` returns when they are visible."""
        self.connection.call(
            f"add the new rows to table {self.table!r}",
            lambda api: api.commit_bulk_import(self.name),
            lambda: self.is_committed() or None,
            forward=forward,
        )

    def is_committed(self) -> bool:
        """Whether Treasure Data has taken the rows for good."""
        return self._state(forward=True)["status"] in COMMITTED

    def wait(self, *, forward: bool) -> None:
        """Return when the committed rows are in the table."""
        self._wait_until("committed", limit=self.connection.patience.commit, forward=forward)

    def delete(self) -> None:
        """Forget the import; its rows stay where they were committed."""
        with contextlib.suppress(MissingError):
            self.connection.call(
                f"remove the bulk import of {self.table!r}",
                lambda api: api.delete_bulk_import(self.name),
                tries=CLEANING_TRIES,
            )

    def _create(self, append: bool) -> None:
        params: dict[str, Any] = {"mode": "append"} if append else {}

        def create(api: API) -> bool:
            return api.create_bulk_import(self.name, self.database, self.table, params)  # type: ignore[arg-type]

        with contextlib.suppress(AlreadyThereError):
            self.connection.call(f"begin to load table {self.table!r}", create)

    def _upload(self, part: str, content: bytes) -> None:
        """A part of the same name replaces the one before, so it may be sent again."""

        def upload(api: API) -> bool:
            api.bulk_import_upload_part(self.name, part, content, len(content))
            return True

        self.connection.call(f"upload {part} of table {self.table!r}", upload)

    def _freeze(self) -> None:
        self.connection.call(
            f"end the upload of table {self.table!r}",
            lambda api: api.freeze_bulk_import(self.name),
            lambda: bool(self._state().get("upload_frozen")) or None,
        )

    def _perform(self) -> str:
        """The id of the job that checks the rows."""
        return self.connection.call(
            f"check the rows of table {self.table!r}",
            lambda api: api.perform_bulk_import(self.name),
            lambda: str(self._state().get("job_id") or "") or None,
        )

    def _state(self, *, forward: bool = False) -> Mapping[str, Any]:
        return self.connection.call(
            f"look at the load of table {self.table!r}",
            lambda api: api.show_bulk_import(self.name),
            forward=forward,
        )

    def _wait_until(self, wanted: str, *, limit: float, forward: bool = False) -> Mapping[str, Any]:
        patience = self.connection.patience
        waited = 0.0
        while (state := self._state(forward=forward))["status"] != wanted:
            if waited >= limit:
                raise WarehouseError(
                    f"the bulk import of table {self.table!r} is still {state['status']} "
                    f"after {waited:.0f} s"
                )
            self.connection.sleep(patience.poll)
            waited += patience.poll
        return state


def create_table(connection: Connection, database: str, table: str) -> None:
    """Make an empty table. `table` must be a new name: a table that has it already was made by an
    earlier try, whose answer was lost."""
    with contextlib.suppress(AlreadyThereError):
        connection.call(
            f"create table {table!r} in database {database}",
            lambda api: api.create_log_table(database, table),
        )


def declare(connection: Connection, database: str, table: str, rows: pa.Table) -> None:
    """Give a new table the columns of `rows`, in order; a column of NULLs alone needs this."""
    schema = json.dumps(schema_of(rows))
    connection.call(
        f"declare the columns of table {table!r}",
        lambda api: api.update_schema(database, table, schema),
    )


def drop_table(
    connection: Connection, database: str, table: str, *, tries: int | None = None
) -> None:
    """Drop a table; a missing one is no error."""
    with contextlib.suppress(MissingError):
        connection.call(
            f"drop table {table!r}",
            lambda api: api.delete_table(database, table) or True,
            tries=tries,
        )


def rename(
    connection: Connection, database: str, old: str, new: str, *, overwrite: bool, forward: bool
) -> None:
    """Let the table `old`, a name of our own, replace the table `new` by one request."""

    def post(api: API) -> bool:
        form = {"overwrite": "true" if overwrite else "false"}
        # td-client has no method for this
        with api.post(f"/v3/table/rename/{database}/{old}/{new}", form) as response:
            body = response.read()
            if response.status != 200:
                api.raise_error("Rename table failed", response, body)
            return True

    connection.call(
        f"put the new table {new!r} in place",
        post,
        lambda: is_renamed(connection, database, old, new) or None,
        forward=forward,
    )


def is_renamed(connection: Connection, database: str, old: str, new: str) -> bool:
    """Whether the table that was `old` is `new` now."""
    tables = connection.call(
        f"look at the tables of {database}", lambda api: api.list_tables(database), forward=True
    )
    return old not in tables and new in tables
