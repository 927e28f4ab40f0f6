"""The touchpoints of a table as clean pages of whole users, any number of times.

A page holds the users of one range of `user_rnd`, about `users_per_page` of them.
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tqdm import tqdm

from td_mta.errors import DataError
from td_mta.ingest.ids import tie_rank
from td_mta.ingest.scan import Scan, scan_table
from td_mta.ingest.settings import TableSettings
from td_mta.ingest.spill import BUCKETS, ORDER_ID, attribute, read_bucket, spilled_schema
from td_mta.ingest.times.clocks import local_time
from td_mta.ingest.user_hash import user_rnd
from td_mta.ingest.values import control_columns
from td_mta.ingest.values.control_columns import Levels
from td_mta.journeys import events
from td_mta.journeys.events import Counts
from td_mta.journeys.hashing import Hashes
from td_mta.journeys.touchpoints import (
    SECONDS_PER_DAY,
    Flags,
    Floats,
    Ints,
    Marks,
    Touchpoints,
    arrange,
)
from td_mta.journeys.windows import Journeys
from td_mta.tables import BASELINE
from td_mta.warehouse import Warehouse

ENOUGH_STEPS = 10_000  # from a user's row to the next, to tell which way a file is sorted
NEWEST_FIRST = 0.9  # share of the steps that go back in time


class LeftOut(NamedTuple):
    """Users over a limit of touches or conversions, and their rows."""

    users: int
    rows: int

    def plus(self, other: "LeftOut") -> "LeftOut":
        """Both together."""
        return LeftOut(self.users + other.users, self.rows + other.rows)


class Page(NamedTuple):
    """The journeys of some users."""

    journeys: Journeys
    user_hash: Hashes  # a uniform number below 2^53 for each user, (users,)
    rnd: Floats  # the table's own random number of each user, (users,)
    user_ids: pa.Array  # (users,)
    order_ids: pa.Array | None  # of conversions, (conversions,); None where they were not kept
    duplicates: int  # rows that were equal to another one in all that was read
    duplicate_conversions: int  # those of them that were conversions
    counts: Counts  # of what reading changed
    left_out: LeftOut


class TouchpointTable:
    """The touchpoints of a table, scanned once into `spill`, a folder of the caller's.

    Raises `DataError` for a table that cannot be used.
    """

    def __init__(self, settings: TableSettings, warehouse: Warehouse, spill: Path) -> None:
        self.settings, self._spill = settings, spill
        self.scan = scan_table(settings, warehouse, spill)
        codes, touched = self.scan.channels, self.scan.touched
        named = {name for name, code in codes.items() if code in touched}
        self.channels = sorted({self.scan.spelling.get(name, name) for name in named})
        check_channels(self.channels, settings.location(settings.channel_column))
        self._schema = spilled_schema(settings)
        self.attribute_levels = self._levels()
        self.arrival = 0
        if warehouse.keeps_order(settings.table):
            self.arrival = -1 if self._is_newest_first() else 1
        self.users = self._count_users()
        pages = self.users / settings.users_per_page
        self.page_count = max(1, math.ceil(pages))

    @property
    def visits(self) -> bool:
        """Every conversion is a visit by some channel, so nobody converts without a touch."""
        return self.settings.conversion_row_is_touch and not self.scan.conversions_without_channel

    @property
    def first_day(self) -> int:
        """The local day on which the data begin, counted from 1970."""
        return self._local_day(self.scan.first_time)

    @property
    def last_day(self) -> int:
        """The local day on which the data end, counted from 1970."""
        return self._local_day(self.scan.last_time)

    def rows_by_day(self) -> Ints:
        """Rows of every 24 hours since the first one."""
        days = (self.scan.last_time - self.scan.first_time) // SECONDS_PER_DAY + 1
        rows = np.zeros(days, np.int64)
        for bucket in range(BUCKETS):
            time = self._bucket(bucket)["time"].to_numpy()
            rows += np.bincount((time - self.scan.first_time) // SECONDS_PER_DAY, minlength=days)
        return rows

    def pages(self, progress_label: str) -> Iterator[Page]:
        """All users, page by page, the same ones every time."""
        codes = _ChannelCodes.of(self.scan, self.channels)
        tables = tqdm(self._tables(), progress_label, self.page_count, disable=None, leave=False)
        levels = self.attribute_levels
        return (_page(table, codes, levels, self.settings, self.arrival) for table in tables)

    def _local_day(self, unix_seconds: int) -> int:
        day, _ = local_time(np.array([unix_seconds]), self.settings.day_timezone)
        return int(day[0])

    def _tables(self) -> Iterator[pa.Table]:
        """Rows by page: page `i` has the users with `i <= rnd * page_count < i + 1`."""
        pending, page = self._schema.empty_table(), 0  # rows not yet in a page; the page to come
        for bucket in range(BUCKETS):
            pending = pa.concat_tables([pending, self._bucket(bucket)])
            complete = self.page_count * (bucket + 1) // BUCKETS  # pages within the buckets read
            if complete == page:
                continue
            pending = pending.combine_chunks()
            position = pending["rnd"].to_numpy() * self.page_count  # in pages, (rows,)
            page_of_row = position.astype(np.int64) - page
            few = page_of_row.astype(np.min_scalar_type(complete - page))  # sorted by counting
            order = np.argsort(few, kind="stable")
            bounds = np.cumsum(np.bincount(few, minlength=complete - page))
            for first, last in itertools.pairwise([0, *bounds[: complete - page]]):
                yield pending.take(order[first:last])
            pending = pending.take(order[bounds[complete - page - 1] :])
            page = complete

    def _levels(self) -> dict[str, Levels]:
        """The levels of what describes users or days, by the names of the columns."""
        names = {name: attribute(name) for name in self.settings.control_columns}
        if not names:
            return {}
        rows = control_columns.sample(map(self._bucket, range(BUCKETS)))
        levels = control_columns.levels_of(rows, names.values(), self.settings.day_timezone)
        return {name: levels[column] for name, column in names.items()}

    def _count_users(self) -> int:
        """Distinct random numbers: a bucket's are in no other, so they are counted one by one."""
        numbers = (self._bucket(bucket)["rnd"].to_numpy() for bucket in range(BUCKETS))
        return sum(len(np.unique(rnd)) for rnd in numbers)

    def _is_newest_first(self) -> bool:
        """Whether most users' rows, as they arrived, go back in time; some users tell."""
        rises = falls = 0
        for bucket in range(BUCKETS):
            rows = self._bucket(bucket)
            if self.settings.orders:  # which arrived after all touches
                rows = rows.filter(pc.invert(rows["conversion"]))
            user, time = rows["rnd"].to_numpy(), rows["time"].to_numpy()
            order = np.argsort(user, kind="stable")
            step = np.diff(time[order])[np.diff(user[order]) == 0]
            rises += np.count_nonzero(step > 0)
            falls += np.count_nonzero(step < 0)
            if rises + falls > ENOUGH_STEPS:
                break
        return falls > NEWEST_FIRST * (rises + falls)

    def _bucket(self, bucket: int) -> pa.Table:
        return read_bucket(self._spill, bucket, self._schema)


