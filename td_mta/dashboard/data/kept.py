"""Journeys as the app keeps them: paths whose touches know how many days before the end they were.

A path is a conversion's, or that of a user's touches after the last one. Cutting it to fewer days
gives the paths of a shorter lookback, so that the table is read once. Ten touches of a million
users are 80 MB.
"""

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
from td_mta.journeys.runs import offsets_of, reduced
from td_mta.journeys.touchpoints import Flags, Floats, Ints
from td_mta.journeys.windows import Journeys

AT_ONCE = 1 << 14  # paths whose touches are widened to 8 bytes at a time


class Part(NamedTuple):
    """Some paths, of held-out users or of the others."""

    held_out: bool
    paths: Paths


class Kept(NamedTuple):
    """`n` paths; the touches of path `i` are those from `offsets[i]` to `offsets[i + 1]`."""

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

    def within(self, days: int) -> "Kept":
        """The paths of a lookback of so many days, the last one included."""
        recent = self.days < days
        if recent.all():
            return self
        sizes = reduced(np.add, recent.astype(np.int64), self.offsets)
        return self._replace(
            channel=self.channel[recent],
            days=self.days[recent],
            age=self.age[recent],
            offsets=offsets_of(sizes),
        )

    def paths(self) -> Iterator["Part"]:
        """All paths, some at a time, those of held-out users apart."""
        for first in range(0, len(self.conversions), AT_ONCE):
            rows = slice(first, first + AT_ONCE)
            part = self._rows(rows)
            held_out = self.held_out[rows]
            for of_held_out in (False, True):
                yield Part(of_held_out, part.take(np.flatnonzero(held_out == of_held_out)))

    def _rows(self, rows: slice) -> Paths:
        offsets = self.offsets[rows.start : rows.stop + 1]
        touches = slice(offsets[0], offsets[-1])
        return Paths(
            channel=self.channel[touches].astype(np.int64),
            offsets=offsets - offsets[0],
            conversions=self.conversions[rows],
            value=self.value[rows],
            nulls=self.nulls[rows],
            age=self.age[touches].astype(np.float64),
        )


def kept_of(journeys: Journeys, held_out: Flags, days: int, first_day: int) -> Kept:
    """The paths of a page, whose users are held out or not, `(users,)`; of conversions from
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
    return join([converting, others])


def of_counted(paths: Paths) -> Kept:
    """Counted paths, whose touches have no times."""
    return _kept(paths, np.zeros(len(paths.channel)), np.zeros(len(paths.conversions), np.bool_))


def join(parts: list[Kept]) -> Kept:
    """The paths of all parts, one part after the other."""
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
