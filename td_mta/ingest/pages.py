"""The touchpoints of a table as clean pages of whole users, as often as wanted.

A page holds the users of one range of `user_rnd`, about `users_per_tfrecord` of them.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from tqdm import tqdm

from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.ingest.scan import BUCKETS, SPILLED, read_bucket, scan_table
from td_mta.ingest.user_hash import user_rnd
from td_mta.journeys.hashing import Hashes
from td_mta.journeys.touchpoints import SECONDS_PER_DAY, Floats, Ints, Touchpoints, arrange
from td_mta.journeys.windows import Journeys
from td_mta.warehouse import Warehouse
from td_mta.warehouse.names import column_name

RESERVED = ("days_before_conversion", "(baseline)", "run_id", "time")


class Page(NamedTuple):
    """The journeys of some users, and one well-mixed number per user."""

    journeys: Journeys
    user_hash: Hashes
    duplicates: int


class Intake:
    """The touchpoints of `config.table`, scanned once into `spill`, a folder of the caller's.

    Raises `DataError` for a table that cannot be used, and for channels that would be one column.
    """

    def __init__(self, config: Config, warehouse: Warehouse, spill: Path) -> None:
        self.config, self._spill = config, spill
        self.scan = scan_table(config, warehouse, spill)
        self.channels = sorted(
            name for name, code in self.scan.channels.items() if code in self.scan.touched
        )
        check_channels(self.channels, config.action_column)
        self.page_count = max(1, math.ceil(self._count_users() / config.users_per_tfrecord))

    @property
    def visits(self) -> bool:
        """Every conversion is a visit by some channel, so nobody converts without a touch."""
        return self.config.conversion_row_is_touch and not self.scan.conversions_without_channel

    @property
    def last_day(self) -> int:
        """The local day on which the data end."""
        return self._local_day(self.scan.last_time)

    @property
    def held_out_day(self) -> int:
        """With `holdout: forward` the first of the local days that are held out."""
        first, last = self._local_day(self.scan.first_time), self.last_day
        if first == last:
            raise DataError(
                f"table {self.config.table} has one day only, and holdout: forward holds out the "
                "last days; take holdout: users"
            )
        wanted = round((last - first + 1) * self.config.validation_fraction)
        return last + 1 - min(max(1, wanted), last - first)

    def _local_day(self, seconds: int) -> int:
        day, _ = local_time(np.array([seconds]), self.config.day_timezone)
        return int(day[0])

    def pages(self, what: str) -> Iterator[Page]:
        """All users, page by page, the same ones every time; `what` names the progress bar."""
        code = {name: i for i, name in enumerate(self.channels)}
        names = sorted(self.scan.channels)
        rank = np.array([*(names.index(name) for name in self.scan.channels), -1], np.int64)
        recode = np.array([*(code.get(name, -1) for name in names), -1], np.int64)
        tables = tqdm(self._tables(), what, self.page_count, disable=None, leave=False)
        return (_page(table, rank, recode, self.config) for table in tables)

    def _tables(self) -> Iterator[pa.Table]:
        """Rows by page: page `i` has the users with `i <= rnd * page_count < i + 1`."""
        rest, page = SPILLED.empty_table(), 0
        for bucket in range(BUCKETS):
            rest = pa.concat_tables([rest, read_bucket(self._spill, bucket)])
            whole = self.page_count * (bucket + 1) // BUCKETS
            if whole == page:
                continue
            number = (rest["rnd"].to_numpy() * self.page_count).astype(np.int64)
            order = np.argsort(number, kind="stable")
            ends = np.searchsorted(number[order], np.arange(page, whole + 1))
            for first, last in itertools.pairwise(ends):
                yield rest.take(order[first:last])
            rest, page = rest.take(order[ends[-1] :]), whole

    def _count_users(self) -> int:
        return sum(
            len(np.unique(read_bucket(self._spill, bucket)["rnd"].to_numpy()))
            for bucket in range(BUCKETS)
        )


def check_channels(channels: list[str], column: str) -> None:
    """Refuse names that could not be columns of their own."""
    for name in channels:
        if name in RESERVED or column_name(name) in RESERVED:
            raise DataError(
                f"column {column}: no channel may be called {name!r}, the output tables use it; "
                "rename it in the SQL"
            )
    by_column: dict[str, str] = {}
    for name in channels:
        twin = by_column.setdefault(column_name(name), name)
        if twin != name:
            raise DataError(
                f"column {column}: channels {twin!r} and {name!r} would both become the column "
                f"{column_name(name)!r}; rename one of them in the SQL"
            )


def local_time(time: Ints, zone: str) -> tuple[Ints, Ints]:
    """Local day since 1970 and the second in it. Offsets change at whole minutes."""
    if zone != "UTC":
        minute, which = np.unique(time // 60, return_inverse=True)
        stamps = pd.to_datetime(minute * 60, unit="s", utc=True)
        local = stamps.tz_convert(zone).tz_localize(None).as_unit("s").asi8
        time = time + (local - minute * 60)[which]
    day, second = np.divmod(time, SECONDS_PER_DAY)
    return day, second


def _page(table: pa.Table, rank: Ints, recode: Ints, config: Config) -> Page:
    """Rows in order of all channels' names; then those that touch nobody are no channel."""
    table = table.combine_chunks()
    encoded = pc.dictionary_encode(table["user"]).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    by_name = pc.sort_indices(encoded.dictionary).to_numpy()
    place = np.empty_like(by_name)
    place[by_name] = np.arange(len(by_name))
    user = place[encoded.indices.to_numpy()].astype(np.int64)
    _check_rnd(user, table["rnd"].to_numpy(), config)
    time = table["time"].to_numpy()
    day, second = local_time(time, config.day_timezone)
    rows = Touchpoints(
        user=user,
        time=time,
        day=day,
        second=second,
        channel=rank[table["channel"].to_numpy()],
        conversion=table["conversion"].to_numpy(zero_copy_only=False),
        value=table["value"].to_numpy(),
    )
    rows, duplicates = arrange(rows)
    rows = replace(rows, channel=recode[rows.channel])
    names = encoded.dictionary.take(pa.array(by_name))
    number = user_rnd(names, config.user_rnd_seed) * 2.0**53
    journeys = Journeys(rows, len(names), config.conversion_row_is_touch)
    return Page(journeys, number.astype(np.uint64), duplicates)


def _check_rnd(user: Ints, rnd: Floats, config: Config) -> None:
    one = np.zeros(user.max(initial=0) + 1)
    one[user] = rnd
    if (one[user] != rnd).any():
        raise DataError(
            f"table {config.table}, column {config.user_rnd_column} must hold one number per user, "
            "but some user has several; without the column the numbers are made on the way"
        )