def check_channels(channels: list[str], location: str) -> None:
    """Refuse the name that output tables give to conversions without a touch."""
    if BASELINE in channels:
        raise DataError(
            f"{location}: no channel may be called {BASELINE!r}, as the output tables call "
            "conversions without a touch; give it another name, or list it in null_words"
        )


class _ChannelCodes(NamedTuple):
    """The scan numbers channels as it meets them; the last element of both, at -1, is "none"."""

    by_name: Ints  # the scan's code -> position among all names, sorted, (scanned channels + 1,)
    channel: Ints  # that position -> index in the table's `channels` or -1, (scanned channels + 1,)

    @classmethod
    def of(cls, scan: Scan, channels: list[str]) -> "_ChannelCodes":
        names = sorted(scan.channels)
        position = {name: i for i, name in enumerate(names)}
        index = {name: i for i, name in enumerate(channels)}
        by_name = [*(position[scan.spelling.get(name, name)] for name in scan.channels), -1]
        channel = [*(index.get(name, -1) for name in names), -1]
        return cls(np.array(by_name, np.int64), np.array(channel, np.int64))


def _page(
    table: pa.Table,
    codes: _ChannelCodes,
    levels: Mapping[str, Levels],
    settings: TableSettings,
    arrival: int,
) -> Page:
    table = table.combine_chunks()
    ids, user = _sorted_users(table["user"])
    rnd = _rnd_of_users(user, table["rnd"].to_numpy(), settings)
    time = table["time"].to_numpy()
    day, second = local_time(time, settings.day_timezone)
    scanned_channel = table["channel"].to_numpy()
    rows = Touchpoints(
        user=user,
        time=time,
        day=day,
        second=second,
        channel=codes.by_name[scanned_channel],
        conversion=table["conversion"].to_numpy(zero_copy_only=False),
        value=table["value"].to_numpy(),
    )
    arranged = arrange(rows, _marks(table), arrival)
    # Channels that touch nobody become "none" only now: rows are equal, or not, by their names.
    named = replace(arranged.rows, channel=codes.channel[arranged.rows.channel])
    read = events.read(named, arranged.marks, settings.reading)
    described = {
        name: control_columns.attribute(of_column, table[attribute(name)], user, time, day)
        for name, of_column in levels.items()
    }
    journeys = Journeys(read.rows, len(ids), settings.conversion_row_is_touch, described)
    within = events.users_within(journeys, settings.reading)
    order_ids = _order_ids(table, read, within)
    journeys, ids, left_out = _within_limits(journeys, ids, within)
    user_hash = _user_hash(ids, settings.user_rnd_seed)
    return Page(
        journeys=journeys,
        user_hash=user_hash,
        rnd=rnd[within],
        user_ids=ids,
        order_ids=order_ids,
        duplicates=arranged.duplicates,
        duplicate_conversions=arranged.duplicate_conversions,
        counts=read.counts,
        left_out=left_out,
    )


