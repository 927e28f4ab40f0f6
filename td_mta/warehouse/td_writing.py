"""Several tables as one act: all of them staged, then each put in place by one request.

Until the first is in place, any failure leaves every table as it was. From then on the rest is
finished, through more failures than would be endured otherwise.
"""

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from td_mta.errors import MtaError, WarehouseError
from td_mta.warehouse import td_loading
from td_mta.warehouse.td_connection import Connection, RefusedError
from td_mta.warehouse.td_loading import CLEANING_TRIES, Import

log = logging.getLogger(__name__)


class Load(Protocol):
    """New rows of one table on their way."""

    @property
    def table(self) -> str:
        """Its name, for messages."""

    @property
    def passing(self) -> str:
        """What staging makes, for messages."""

    def stage(self) -> None:
        """Bring the rows to Treasure Data, where nobody sees them yet."""

    def publish(self, *, forward: bool) -> None:
        """Show them, by one request."""

    def is_published(self) -> bool:
        """Whether that request was carried out."""

    def finish(self) -> None:
        """Wait until they are seen."""

    def clean(self) -> None:
        """Remove what staging left."""


@dataclass(frozen=True, kw_only=True)
class Replacement:
    """Rows in a new table `staging`, which then takes the name `table`."""

    connection: Connection
    database: str
    table: str
    staging: str
    rows: pa.Table
    overwrite: bool

    @property
    def passing(self) -> str:
        return f"table {self.staging}"

    def stage(self) -> None:
        td_loading.create_table(self.connection, self.database, self.staging)
        td_loading.declare(self.connection, self.database, self.staging, self.rows)
        if self.rows.num_rows:  # a bulk import without rows is an error
            self._import.stage(self.rows, append=False)
            self._import.commit(forward=False)
            self._import.wait(forward=False)
            self._import.delete()

    def publish(self, *, forward: bool) -> None:
        td_loading.rename(*self._names, overwrite=self.overwrite, forward=forward)

    def is_published(self) -> bool:
        return td_loading.is_renamed(*self._names)

    def finish(self) -> None:
        """A renamed table is seen at once."""

    def clean(self) -> None:
        self._import.delete()
        connection, database, staging, _ = self._names
        td_loading.drop_table(connection, database, staging, tries=CLEANING_TRIES)

    @property
    def _names(self) -> tuple[Connection, str, str, str]:
        return self.connection, self.database, self.staging, self.table

    @property
    def _import(self) -> Import:
        return Import(self.connection, self.staging, self.database, self.staging)


@dataclass(frozen=True, kw_only=True)
class Addition:
    """Rows in a bulk import `name`, which then adds them to the table that is there."""

    connection: Connection
    database: str
    table: str
    name: str
    rows: pa.Table

    @property
    def passing(self) -> str:
        return f"bulk import {self.name}"

    def stage(self) -> None:
        self._import.stage(self.rows, append=True)

    def publish(self, *, forward: bool) -> None:
        self._import.commit(forward=forward)

    def is_published(self) -> bool:
        return self._import.is_committed()

    def finish(self) -> None:
        self._import.wait(forward=True)
        with contextlib.suppress(MtaError):
            self._import.delete()

    def clean(self) -> None:
        self._import.delete()

    @property
    def _import(self) -> Import:
        return Import(self.connection, self.name, self.database, self.table)


def write(loads: Sequence[Load]) -> None:
    """Stage all, then show all. Raises an `MtaError` that says which tables are new, if any is."""
    begun = []
    try:
        for load in loads:
            begun.append(load)
            load.stage()
            log.info("staged table %s", load.table)
    except BaseException as error:
        left = _clean(begun)
        if left and isinstance(error, MtaError):
            error.args = (f"{error}{left}",)  # the same kind of error, hence the same exit code
        raise
    for at, load in enumerate(loads):
        try:
            load.publish(forward=at > 0)
        except MtaError as error:
            state = False if isinstance(error, RefusedError) else _is_published(load)
            if not state:
                left = _clean(loads[at:])
                raise _told(error, loads, at, state, left) from error
    _finish(loads)


def _finish(loads: Sequence[Load]) -> None:
    try:
        for load in loads:
            load.finish()
    except MtaError as error:
        raise WarehouseError(
            f"{error}. The new rows of every table were accepted before"
        ) from error


def _is_published(load: Load) -> bool | None:
    """None where it cannot be seen."""
    try:
        return load.is_published()
    except MtaError:
        return None


def _told(
    error: MtaError, loads: Sequence[Load], at: int, state: bool | None, left: str
) -> MtaError:
    """The error with the state of each table, unless all are as they were."""
    if not at and state is False:
        error.args = (f"{error}{left}",)
        return error
    new = [load.table for load in loads[:at]]
    unseen = [load.table for load in loads[at : at + 1] if state is None]
    old = [load.table for load in loads[at + len(unseen) :]]
    states = {"new already": new, "either new or not": unseen, "as before": old}
    told = "; ".join(f"{state}: {', '.join(tables)}" for state, tables in states.items() if tables)
    return WarehouseError(f"{error}. Tables are {told}. Run again to make them agree{left}")


def _clean(loads: Sequence[Load]) -> str:
    """As far as possible, so as not to hide what went wrong; a sentence on what is left."""
    for at, load in enumerate(loads):
        try:
            load.clean()
        except MtaError:
            left = ", ".join(each.passing for each in loads[at:])
            return f". Left behind, to be dropped: {left}"
    return ""
