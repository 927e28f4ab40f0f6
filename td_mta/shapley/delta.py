"""Full intervals of the credit by the delta method: from the parameters' covariance, no refit.

The log-odds are linear in parameters, f(S) = features(S) @ weights and offset = design @ control
weights, beside whatever else is held fixed. A game's conversions `a` give C_i = a phi_i / v(N) to
cell i and a v(0) / v(N) to the baseline; `gradient` is dC in all parameters, and C's covariance is
gradient @ covariance @ gradient.T (van der Vaart 1998, ch. 3). The conversions to be credited are
fixed: the estimand is what the truth gives to just these.

Short games' gradients are exact, as long as that is little work. Longer ones take antithetic pairs
of random orders as in `sampled`, unbiased; where there are too many, patterns are drawn in
proportion to their conversions.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import sparse

from td_mta.journeys.patterns import Cells, Grid, Patterns
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.shapley import blocks, score
from td_mta.shapley.credit import Credit, Values
from td_mta.shapley.exact import average_gain, coalitions_of, gain_weights
from td_mta.shapley.games import PatternBlock, blocks_of_size
from td_mta.shapley.intervals import DEGREES, Full, student
from td_mta.shapley.sampled import Prefixes, gains, games_of_rows, prefixes

MOST_COALITIONS = 1 << 23  # of short games, once a player of each pattern and once a game
MOST_PREFIXES = 200_000  # of long games, about
MOST_PAIRS = 16  # of orders of a long game

Features = Callable[[Patterns], sparse.csr_array | sparse.csr_matrix]
"""The terms of f for `n` patterns, `(n, terms)`."""


class Units(NamedTuple):
    """Credited (pattern, stratum) of some conversions, one number a unit."""

    game: Ints  # which each plays, as `games_of` returns it
    stratum: Ints  # the row of `design`
    conversions: Floats
    design: Floats  # (strata, columns): of the controls


def gradient(
    values: Values, grid: Grid, units: Units, features: Features, *, rng: np.random.Generator
) -> Floats:
    """The derivative of every cell's conversions, the baseline's last, in every parameter.

    Shape `(cells + 1, terms + columns)`, first f's terms, then the controls' columns. The sum over
    the first axis is 0, for credit sums to the conversions. Games are at their rounded offsets,
    units have their own rows of the design.
    """
    values = values._replace(largest_exact=_affordable(values))
    games = values.games
    units = units._replace(conversions=_drawn(values, units, rng))
    conversions = np.bincount(units.game, units.conversions, len(games.pattern))
    factor = np.where(games.sizes > 0, conversions / _full(values), 0.0)
    of_exact = _exact(values, grid, factor)
    of_long = _long(values, grid, factor, features, rng)
    scored = values.scored.coalitions.patterns
    by_term = (
        _by_term(scored, of_exact.by_coalition, features)
        + of_long.by_term
        + _by_term(games.patterns, _of_full(values, factor, grid), features)
        + _by_term(Patterns.empty(), _of_empty(values, factor, grid), features)
    )
    of_phi = of_exact.slope + of_long.slope
    by_column = units.design.T @ _by_stratum(values, units, of_phi, grid)
    slopes: Floats = np.concatenate([by_term, by_column]).T
    return slopes


def delta_intervals(
    credit: Credit, slopes: Floats, covariance: Floats, grid: Grid, *, level: float
) -> Full:
    """Intervals around the run's credit, by Student's t.

    `slopes` are what `gradient` returns, `covariance` is that of the parameters, in their order.
    """
    by_cell = np.sqrt(_variance(slopes[:-1], covariance)).reshape(grid.days, grid.channels)
    by_channel = np.sqrt(_variance(_of_channels(slopes, grid), covariance))
    center = np.append(credit.cells[0].sum(axis=0), credit.baseline[0])
    channels = student(center, by_channel, level=level, degrees=DEGREES)
    cells = student(credit.cells[0], by_cell, level=level, degrees=DEGREES)
    return Full(channels, cells)


def channel_covariance(slopes: Floats, covariance: Floats, grid: Grid) -> Floats:
    """Of the channels' conversions, the baseline's last, `(channels + 1, channels + 1)`."""
    of_channels = _of_channels(slopes, grid)
    of_credit: Floats = of_channels @ covariance @ of_channels.T
    return of_credit


class _Exact(NamedTuple):
    by_coalition: sparse.csr_array  # (coalitions, cells + 1): derivative of the credit in f
    slope: Floats  # (players,): derivative of phi in the offset, 0 in long games


class _Long(NamedTuple):
    by_term: Floats  # (terms, cells + 1)
    slope: Floats  # (players,): 0 in exact games


def _exact(values: Values, grid: Grid, factor: Floats) -> _Exact:
    """What phi adds to the gradient in the games whose coalitions are all scored.

    `factor` is conversions / v(N) of every game; v(N) itself is held here.
    """
    games, scored = values.games, values.scored
    starts = games.starts
    slope = np.zeros(starts[-1])
    n = len(scored.f), grid.cells + 1
    by_coalition = sparse.csr_array(n)
    for size in range(1, values.largest_exact + 1):
        weights = gain_weights(size)
        for block in blocks_of_size(games, size, size << size):
            coalition = coalitions_of(games.patterns, block.patterns, size, grid, scored.coalitions)
            f, offset = scored.f[coalition][block.which], games.offset[block.games]
            by_offset, by_f = values.worth.slopes(f, offset)
            slope[starts[block.games, None] + np.arange(size)] = average_gain(by_offset, size)
            summed = _by_pattern(block, factor) @ by_f  # (patterns, 2**k)
            cells = games.patterns.cells[games.patterns.entries(block.patterns, size)]
            data = summed[:, None, :] * weights.T  # (patterns, k, 2**k)
            by_coalition = by_coalition + _scattered(
                data, coalition[:, None, :], cells[:, :, None], n
            )
    return _Exact(by_coalition, slope)


def _long(
    values: Values, grid: Grid, factor: Floats, features: Features, rng: np.random.Generator
) -> _Long:
    """What phi adds to the gradient in the long games, by random orders of each pattern."""
    games = values.games
    starts = games.starts
    slope = np.zeros(starts[-1])
    by_term = np.zeros((features(Patterns.empty()).shape[1], grid.cells + 1))
    is_played = (games.sizes > values.largest_exact) & (factor > 0)
    chosen = np.unique(games.pattern[is_played])
    prefixes_of_pair = 2 * int((games.sizes[is_played] + 1).sum())
    pairs = max(1, min(MOST_PAIRS, MOST_PREFIXES // max(1, prefixes_of_pair)))
    for drawn in prefixes(games.patterns, chosen, grid, pairs=pairs, rng=rng):
        f = score(drawn.patterns, grid, values.worth.log_odds)[drawn.which]
        summed = np.zeros(f.shape)
        for rows, of_row in games_of_rows(games, drawn):
            by_offset, by_f = values.worth.slopes(f[of_row], games.offset[rows])
            players = starts[rows, None] + np.arange(drawn.order.shape[3])
            slope[players] = gains(by_offset, drawn.order[of_row]).mean(axis=(1, 2))
            np.add.at(summed, of_row, factor[rows, None, None, None] * by_f)
        by_prefix = _by_prefix(summed / (2 * pairs), drawn, games.patterns, grid)
        by_term += _by_term(drawn.patterns, by_prefix, features)
    return _Long(by_term, slope)


def _by_prefix(summed: Floats, drawn: Prefixes, patterns: Patterns, grid: Grid) -> sparse.csr_array:
    """Each player gains what its order's prefix with it has over the one without it.

    `(prefixes, cells + 1)`; `summed` is of the shape of `drawn.which`.
    """
    size = drawn.order.shape[3]
    cells = patterns.cells[patterns.entries(drawn.rows, size)]
    cell = np.take_along_axis(cells[:, None, None, :], drawn.order, axis=3)
    shape = len(drawn.patterns.keys), grid.cells + 1
    with_it = _scattered(summed[..., 1:], drawn.which[..., 1:], cell, shape)
    without_it = _scattered(summed[..., :-1], drawn.which[..., :-1], cell, shape)
    return sparse.csr_array(with_it - without_it)


def _of_full(values: Values, factor: Floats, grid: Grid) -> sparse.csr_array:
    """What v(N) in the denominator adds to the gradient in f(N), `(patterns, cells + 1)`."""
    games, patterns = values.games, values.games.patterns
    by_f = _full_slopes(values, by_f=True)
    of_game = -factor * by_f / _full(values)  # of phi, and of v(0)
    of_players = of_game[games.owner] * values.phi
    of_entries = _sums(games.entry, of_players, len(patterns.cells))
    of_baseline = _sums(games.pattern, of_game * values.value_empty, len(patterns.keys))
    return _with_baseline(patterns.owner, patterns.cells, of_entries, of_baseline, grid)


def _of_empty(values: Values, factor: Floats, grid: Grid) -> sparse.csr_array:
    """What v(0) adds to the gradient of the baseline in f of the empty set, `(1, cells + 1)`."""
    worth, f_empty = values.worth, values.scored.f[:1]
    _, by_f = worth.slopes(np.tile(f_empty, (len(factor), 1)), values.games.offset)
    baseline = np.array([factor @ by_f[:, 0]])
    no_rows, no_cells = np.zeros(0, np.int64), np.zeros(0, np.int32)
    return _with_baseline(no_rows, no_cells, np.zeros(0), baseline, grid)


def _by_stratum(values: Values, units: Units, of_phi: Floats, grid: Grid) -> Floats:
    """The gradient in each stratum's offset, `(strata, cells + 1)`; `of_phi` is each phi's."""
    games = values.games
    full, owner = _full(values), games.owner
    of_full = _full_slopes(values, by_f=False) / full
    of_players = (of_phi - values.phi * of_full[owner]) / full[owner]
    empty = values.value_empty
    of_baseline = (empty * (1 - empty) - empty * of_full) / full
    of_baseline = np.where(games.sizes > 0, of_baseline, 0.0)
    of_games = _with_baseline(owner, games.cells, of_players, of_baseline, grid)
    shape = len(units.design), len(games.pattern)
    playing = sparse.csr_array((units.conversions, (units.stratum, units.game)), shape=shape)
    by_stratum: Floats = (playing @ of_games).toarray()
    return by_stratum


def _full(values: Values) -> Floats:
    """v(N) of every game to divide by, `(n,)`; 1 in those without players, which is never used."""
    return np.where(values.games.sizes > 0, values.value_full, 1.0)


def _full_slopes(values: Values, *, by_f: bool) -> Floats:
    """The derivative of v(N) of every game, `(n,)`: in f(N), or in the offset."""
    slope = values.value_full * (1 - values.value_full)
    if not by_f:
        return slope
    f = values.scored.f_full[values.games.pattern]
    return np.where(f > values.worth.lowest, slope, 0.0)


def _by_term(patterns: Patterns, slopes: sparse.csr_array, features: Features) -> Floats:
    """The gradient in f's terms, `(terms, cells + 1)`, from that in f of `n` patterns."""
    by_term = np.zeros((features(Patterns.empty()).shape[1], slopes.shape[1]))
    used = np.flatnonzero(np.diff(slopes.indptr))
    for block in blocks(len(used), max(32, slopes.shape[1])):
        rows = used[block]
        by_term += features(patterns.take(rows)).T @ slopes[rows].toarray()
    return by_term


