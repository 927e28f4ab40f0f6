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
from td_mta.shapley import ValueFunction, blocks, score

ARRAYS_AT_ONCE = 4  # of the size of all prefixes of all orders


class Sampled(NamedTuple):
    """Per entry of `patterns.cells`: the value and its squared standard error."""

    phi: Floats
    variance: Floats


def sampled(
    patterns: Patterns,
    grid: Grid,
    value_function: ValueFunction,
    value_empty: float,
    value_full: Floats,
    *,
    pairs: int,
    rng: np.random.Generator,
) -> Sampled:
    """Values of every cell of every pattern from `pairs` of permutations, at least 2.

    `value_empty` is v(0), `value_full` `(n,)` v(N) of every pattern.
    """
    phi = np.zeros(len(patterns.cells))
    variance = np.zeros(len(patterns.cells))
    for size, rows in _blocks_by_size(patterns, pairs):
        entries = patterns.entries(rows, size)  # (rows, k)
        order = _orders(len(rows), pairs, size, rng)
        values = _prefix_values(patterns.cells[entries], order, grid, value_function)
        # As scored elsewhere: in another batch v may differ in its last digit.
        values[..., 0] = value_empty
        values[..., -1] = value_full[rows, None, None]
        pair_means = _gains(values, order).mean(axis=2)  # (rows, pairs, k)
        phi[entries] = pair_means.mean(axis=1)
        variance[entries] = pair_means.var(axis=1, ddof=1) / pairs
    return Sampled(phi, variance)


def _blocks_by_size(patterns: Patterns, pairs: int) -> Iterator[tuple[int, Ints]]:
    """Each size k > 0 that patterns have, with the rows of that size, in blocks."""
    touched = patterns.sizes[patterns.sizes > 0]
    for size in np.unique(touched).tolist():
        of_size = np.flatnonzero(patterns.sizes == size)
        prefixes = 2 * pairs * (size + 1)  # of all orders of a pattern
        for block in blocks(len(of_size), prefixes * ARRAYS_AT_ONCE):
            yield size, of_size[block]


def _orders(n: int, pairs: int, size: int, rng: np.random.Generator) -> Ints:
    """Permutations and their reverses, shape `(n, pairs, 2, k)`."""
    identity = np.tile(np.arange(size), (n, pairs, 1))
    forward = rng.permuted(identity, axis=2)
    return np.stack([forward, forward[:, :, ::-1]], axis=2)


def _gains(values: Floats, order: Ints) -> Floats:
    """Gains by player, `(n, pairs, 2, k)`, from v of the prefixes of every order."""
    by_position = np.diff(values, axis=3)
    gains = np.empty(order.shape)
    np.put_along_axis(gains, order, by_position, axis=3)
    return gains


def _prefix_values(cells: Cells, order: Ints, grid: Grid, value_function: ValueFunction) -> Floats:
    """v of the first 0, 1, ... k players of every order, shape `(n, pairs, 2, k + 1)`.

    Orders share prefixes, above all the short ones: each distinct one is scored once.
    """
    prefix_keys = _prefix_keys(cells, order, grid)
    _, first, which = np.unique(prefix_keys, return_index=True, return_inverse=True)
    prefixes = _prefix_patterns(cells, order, first, grid)
    values = score(prefixes, grid, value_function)
    return values[which.reshape(prefix_keys.shape)]


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