def _marks(table: pa.Table) -> Marks:
    columns = {
        name: tie_rank(table[name]) if name == "tie" else table[name].to_numpy()
        for name in Marks._fields
        if name in table.column_names
    }
    return Marks(**columns)


def _order_ids(table: pa.Table, read: events.Read, within: Flags) -> pa.Array | None:
    """The ids of the orders of conversions of the users within the limits, as their table has them.

    Marks have numbers in their place, one for each id.
    """
    if ORDER_ID not in table.column_names:
        return None
    assert read.marks.order is not None
    numbers, first = np.unique(table["order"].to_numpy(), return_index=True)
    converts = read.rows.conversion & within[read.rows.user]
    at = first[np.searchsorted(numbers, read.marks.order[converts])]
    ids = table[ORDER_ID].combine_chunks().take(pa.array(at))
    return ids if isinstance(ids, pa.Array) else ids.chunk(0)


def _within_limits(
    journeys: Journeys, ids: pa.Array, within: Flags
) -> tuple[Journeys, pa.Array, LeftOut]:
    """The journeys of the users within the limits, numbered anew, and their ids; users of whom
    reading left no row are none.
    """
    over = int((~within).sum())
    within = within & (np.bincount(journeys.rows.user, minlength=len(ids)) > 0)
    if within.all():
        return journeys, ids, LeftOut(0, 0)
    rows = journeys.rows.take(within[journeys.rows.user])
    number = np.cumsum(within) - 1
    left_out = LeftOut(over, len(journeys.rows) - len(rows))
    of_few = replace(rows, user=number[rows.user])
    described = {name: of_all.of_users(within) for name, of_all in journeys.attributes.items()}
    return (
        Journeys(of_few, int(within.sum()), journeys.conversion_row_is_touch, described),
        ids.filter(pa.array(within)),
        left_out,
    )


def _sorted_users(column: pa.ChunkedArray) -> tuple[pa.Array, Ints]:
    """Distinct ids in ascending order, and which of them each row has, `(rows,)`."""
    encoded = pc.dictionary_encode(column).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):  # of a table without rows
        encoded = encoded.chunk(0)
    order = pc.sort_indices(encoded.dictionary).to_numpy()  # (users,)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    user = rank[encoded.indices.to_numpy()].astype(np.int64)
    return encoded.dictionary.take(pa.array(order)), user


def _user_hash(ids: pa.Array, seed: int) -> Hashes:
    """The integer k of each user's number k / 2^53, whatever numbers the table itself has."""
    numbers = user_rnd(ids, seed) * 2.0**53
    return numbers.astype(np.uint64)


def _rnd_of_users(user: Ints, rnd: Floats, settings: TableSettings) -> Floats:
    one_of_user = np.zeros(user.max(initial=0) + 1)
    one_of_user[user] = rnd
    if (one_of_user[user] != rnd).any():
        raise DataError(
            f"{settings.location(settings.user_rnd_column)} must hold one number per user, got "
            "several for one user; correct the column, or drop it: then the numbers are computed"
        )
    return one_of_user
