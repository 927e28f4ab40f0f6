"""How much the channels' shares of credit still changed from one epoch to the next.

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
    """Some patterns of conversions, and what these are of all."""

    patterns: Patterns
    amounts: Floats  # (2, n): conversions and their value
    share: float  # of the conversions with a touch


def sample(patterns: Patterns, amounts: Floats) -> Sample:
    """The patterns of up to `MOST_CELLS` cells with the most conversions; `amounts` is `(2, n)`."""
    conversions = amounts[0]
    touched = patterns.sizes > 0
    short = np.flatnonzero(touched & (patterns.sizes <= MOST_CELLS))
    by_conversions = short[np.argsort(-conversions[short], kind="stable")]
    rows = np.sort(by_conversions[:MOST_PATTERNS])
    with_touch = conversions[touched].sum()
    share = conversions[rows].sum() / with_touch if with_touch else 0.0
    return Sample(patterns.take(rows), amounts[:, rows], float(share))


def shares(value_functions: Iterable[ValueFunction], chosen: Sample, grid: Grid) -> list[Floats]:
    """Every channel's share of the channels' credit, `(channels,)`, by each function in turn."""
    # As many as all these patterns can have, so that all are exact.
    all_coalitions = MOST_PATTERNS << MOST_CELLS
    by_function = []
    for value_function in value_functions:
        values = shapley_values(
            chosen.patterns,
            grid,
            value_function,
            exact_cells=MOST_CELLS,
            budget=all_coalitions,
            permutations=2,
            rng=np.random.default_rng(0),
        )
        credit = attribute(values, chosen.amounts, grid)
        by_channel = credit.cells[0].sum(axis=0)  # (channels,)
        total = by_channel.sum()
        by_function.append(by_channel / total if total else np.zeros_like(by_channel))
    return by_function


def credit_changes(by_epoch: Sequence[Floats]) -> list[CreditChange]:
    """The largest change of a share after each epoch but the first; `by_epoch` as `shares` gives.

    >>> credit_changes([np.array([0.5, 0.5]), np.array([0.75, 0.25])])
    [CreditChange(epoch=2, channel=0, change=0.25)]
    """
    largest = []
    for epoch, (before, after) in enumerate(itertools.pairwise(by_epoch), start=2):
        change = after - before
        channel = int(np.argmax(np.abs(change)))
        largest.append(CreditChange(epoch, channel, float(change[channel])))
    return largest
