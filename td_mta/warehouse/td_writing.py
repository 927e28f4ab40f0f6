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
from td_mta.warehouse.td_connection import Connection
from td_mta.warehouse.td_loading import CLEANING_TRIES, Import

log = logging.getLogger(__name__)


class Load(Protocol):
    """New rows of one table on their way."""

    table: str

    def stage(self) -> None:
        """Bring the rows to Treasure Data, where nobody sees them yet."""

    def publish(self, *, forward: bool) -> None:
        """Show them, by one request."""

    def clean(self) -> None:
        """Remove what staging left."""


@dataclass(kw_only=True)
class Replacement:
    """Rows in a new table `staging`, which then takes the name `table`."""

    connection: Connection
    database: str
    table: str
    staging: str
    rows: pa.Table
    overwrite: bool

    def stage(self) -> None:
        td_loading.create_table(self.connection, self.database, self.staging)
        td_loading.declare(self.connection, self.database, self.staging, self.rows)
        if self.rows.num_rows:  # a bulk import without rows is an error
            self._import.stage(self.rows, append=False)
            self._import.commit(forward=False)
            self._import.delete()

    def publish(self, *, forward: bool) -> None:
        td_loading.rename(
            self.connection,
            self.database,
            self.staging,
            self.table,
            overwrite=self.overwrite,
            forward=forward,
        )

    def clean(self) -> None:
        self._import.delete()
        td_loading.drop_table(self.connection, self.database, self.staging, tries=CLEANING_TRIES)

    @property
    def _import(self) -> Import:
        return Import(self.connection, self.staging, self.database, self.staging)


@dataclass(kw_only=True)
class Addition:
    """Rows in a bulk import `name`, which then adds them to the table that is there."""

    connection: Connection
    database: str
    table: str
    name: str
    rows: pa.Table

    def stage(self) -> None:
        if self.rows.num_rows:
            self._import.stage(self.rows, append=True)

    def publish(self, *, forward: bool) -> None:
        if self.rows.num_rows:
            self._import.commit(forward=forward)

    def clean(self) -> None:
        self._import.delete()

    @property
    def _import(self) -> Import:
        return Import(self.connection, self.name, self.database, self.table)


def write(loads: Sequence[Load]) -> None:
    """Stage all, then show all. Raises an `MtaError` that says which tables are new, if any is."""
    try:
        for load in loads:
            load.stage()
            log.info("staged table %s", load.table)
    except BaseException:
        _clean(loads)
        raise
    _publish(loads)


def _publish(loads: Sequence[Load]) -> None:
    for at, load in enumerate(loads):
        try:
            load.publish(forward=at > 0)
        except MtaError as error:
            _clean(loads[at:])
            if not at:
                raise
            new, old = (", ".join(each.table for each in part) for part in (loads[:at], loads[at:]))
            raise WarehouseError(
                f"{error}. These tables are new already: {new}; these are still the previous "
                f"run's: {old}. Run again to make them agree"
            ) from error
    _clean([load for load in loads if isinstance(load, Addition)])


def _clean(loads: Sequence[Load]) -> None:
    """As far as possible: what cannot be removed must not hide what went wrong."""
    with contextlib.suppress(MtaError):
        for load in loads:
            load.clean()
