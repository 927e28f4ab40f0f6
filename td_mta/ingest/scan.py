"""One pass over a warehouse's table: rows checked, converted, counted and spilled to files.

Memory stays bounded: one batch at a time. Whatever would make a run fail later is an error here,
before any work.
"""

import contextlib
import logging
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from td_mta.errors import DataError
from td_mta.ingest import coercion, columns, ids
from td_mta.ingest.readers import Readers, time_reader
from td_mta.ingest.settings import TableSettings
from td_mta.ingest.spill import ORDER_ID, SpillFiles, spilled_schema
from td_mta.ingest.times.clocks import outside
from td_mta.ingest.times.numbers import SECONDS
from td_mta.ingest.times.reader import TimeReader
from td_mta.ingest.user_hash import user_rnd
from td_mta.ingest.values import control_columns, plain_columns, spellings
from td_mta.ingest.values.amounts import DecimalMarkError, amounts
from td_mta.journeys.touchpoints import Flags, Floats, Ints
from td_mta.warehouse import Warehouse
from td_mta.warehouse.names import missing_column, same_column

log = logging.getLogger(__name__)

MOST_CHANNELS = 1000
LONGEST_CHANNEL = 1000  # characters


class EmptyTableError(DataError):
    """The table has no row."""


@dataclass
class Scan:
    """Counts from one pass over the table; all but the first four are of the rows that stay."""

    rows: int = 0
    dropped: int = 0  # without user or time
    before: int = 0  # rows before first_day, which are left out
    after: int = 0  # rows after last_day
    conversions: int = 0
    conversions_without_channel: int = 0
    refunds: int = 0  # conversion rows of negative value, which are no conversions
    refunded: float = 0.0  # their value, above 0
    first_time: int = np.iinfo(np.int64).max  # unix seconds
    last_time: int = -1
    channels: dict[str, int] = field(default_factory=dict)  # name -> code, in order of appearance
    channel_rows: Counter[int] = field(default_factory=Counter)  # code -> rows
    spelling: dict[str, str] = field(default_factory=dict)  # name -> the name that it is joined to
    touched: set[int] = field(default_factory=set)  # codes of channels with at least one touch
    null_users: Counter[str] = field(default_factory=Counter)  # word for a missing user -> rows
    null_channels: Counter[str] = field(default_factory=Counter)  # the same of channels
    absent_conversion_values: list[str] = field(default_factory=list)  # named, and in no row
    converted: Counter[str] = field(default_factory=Counter)  # what was converted -> rows
    ties: set[str | None] = field(default_factory=set)  # two values of the tie column, or all
    time_kinds: Counter[str] = field(default_factory=Counter)  # units and forms of times -> rows

    @property
    def rows_by_channel(self) -> dict[str, int]:
        """The rows of each channel, as its name is written."""
        return {name: self.channel_rows[code] for name, code in self.channels.items()}


def scan_table(settings: TableSettings, warehouse: Warehouse, spill: Path) -> Scan:
    """Read the table into files of the folder `spill`, which `spill.read_bucket` reads.

    Raises `DataError` for no rows, users, channels or conversions, for too many channels, and for
    values that cannot be read.
    """
    try:
        return _scan(settings, warehouse, spill)
    except DecimalMarkError as found:
        orders = settings.orders and replace(settings.orders, decimal_mark=found.mark)
        marked = replace(settings, decimal_mark=found.mark, orders=orders)
        return _scan(marked, warehouse, spill)


def _scan(settings: TableSettings, warehouse: Warehouse, spill: Path) -> Scan:
    scan, readers = Scan(), Readers.of(settings)
    with contextlib.ExitStack() as open_files:
        files = SpillFiles(spill, spilled_schema(settings), open_files)
        _scan_part(settings, readers, warehouse, files, scan)
        if settings.orders:
            of_orders = Readers.of(settings.orders)
            _scan_part(settings.orders, of_orders, warehouse, files, scan)
    log.info("read: rows %d, conversions %d", scan.rows, scan.conversions)
    for what, converted in scan.converted.items():
        log.info("converted: %s (%d rows)", what, converted)
    check_scan(scan, settings, readers)
    if settings.join_letter_case:
        scan.spelling = spellings.spelling(scan.rows_by_channel)
    return scan


def _scan_part(
    settings: TableSettings,
    readers: Readers,
    warehouse: Warehouse,
    files: SpillFiles,
    scan: Scan,
) -> None:
    """One table: that of touchpoints, or that of orders after it."""
    rows, dropped = scan.rows, scan.dropped
    times = time_reader(settings, warehouse)
    batches = plain_columns.read(warehouse, settings.table, _columns(settings, warehouse))
    for batch in tqdm(batches, f"reading {settings.table}", disable=None, leave=False):
        files.write(_clean(batch, settings, readers, times, scan))
    scan.converted += readers.finished()
    scan.absent_conversion_values += readers.conversion.absent_values()
    check_complete(scan.rows - rows, scan.dropped - dropped, settings)


