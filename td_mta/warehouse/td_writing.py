"""Several tables together: all of them staged, then each published by one request.

Until the first is published, any failure leaves every table as it was. From then on the others are
published too, through failures that would end the work before.
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
    """New rows of one table on their way to Treasure Data."""

    @property
    def table(self) -> str:
        """The table's name, for messages."""

    @property
    def temporary(self) -> str:
        """What staging makes, for messages: `table x_staging_...`."""

    def stage(self) -> None:
        """Bring the rows to Treasure Data, where nobody sees them yet."""

    def publish(self, *, forward: bool) -> None:
        """Make them visible, by one request; with `forward` a refused key is no reason to stop."""

    def is_published(self) -> bool:
        """Whether that request was carried out."""

    def finish(self) -> None:
        """Wait until they are visible."""

    def clean(self) -> None:
        """Remove what staging made."""


@dataclass(frozen=True, kw_only=True)
class Replacement:
    """Rows in a new table `staging`, which then replaces `table` by a rename."""

    connection: Connection
    database: str
    table: str
    staging: str
    rows: pa.Table
    overwrite: bool

    @property
    def temporary(self) -> str:
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
        """A renamed table is visible at once."""

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
    """Rows in a bulk import `name`, which then adds them to the existing `table`."""

    connection: Connection
    database: str
    table: str
    name: str
    rows: pa.Table

    @property
    def temporary(self) -> str:
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
    """Stage all, then publish all. Raises an `MtaError`, which lists the state of each table unless
    all are as before.
    """
    _stage(loads)
    _publish(loads)
    _finish(loads)


def _stage(loads: Sequence[Load]) -> None:
    begun = []
    try:
        for load in loads:
            begun.append(load)
            load.stage()
            log.info("staged table %s", load.table)
    except BaseException as error:
        leftovers = _clean(begun)
        if leftovers and isinstance(error, MtaError):
            error.args = (f"{error}{leftovers}",)  # the same kind of error: the same exit code
        raise


def _publish(loads: Sequence[Load]) -> None:
    for index, load in enumerate(loads):
        try:
            load.publish(forward=index > 0)
        except MtaError as error:
            is_new = False if isinstance(error, RefusedError) else _is_published(load)
            if not is_new:  # else only the answer was lost
                leftovers = _clean(loads[index:])
                raise _with_states(error, loads, index, is_new, leftovers) from error


def _finish(loads: Sequence[Load]) -> None:
    try:
        for load in loads:
            load.finish()
    except MtaError as error:
        raise WarehouseError(
            f"{error}. Before that, the new rows of every table were accepted"
        ) from error


def _is_published(load: Load) -> bool | None:
    """None where that cannot be found out."""
    try:
        return load.is_published()
    except MtaError:
        return None


def _with_states(
    error: MtaError, loads: Sequence[Load], failed: int, is_new: bool | None, leftovers: str
) -> MtaError:
    """The error with the state of each table, unless all are as before.

    `failed` is the index of the load that failed; `is_new` says whether its table is new after all,
    None where that is not known.
    """
    if failed == 0 and is_new is False:
        error.args = (f"{error}{leftovers}",)
        return error
    new = [load.table for load in loads[:failed]]
    unknown = [loads[failed].table] if is_new is None else []
    old = [load.table for load in loads[failed + len(unknown) :]]
    states = {"new already": new, "either new or not": unknown, "as before": old}
    listed = "; ".join(
        f"{state}: {', '.join(tables)}" for state, tables in states.items() if tables
    )
    return WarehouseError(f"{error}. Tables are {listed}. Run again to make them agree{leftovers}")


def _clean(loads: Sequence[Load]) -> str:
    """Remove what staging made, as far as possible: this must not hide what went wrong before.

    Returns a sentence on what is left behind, empty where nothing is.
    """
    for index, load in enumerate(loads):
        try:
            load.clean()
        except MtaError:
            leftovers = ", ".join(load.temporary for load in loads[index:])
            return f". Left behind, to be dropped: {leftovers}"
    return ""
