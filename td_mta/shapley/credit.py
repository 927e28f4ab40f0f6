"""From worths to credit: baseline + cells = conversions, for every pattern and so for all."""

from typing import NamedTuple

import numpy as np

from td_mta.journeys import patterns
from td_mta.journeys.patterns import Grid, Patterns
from td_mta.journeys.touchpoints import Floats
from td_mta.shapley import ValueFunction, score
from td_mta.shapley.exact import coalitions, exact
from td_mta.shapley.sampled import sampled

MEASURES = ("conversions", "value")


class Values(NamedTuple):
    """Shapley values of `n` patterns: `phi` and `variance` per entry of `patterns.cells`."""

    patterns: Patterns
    phi: Floats
    variance: Floats
    value_full: Floats
    value_empty: float
    largest_exact: int
    coalitions: int
    sampled: int


class Credit(NamedTuple):
    """`cells` has shape `(2, days, channels)`, `baseline` `(2,)`: conversions, then value.

    `error` is the largest standard error of a cell's conversions that sampling leaves.
    """

    cells: Floats
    baseline: Floats
    error: float


def shapley_values(
    sets: Patterns,
    grid: Grid,
    worth: ValueFunction,
    *,
    exact_cells: int,
    budget: int,
    permutations: int,
    rng: np.random.Generator,
) -> Values:
    """Values of the cells of every set: exact up to `exact_cells`, sampled beyond.

    At most about `budget` distinct coalitions are scored for the exact sets, and as many again for
    the sampled ones (but for 4 permutations each); the limits are lowered to that.
    """
    players = coalitions(sets, grid, largest=exact_cells, budget=budget)
    worths = score(players.sets, grid, worth)
    phi, variance = exact(sets, grid, players, worths), np.zeros(len(sets.cells))
    nothing, whole = float(worths[0]), np.empty(len(sets.keys))
    small = sets.sizes <= players.largest
    whole[small] = worths[np.searchsorted(players.sets.keys, sets.keys[small])]
    large = np.flatnonzero(~small)
    if len(large):
        beyond, at = sets.take(large), patterns.expand(sets.offsets[:-1][large], sets.sizes[large])
        whole[large] = score(beyond, grid, worth)
        pairs = max(2, min(permutations, budget // int((beyond.sizes + 1).sum())) // 2)
        ends = nothing, whole[large]
        phi[at], variance[at] = sampled(beyond, grid, worth, ends, pairs=pairs, rng=rng)
    return Values(
        patterns=sets,
        phi=phi,
        variance=variance,
        value_full=whole,
        value_empty=nothing,
        largest_exact=players.largest,
        coalitions=len(players.sets.keys),
        sampled=len(large),
    )


def attribute(values: Values, amounts: Floats, grid: Grid) -> Credit:
    """Credit for `amounts` of conversions and value per set, shape `(2, n)`.

    A conversion gives v(0)/v(N) to the baseline and phi/v(N) to each of its cells; one without a
    touch is the baseline's.
    """
    sets, untouched = values.patterns, values.patterns.sizes == 0
    owner = np.repeat(np.arange(len(sets.keys)), sets.sizes)
    per_worth = np.where(untouched, 0.0, amounts / np.where(untouched, 1.0, values.value_full))
    cells = np.array(
        [np.bincount(sets.cells, each[owner] * values.phi, grid.cells) for each in per_worth]
    )
    variance = np.bincount(sets.cells, per_worth[0][owner] ** 2 * values.variance, grid.cells)
    baseline = per_worth.sum(axis=1) * values.value_empty + amounts[:, untouched].sum(axis=1)
    shape = (len(MEASURES), grid.days, grid.channels)
    return Credit(cells.reshape(shape), baseline, float(np.sqrt(variance.max(initial=0))))
