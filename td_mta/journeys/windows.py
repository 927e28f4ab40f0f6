"""What an example sees: a slice `[start, stop)` of the touches, ending on an anchor day.

Touches stand in canonical order, so everything that bounds a window - the user, the previous
conversion, the first day of the window, the cut - is a position among them.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from td_mta.journeys import patterns
from td_mta.journeys.patterns import Grid, Patterns
from td_mta.journeys.touchpoints import Flags, Floats, Ints, Touchpoints


class Windows(NamedTuple):
    """`n` windows: `user` and `anchor` day, and the touches `start <= position < stop`."""

    user: Ints
    anchor: Ints
    start: Ints
    stop: Ints

    def take(self, rows: Ints | Flags) -> "Windows":
        return Windows(self.user[rows], self.anchor[rows], self.start[rows], self.stop[rows])


@dataclass(frozen=True)
class Journeys:
    """Touches and conversions of whole users; `rows` must be arranged.

    With `conversion_row_is_touch` a conversion row that has a channel is also a touch, the last one
    of its own conversion.
    """

    rows: Touchpoints
    users: int
    conversion_row_is_touch: bool

    def of_users(self, users: Flags) -> "Journeys":
        """Those of some users, who keep their numbers; `users` has shape `(users,)`."""
        return replace(self, rows=self.rows.take(users[self.rows.user]))

    def before(self, day: int) -> "Journeys":
        """What all of them had been by the end of the day before."""
        return replace(self, rows=self.rows.take(self.rows.day < day))

    @cached_property
    def _is_touch(self) -> Flags:
        return (self.rows.channel >= 0) & (self.conversion_row_is_touch | ~self.rows.conversion)

    @cached_property
    def touches(self) -> Touchpoints:
        return self.rows.take(self._is_touch)

    @cached_property
    def conversions(self) -> Touchpoints:
        return self.rows.take(self.rows.conversion)

    @cached_property
    def values(self) -> Floats:
        """The conversions' values; a missing one is 0."""
        return np.nan_to_num(self.conversions.value, nan=0.0)

    @cached_property
    def touch_days(self) -> Ints:
        """Where each touch stands on the line of user-days; never falls."""
        return self.user_day(self.touches.user, self.touches.day)

    @cached_property
    def conversion_days(self) -> Ints:
        return self.user_day(self.conversions.user, self.conversions.day)

    @cached_property
    def first_touch(self) -> Ints:
        """Position of every user's first touch, shape `(users + 1,)`."""
        return np.searchsorted(self.touches.user, np.arange(self.users + 1))

    @cached_property
    def _day_range(self) -> tuple[int, int]:
        day = self.rows.day
        return int(day.min(initial=0)), int(day.max(initial=0))

    def user_day(self, user: Ints, day: Ints) -> Ints:
        """(user, day) as one number, ascending along the rows."""
        low, high = self._day_range
        return user * (high - low + 2) + np.clip(day - low + 1, 0, high - low + 2)

    def day_opens(self, user: Ints, day: Ints) -> Ints:
        """Position of the user's first touch on that day or later (or of the next user's)."""
        return np.searchsorted(self.touch_days, self.user_day(user, day))

    @cached_property
    def conversion_windows(self) -> Windows:
        """One window per conversion, without a lookback bound: touches since the previous one."""
        rows, before = self.rows, np.cumsum(self._is_touch, dtype=np.int64)
        user, stop = rows.user[rows.conversion], before[rows.conversion]
        start = self.first_touch[user]
        again = np.flatnonzero(user[1:] == user[:-1]) + 1
        start[again] = stop[again - 1]
        return Windows(user, rows.day[rows.conversion], start, stop)

    def since_conversion(self, user: Ints, conversions_before: Ints) -> Ints:
        """The first touch after the last of the first so many conversions, if it is the user's."""
        start = self.first_touch[user]
        last = conversions_before - 1
        own = np.flatnonzero(last >= 0)
        own = own[self.conversions.user[last[own]] == user[own]]
        start[own] = self.conversion_windows.stop[last[own]]
        return start


def look_back(journeys: Journeys, windows: Windows, days: int) -> Windows:
    """The windows, cut to the last `days` days up to the anchor day."""
    opens = journeys.day_opens(windows.user, windows.anchor - days + 1)
    return windows._replace(start=np.minimum(np.maximum(windows.start, opens), windows.stop))


def patterns_seen(journeys: Journeys, windows: Windows, grid: Grid) -> tuple[Patterns, Ints]:
    """The distinct patterns of the windows and which of them each window shows, shape `(n,)`."""
    windows = look_back(journeys, windows, grid.days)
    sizes = windows.stop - windows.start
    if grid.cells > 64:
        owner, cell = _pairs(journeys, windows, sizes, grid)
        return patterns.distinct(patterns.of_cells(owner, cell, len(sizes), grid))
    keys = np.zeros(len(sizes), np.uint64)
    filled = np.flatnonzero(sizes)
    _, cell = _pairs(journeys, windows, sizes, grid)
    if len(filled):
        bits = np.uint64(1) << cell.astype(np.uint64)
        keys[filled] = np.bitwise_or.reduceat(bits, patterns.starts(sizes)[:-1][filled])
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    owner, cell = _pairs(journeys, windows.take(first), sizes[first], grid)
    return patterns.of_cells(owner, cell, len(first), grid), inverse


def _pairs(journeys: Journeys, windows: Windows, sizes: Ints, grid: Grid) -> tuple[Ints, Ints]:
    """Every (window, cell) of the windows, repeats included."""
    touches = journeys.touches
    at = patterns.expand(windows.start, sizes)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    return owner, (windows.anchor[owner] - touches.day[at]) * grid.channels + touches.channel[at]
