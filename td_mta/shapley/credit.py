"""From values to credit: baseline + cells = conversions, for every pattern and so for all."""

from typing import NamedTuple

import numpy as np

from td_mta.journeys.patterns import Grid, Patterns
from td_mta.journeys.runs import positions
from td_mta.journeys.touchpoints import Floats
from td_mta.shapley import ValueFunction, score
from td_mta.shapley.exact import Coalitions, coalitions, exact
from td_mta.shapley.sampled import sampled

MEASURES = ("conversions", "value")


class Values(NamedTuple):
    """Shapley values of the cells of `n` patterns, and how they were computed."""

    patterns: Patterns
    phi: Floats  # per entry of `patterns.cells`
    variance: Floats  # the same: squared standard error, 0 where exact
    value_full: Floats  # (n,): v(N), of all cells of a pattern
    value_empty: float  # v(0), of no cell at all
    largest_exact: int  # cells of the longest patterns that are exact
    coalitions: int  # distinct ones that were scored for these
    sampled: int  # patterns that were too long for that


class Credit(NamedTuple):
    """Credit by `MEASURES`: of conversions, then of their value."""

    cells: Floats  # (2, days, channels)
    baseline: Floats  # (2,)
    error: float  # the largest standard error of a cell's conversions that sampling leaves


def shapley_values(
    patterns: Patterns,
    grid: Grid,
    value_function: ValueFunction,
    *,
    exact_cells: int,
    budget: int,
    permutations: int,
    rng: np.random.Generator,
) -> Values:
    """Values of the cells of every pattern: exact up to `exact_cells`, sampled beyond.

    At most about `budget` distinct coalitions are scored for the exact patterns, and as many again
    for the sampled ones (but for 4 permutations each); the limits are lowered to that.
    """
    scored = coalitions(patterns, grid, largest=exact_cells, budget=budget)
    coalition_values = score(scored.patterns, grid, value_function)
    value_empty = float(coalition_values[0])  # the empty set's key is 0, the lowest
    value_full = _full_values(patterns, grid, value_function, scored, coalition_values)
    phi = exact(patterns, grid, scored, coalition_values)
    variance = np.zeros(len(phi))
    large = np.flatnonzero(patterns.sizes > scored.largest)
    if len(large):
        longer = patterns.take(large)
        pairs = _pairs(longer, permutations, budget)
        ends = value_empty, value_full[large]
        entries = positions(patterns.offsets[large], longer.sizes)
        estimates = sampled(longer, grid, value_function, *ends, pairs=pairs, rng=rng)
        phi[entries], variance[entries] = estimates
    counts = scored.largest, len(coalition_values), len(large)
    return Values(patterns, phi, variance, value_full, value_empty, *counts)


def attribute(values: Values, amounts: Floats, grid: Grid) -> Credit:
    """Credit for `amounts` of conversions and value per pattern, shape `(2, n)`.

    A conversion gives v(0)/v(N) to the baseline and phi/v(N) to each of its cells, which sums to
    one since a pattern's phi sum to v(N) - v(0); one without a touch is the baseline's.
    """
    patterns = values.patterns
    untouched = patterns.sizes == 0
    value_full = np.where(untouched, 1.0, values.value_full)
    per_value = np.where(untouched, 0.0, amounts / value_full)  # (2, n)
    factor = per_value[:, patterns.owner]  # (2, entries): of phi, for its credit
    entry_credit = factor * values.phi
    shape = (len(MEASURES), grid.days, grid.channels)
    cells = np.array([np.bincount(patterns.cells, credit, grid.cells) for credit in entry_credit])
    of_untouched = amounts[:, untouched].sum(axis=1)
    baseline = per_value.sum(axis=1) * values.value_empty + of_untouched
    # Patterns are sampled independently of each other, so the variances of their credit add up.
    entry_variance = factor[0] ** 2 * values.variance
    variance = np.bincount(patterns.cells, entry_variance, grid.cells)
    error = np.sqrt(variance.max(initial=0))
    return Credit(cells.reshape(shape), baseline, float(error))


def _full_values(
    patterns: Patterns,
    grid: Grid,
    value_function: ValueFunction,
    scored: Coalitions,
    coalition_values: Floats,
) -> Floats:
    """v(N) of every pattern, `(n,)`; up to `scored.largest` cells it is one of the coalitions."""
    small = np.flatnonzero(patterns.sizes <= scored.largest)
    large = np.flatnonzero(patterns.sizes > scored.largest)
    coalition = np.searchsorted(scored.patterns.keys, patterns.keys[small])
    value_full = np.empty(len(patterns.keys))
    value_full[small] = coalition_values[coalition]
    value_full[large] = score(patterns.take(large), grid, value_function)
    return value_full


def _pairs(longer: Patterns, permutations: int, budget: int) -> int:
    """Pairs of permutations that the budget allows; at least 2, for a standard error.

    A permutation scores up to k + 1 coalitions of each pattern of k cells: its prefixes.
    """
    prefixes = int((longer.sizes + 1).sum())
    return max(2, min(permutations, budget // prefixes) // 2)
