"""Runs of various lengths in one flat array: run `i` is `values[offsets[i]:offsets[i + 1]]`.

Patterns are runs of cells, paths are runs of touches. A run may be empty.
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from td_mta.journeys.touchpoints import Ints

Scalar = TypeVar("Scalar", bound=np.generic)


def offsets_of(sizes: Ints) -> Ints:
    """Offsets `(n + 1,)` of runs of the given sizes `(n,)`, one after the other.

    >>> offsets_of(np.array([2, 0, 1])).tolist()
    [0, 2, 2, 3]
    """
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])


def owners(sizes: Ints) -> Ints:
    """Which run each entry belongs to, shape `(sizes.sum(),)`.

    >>> owners(np.array([2, 0, 1])).tolist()
    [0, 0, 2]
    """
    return np.repeat(np.arange(len(sizes)), sizes)


def positions(first: Ints, sizes: Ints) -> Ints:
    """The positions `first[i], first[i] + 1, ...`, `sizes[i]` of them, one run after the other.

    >>> positions(np.array([5, 0]), np.array([2, 1])).tolist()
    [5, 6, 0]
    """
    offsets = offsets_of(sizes)
    # An entry's own number counts on within its run; what differs from run to run is the start.
    shift = first - offsets[:-1]
    return np.arange(offsets[-1]) + np.repeat(shift, sizes)


def reduced(ufunc: np.ufunc, values: npt.NDArray[Scalar], offsets: Ints) -> npt.NDArray[Scalar]:
    """Every run reduced by `ufunc`, shape `(n,)`; 0 where a run is empty.

    >>> reduced(np.maximum, np.array([3, 8, 5]), np.array([0, 2, 2, 3])).tolist()
    [8, 0, 5]
    """
    results = np.zeros(len(offsets) - 1, values.dtype)
    # `reduceat` takes an empty run for the entry that follows it, so it sees the filled ones only.
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):
        results[filled] = ufunc.reduceat(values, offsets[filled])
    return results
