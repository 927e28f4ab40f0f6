"""What an example sees: a slice `[start, stop)` of the touches, ending on an anchor day.

Touches stand in canonical order, so everything that bounds a window - the user, the previous
conversion, the first day of the window, the cut - is a position among them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from td_mta.journeys.attributes import Attribute
from td_mta.journeys.patterns import Grid, Keys, Patterns, distinct, of_cells
from td_mta.journeys.runs import offsets_of, owners, positions, reduced
from td_mta.journeys.touchpoints import Flags, Floats, Ints, Touchpoints

VALUE_STEP = 2.0**-20


class Windows(NamedTuple):
    """`n` windows, each array of shape `(n,)`."""

    user: Ints
    anchor: Ints  # the day whose conversion is predicted, in days since 1970
    start: Ints  # position of the first touch seen
    stop: Ints  # position after the last one

    @property
    def sizes(self) -> Ints:
        """Number of touches seen, shape `(n,)`."""
        return self.stop - self.start

    def take(self, rows: Ints | Flags) -> "Windows":
        """The windows of some rows."""
        return Windows(*(column[rows] for column in self))

    @staticmethod
    def join(parts: list["Windows"]) -> "Windows":
        """The windows of several parts, one part after the other."""
        columns = zip(*parts, strict=True)  # one field of all parts at a time
        return Windows(*(np.concatenate(column) for column in columns))


@dataclass(frozen=True)
class Journeys:
    """All touches and conversions of some users; `rows` must be arranged.

    With `conversion_row_is_touch` a conversion row that has a channel is also a touch, the last one
    of its own conversion.
    """

    rows: Touchpoints
    users: int
    conversion_row_is_touch: bool
    attributes: Mapping[str, Attribute] = field(default_factory=dict)  # of users and days, by name

    def of_users(self, users: Flags) -> "Journeys":
        """Those of some users, who keep their numbers; `users` has shape `(users,)`."""
        return replace(self, rows=self.rows.take(users[self.rows.user]))

    def before(self, day: int) -> "Journeys":
        """Those of all users up to the end of the day before."""
        return replace(self, rows=self.rows.take(self.rows.day < day))

    @cached_property
    def _is_touch(self) -> Flags:
        has_channel = self.rows.channel >= 0
        return has_channel & (self.conversion_row_is_touch | ~self.rows.conversion)

    @cached_property
    def touches(self) -> Touchpoints:
        """The rows that are touches, in canonical order."""
        return self.rows.take(self._is_touch)

    @cached_property
    def conversions(self) -> Touchpoints:
        """The rows that are conversions, in canonical order."""
        return self.rows.take(self.rows.conversion)

    @cached_property
    def values(self) -> Floats:
        """The conversions' values; a missing one is 0.

        Multiples of `VALUE_STEP`, whose sums are exact up to 8 billion: in any order the same.
        """
        value = np.nan_to_num(self.conversions.value, nan=0.0)
        return np.floor(value / VALUE_STEP + 0.5) * VALUE_STEP

    @cached_property
    def touch_days(self) -> Ints:
        """The user-day of every touch, as one number; ascending."""
        return self.user_day(self.touches.user, self.touches.day)

    @cached_property
    def conversion_days(self) -> Ints:
        """The user-day of every conversion, as one number; ascending."""
        return self.user_day(self.conversions.user, self.conversions.day)

    @cached_property
    def first_touch(self) -> Ints:
        """Position of every user's first touch, shape `(users + 1,)`; that of the next user's
        where a user has none.
        """
        return np.searchsorted(self.touches.user, np.arange(self.users + 1))

    @cached_property
    def _day_range(self) -> tuple[int, int]:
        day = self.rows.day
        return int(day.min(initial=0)), int(day.max(initial=0))

    def user_day(self, user: Ints, day: Ints) -> Ints:
        """(user, day) as one number, ascending along the rows.

        Days beyond the data count as the day before the first or after the last, so that a window
        may open before the data and never reaches into another user's days.
        """
        low, high = self._day_range
        days_per_user = high - low + 2
        day_of_user = np.clip(day - low + 1, 0, days_per_user)
        return user * days_per_user + day_of_user

    def day_opens(self, user: Ints, day: Ints) -> Ints:
        """Position of the user's first touch on that day or later (or of the next user's)."""
        return np.searchsorted(self.touch_days, self.user_day(user, day))

    @cached_property
    def conversion_windows(self) -> Windows:
        """One window per conversion, without a lookback bound: touches since the previous one."""
        converts = self.rows.conversion
        user = self.rows.user[converts]
        day = self.rows.day[converts]
        touches_so_far = np.cumsum(self._is_touch, dtype=np.int64)
        # The row's own touch is counted: where a conversion row is a touch, it sees itself.
        stop = touches_so_far[converts]
        start = self.first_touch[user]
        same_user = user[1:] == user[:-1]
        later = np.flatnonzero(same_user) + 1  # conversions after a user's first
        start[later] = stop[later - 1]
        return Windows(user, day, start, stop)

    def since_conversion(self, user: Ints, conversions_before: Ints) -> Ints:
        """Where the touches since each user's previous conversion begin, shape `(n,)`.

        `conversions_before` `(n,)` counts those of all users up to there, so that the previous one
        is the last of them, if it is the same user's.
        """
        start = self.first_touch[user]
        previous = conversions_before - 1
        rows = np.flatnonzero(previous >= 0)
        same_user = self.conversions.user[previous[rows]] == user[rows]
        own = rows[same_user]
        start[own] = self.conversion_windows.stop[previous[own]]
        return start


def look_back(journeys: Journeys, windows: Windows, days: int) -> Windows:
    """The windows, cut to the last `days` days up to the anchor day."""
    opens = journeys.day_opens(windows.user, windows.anchor - days + 1)
    later_start = np.maximum(windows.start, opens)
    start = np.minimum(later_start, windows.stop)
    return windows._replace(start=start)


def patterns_seen(journeys: Journeys, windows: Windows, grid: Grid) -> tuple[Patterns, Ints]:
    """The distinct patterns of the windows and which of them each window shows, shape `(n,)`."""
    windows = look_back(journeys, windows, grid.days)
    if not grid.has_exact_keys:
        return distinct(_patterns(journeys, windows, grid))
    # A key is the set itself: of windows that show the same, one is enough to name its cells.
    keys = _exact_keys(journeys, windows, grid)
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    return _patterns(journeys, windows.take(first), grid), which


def _patterns(journeys: Journeys, windows: Windows, grid: Grid) -> Patterns:
    """The pattern of every window."""
    window = owners(windows.sizes)
    cell = _cells(journeys, windows, grid)
    return of_cells(window, cell, len(windows.user), grid)


def _exact_keys(journeys: Journeys, windows: Windows, grid: Grid) -> Keys:
    """The key of every window's pattern, shape `(n,)`; repeats of a cell set its bit once."""
    cell = _cells(journeys, windows, grid).astype(np.uint64)
    bits = np.uint64(1) << cell
    return reduced(np.bitwise_or, bits, offsets_of(windows.sizes))


def _cells(journeys: Journeys, windows: Windows, grid: Grid) -> Ints:
    """The cell of every touch of every window, window by window, repeats included."""
    touch = positions(windows.start, windows.sizes)
    anchor = np.repeat(windows.anchor, windows.sizes)
    days_before = anchor - journeys.touches.day[touch]
    return days_before * grid.channels + journeys.touches.channel[touch]
