"""The ordered touches of journeys: what rules and Markov models read."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from td_mta.journeys import patterns
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.journeys.windows import Journeys, Windows, look_back


class Paths(NamedTuple):
    """`n` paths: the channels of path `i` are `channel[offsets[i]:offsets[i + 1]]`, in order.

    A path may be empty, and may stand for many alike: `conversions` `(n,)` ended it, worth `value`
    together, and `nulls` `(n,)` journeys went the same way and ended without. `age` `(touches,)`
    are the seconds from a touch to the conversion; 0 where nobody knows them.
    """

    channel: npt.NDArray[np.int64]
    offsets: Ints
    conversions: Floats
    value: Floats
    nulls: Floats
    age: Floats

    @property
    def sizes(self) -> Ints:
        return np.diff(self.offsets)

    @property
    def owner(self) -> Ints:
        """The path of every touch, shape `(touches,)`."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.sizes)

    def take(self, rows: Ints) -> "Paths":
        sizes = self.sizes[rows]
        touches = patterns.expand(self.offsets[:-1][rows], sizes)
        return Paths(
            self.channel[touches],
            patterns.starts(sizes),
            self.conversions[rows],
            self.value[rows],
            self.nulls[rows],
            self.age[touches],
        )


def conversion_paths(journeys: Journeys, days: int) -> Paths:
    """One path a conversion: touches since the previous one, within the last `days` days."""
    windows = look_back(journeys, journeys.conversion_windows, days)
    paths = _paths(journeys, windows)
    age = np.repeat(journeys.conversions.time, paths.sizes) - paths.age
    return paths._replace(value=journeys.values, nulls=np.zeros(len(journeys.values)), age=age)


def null_paths(journeys: Journeys, days: int) -> Paths:
    """One path a user with touches after the last conversion: the last `days` days of them."""
    end = journeys.first_touch[1:]
    converted = np.searchsorted(journeys.conversions.user, np.arange(journeys.users), side="right")
    start = journeys.since_conversion(np.arange(journeys.users), converted)
    user = np.flatnonzero(start < end)
    last_day = journeys.touches.day[end[user] - 1]
    paths = _paths(
        journeys, look_back(journeys, Windows(user, last_day, start[user], end[user]), days)
    )
    none = np.zeros(len(user))
    return paths._replace(conversions=none, value=none, age=np.zeros(len(paths.channel)))


def join(parts: list[Paths]) -> Paths:
    """The paths of several parts, one part after the other."""
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in Paths._fields
    }
    sizes = np.concatenate([part.sizes for part in parts])
    return Paths(**columns | {"offsets": patterns.starts(sizes)})


def _paths(journeys: Journeys, windows: Windows) -> Paths:
    """The touches of windows, one path each, their times as `age`."""
    sizes = windows.stop - windows.start
    touches = patterns.expand(windows.start, sizes)
    one = np.ones(len(sizes))
    time = journeys.touches.time[touches].astype(np.float64)
    return Paths(journeys.touches.channel[touches], patterns.starts(sizes), one, one, one, time)
