"""Two kinds of intervals of a run's credit, never mixed up.

*Sampling*: bootstrap samples of users, the model fixed: how much the counted journeys vary. No
claim about the truth. *Full*: by the delta method (`delta`): how far the credit of the journeys
that were counted may be from what the truth would give them.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import norm, t

from td_mta.journeys.patterns import Grid, Keys
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.shapley import bootstrap
from td_mta.shapley.bootstrap import ConverterProfiles
from td_mta.shapley.credit import Credit, Values

DEGREES = 39  # of freedom of a covariance over 40 groups of users
MANY_USERS = 50_000  # converters


class Interval(NamedTuple):
    """Bounds of conversions: by channel, the baseline last, `(channels + 1,)`, or by cell."""

    lower: Floats
    upper: Floats


class Full(NamedTuple):
    """The full intervals at both grains."""

    channels: Interval  # (channels + 1,), the baseline last
    cells: Interval  # (days, channels)


class Intervals(NamedTuple):
    """Each kind where it was asked for."""

    sampling: Interval | None
    full: Full | None


class Played(NamedTuple):
    """The credited units and the game that each plays, one number a unit."""

    units: Keys
    game: Ints


def sampling(
    values: Values,
    played: Played,
    converters: ConverterProfiles,
    grid: Grid,
    *,
    level: float,
    draws: int,
    rng: np.random.Generator,
) -> Interval:
    """Quantiles of the credit of bootstrap samples of users, `level` of them between the bounds.

    Every unit that a converter saw is one of those `played`. Sums over many users are normal, and
    their moments known, so that nothing needs to be drawn.
    """
    by_key = np.argsort(played.units)
    unit = by_key[np.searchsorted(played.units, converters.units, sorter=by_key)]
    per_conversion = credit_per_conversion(values, grid.channels)[played.game[unit]]
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if converters.users.sum() > MANY_USERS:
        mean, deviation = bootstrap.moments(converters, per_conversion)
        return Interval(*(mean + norm.ppf(tails)[:, None] * deviation))
    sums = bootstrap.resampled_credit(converters, per_conversion, draws, rng)
    return Interval(*np.quantile(sums, tails, axis=0))


def credit_per_conversion(values: Values, channels: int) -> Floats:
    """What a conversion of each game gives to every channel and the baseline.

    Shape `(games, channels + 1)`; a row sums to 1.
    """
    games = values.games
    owner, untouched = games.owner, games.sizes == 0
    value_full = np.where(untouched, 1.0, values.value_full)
    of_cells = values.phi / value_full[owner]
    of_baseline = values.value_empty / value_full
    width = channels + 1
    at = owner * width + games.cells % channels
    by_game = np.bincount(at, of_cells, len(untouched) * width)
    credit = by_game.reshape(-1, width).astype(np.float64)
    credit[:, -1] = np.where(untouched, 1.0, of_baseline)
    return credit


def adjusted(full: Full, credit: Credit, before: Floats, after: Floats, *, level: float) -> Full:
    """Around a corrected credit whose channels have another covariance, the baseline last.

    `before` and `after` `(channels + 1, channels + 1)` are that covariance; a cell's interval gets
    as many times as wide as its channel's.
    """
    error = np.sqrt(np.maximum(np.diag(after), 0.0))
    known = np.sqrt(np.maximum(np.diag(before), 0.0))
    wider = np.divide(error, known, out=np.ones(len(error)), where=known > 0)[:-1]
    half = (full.cells.upper - full.cells.lower) / 2 * wider
    channels = student(_by_channel(credit), error, level=level, degrees=DEGREES)
    return Full(channels, Interval(credit.cells[0] - half, credit.cells[0] + half))


def student(center: Floats, error: Floats, *, level: float, degrees: int) -> Interval:
    """Bounds by Student's t with so many degrees of freedom; `error` is of the same shape."""
    half_width = t.ppf((1 + level) / 2, degrees) * error
    return Interval(center - half_width, center + half_width)


def _by_channel(credit: Credit) -> Floats:
    """Conversions by channel, the baseline last, `(channels + 1,)`."""
    return np.append(credit.cells[0].sum(axis=0), credit.baseline[0])
