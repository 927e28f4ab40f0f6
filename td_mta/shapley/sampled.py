"""Shapley values from antithetic permutations (Mitchell et al. 2022), for sets too large for all.

In the order of a permutation the gains telescope from the empty set's worth to the whole's, so
every sample is efficient. Each permutation is followed by its reverse; the standard error is that
of the means of such pairs.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from td_mta.journeys import patterns
from td_mta.journeys.patterns import Grid, Patterns
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.shapley import ValueFunction, blocks, score


class Sampled(NamedTuple):
    """Per entry of `sets.cells`: the value and its squared standard error."""

    phi: Floats
    variance: Floats


def sampled(
    sets: Patterns,
    grid: Grid,
    worth: ValueFunction,
    ends: tuple[float, Floats],
    *,
    pairs: int,
    rng: np.random.Generator,
) -> Sampled:
    """Values of every cell of every set from `pairs` of permutations, at least 2.

    `ends` are the worths of the empty set and of every whole set.
    """
    phi, variance = np.zeros(len(sets.cells)), np.zeros(len(sets.cells))
    nothing, whole = ends
    for size in np.unique(sets.sizes[sets.sizes > 0]):
        rows = np.flatnonzero(sets.sizes == size)
        for block in blocks(len(rows), 2 * pairs * (size + 1) * 4):
            at = sets.offsets[rows[block], None] + np.arange(size)
            players = sets.cells[at]
            order = _orders(len(block), pairs, int(size), rng)
            values = _prefix_worths(players, order, grid, worth)
            values[..., 0], values[..., -1] = nothing, whole[rows[block], None, None]
            gains = np.empty(order.shape)
            np.put_along_axis(gains, order, np.diff(values, axis=3), axis=3)
            of_pairs = gains.mean(axis=2)
            phi[at] = of_pairs.mean(axis=1)
            variance[at] = of_pairs.var(axis=1, ddof=1) / pairs
    return Sampled(phi, variance)


def _orders(n: int, pairs: int, size: int, rng: np.random.Generator) -> Ints:
    """Permutations and their reverses, shape `(n, pairs, 2, k)`."""
    there = rng.permuted(np.tile(np.arange(size), (n, pairs, 1)), axis=2)
    return np.stack([there, there[:, :, ::-1]], axis=2)


def _prefix_worths(
    cells: npt.NDArray[np.int32], order: Ints, grid: Grid, worth: ValueFunction
) -> Floats:
    """The worth of the first 0, 1, ... k players of every order, shape `(n, pairs, 2, k + 1)`."""
    keys = grid.cell_keys()[np.take_along_axis(cells[:, None, None, :], order, axis=3)]
    came = np.bitwise_xor.accumulate(keys, axis=3)
    prefixes = np.concatenate([np.zeros((*keys.shape[:3], 1), np.uint64), came], axis=3)
    _, first, which = np.unique(prefixes, return_index=True, return_inverse=True)
    worths = score(_prefix_sets(cells, order, first, grid), grid, worth)
    return worths[which.reshape(prefixes.shape)]


def _prefix_sets(cells: npt.NDArray[np.int32], order: Ints, which: Ints, grid: Grid) -> Patterns:
    """The sets that some prefixes of the orders make; `which` numbers them through."""
    size = cells.shape[1]
    run, length = np.divmod(which, size + 1)
    row = run // (order.shape[1] * 2)
    came = patterns.expand(run * size, length)
    owner = np.repeat(np.arange(len(which)), length)
    players = order.reshape(-1)[came]
    return patterns.of_cells(owner, cells[row[owner], players].astype(np.int64), len(which), grid)
