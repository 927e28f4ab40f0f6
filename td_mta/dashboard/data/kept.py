"""Journeys as the app keeps them: paths whose touches know how many days before the end they were.

A path is a conversion's, or that of a user's touches after the last one. Cutting it to fewer days
gives the paths of a shorter lookback, so that the table is read once. Ten touches of a million
users are 80 MB.
"""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from td_mta.journeys.paths import (
    Paths,
    conversion_paths,
    credited_windows,
    days_back,
    null_paths,
    null_windows,
)
from td_mta.journeys.runs import offsets_of, positions
from td_mta.journeys.touchpoints import Flags, Floats, Ints
from td_mta.journeys.windows import Journeys

AT_ONCE = 1 << 14  # paths whose touches are widened to 8 bytes at a time
KINDS = 4  # of paths: converting ones of users not held out, and held out, then the others


class Part(NamedTuple):
    """Some rows of the paths, all of one kind."""

    converting: bool
    held_out: bool
    rows: slice


class Kept(NamedTuple):
    """`n` paths by kind; those of path `i` are the touches `offsets[i]` to `offsets[i + 1]`."""

    channel: npt.NDArray[np.uint16]  # (touches,)
    days: npt.NDArray[np.uint16]  # calendar days to the path's end, (touches,)
    age: npt.NDArray[np.int32]  # seconds to the conversion, (touches,)
    offsets: Ints  # (n + 1,)
    conversions: Floats  # (n,)
    value: Floats  # (n,)
    nulls: Floats  # (n,)
    held_out: Flags  # (n,)

    @property
    def sizes(self) -> Ints:
        """Touches of every path, `(n,)`."""
        return np.diff(self.offsets)

    @property
    def kind(self) -> Ints:
        """The kind of every path, ascending, `(n,)`."""
        return 2 * (self.conversions == 0) + self.held_out

    def take(self, rows: Ints) -> "Kept":
        """The paths of some rows, in that order."""
        sizes = self.sizes[rows]
        touches = positions(self.offsets[rows], sizes)
        return Kept(
            channel=self.channel[touches],
            days=self.days[touches],
            age=self.age[touches],
            offsets=offsets_of(sizes),
            conversions=self.conversions[rows],
            value=self.value[rows],
            nulls=self.nulls[rows],
            held_out=self.held_out[rows],
        )

    def parts(self) -> Iterator[Part]:
        """All rows, some at a time."""
        bounds = np.searchsorted(self.kind, np.arange(KINDS + 1)).tolist()
        for kind, (first, end) in enumerate(itertools.pairwise(bounds)):
            for start in range(first, end, AT_ONCE):
                yield Part(kind < 2, kind % 2 == 1, slice(start, min(start + AT_ONCE, end)))

    def paths(self, rows: slice, days: int | None = None) -> Paths:
        """The paths of some rows; of a lookback of so many days, the last one included."""
        offsets = self.offsets[rows.start : rows.stop + 1]
        touches = slice(offsets[0], offsets[-1])
        channel, age, offsets = self.channel[touches], self.age[touches], offsets - offsets[0]
        if days is not None:
            recent = self.days[touches] < days
            channel, age = channel[recent], age[recent]
            offsets = offsets_of(recent.astype(np.int64))[offsets]
        return Paths(
            channel=channel.astype(np.int64),
            offsets=offsets,
            conversions=self.conversions[rows],
            value=self.value[rows],
            nulls=self.nulls[rows],
            age=age.astype(np.float64),
        )


def kept_of(journeys: Journeys, held_out: Flags, days: int, first_day: int) -> list[Kept]:
    """The paths of a page by kind, whose users are held out or not, `(users,)`; of conversions from
    `first_day` on.
    """
    credited, windows = credited_windows(journeys, days, first_day)
    converting = _kept(
        conversion_paths(journeys, days, first_day),
        days_back(journeys, windows),
        held_out[journeys.conversions.user[credited]],
    )
    windows = null_windows(journeys, days)
    others = _kept(null_paths(journeys, days), days_back(journeys, windows), held_out[windows.user])
    return _by_kind(_joined([converting, others]))


def of_counted(paths: Paths) -> Kept:
    """Counted paths, whose touches have no times."""
    no_days, not_held_out = np.zeros(len(paths.channel)), np.zeros(len(paths.conversions), np.bool_)
    return join([_by_kind(_kept(paths, no_days, not_held_out))])


def join(pages: list[list[Kept]]) -> Kept:
    """The paths of all pages, whose paths come by kind."""
    return _joined([part for parts in zip(*pages, strict=True) for part in parts])


def _by_kind(paths: Kept) -> list[Kept]:
    kind = paths.kind
    return [paths.take(np.flatnonzero(kind == which)) for which in range(KINDS)]


def _joined(parts: list[Kept]) -> Kept:
    sizes = np.concatenate([part.sizes for part in parts])
    columns = zip(*parts, strict=True)
    return Kept(*(np.concatenate(column) for column in columns))._replace(offsets=offsets_of(sizes))


def _kept(paths: Paths, days: Ints | Floats, held_out: Flags) -> Kept:
    return Kept(
        channel=paths.channel.astype(np.uint16),
        days=days.astype(np.uint16),
        age=np.minimum(paths.age, np.iinfo(np.int32).max).astype(np.int32),
        offsets=paths.offsets,
        conversions=paths.conversions,
        value=paths.value,
        nulls=paths.nulls,
        held_out=held_out,
    )
