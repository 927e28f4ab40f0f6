"""One pass over a warehouse's table: rows checked, converted and spilled to files by `rnd`.

Memory stays bounded: a batch at a time, and a file for each of `BUCKETS` ranges of the random
numbers. What a run could not survive is an error here, before any work.
"""

import contextlib
import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.ingest import coercion
from td_mta.ingest.user_hash import user_rnd
from td_mta.journeys.touchpoints import Flags, Floats, Ints
from td_mta.warehouse import Warehouse

log = logging.getLogger(__name__)

BUCKETS = 64
MOST_CHANNELS = 1000
SPILLED = pa.schema(
    [
        ("user", pa.string()),
        ("time", pa.int64()),
        ("channel", pa.int32()),
        ("conversion", pa.bool_()),
        ("value", pa.float64()),
        ("rnd", pa.float64()),
    ]
)


@dataclass
class Scan:
    """What one pass over the table found. Channels are numbered as they come."""

    rows: int = 0
    dropped: int = 0
    conversions: int = 0
    conversions_without_channel: int = 0
    values_missing: int = 0
    first_time: int = np.iinfo(np.int64).max
    last_time: int = -1
    channels: dict[str, int] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    converted: Counter[str] = field(default_factory=Counter)


def scan_table(config: Config, warehouse: Warehouse, spill: Path) -> Scan:
    """Read `config.table` into files of the folder `spill`.

    Raises `DataError` for no rows, users, channels or conversions, for too many channels, and for
    values that cannot be read.
    """
    wanted = [config.user_column, config.time_column, config.action_column]
    wanted += [config.conversion_column, *([config.value_column] if config.value_column else [])]
    if config.user_rnd_column in warehouse.columns(config.table):
        wanted.append(config.user_rnd_column)
    scan = Scan()
    with contextlib.ExitStack() as open_files:
        writers: dict[int, pa.RecordBatchWriter] = {}
        batches = warehouse.read(config.table, list(dict.fromkeys(wanted)))
        for batch in tqdm(batches, f"reading {config.table}", disable=None, leave=False):
            rows = _clean(batch, config, scan)
            bucket = np.minimum((rows["rnd"].to_numpy() * BUCKETS).astype(np.int64), BUCKETS - 1)
            order = np.argsort(bucket, kind="stable")
            ends = np.searchsorted(bucket[order], np.arange(BUCKETS + 1))
            rows = rows.take(pa.array(order))
            for i in np.flatnonzero(np.diff(ends)).tolist():
                if i not in writers:
                    file = pa.ipc.new_file(spill / f"{i}.arrow", SPILLED)
                    writers[i] = open_files.enter_context(file)
                writers[i].write_batch(rows.slice(ends[i], ends[i + 1] - ends[i]))
    log.info("read %d rows, %d conversions", scan.rows, scan.conversions)
    _check(scan, config)
    return scan


def read_bucket(spill: Path, bucket: int) -> pa.Table:
    """The rows spilled with `rnd` in `[bucket, bucket + 1) / BUCKETS`."""
    path = spill / f"{bucket}.arrow"
    if not path.exists():
        return SPILLED.empty_table()
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def _clean(batch: pa.RecordBatch, config: Config, scan: Scan) -> pa.RecordBatch:
    """Rows with user and time, as `SPILLED` says; adds what it saw to the scan."""

    def place(column: str) -> str:
        return f"table {config.table}, column {column}"

    user = coercion.users(batch[config.user_column])
    time = coercion.times(batch[config.time_column], place(config.time_column))
    kept = ~time.missing & np.asarray(user.is_valid())
    scan.rows += len(batch)
    scan.dropped += int((~kept).sum())
    if time.converted:
        scan.converted[time.converted] += int(kept.sum())
    batch, user = batch.filter(pa.array(kept)), user.filter(pa.array(kept))
    conversion = coercion.flags(batch[config.conversion_column], place(config.conversion_column))
    channel = _channels(batch[config.action_column], scan, config.action_column)
    value = np.full(len(batch), np.nan)
    if config.value_column:
        value = coercion.amounts(batch[config.value_column], place(config.value_column))
    rows = Rows(user, time.seconds[kept], channel, conversion, value)
    _note(rows, scan, config)
    rnd = _rnd(batch, user, config)
    arrays = [*(pa.array(each) for each in rows), pa.array(rnd)]
    return pa.record_batch(
        [array.cast(wanted.type) for array, wanted in zip(arrays, SPILLED, strict=True)],
        schema=SPILLED,
    )


class EmptyTableError(DataError):
    """The table has no row."""


class Rows(NamedTuple):
    """Cleaned columns of one batch."""

    user: pa.Array
    time: Ints
    channel: Ints
    conversion: Flags
    value: Floats


def _channels(column: pa.Array, scan: Scan, name: str) -> Ints:
    """Codes of the channels, -1 for none; new names join the scan's."""
    found = coercion.names(column)
    if found.trimmed:
        scan.converted[f"blanks around names in column {name}"] += found.trimmed
    codes = [
        -1 if each is None else scan.channels.setdefault(each, len(scan.channels))
        for each in found.names
    ]
    if len(scan.channels) > MOST_CHANNELS:
        raise DataError(
            f"column {name} has more than {MOST_CHANNELS} distinct values; a channel should be a "
            f"group: set action_column to a coarser column, or group the values in the SQL"
        )
    return np.array(codes, np.int64)[found.codes]


def _rnd(batch: pa.RecordBatch, user: pa.Array, config: Config) -> Floats:
    name = config.user_rnd_column
    if name not in batch.schema.names:
        return user_rnd(user, config.user_rnd_seed)
    rnd = coercion.amounts(batch[name], f"table {config.table}, column {name}")
    if not ((rnd >= 0) & (rnd < 1)).all():
        bad = rnd[~((rnd >= 0) & (rnd < 1))][0]
        raise DataError(
            f"table {config.table}, column {name} must hold numbers from 0 to below 1, got {bad}; "
            "without the column the numbers are made on the way"
        )
    return rnd


def _note(rows: Rows, scan: Scan, config: Config) -> None:
    if not len(rows.time):
        return
    scan.first_time = min(scan.first_time, int(rows.time.min()))
    scan.last_time = max(scan.last_time, int(rows.time.max()))
    scan.conversions += int(rows.conversion.sum())
    scan.conversions_without_channel += int((rows.conversion & (rows.channel < 0)).sum())
    scan.values_missing += int((rows.conversion & np.isnan(rows.value)).sum())
    touch = (rows.channel >= 0) & (config.conversion_row_is_touch | ~rows.conversion)
    scan.touched.update(np.unique(rows.channel[touch]).tolist())


def _check(scan: Scan, config: Config) -> None:
    if not scan.rows:
        raise EmptyTableError(f"table {config.table} is empty")
    if scan.dropped == scan.rows:
        raise DataError(
            f"table {config.table}: no row has both a user ({config.user_column}) and a time "
            f"({config.time_column})"
        )
    if not scan.conversions:
        raise DataError(
            f"table {config.table}: no row has {config.conversion_column} = 1, so there is nothing "
            "to attribute; check the conversion rule"
        )
    if not scan.touched:
        raise DataError(
            f"table {config.table}: no touch has a channel in column {config.action_column}"
        )
