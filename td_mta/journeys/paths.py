"""The ordered touches of journeys: what rules and Markov models read."""

from typing import NamedTuple

import numpy as np

from td_mta.journeys.runs import offsets_of, owners, positions
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.journeys.windows import Journeys, Windows, look_back


class Paths(NamedTuple):
    """`n` paths: the channels of path `i` are `channel[offsets[i]:offsets[i + 1]]`, in order.

    A path may be empty, and may stand for many that are identical.
    """

    channel: Ints  # (touches,)
    offsets: Ints  # (n + 1,)
    conversions: Floats  # (n,): how many journeys of this path ended in a conversion
    value: Floats  # (n,): the sum of these conversions' values
    nulls: Floats  # (n,): how many journeys of this path ended without a conversion
    age: Floats  # (touches,): seconds from the touch to the conversion; 0 where not known

    @property
    def sizes(self) -> Ints:
        """Number of touches of every path, shape `(n,)`."""
        return np.diff(self.offsets)

    @property
    def owner(self) -> Ints:
        """The path of every touch, shape `(touches,)`."""
        return owners(self.sizes)

    @property
    def first_touches(self) -> Ints:
        """The first touch of every path that has one."""
        first = self.offsets[:-1]
        return first[self.sizes > 0]

    @property
    def last_touches(self) -> Ints:
        """The last touch of every path that has one."""
        last = self.offsets[1:] - 1
        return last[self.sizes > 0]

    def take(self, rows: Ints) -> "Paths":
        """The paths of some rows, in that order."""
        sizes = self.sizes[rows]
        touches = positions(self.offsets[rows], sizes)
        return Paths(
            self.channel[touches],
            offsets_of(sizes),
            self.conversions[rows],
            self.value[rows],
            self.nulls[rows],
            self.age[touches],
        )

    @staticmethod
    def join(parts: list["Paths"]) -> "Paths":
        """The paths of several parts, one part after the other."""
        sizes = np.concatenate([part.sizes for part in parts])
        columns = zip(*parts, strict=True)  # one field of all parts at a time
        joined = Paths(*(np.concatenate(column) for column in columns))
        return joined._replace(offsets=offsets_of(sizes))


def conversion_paths(journeys: Journeys, days: int, first_day: int) -> Paths:
    """One path a conversion from `first_day` on: touches since the one before it, within the last
    `days` days.
    """
    credited, windows = credited_windows(journeys, days, first_day)
    paths = _paths(journeys, windows)
    converted_at = np.repeat(journeys.conversions.time[credited], paths.sizes)  # (touches,)
    age = converted_at - _times(journeys, windows)
    one_each = np.ones(len(credited))
    return paths._replace(conversions=one_each, value=journeys.values[credited], age=age)


def null_paths(journeys: Journeys, days: int) -> Paths:
    """One path a user with touches after the last conversion: the last `days` days of them."""
    windows = null_windows(journeys, days)
    paths = _paths(journeys, windows)
    return paths._replace(nulls=np.ones(len(windows.user)))


def credited_windows(journeys: Journeys, days: int, first_day: int) -> tuple[Ints, Windows]:
    """Which conversions are from `first_day` on, and the window of each."""
    credited = np.flatnonzero(journeys.conversions.day >= first_day)
    return credited, look_back(journeys, journeys.conversion_windows.take(credited), days)


def null_windows(journeys: Journeys, days: int) -> Windows:
    """The window of each user with touches after the last conversion, up to the last touch."""
    users = np.arange(journeys.users)
    end = journeys.first_touch[1:]
    conversions = np.searchsorted(journeys.conversions.user, users, side="right")
    start = journeys.since_conversion(users, conversions)
    user = np.flatnonzero(start < end)
    last_touch = end[user] - 1
    last_day = journeys.touches.day[last_touch]
    windows = Windows(user, last_day, start[user], end[user])
    return look_back(journeys, windows, days)


def days_back(journeys: Journeys, windows: Windows) -> Ints:
    """Calendar days from every touch of the windows to their anchor day, `(touches,)`."""
    touches = positions(windows.start, windows.sizes)
    return np.repeat(windows.anchor, windows.sizes) - journeys.touches.day[touches]


def _paths(journeys: Journeys, windows: Windows) -> Paths:
    """The touches of windows, one path each; ends, values and ages are still 0."""
    touches = positions(windows.start, windows.sizes)
    channel = journeys.touches.channel[touches]
    none = np.zeros(len(windows.user))
    return Paths(
        channel=channel,
        offsets=offsets_of(windows.sizes),
        conversions=none,
        value=none,
        nulls=none,
        age=np.zeros(len(channel)),
    )


def _times(journeys: Journeys, windows: Windows) -> Floats:
    """Unix seconds of every touch of the windows."""
    touches = positions(windows.start, windows.sizes)
    return journeys.touches.time[touches].astype(np.float64)
