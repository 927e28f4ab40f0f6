"""Two kinds of intervals of a run's credit, never mixed up.

*Sampling*: bootstrap samples of users, the model fixed: how much the counted journeys vary. No
claim about the truth. *Full*: the model refitted to bootstrap samples of users: how far the credit
of the journeys that were counted may be from what the truth would give them.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy.stats import t

from td_mta.journeys.patterns import Grid
from td_mta.journeys.touchpoints import Floats
from td_mta.shapley import bootstrap
from td_mta.shapley.bootstrap import ConverterProfiles
from td_mta.shapley.credit import Credit, Values, attribute


class Interval(NamedTuple):
    """Bounds of conversions: by channel, the baseline last, `(channels + 1,)`, or by cell."""

    lower: Floats
    upper: Floats


class Full(NamedTuple):
    """By `channels`, and by `cells` of each day and channel, `(days, channels)`."""

    channels: Interval
    cells: Interval


class Intervals(NamedTuple):
    """Each kind where it was asked for."""

    sampling: Interval | None
    full: Full | None


def sampling(
    values: Values,
    converters: ConverterProfiles,
    grid: Grid,
    *,
    level: float,
    draws: int,
    rng: np.random.Generator,
) -> Interval:
    """Quantiles of the credit of bootstrap samples of users."""
    which = np.searchsorted(values.patterns.keys, converters.patterns.keys)
    per_conversion = credit_per_conversion(values, grid.channels)
    sums = bootstrap.resampled_credit(converters, per_conversion[which], draws, rng)
    low, high = np.quantile(sums, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Interval(low, high)


def credit_per_conversion(values: Values, channels: int) -> Floats:
    """What a conversion of each pattern gives to every channel and the baseline.

    Shape `(patterns, channels + 1)`; a row sums to 1.
    """
    sets, untouched = values.patterns, values.patterns.sizes == 0
    owner = np.repeat(np.arange(len(sets.keys)), sets.sizes)
    whole = np.where(untouched, 1.0, values.value_full)
    given = np.zeros((len(sets.keys), channels + 1))
    np.add.at(given, (owner, sets.cells % channels), values.phi / whole[owner])
    given[:, -1] = np.where(untouched, 1.0, values.value_empty / whole)
    return given


def full(
    credit: Credit, refitted: Iterable[Values], amounts: Floats, grid: Grid, *, level: float
) -> Full:
    """Around the run's credit, as wide as refits lie from it, by Student's t.

    Refits use bootstrap samples of users, but the conversions to be credited are fixed: the
    estimand is what the truth gives to just these. The distance is from the run's credit and not
    from the refits' mean, since where that fit happened to stop is part of its error.
    """
    again = [attribute(values, amounts, grid) for values in refitted]
    channels = np.array([_by_channel(each) for each in again])
    cells = np.array([each.cells[0] for each in again])
    return Full(
        _around(_by_channel(credit), channels, level), _around(credit.cells[0], cells, level)
    )


def _by_channel(credit: Credit) -> Floats:
    return np.append(credit.cells[0].sum(axis=0), credit.baseline[0])


def _around(center: Floats, again: Floats, level: float) -> Interval:
    half = t.ppf((1 + level) / 2, len(again)) * np.sqrt(((again - center) ** 2).mean(axis=0))
    return Interval(center - half, center + half)
