"""Two kinds of intervals of a run's credit, never mixed up.

*Sampling*: users drawn again, the model given: how much the counted journeys vary. No claim about
the truth. *Full*: the model fitted again to users drawn again, so that its own error is in it.
"""

import logging
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy.stats import t
from tqdm import tqdm

from td_mta.extraction import Extracted
from td_mta.journeys import resampling
from td_mta.journeys.touchpoints import Floats
from td_mta.shapley.attribute import Credit, Values, attribute

log = logging.getLogger(__name__)


class Interval(NamedTuple):
    """Bounds of conversions by channel, the baseline last, `(channels + 1,)`."""

    lower: Floats
    upper: Floats


class Full(NamedTuple):
    """`channels` as an `Interval`, and `cells` of each day and channel, `(days, channels)`."""

    channels: Interval
    cells: Interval


def sampling(
    values: Values, extracted: Extracted, *, level: float, draws: int, rng: np.random.Generator
) -> Interval:
    """Quantiles of the credit of users drawn again."""
    per_conversion = credit_per_conversion(values, extracted)
    found = extracted.converters
    at = np.searchsorted(values.sets.keys, found.sets.keys)
    sums = resampling.bootstrap(found, per_conversion[at], draws, rng)
    low, high = np.quantile(sums, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Interval(low, high)


def credit_per_conversion(values: Values, extracted: Extracted) -> Floats:
    """What a conversion of each pattern gives to every channel and the baseline.

    Shape `(patterns, channels + 1)`; a row sums to 1.
    """
    grid, sets = extracted.schema.grid, values.sets
    owner, untouched = np.repeat(np.arange(len(sets.keys)), sets.sizes), sets.sizes == 0
    whole = np.where(untouched, 1.0, values.whole)
    given = np.zeros((len(sets.keys), grid.channels + 1))
    np.add.at(given, (owner, sets.cells % grid.channels), values.phi / whole[owner])
    given[:, -1] = np.where(untouched, 1.0, values.nothing / whole)
    return given


def full(
    credit: Credit, refitted: Iterable[Values], extracted: Extracted, *, level: float
) -> Full:
    """Around the run's credit: as wide as refits to users drawn again vary, by Student's t."""
    grid, conversions = extracted.schema.grid, extracted.redrawn.conversions
    cells, channels = [], []
    turns = tqdm(refitted, "refits", len(conversions), disable=None, leave=False)
    for values, drawn in zip(turns, conversions, strict=True):
        again = attribute(values, np.stack([drawn, drawn]), grid)
        cells.append(again.cells[0])
        channels.append(_by_channel(again))
    return Full(
        _around(_by_channel(credit), np.array(channels), level),
        _around(credit.cells[0], np.array(cells), level),
    )


def _by_channel(credit: Credit) -> Floats:
    return np.append(credit.cells[0].sum(axis=0), credit.baseline[0])


def _around(center: Floats, again: Floats, level: float) -> Interval:
    half = t.ppf((1 + level) / 2, len(again) - 1) * again.std(axis=0, ddof=1)
    return Interval(center - half, center + half)
