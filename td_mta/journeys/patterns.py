"""Patterns: distinct sets of cells. A cell is `days_before * channels + channel`.

A set is known by its key, the exclusive or of its cells' keys. Up to 64 cells a cell's key is a bit
of its own, so that keys are exact; beyond, it is a random 64-bit number: ten million distinct
patterns then collide with probability 3e-6. The empty set's key is 0.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from td_mta.journeys.hashing import Hashes, mix
from td_mta.journeys.runs import offsets_of, owners, positions, reduced
from td_mta.journeys.touchpoints import Flags, Ints

Keys = Hashes
Cells = npt.NDArray[np.int32]

EXACT_CELLS = 64  # bits of a key
CELL_SALT = np.uint64(0x2545F4914F6CDD1D)


class Grid(NamedTuple):
    """The cells that a window has: `days` by `channels`."""

    days: int
    channels: int

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return self.days * self.channels

    @property
    def has_exact_keys(self) -> bool:
        """Whether a key is the set itself, a bit a cell."""
        return self.cells <= EXACT_CELLS

    def cell_keys(self) -> Keys:
        """The key of every cell, shape `(cells,)`."""
        cell = np.arange(self.cells, dtype=np.uint64)
        if self.has_exact_keys:
            bits: Keys = np.uint64(1) << cell
            return bits
        return mix(mix(cell) ^ CELL_SALT)  # twice, lest a cell look like a stratum, mixed once


class Patterns(NamedTuple):
    """`n` sets of cells: set `i` is `cells[offsets[i]:offsets[i + 1]]`, ascending."""

    keys: Keys  # (n,)
    offsets: Ints  # (n + 1,)
    cells: Cells  # (offsets[-1],)

    @property
    def sizes(self) -> Ints:
        """Number of cells of every set, shape `(n,)`."""
        return np.diff(self.offsets)

    @property
    def owner(self) -> Ints:
        """The set that each entry of `cells` belongs to."""
        return owners(self.sizes)

    def take(self, rows: Ints) -> "Patterns":
        """The sets of some rows, in that order."""
        sizes = self.sizes[rows]
        entries = positions(self.offsets[rows], sizes)
        return Patterns(self.keys[rows], offsets_of(sizes), self.cells[entries])

    def entries(self, rows: Ints, size: int) -> Ints:
        """Where the cells of sets of one size stand in `cells`, shape `(rows, size)`."""
        return self.offsets[rows, None] + np.arange(size)

    @staticmethod
    def empty() -> "Patterns":
        """One set, the empty one."""
        key = np.zeros(1, np.uint64)
        no_cells = np.zeros(0, np.int32)
        return Patterns(key, offsets=np.zeros(2, np.int64), cells=no_cells)

    @staticmethod
    def join(parts: list["Patterns"]) -> "Patterns":
        """The sets of several parts, one part after the other."""
        keys = np.concatenate([part.keys for part in parts])
        sizes = np.concatenate([part.sizes for part in parts])
        cells = np.concatenate([part.cells for part in parts])
        return Patterns(keys, offsets_of(sizes), cells)


def of_cells(owner: Ints, cells: Ints, n: int, grid: Grid) -> Patterns:
    """The sets of `n` owners from (owner, cell) pairs in any order, repeats allowed."""
    pairs = np.sort(owner * grid.cells + cells)  # np.unique hashes them, at four times the cost
    distinct_pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    owner, cells = np.divmod(distinct_pairs, grid.cells)
    sizes = np.bincount(owner, minlength=n)
    return of_sorted_cells(offsets_of(sizes), cells.astype(np.int32), grid)


def of_sorted_cells(offsets: Ints, cells: Cells, grid: Grid) -> Patterns:
    """Sets whose cells already stand in ascending order, each once."""
    keys = reduced(np.bitwise_xor, grid.cell_keys()[cells], offsets)
    return Patterns(keys, offsets, cells)


def distinct(patterns: Patterns) -> tuple[Patterns, Ints]:
    """The distinct sets, by ascending key, and which of them each set is, shape `(n,)`."""
    _, first, which = np.unique(patterns.keys, return_index=True, return_inverse=True)
    return patterns.take(first), which


def numbered(parts: list[Patterns]) -> tuple[Patterns, list[Ints]]:
    """The distinct sets of all parts, by ascending key, and which of them each part's sets are."""
    patterns, which = distinct(Patterns.join(parts))
    sizes = [len(part.keys) for part in parts]
    return patterns, np.split(which, np.cumsum(sizes)[:-1])


def without_day_zero(patterns: Patterns, grid: Grid) -> Patterns:
    """The sets without the anchor day's own cells."""
    earlier_day = patterns.cells >= grid.channels
    return _filtered(patterns, earlier_day, patterns.cells, grid)


def dense(patterns: Patterns, grid: Grid) -> npt.NDArray[np.float32]:
    """0/1 per cell, shape `(n, days, channels)`."""
    touched = np.zeros((len(patterns.keys), grid.cells), np.float32)
    touched[patterns.owner, patterns.cells] = 1
    return touched.reshape(-1, grid.days, grid.channels)


def _filtered(patterns: Patterns, stays: Flags, cells: Cells, grid: Grid) -> Patterns:
    """The sets with `cells` in place of theirs, of which only some stay."""
    owner = patterns.owner[stays]
    sizes = np.bincount(owner, minlength=len(patterns.keys))
    return of_sorted_cells(offsets_of(sizes), cells[stays], grid)
