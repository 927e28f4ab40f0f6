"""Exact Shapley values over all coalitions.

Every pattern of k cells has 2^k coalitions, and patterns share most of them: distinct coalitions
are scored once for all patterns. Coalition `m` of a pattern holds its cell `i` when bit `i` of `m`
is set; its key is the exclusive or of its cells' keys.
"""

from math import comb
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from td_mta.journeys import patterns
from td_mta.journeys.patterns import Grid, Keys, Patterns
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.shapley import blocks


class Coalitions(NamedTuple):
    """The distinct coalitions of all patterns of up to `largest` cells."""

    sets: Patterns
    largest: int


def coalitions(sets: Patterns, grid: Grid, *, largest: int, budget: int) -> Coalitions:
    """The distinct coalitions; `largest` is lowered until there are no more than `budget`."""
    found = patterns.distinct(_empty())[0]
    for size in range(1, largest + 1):
        grown = found
        for cells in _blocks_of_size(sets, size):
            grown = patterns.distinct(patterns.join([grown, _subsets(cells, grid)]))[0]
            if len(grown.keys) > budget:
                return Coalitions(found, size - 1)
        found = grown
    return Coalitions(found, largest)


def exact(sets: Patterns, grid: Grid, players: Coalitions, worths: Floats) -> Floats:
    """Shapley values of every cell of the sets that have at most `players.largest` cells.

    `worths` are those of `players.sets`. Returns one number per entry of `sets.cells`, NaN for
    larger sets. A set's values sum to its worth less the empty set's.
    """
    phi = np.full(len(sets.cells), np.nan)
    for size in range(1, players.largest + 1):
        for rows in _rows_of_size(sets, size):
            at = sets.offsets[rows, None] + np.arange(size)
            keys = _coalition_keys(grid.cell_keys()[sets.cells[at]])
            phi[at] = _average_gain(worths[np.searchsorted(players.sets.keys, keys)], size)
    return phi


def _average_gain(values: Floats, size: int) -> Floats:
    """Shapley (1953): gains over coalitions, weighted |S|! (k - |S| - 1)! / k!.

    `values` has shape `(n, 2**k)`; returns `(n, k)`.
    """
    members = _member(size).sum(axis=1)
    weight = 1 / (size * np.array([comb(size - 1, int(m)) if m < size else 1 for m in members]))
    phi = np.empty((len(values), size))
    for i in range(size):
        without = np.flatnonzero(~_member(size)[:, i])
        gain = values[:, without | (1 << i)] - values[:, without]
        phi[:, i] = gain @ weight[without]
    return phi


def _coalition_keys(cell_keys: Keys) -> Keys:
    """Keys of all coalitions, `(n, k)` cell keys to `(n, 2**k)`, by doubling."""
    keys = np.zeros((len(cell_keys), 1), np.uint64)
    for i in range(cell_keys.shape[1]):
        keys = np.concatenate([keys, keys ^ cell_keys[:, i, None]], axis=1)
    return keys


def _member(size: int) -> npt.NDArray[np.bool_]:
    return (np.arange(1 << size)[:, None] >> np.arange(size) & 1).astype(bool)


def _rows_of_size(sets: Patterns, size: int) -> list[Ints]:
    rows = np.flatnonzero(sets.sizes == size)
    return [rows[block] for block in blocks(len(rows), 1 << size)]


def _blocks_of_size(sets: Patterns, size: int) -> list[npt.NDArray[np.int32]]:
    return [
        sets.cells[sets.offsets[rows, None] + np.arange(size)] for rows in _rows_of_size(sets, size)
    ]


def _subsets(cells: npt.NDArray[np.int32], grid: Grid) -> Patterns:
    """The distinct subsets of sets of k cells, `(n, k)`."""
    size = cells.shape[1]
    keys, first = np.unique(_coalition_keys(grid.cell_keys()[cells]), return_index=True)
    row, mask = np.divmod(first, 1 << size)
    member = _member(size)[mask]
    return Patterns(keys, patterns.starts(member.sum(axis=1)), cells[row][member])


def _empty() -> Patterns:
    return Patterns(np.zeros(1, np.uint64), np.zeros(2, np.int64), np.zeros(0, np.int32))