def check_complete(rows: int, dropped: int, settings: TableSettings) -> None:
    """Raise `DataError` where all rows of a table were dropped for want of a user or a time."""
    if rows and dropped == rows:
        parameters = "user_column and time_column"
        if settings.converts:
            parameters = "orders_user_column and orders_time_column"
        raise DataError(
            f"table {settings.table}: no row has both a user ({settings.user_column}) and a time "
            f"({settings.time_column}); check {parameters}"
        )


def _columns(settings: TableSettings, warehouse: Warehouse) -> list[str]:
    """The columns to read, each once: a column may be user and channel at the same time."""
    existing = warehouse.columns(settings.table)
    names = [settings.user_column, settings.time_column]
    if not settings.converts:
        names.append(settings.channel_column)
    if settings.converts is None:
        names.append(settings.conversion_column)
    if settings.value_column:
        names.append(settings.value_column)
    marks = settings.mark_columns.values()
    # Of touches and orders either may lack them, and two tables' random numbers would not agree.
    names += marks if settings.converts is None else (m for m in marks if same_column(m, existing))
    names += _control_columns(settings, existing)
    if settings.user_rnd_column in existing and settings.converts is None:
        names.append(settings.user_rnd_column)
    return list(dict.fromkeys(names))


def _control_columns(settings: TableSettings, existing: list[str]) -> list[str]:
    """Those that describe users or days; a table of orders may lack them."""
    found = [same_column(name, existing) for name in settings.control_columns]
    for name, column in zip(settings.control_columns, found, strict=True):
        if column is None and not settings.converts:
            missing = missing_column(name, existing, " (control_columns)")
            raise DataError(f"table {settings.table}: {missing}")
    return [column for column in found if column is not None]


class _Columns(NamedTuple):
    """Columns of one batch as the model reads them, each `(rows,)`, named as in `SPILLED`."""

    user: pa.Array
    time: Ints
    channel: Ints
    conversion: Flags
    value: Floats
    rnd: Floats


def _clean(
    batch: pa.RecordBatch,
    settings: TableSettings,
    readers: Readers,
    reader: TimeReader,
    scan: Scan,
) -> pa.RecordBatch:
    """The rows that have a user and a time, as `SPILLED` says; the scan counts them."""
    name = settings.user_column
    user, null_users = coercion.users(batch[name], settings.null_words, settings.location(name))
    scan.null_users += null_users
    times = reader.read(batch[settings.time_column])
    seconds, complete = times.seconds, ~times.missing & np.asarray(user.is_valid())  # (rows,)
    scan.rows += len(batch)
    scan.dropped += int((~complete).sum())
    complete &= _in_period(seconds, complete, settings, scan)
    for kind, rows in times.kinds.items():
        scan.time_kinds[kind] += rows
        if kind != SECONDS:
            scan.converted[f"{reader.location}: {kind}"] += rows
    # The other columns are read of complete rows only, so a dropped row may hold anything in them.
    if not complete.all():
        batch, user = (of_rows.filter(pa.array(complete)) for of_rows in (batch, user))
        seconds = seconds[complete]
    conversion, value = readers.flags_of(batch), readers.values_of(batch)
    channel = _channel(batch, settings, scan)
    negative = value < 0  # false for NaN
    refund = conversion & negative
    if negative.any():
        scan.refunds += int(refund.sum())
        scan.refunded -= float(value[refund].sum())
        # Neither a touch nor a conversion; what it does to values is read of whole users.
        conversion, channel = conversion & ~refund, np.where(refund, -1, channel)
        value = np.where(negative & ~refund, np.nan, value)  # not taken for a refund
    read = _Columns(
        user=user,
        time=seconds,
        conversion=conversion,
        channel=channel,
        value=value,
        rnd=_rnd(batch, user, settings),
    )
    _count(read, scan, conversion_row_is_touch=settings.conversion_row_is_touch)
    further = [*_marks(batch, settings, scan), *_attributes(batch, settings)]
    arrays = [*map(pa.array, read), *further]
    schema = spilled_schema(settings)
    typed = [array.cast(field.type) for array, field in zip(arrays, schema, strict=True)]
    rows = pa.record_batch(typed, schema=schema)
    leave_out = refund.any() and not settings.reading.subtract_refunds
    return rows.filter(pa.array(~refund)) if leave_out else rows


def _in_period(seconds: Ints, complete: Flags, settings: TableSettings, scan: Scan) -> Flags:
    """Which rows lie from first_day to last_day, `(rows,)`; the scan counts the others."""
    is_early, is_late = outside(seconds, settings.period, settings.day_timezone)
    scan.before += int((is_early & complete).sum())
    scan.after += int((is_late & complete).sum())
    return ~(is_early | is_late)


