"""Exact Shapley values over all coalitions (Shapley 1953).

Every pattern of k cells has 2^k coalitions, and patterns share most of them: the log-odds of
distinct coalitions are scored once for all games. Coalition `m` of a pattern holds its cell `i`
when bit `i` of `m` is set; its key is the exclusive or of its cells' keys.
"""

from collections.abc import Iterator
from math import comb
from typing import NamedTuple

import numpy as np

from td_mta.journeys.patterns import Cells, Grid, Keys, Patterns, distinct
from td_mta.journeys.runs import offsets_of
from td_mta.journeys.touchpoints import Flags, Floats, Ints
from td_mta.shapley import blocks
from td_mta.shapley.games import Games, Worth, blocks_of_size


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


def exact(games: Games, grid: Grid, scored: Coalitions, f: Floats, worth: Worth) -> Floats:
    """Shapley values phi of every player of the games of at most `scored.largest` cells.

    `f` are the log-odds of `scored.patterns`. Returns one number per player, NaN in larger games.
    A game's values sum to v(N) - v(0) of its cells N.
    """
    starts = games.starts
    phi = np.full(starts[-1], np.nan)
    for size in range(1, scored.largest + 1):
        for block in blocks_of_size(games, size, 1 << size):
            coalition = coalitions_of(games.patterns, block.patterns, size, grid, scored)
            values = worth.values(f[coalition][block.which], games.offset[block.games])
            players = starts[block.games, None] + np.arange(size)
            phi[players] = average_gain(values, size)
    return phi


def coalitions_of(
    patterns: Patterns, rows: Ints, size: int, grid: Grid, scored: Coalitions
) -> Ints:
    """Which of the scored ones all coalitions of patterns of one size are, `(rows, 2**size)`."""
    cells = patterns.cells[patterns.entries(rows, size)]  # (rows, k)
    keys = _coalition_keys(grid.cell_keys()[cells])
    return np.searchsorted(scored.patterns.keys, keys)


def gain_weights(size: int) -> Floats:
    """What v of each coalition adds to each player's value, `(2**k, k)`.

    phi_i = sum over S without i of |S|! (k - |S| - 1)! / k! * (v(S with i) - v(S)). The weight is
    1 / (k * comb(k - 1, |S|)): a size of S is as likely as any other, and so is an S of that size.

    >>> gain_weights(1).tolist()
    [[-1.0], [1.0]]
    """
    member = _member(size)
    sizes = member.sum(axis=1, keepdims=True) - member  # of the set without the player
    sets_by_size = np.array([comb(size - 1, members) for members in range(size)])
    weights: Floats = np.where(member, 1, -1) / (size * sets_by_size[sizes])
    return weights


def average_gain(values: Floats, size: int) -> Floats:
    """Each player's gain, averaged over coalitions: v of all coalitions `(n, 2**k)` to `(n, k)`."""
    weights = gain_weights(size)
    member = _member(size)
    phi = np.empty((len(values), size))
    for i in range(size):
        without = np.flatnonzero(~member[:, i])
        with_i = without | (1 << i)
        # Differences first: what cancels is exact, so a null player gets just 0.
        gain = values[:, with_i] - values[:, without]
        phi[:, i] = gain @ weights[with_i, i]
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
