"""From values to credit: baseline + cells = conversions, for every game and so for all."""

from typing import NamedTuple

import numpy as np

from td_mta.journeys.patterns import Grid, Patterns
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.shapley import LogOdds, score
from td_mta.shapley.exact import Coalitions, coalitions, exact
from td_mta.shapley.games import Games, Worth
from td_mta.shapley.sampled import sampled

MEASURES = ("conversions", "value")


class Scored(NamedTuple):
    """Log-odds f, from which v of every game follows."""

    coalitions: Coalitions  # the distinct ones of exact games
    f: Floats  # (coalitions,)
    f_full: Floats  # (patterns,): of all cells of each pattern


class Values(NamedTuple):
    """Shapley values of the cells of `n` games, and how they were computed."""

    games: Games
    phi: Floats  # of each player, that is, per entry of `games.cells`
    variance: Floats  # the same: squared standard error, 0 where exact
    value_full: Floats  # (n,): v(N), of all cells of a game
    value_empty: Floats  # (n,): v(0), of no cell at all
    largest_exact: int  # cells of the longest patterns that are exact
    coalitions: int  # distinct ones that were scored for these
    sampled: int  # patterns that were too long for that
    worth: Worth
    scored: Scored


class Credit(NamedTuple):
    """Credit by `MEASURES`: of conversions, then of their value."""

    cells: Floats  # (2, days, channels)
    baseline: Floats  # (2,)
    error: float  # the largest standard error of a cell's conversions that sampling leaves


def shapley_values(
    games: Games,
    grid: Grid,
    log_odds: LogOdds,
    *,
    exact_cells: int,
    budget: int,
    permutations: int,
    rng: np.random.Generator,
    empty_is_zero: bool = False,
    lowest: float = -np.inf,
) -> Values:
    """Values of the cells of every game: exact up to `exact_cells`, sampled beyond.

    v(S) = sigmoid(f(S) + offset), with f of all distinct sets of cells from `log_odds`. Where
    `empty_is_zero`, v(0) = 0 instead; below `lowest`, f is taken for that. At most about `budget`
    distinct coalitions are scored for the exact patterns, and as many again for the sampled ones
    (but for 4 permutations each); the limits are lowered to that.
    """
    patterns, worth = games.patterns, Worth(log_odds, empty_is_zero, lowest)
    found = coalitions(patterns, grid, largest=exact_cells, budget=budget)
    f = score(found.patterns, grid, log_odds)
    f_empty = float(f[0])  # the empty set's key is 0, the lowest
    f_full = _full_log_odds(patterns, grid, log_odds, found, f)
    value_empty = worth.empty(f_empty, games.offset)
    value_full = worth.full(f_full[games.pattern], games.offset)
    value_full = np.where(games.sizes > 0, value_full, value_empty)
    phi = exact(games, grid, found, f, worth)
    variance = np.zeros(len(phi))
    longer = np.flatnonzero(patterns.sizes > found.largest)
    if len(longer):
        pairs = _pairs(patterns.sizes[longer], permutations, budget)
        ends = f_empty, f_full
        estimates = sampled(games, longer, grid, worth, ends, pairs=pairs, rng=rng)
        is_long = games.sizes[games.owner] > found.largest
        phi[is_long] = estimates.phi[is_long]
        variance[is_long] = estimates.variance[is_long]
    counts = found.largest, len(f), len(longer)
    return Values(
        games, phi, variance, value_full, value_empty, *counts, worth, Scored(found, f, f_full)
    )


def attribute(values: Values, amounts: Floats, grid: Grid) -> Credit:
    """Credit for `amounts` of conversions and value per game, shape `(2, n)`.

    A conversion gives v(0)/v(N) to the baseline and phi/v(N) to each of its cells, which sums to
    one since a game's phi sum to v(N) - v(0); one without a touch is the baseline's.
    """
    games = values.games
    untouched = games.sizes == 0
    value_full = np.where(untouched, 1.0, values.value_full)
    per_value = np.where(untouched, 0.0, amounts / value_full)  # (2, n)
    factor = per_value[:, games.owner]  # (2, players): of phi, for its credit
    shape = (len(MEASURES), grid.days, grid.channels)
    cells = np.array([np.bincount(games.cells, of, grid.cells) for of in factor * values.phi])
    of_untouched = amounts[:, untouched].sum(axis=1)
    baseline = per_value @ values.value_empty + of_untouched
    error = _sampling_error(values, factor[0], grid)
    return Credit(cells.reshape(shape), baseline, error)


def amounts_of_games(game: Ints, amounts: Floats, games: Games) -> Floats:
    """Amounts `(2, u)` of units by the `game` `(u,)` that each plays, `(2, games)`.

    >>> from td_mta.shapley.games import without_offsets
    >>> games = without_offsets(Patterns.empty())
    >>> amounts_of_games(np.array([0, 0]), np.array([[1.0, 2.0], [5.0, 0.0]]), games).tolist()
    [[3.0], [5.0]]
    """
    n = len(games.pattern)
    return np.array([np.bincount(game, amount, n) for amount in amounts], np.float64)


def _sampling_error(values: Values, factor: Floats, grid: Grid) -> float:
    """The largest standard error of a cell's conversions; `factor` is that of each phi.

    Games of a pattern share their permutations, so their errors add up; patterns are sampled
    independently of each other, so the variances of their credit do.
    """
    patterns = values.games.patterns
    player_error = factor * np.sqrt(values.variance)
    entry_error = np.bincount(values.games.entry, player_error, len(patterns.cells))
    variance = np.bincount(patterns.cells, entry_error**2, grid.cells)
    return float(np.sqrt(variance.max(initial=0)))


def _full_log_odds(
    patterns: Patterns, grid: Grid, log_odds: LogOdds, scored: Coalitions, f: Floats
) -> Floats:
    """f(N) of every pattern, `(n,)`; up to the exact limit it is that of a coalition, in `f`."""
    small = np.flatnonzero(patterns.sizes <= scored.largest)
    large = np.flatnonzero(patterns.sizes > scored.largest)
    f_full = np.empty(len(patterns.keys))
    f_full[small] = f[np.searchsorted(scored.patterns.keys, patterns.keys[small])]
    f_full[large] = score(patterns.take(large), grid, log_odds)
    return f_full


def _pairs(sizes: Ints, permutations: int, budget: int) -> int:
    """Pairs of permutations that the budget allows; at least 2, for a standard error.

    A permutation scores up to k + 1 coalitions of each pattern of k cells: its prefixes.
    """
    prefixes = int((sizes + 1).sum())
    return max(2, min(permutations, budget // prefixes) // 2)