def _marks(batch: pa.RecordBatch, settings: TableSettings, scan: Scan) -> list[pa.Array]:
    """The columns of `MARKS`; without a value where one of two tables lacks them."""
    marks = []
    for name, column in settings.mark_columns.items():
        is_there = column in batch.schema.names
        values = batch[column] if is_there else pa.nulls(len(batch), pa.string())
        if name == ORDER_ID:
            marks.append(ids.texts(values, settings.null_words))
            continue
        if name != "tie":
            marks.append(pa.array(ids.read(values, settings.null_words)))
            continue
        marks.append(columns.text(values))
        if len(scan.ties) < 2:  # enough to know that they differ
            scan.ties.update(marks[-1].unique()[:2].to_pylist())
    return marks


def _attributes(batch: pa.RecordBatch, settings: TableSettings) -> list[pa.Array]:
    """The columns that describe users or days, as text; null where a table of orders lacks them."""
    existing = batch.schema.names
    found = (same_column(name, existing) for name in settings.control_columns)
    return [
        pa.nulls(len(batch), pa.string())
        if column is None
        else control_columns.texts(batch[column], settings.null_words)
        for column in found
    ]


def _channel(batch: pa.RecordBatch, settings: TableSettings, scan: Scan) -> Ints:
    """Codes of the channels, -1 for none; new names join the scan's."""
    if settings.converts:
        return np.full(len(batch), -1)
    column = settings.channel_column
    names = coercion.names(batch[column], settings.null_words)
    scan.null_channels += names.null_words
    if names.trimmed:
        scan.converted[f"spaces around names in column {column}"] += names.trimmed
    longest = max(names.names, key=lambda name: len(name or ""))
    if longest and len(longest) > LONGEST_CHANNEL:
        raise DataError(
            f"{settings.location(column)} must hold names of at most {LONGEST_CHANNEL:,} "
            f"characters, got one of {len(longest):,}: {longest[:20]!r}…; check action_column"
        )
    codes = [_channel_code(name, scan) for name in names.names]
    check_number_of_channels(scan, settings)
    return np.array(codes, np.int64)[names.codes]


def check_number_of_channels(scan: Scan, settings: TableSettings) -> None:
    """Raise `DataError` where there are too many."""
    if len(scan.channels) > MOST_CHANNELS:
        raise DataError(
            f"{settings.location(settings.channel_column)} must hold at most {MOST_CHANNELS} "
            "distinct channels, got more; set action_column to a coarser column, or group the "
            "values in the SQL"
        )


def _channel_code(name: str | None, scan: Scan) -> int:
    if name is None:
        return -1
    return scan.channels.setdefault(name, len(scan.channels))


def _rnd(batch: pa.RecordBatch, user: pa.Array, settings: TableSettings) -> Floats:
    name = settings.user_rnd_column
    if name not in batch.schema.names:
        return user_rnd(user, settings.user_rnd_seed)
    rnd = amounts(batch[name], settings.location(name))
    in_range = (rnd >= 0) & (rnd < 1)  # false for NaN
    if not in_range.all():
        got = rnd[~in_range][0]
        raise DataError(
            f"{settings.location(name)} must hold numbers from 0 to below 1, got {got}; "
            "correct the column, or drop it: then the numbers are computed"
        )
    return rnd


def _count(columns: _Columns, scan: Scan, *, conversion_row_is_touch: bool) -> None:
    if not len(columns.time):
        return
    conversion, has_channel = columns.conversion, columns.channel >= 0
    scan.first_time = min(scan.first_time, int(columns.time.min()))
    scan.last_time = max(scan.last_time, int(columns.time.max()))
    scan.conversions += int(conversion.sum())
    without_channel = conversion & ~has_channel
    scan.conversions_without_channel += int(without_channel.sum())
    rows = np.bincount(columns.channel + 1)
    scan.channel_rows.update({code - 1: int(rows[code]) for code in np.flatnonzero(rows).tolist()})
    touch = has_channel & (conversion_row_is_touch | ~conversion)
    scan.touched.update(np.flatnonzero(np.bincount(columns.channel[touch])).tolist())


def check_scan(scan: Scan, settings: TableSettings, readers: Readers) -> None:
    """Raise `DataError` for a table in which there is nothing to attribute."""
    table = f"table {settings.table}"
    if not scan.rows:
        raise EmptyTableError(f"{table} is empty")
    outside = scan.before + scan.after
    if outside and scan.rows - scan.dropped == outside:
        raise DataError(
            f"{table}: {scan.before:,} rows lie before first_day and {scan.after:,} after last_day"
            ", and none between them; correct the two"
        )
    if scan.refunds and not scan.conversions:
        column = (settings.orders or settings).value_column
        raise DataError(
            f"{table}: all conversions have a negative {column}, as refunds have, so there is "
            "nothing to attribute; check value_column"
        )
    if not scan.conversions and settings.orders:
        raise DataError(f"orders_table {settings.orders.table} has no order: nothing to attribute")
    if not scan.conversions:
        raise DataError(
            f"{table}: no row has {settings.conversion_column} {readers.conversion.nothing_found()}"
        )
    if not scan.touched:
        raise DataError(
            f"{settings.location(settings.channel_column)}: no touch has a channel; check "
            "action_column"
        )
