"""Patterns: distinct sets of cells. A cell is `days_before * channels + channel`.

A set is known by its key, the exclusive or of its cells' keys. Up to 64 cells a cell's key is a bit
of its own, so that keys are exact; beyond, it is a random 64-bit number: ten million distinct
patterns then collide with probability 3e-6. The empty set's key is 0.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from td_mta.journeys.touchpoints import Ints

Keys = npt.NDArray[np.uint64]


class Grid(NamedTuple):
    """The cells that a window has: `days` by `channels`."""

    days: int
    channels: int

    @property
    def cells(self) -> int:
        return self.days * self.channels

    def cell_keys(self) -> Keys:
        """The key of every cell, shape `(cells,)`."""
        if self.cells <= 64:
            return np.uint64(1) << np.arange(self.cells, dtype=np.uint64)
        return mix(np.arange(1, self.cells + 1, dtype=np.uint64))


class Patterns(NamedTuple):
    """`n` sets of cells: set `i` is `cells[offsets[i]:offsets[i + 1]]`, ascending."""

    keys: Keys
    offsets: Ints
    cells: npt.NDArray[np.int32]

    @property
    def sizes(self) -> Ints:
        return np.diff(self.offsets)

    def take(self, rows: Ints) -> "Patterns":
        sizes = self.sizes[rows]
        cells = self.cells[expand(self.offsets[:-1][rows], sizes)]
        return Patterns(self.keys[rows], starts(sizes), cells)


def mix(numbers: Keys) -> Keys:
    """A well-mixed 64-bit hash of 64-bit numbers (splitmix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        z = numbers + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def starts(sizes: Ints) -> Ints:
    """Offsets `(n + 1,)` of consecutive runs of the given sizes."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])


def expand(first: Ints, sizes: Ints) -> Ints:
    """The positions `first[i], first[i] + 1, ...`, `sizes[i]` of them, one run after the other.

    >>> expand(np.array([5, 0]), np.array([2, 1])).tolist()
    [5, 6, 0]
    """
    offsets = starts(sizes)
    return np.arange(offsets[-1]) + np.repeat(first - offsets[:-1], sizes)


def of_cells(owner: Ints, cells: Ints, n: int, grid: Grid) -> Patterns:
    """The sets of `n` owners from (owner, cell) pairs in any order, repeats allowed."""
    pairs = np.unique(owner * grid.cells + cells)
    owner, cells = np.divmod(pairs, grid.cells)
    offsets = starts(np.bincount(owner, minlength=n))
    return sorted_sets(offsets, cells.astype(np.int32), grid)


def sorted_sets(offsets: Ints, cells: npt.NDArray[np.int32], grid: Grid) -> Patterns:
    """Sets whose cells already stand in ascending order, each once."""
    return Patterns(_xor_runs(grid.cell_keys()[cells], offsets), offsets, cells)


def distinct(sets: Patterns) -> tuple[Patterns, Ints]:
    """The distinct sets, by ascending key, and which of them each set is, shape `(n,)`."""
    _, first, inverse = np.unique(sets.keys, return_index=True, return_inverse=True)
    return sets.take(first), inverse


def join(parts: list[Patterns]) -> Patterns:
    """Sets of several parts, one part after the other."""
    return Patterns(
        np.concatenate([part.keys for part in parts]),
        starts(np.concatenate([part.sizes for part in parts])),
        np.concatenate([part.cells for part in parts]),
    )


def shift(sets: Patterns, days: int, grid: Grid) -> Patterns:
    """The same sets seen `days` days later; cells that leave the window are dropped."""
    return _within(sets, sets.cells + days * grid.channels, grid)


def without_day_zero(sets: Patterns, grid: Grid) -> Patterns:
    """The sets without the anchor day's own cells."""
    return _within(sets, np.where(sets.cells < grid.channels, grid.cells, sets.cells), grid)


def dense(sets: Patterns, grid: Grid) -> npt.NDArray[np.float32]:
    """0/1 per cell, shape `(n, days, channels)`."""
    out = np.zeros((len(sets.keys), grid.cells), np.float32)
    out[np.repeat(np.arange(len(sets.keys)), sets.sizes), sets.cells] = 1
    return out.reshape(-1, grid.days, grid.channels)


def _within(sets: Patterns, moved: npt.NDArray[np.int32], grid: Grid) -> Patterns:
    owner = np.repeat(np.arange(len(sets.keys)), sets.sizes)
    kept = moved < grid.cells
    offsets = starts(np.bincount(owner[kept], minlength=len(sets.keys)))
    return sorted_sets(offsets, moved[kept].astype(np.int32), grid)


def _xor_runs(keys: Keys, offsets: Ints) -> Keys:
    out = np.zeros(len(offsets) - 1, np.uint64)
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):
        out[filled] = np.bitwise_xor.reduceat(keys, offsets[:-1][filled])
    return out
