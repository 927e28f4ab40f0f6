"""How much the channels' shares of credit still moved from one epoch to the next.

Cheap: only the patterns with the most conversions are attributed, and only short ones.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from td_mta.journeys.patterns import Grid, Patterns
from td_mta.journeys.touchpoints import Floats
from td_mta.shapley import ValueFunction
from td_mta.shapley.credit import attribute, shapley_values

MOST_PATTERNS = 500
MOST_CELLS = 5


class CreditChange(NamedTuple):
    """The largest change of a channel's share of all channel credit, after that `epoch`."""

    epoch: int
    channel: int
    change: float


class Sample(NamedTuple):
    """Patterns of conversions, their amounts `(2, n)`, and their share of all with a touch."""

    patterns: Patterns
    amounts: Floats
    share: float


def sample(sets: Patterns, amounts: Floats) -> Sample:
    """The patterns of up to `MOST_CELLS` cells with the most conversions."""
    touched = sets.sizes > 0
    short = np.flatnonzero(touched & (sets.sizes <= MOST_CELLS))
    kept = np.sort(short[np.argsort(-amounts[0][short], kind="stable")][:MOST_PATTERNS])
    whole = amounts[0][touched].sum()
    part = amounts[0][kept].sum() / whole if whole else 0.0
    return Sample(sets.take(kept), amounts[:, kept], float(part))


def shares(worths: Iterable[ValueFunction], chosen: Sample, grid: Grid) -> list[Floats]:
    """Every channel's share of the channels' credit, `(channels,)`, by each worth in turn."""
    found = []
    for worth in worths:
        values = shapley_values(
            chosen.patterns,
            grid,
            worth,
            exact_cells=MOST_CELLS,
            budget=MOST_PATTERNS << MOST_CELLS,
            permutations=2,
            rng=np.random.default_rng(0),
        )
        credit = attribute(values, chosen.amounts, grid).cells[0].sum(axis=0)
        total = credit.sum()
        found.append(credit / total if total else np.zeros_like(credit))
    return found


def credit_changes(by_epoch: Sequence[Floats]) -> list[CreditChange]:
    """The largest move after each epoch but the first.

    >>> credit_changes([np.array([0.5, 0.5]), np.array([0.75, 0.25])])
    [CreditChange(epoch=2, channel=0, change=0.25)]
    """
    found = []
    for epoch, (before, after) in enumerate(itertools.pairwise(by_epoch), start=2):
        change = after - before
        channel = int(np.argmax(np.abs(change)))
        found.append(CreditChange(epoch, channel, float(change[channel])))
    return found