def _sums(at: Ints, amounts: Floats, n: int) -> Floats:
    """Sums of amounts by where they belong, `(n,)`, floats even if there is none."""
    return np.bincount(at, amounts, n).astype(np.float64)


def _by_pattern(block: PatternBlock, factor: Floats) -> sparse.csr_array:
    """What sums over a block's games by their pattern, `(patterns, rows)`, with `factor` each."""
    rows = np.arange(len(block.games))
    shape = len(block.patterns), len(rows)
    return sparse.csr_array((factor[block.games], (block.which, rows)), shape=shape)


def _scattered(data: Floats, row: Ints, column: Cells, shape: tuple[int, int]) -> sparse.csr_array:
    """A sparse array of the sums of `data` at rows and columns, which broadcast to its shape."""
    at = [np.broadcast_to(each, data.shape).ravel() for each in (row, column)]
    return sparse.csr_array((data.ravel(), (at[0], at[1])), shape=shape)


def _with_baseline(
    row: Ints, cell: Cells, of_cells: Floats, of_baseline: Floats, grid: Grid
) -> sparse.csr_array:
    """Numbers at rows and cells, and one at the baseline of each of `n` rows, `(n, cells + 1)`."""
    n = len(of_baseline)
    data = np.concatenate([of_cells, of_baseline])
    rows = np.concatenate([row, np.arange(n)])
    columns = np.concatenate([cell, np.full(n, grid.cells)])
    return sparse.csr_array((data, (rows, columns)), shape=(n, grid.cells + 1))


