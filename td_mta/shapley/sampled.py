"""Shapley values from random permutations, for patterns too long for all coalitions.

A player's value is its gain v(before it, with it) - v(before it), averaged over the orders in which
players can come (Castro, Gomez & Tejada 2009). Within an order the gains telescope from v(0) to
v(N), so every sample is efficient. Each permutation is followed by its reverse: who comes early in
one comes late in the other, which cancels much of the noise (antithetic; Mitchell et al. 2022). The
two are no independent samples, so the standard error is that of the means of such pairs.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from td_mta.journeys.patterns import Cells, Grid, Keys, Patterns, of_cells
from td_mta.journeys.runs import owners, positions
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.shapley import blocks, score
from td_mta.shapley.games import Games, Worth

ARRAYS_AT_ONCE = 4  # of the size of all prefixes of all orders


class Sampled(NamedTuple):
    """Per player of the games: the value and its squared standard error."""

    phi: Floats
    variance: Floats


class Prefixes(NamedTuple):
    """Orders of the cells of some patterns of one size, and the distinct prefixes they have."""

    rows: Ints  # (rows,): of the patterns
    order: Ints  # (rows, pairs, 2, k): permutations of the players and their reverses
    patterns: Patterns  # the distinct prefixes
    which: Ints  # (rows, pairs, 2, k + 1): which of them the first 0, 1, ... k players are


def sampled(
    games: Games,
    patterns: Ints,
    grid: Grid,
    worth: Worth,
    ends: tuple[float, Floats],
    *,
    pairs: int,
    rng: np.random.Generator,
) -> Sampled:
    """Values of every player of the games of some `patterns`, NaN in others.

    They come from `pairs` of permutations, at least 2, which the games of a pattern share. `ends`
    are f of no cell and, `(all patterns,)`, of all cells of each.
    """
    starts = games.starts
    phi = np.full(starts[-1], np.nan)
    variance = np.full(starts[-1], np.nan)
    f_empty, f_full = ends
    for drawn in prefixes(games.patterns, patterns, grid, pairs=pairs, rng=rng):
        f = score(drawn.patterns, grid, worth.log_odds)[drawn.which]
        # As scored elsewhere: in another batch f may differ in its last digit.
        f[..., 0] = f_empty
        f[..., -1] = f_full[drawn.rows, None, None]
        for rows, of_row in games_of_rows(games, drawn):
            values = worth.values(f[of_row], games.offset[rows])
            pair_means = gains(values, drawn.order[of_row]).mean(axis=2)  # (rows, pairs, k)
            players = starts[rows, None] + np.arange(drawn.order.shape[3])
            phi[players] = pair_means.mean(axis=1)
            variance[players] = pair_means.var(axis=1, ddof=1) / pairs
    return Sampled(phi, variance)


def prefixes(
    patterns: Patterns, chosen: Ints, grid: Grid, *, pairs: int, rng: np.random.Generator
) -> Iterator[Prefixes]:
    """Random orders of the `chosen` patterns, in blocks of one size; empty patterns have none.

    Orders share prefixes, above all the short ones: each distinct one of a block is there once.
    """
    for size, rows in _blocks_by_size(patterns, chosen, pairs):
        cells = patterns.cells[patterns.entries(rows, size)]  # (rows, k)
        order = _orders(len(rows), pairs, size, rng)
        prefix_keys = _prefix_keys(cells, order, grid)
        _, first, which = np.unique(prefix_keys, return_index=True, return_inverse=True)
        distinct = _prefix_patterns(cells, order, first, grid)
        yield Prefixes(rows, order, distinct, which.reshape(prefix_keys.shape))


def games_of_rows(games: Games, drawn: Prefixes) -> Iterator[tuple[Ints, Ints]]:
    """The games of the patterns whose orders were drawn, in blocks, and the row of each."""
    row = np.full(len(games.patterns.keys), -1)
    row[drawn.rows] = np.arange(len(drawn.rows))
    playing = np.flatnonzero(row[games.pattern] >= 0)
    width = drawn.which[:1].size * ARRAYS_AT_ONCE
    for block in blocks(len(playing), width):
        rows = playing[block]
        yield rows, row[games.pattern[rows]]


def gains(values: Floats, order: Ints) -> Floats:
    """Gains by player, `(n, pairs, 2, k)`, from v of the prefixes of every order."""
    by_position = np.diff(values, axis=3)
    by_player = np.empty(order.shape)
    np.put_along_axis(by_player, order, by_position, axis=3)
    return by_player


def _blocks_by_size(patterns: Patterns, chosen: Ints, pairs: int) -> Iterator[tuple[int, Ints]]:
    """Each size k > 0 that the chosen patterns have, with those of that size, in blocks."""
    sizes = patterns.sizes[chosen]
    for size in np.unique(sizes[sizes > 0]).tolist():
        of_size = chosen[sizes == size]
        prefixes = 2 * pairs * (size + 1)  # of all orders of a pattern
        for block in blocks(len(of_size), prefixes * ARRAYS_AT_ONCE):
            yield size, of_size[block]


def _orders(n: int, pairs: int, size: int, rng: np.random.Generator) -> Ints:
    """Permutations and their reverses, shape `(n, pairs, 2, k)`."""
    identity = np.tile(np.arange(size), (n, pairs, 1))
    forward = rng.permuted(identity, axis=2)
    return np.stack([forward, forward[:, :, ::-1]], axis=2)


def _prefix_keys(cells: Cells, order: Ints, grid: Grid) -> Keys:
    """Keys of the first 0, 1, ... k players of every order, shape `(n, pairs, 2, k + 1)`."""
    in_order = np.take_along_axis(cells[:, None, None, :], order, axis=3)
    cell_keys = grid.cell_keys()[in_order]
    from_one_on = np.bitwise_xor.accumulate(cell_keys, axis=3)
    empty = np.zeros((*order.shape[:3], 1), np.uint64)
    return np.concatenate([empty, from_one_on], axis=3)


def _prefix_patterns(cells: Cells, order: Ints, prefixes: Ints, grid: Grid) -> Patterns:
    """The patterns of some prefixes, given as flat indices into `(n, pairs, 2, k + 1)`."""
    size = cells.shape[1]
    which_order, length = np.divmod(prefixes, size + 1)
    orders_per_row = order.shape[1] * 2
    row = which_order // orders_per_row
    owner = owners(length)
    players = order.reshape(-1)[positions(which_order * size, length)]
    prefix_cells = cells[row[owner], players].astype(np.int64)
    return of_cells(owner, prefix_cells, len(prefixes), grid)
