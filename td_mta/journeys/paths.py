"""The ordered touches that led to each conversion: what rules and Markov models read."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from td_mta.journeys import patterns
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.journeys.windows import Journeys, look_back


class Paths(NamedTuple):
    """`n` conversions: the channels of path `i` are `channel[offsets[i]:offsets[i + 1]]`, in order.

    A path may be empty. `value` is what the conversion was worth, shape `(n,)`.
    """

    channel: npt.NDArray[np.int64]
    offsets: Ints
    value: Floats

    @property
    def sizes(self) -> Ints:
        return np.diff(self.offsets)


def conversion_paths(journeys: Journeys, days: int) -> Paths:
    """Touches since the previous conversion, within the last `days` days."""
    windows = look_back(journeys, journeys.conversion_windows, days)
    sizes = windows.stop - windows.start
    touched = journeys.touches.channel[patterns.expand(windows.start, sizes)]
    return Paths(touched, patterns.starts(sizes), journeys.values)
