"""Two kinds of intervals of a run's credit, never mixed up.

*Sampling*: bootstrap samples of users, the model fixed: how much the counted journeys vary. No
claim about the truth. *Full*: by the delta method (`delta`), or as its check by refits to bootstrap
samples of users: how far the credit of the journeys that were counted may be from what the truth
would give them.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy.stats import norm, t

from td_mta.journeys.patterns import Grid, Keys
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.shapley import bootstrap
from td_mta.shapley.bootstrap import ConverterProfiles
from td_mta.shapley.credit import Credit, Values, attribute

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


def full(
    credit: Credit, refitted: Iterable[Values], amounts: Floats, grid: Grid, *, level: float
) -> Full:
    """Around the run's credit, as wide as refits lie from it, by Student's t.

    Refits use bootstrap samples of users, but the conversions to be credited are fixed: the
    estimand is what the truth gives to just these. The distance is from the run's credit and not
    from the refits' mean, since where that fit happened to stop is part of its error.
    """
    refit_credits = [attribute(values, amounts, grid) for values in refitted]
    by_channel = np.array([_by_channel(refit) for refit in refit_credits])
    by_cell = np.array([refit.cells[0] for refit in refit_credits])
    channels = _around(_by_channel(credit), by_channel, level)
    cells = _around(credit.cells[0], by_cell, level)
    return Full(channels, cells)


def student(center: Floats, error: Floats, *, level: float, degrees: int) -> Interval:
    """Bounds by Student's t with so many degrees of freedom; `error` is of the same shape."""
    half_width = t.ppf((1 + level) / 2, degrees) * error
    return Interval(center - half_width, center + half_width)


def _by_channel(credit: Credit) -> Floats:
    """Conversions by channel, the baseline last, `(channels + 1,)`."""
    return np.append(credit.cells[0].sum(axis=0), credit.baseline[0])


def _around(center: Floats, refits: Floats, level: float) -> Interval:
    """Bounds of the shape of `center`; `refits` has an axis more, in front."""
    squares = (refits - center) ** 2
    distance = np.sqrt(squares.mean(axis=0))
    return student(center, distance, level=level, degrees=len(refits))
