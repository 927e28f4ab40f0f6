"""Shapley values of the touched cells of a pattern, for any worth of a set of cells."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from td_mta.journeys import patterns
from td_mta.journeys.patterns import Grid, Patterns
from td_mta.journeys.touchpoints import Floats, Ints

ValueFunction = Callable[[npt.NDArray[np.float32]], Floats]
"""Sets of cells, 0/1 of shape `(n, days, channels)`, to their worths `(n,)`."""

BLOCK_FLOATS = 4_000_000


def score(sets: Patterns, grid: Grid, worth: ValueFunction) -> Floats:
    """The worth of every set, `(n,)`, in blocks of bounded memory."""
    out = np.empty(len(sets.keys))
    for rows in blocks(len(out), grid.cells):
        out[rows] = worth(patterns.dense(sets.take(rows), grid))
    return out


def blocks(n: int, width: int) -> list[Ints]:
    """The rows `0..n-1` in runs that hold about `BLOCK_FLOATS` numbers at `width` numbers a row."""
    size = max(1, BLOCK_FLOATS // max(width, 1))
    return [np.arange(at, min(at + size, n)) for at in range(0, n, size)]
