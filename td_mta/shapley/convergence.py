"""How much the channels' shares of credit still changed from one predictor to the next.

The predictors are the rungs of the ladder. Cheap: only the patterns with the most conversions are
attributed, and only short ones.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from td_mta.journeys.patterns import Grid, Patterns
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.shapley import LogOdds
from td_mta.shapley.credit import amounts_of_games, attribute, shapley_values
from td_mta.shapley.games import games_of

MOST_PATTERNS = 500
MOST_CELLS = 5


class Candidate(NamedTuple):
    """A predictor by its name: the log-odds are f of the cells plus the offset of the stratum."""

    label: str
    log_odds: LogOdds
    offsets: Callable[[Ints], Floats]  # of strata


class CreditChange(NamedTuple):
    """The largest change of a channel's share of all channel credit, on coming to `label`."""

    label: str
    channel: int
    change: float


class Sample(NamedTuple):
    """Units of some patterns of conversions, and what these are of all."""

    patterns: Patterns
    pattern: Ints  # (u,): which of the patterns a unit has
    stratum: Ints  # (u,)
    amounts: Floats  # (2, u): conversions and their value
    share: float  # of the conversions with a touch


def sample(patterns: Patterns, pattern: Ints, stratum: Ints, amounts: Floats) -> Sample:
    """The units of the patterns of up to `MOST_CELLS` cells with the most conversions.

    Each of `u` units is one of the distinct `patterns` in a stratum; `amounts` is `(2, u)`.
    """
    conversions = np.bincount(pattern, amounts[0], len(patterns.keys))
    touched = patterns.sizes > 0
    short = np.flatnonzero(touched & (patterns.sizes <= MOST_CELLS))
    by_conversions = short[np.argsort(-conversions[short], kind="stable")]
    rows = np.sort(by_conversions[:MOST_PATTERNS])
    with_touch = conversions[touched].sum()
    share = conversions[rows].sum() / with_touch if with_touch else 0.0
    units = np.flatnonzero(np.isin(pattern, rows))
    of_rows = np.searchsorted(rows, pattern[units])
    taken = patterns.take(rows)
    return Sample(taken, of_rows, stratum[units], amounts[:, units], float(share))


def shares(
    candidates: Iterable[Candidate], chosen: Sample, grid: Grid, *, empty_is_zero: bool = False
) -> list[tuple[str, Floats]]:
    """Each candidate's label, and every channel's share of the channels' credit, `(channels,)`."""
    # As many as all these patterns can have, so that all are exact.
    all_coalitions = MOST_PATTERNS << MOST_CELLS
    by_candidate = []
    for candidate in candidates:
        offset = candidate.offsets(chosen.stratum)
        games, game = games_of(chosen.patterns, chosen.pattern, offset)
        values = shapley_values(
            games,
            grid,
            candidate.log_odds,
            exact_cells=MOST_CELLS,
            budget=all_coalitions,
            permutations=2,
            rng=np.random.default_rng(0),
            empty_is_zero=empty_is_zero,
        )
        credit = attribute(values, amounts_of_games(game, chosen.amounts, games), grid)
        by_channel = credit.cells[0].sum(axis=0)  # (channels,)
        total = by_channel.sum()
        share = by_channel / total if total else np.zeros_like(by_channel)
        by_candidate.append((candidate.label, share))
    return by_candidate


def credit_changes(by_label: Sequence[tuple[str, Floats]]) -> list[CreditChange]:
    """The largest change of a share at each label but the first; `by_label` as `shares` gives.

    >>> credit_changes([("logistic", np.array([0.5, 0.5])), ("pairs", np.array([0.75, 0.25]))])
    [CreditChange(label='pairs', channel=0, change=0.25)]
    """
    largest = []
    for (_, before), (label, after) in itertools.pairwise(by_label):
        change = after - before
        channel = int(np.argmax(np.abs(change)))
        largest.append(CreditChange(label, channel, float(change[channel])))
    return largest
