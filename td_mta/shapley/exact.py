"""Exact Shapley values over all coalitions (Shapley 1953).

Every pattern of k cells has 2^k coalitions, and patterns share most of them: distinct coalitions
are scored once for all patterns. Coalition `m` of a pattern holds its cell `i` when bit `i` of `m`
is set; its key is the exclusive or of its cells' keys.
"""

from collections.abc import Iterator
from math import comb
from typing import NamedTuple

import numpy as np

from td_mta.journeys.patterns import Cells, Grid, Keys, Patterns, distinct
from td_mta.journeys.runs import offsets_of
from td_mta.journeys.touchpoints import Flags, Floats, Ints
from td_mta.shapley import blocks


class Coalitions(NamedTuple):
    """The distinct coalitions of all patterns of up to `largest` cells, by ascending key."""

    patterns: Patterns
    largest: int


def coalitions(patterns: Patterns, grid: Grid, *, largest: int, budget: int) -> Coalitions:
    """The distinct coalitions; `largest` is lowered until there are no more than `budget`.

    So a table of many long patterns costs bounded memory and time, and the empty set is always
    there.
    """
    within_budget = Patterns.empty()
    for size in range(1, largest + 1):
        grown = within_budget
        for entries in _entries_of_size(patterns, size):
            subsets = _subsets(patterns.cells[entries], grid)
            grown, _ = distinct(Patterns.join([grown, subsets]))
            if len(grown.keys) > budget:
                return Coalitions(within_budget, size - 1)
        within_budget = grown
    return Coalitions(within_budget, largest)


def exact(patterns: Patterns, grid: Grid, scored: Coalitions, coalition_values: Floats) -> Floats:
    """Shapley values phi of every cell of the patterns that have at most `scored.largest` cells.

    `coalition_values` are v of `scored.patterns`. Returns one number per entry of `patterns.cells`,
    NaN for larger patterns. A pattern's values sum to v(N) - v(0) of its cells N.
    """
    phi = np.full(len(patterns.cells), np.nan)
    cell_keys = grid.cell_keys()
    for size in range(1, scored.largest + 1):
        for entries in _entries_of_size(patterns, size):
            cells = patterns.cells[entries]  # (rows, k)
            keys = _coalition_keys(cell_keys[cells])  # (rows, 2**k)
            coalition = np.searchsorted(scored.patterns.keys, keys)
            phi[entries] = _average_gain(coalition_values[coalition], size)
    return phi


def _average_gain(values: Floats, size: int) -> Floats:
    """Each player's gain, averaged over coalitions: v of all coalitions `(n, 2**k)` to `(n, k)`.

    phi_i = sum over S without i of |S|! (k - |S| - 1)! / k! * (v(S with i) - v(S)). The weight is
    1 / (k * comb(k - 1, |S|)): a size of S is as likely as any other, and so is an S of that size.
    """
    member = _member(size)
    sizes = member.sum(axis=1)
    sets_by_size = [comb(size - 1, members) for members in range(size)]
    # The set of all players is nobody's S; its weight is never used.
    sets = np.array([*sets_by_size, 1])[sizes]  # (2**k,)
    weight = 1 / (size * sets)
    phi = np.empty((len(values), size))
    for i in range(size):
        without = np.flatnonzero(~member[:, i])
        with_i = without | (1 << i)
        gain = values[:, with_i] - values[:, without]
        phi[:, i] = gain @ weight[without]
    return phi


def _coalition_keys(cell_keys: Keys) -> Keys:
    """Keys of all coalitions, `(n, k)` cell keys to `(n, 2**k)`, by doubling."""
    keys = np.zeros((len(cell_keys), 1), np.uint64)
    for i in range(cell_keys.shape[1]):
        with_i = keys ^ cell_keys[:, i, None]
        keys = np.concatenate([keys, with_i], axis=1)
    return keys


def _member(size: int) -> Flags:
    """Whether coalition `m` holds player `i`, shape `(2**k, k)`."""
    coalition = np.arange(1 << size)[:, None]
    bit: Flags = (coalition >> np.arange(size) & 1).astype(np.bool_)
    return bit


def _entries_of_size(patterns: Patterns, size: int) -> Iterator[Ints]:
    """Where the cells of patterns of that size stand, `(rows, size)`, in blocks of rows."""
    rows = np.flatnonzero(patterns.sizes == size)
    for block in blocks(len(rows), 1 << size):
        yield patterns.entries(rows[block], size)


def _subsets(cells: Cells, grid: Grid) -> Patterns:
    """The distinct subsets of sets of k cells, `(n, k)`."""
    size = cells.shape[1]
    cell_keys = grid.cell_keys()[cells]
    keys, first = np.unique(_coalition_keys(cell_keys), return_index=True)
    row, coalition = np.divmod(first, 1 << size)
    member = _member(size)[coalition]  # (subsets, k)
    offsets = offsets_of(member.sum(axis=1))
    return Patterns(keys, offsets, cells[row][member])
