"""Shapley values of the touched cells of a pattern, for any log-odds of coalitions.

The players of a pattern's game are its touched cells; v(S) is the probability of a conversion when
only the cells in S are touched. `games` are patterns at offsets, `exact` goes through all
coalitions of short patterns, `sampled` through random orders of long ones, `credit` shares out the
conversions by the result, and `delta` says how far that may be off.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from td_mta.journeys.patterns import Grid, Patterns, dense
from td_mta.journeys.touchpoints import Floats, Ints

ValueFunction = Callable[[npt.NDArray[np.float32]], Floats]
"""v: sets of cells, as 0/1 of shape `(n, days, channels)`, to their values `(n,)`."""

LogOdds = ValueFunction
"""f: sets of cells to the log-odds of their values, `(n,)`."""

BLOCK_FLOATS = 4_000_000


def score(patterns: Patterns, grid: Grid, value_function: ValueFunction) -> Floats:
    """v of every set, `(n,)`, in blocks of bounded memory."""
    values = np.empty(len(patterns.keys))
    for rows in blocks(len(values), grid.cells):
        cells = dense(patterns.take(rows), grid)
        values[rows] = value_function(cells)
    return values


def blocks(n: int, width: int) -> list[Ints]:
    """The rows `0..n-1` in runs that hold about `BLOCK_FLOATS` numbers at `width` numbers a row."""
    size = max(1, BLOCK_FLOATS // max(width, 1))
    rows = np.arange(n)
    return [rows[first : first + size] for first in range(0, n, size)]