def _affordable(values: Values) -> int:
    """Cells of the longest patterns all of whose coalitions the gradient goes through."""
    most = values.largest_exact
    by_size = [
        np.bincount(of.sizes, minlength=most + 1) for of in (values.games.patterns, values.games)
    ]
    size = np.arange(most + 1)
    coalitions = (by_size[0][: most + 1] * size + by_size[1][: most + 1]) << size
    sizes_within = np.searchsorted(np.cumsum(coalitions), MOST_COALITIONS, side="right")
    return max(0, int(sizes_within) - 1)


def _drawn(values: Values, units: Units, rng: np.random.Generator) -> Floats:
    """Conversions of units, `(u,)`, with fewer long patterns that stand for all where many.

    A pattern is there with a probability in proportion to its conversions, and counts by its
    inverse (Horvitz & Thompson 1952).
    """
    games = values.games
    n = len(games.patterns.keys)
    is_long = games.patterns.sizes > values.largest_exact
    pattern = games.pattern[units.game]
    conversions = np.bincount(pattern, units.conversions, n) * is_long
    prefixes_of_games = 2 * (games.sizes + 1) * is_long[games.pattern]
    if prefixes_of_games.sum() <= MOST_PREFIXES or not conversions.any():
        return units.conversions
    share = conversions / conversions.sum()
    prefixes_of_patterns = np.bincount(games.pattern, prefixes_of_games, n)
    probability = np.minimum(1.0, share * MOST_PREFIXES / (share @ prefixes_of_patterns))
    stays = rng.random(n) < probability
    weight = np.divide(stays, probability, out=np.zeros(n), where=probability > 0)
    return units.conversions * np.where(is_long, weight, 1.0)[pattern]


def _of_channels(slopes: Floats, grid: Grid) -> Floats:
    """Slopes by channel, the baseline's last, `(channels + 1, parameters)`."""
    of_cells = slopes[:-1].reshape(grid.days, grid.channels, -1)
    return np.concatenate([of_cells.sum(axis=0), slopes[-1:]])


def _variance(slopes: Floats, covariance: Floats) -> Floats:
    """Of each credit; rounding may leave a little less than 0."""
    variance: Floats = np.maximum(((slopes @ covariance) * slopes).sum(axis=1), 0.0)
    return variance
