"""Examples of some groups of users as the linear rungs read them: by pattern and stratum.

A *cell of the table* is a (pattern, stratum) with an example.
"""

from typing import NamedTuple

import numpy as np

from td_mta.errors import DataError
from td_mta.journeys.examples import AUGMENTED, GROUPS, NEGATIVE, POSITIVE, Examples
from td_mta.journeys.patterns import Patterns
from td_mta.journeys.touchpoints import Flags, Floats, Ints


class Counted(NamedTuple):
    """Distinct patterns and strata, and their examples, ordered by (pattern, stratum)."""

    patterns: Patterns  # n of them
    codes: Ints  # of the strata that are present, ascending, (strata,)
    pattern: Ints  # of each cell of the table, (cells,)
    stratum: Ints  # which of the codes, (cells,)
    negatives: Floats  # (cells,)
    positives: Floats  # (cells,)
    rows: "Rows"  # the same examples by group

    @property
    def weight(self) -> Floats:
        """Examples of both classes, `(cells,)`."""
        return self.negatives + self.positives

    @property
    def prevalence(self) -> float:
        """The share of positives."""
        return float(self.positives.sum() / self.weight.sum())

    def by_pattern(self, values: Floats) -> Floats:
        """Values `(cells,)` summed over the strata, `(n,)`."""
        return sums(self.pattern, values, len(self.patterns.keys))


class Rows(NamedTuple):
    """Examples by cell of the table and group of users."""

    cell: Ints  # of the table, (rows,)
    group: Ints  # from 0, (rows,)
    negatives: Floats  # (rows,)
    positives: Floats  # (rows,)


def training(examples: Examples) -> Counted:
    """Those of the training users; raises `DataError` where a class has no example."""
    train = _of_rows(examples, examples.group < GROUPS, augmented=True)
    if not train.positives.sum():
        raise DataError(
            "no training user converts after a touch, so there is nothing to learn from: take more "
            "users or a longer time_interval, or hold out fewer (validation_fraction)"
        )
    if not train.negatives.sum():
        raise DataError(
            "every training example converts: the model needs user-days, or users, without a "
            "conversion too"
        )
    return train


def held_out(examples: Examples) -> Counted:
    """Those of the held-out users, without augmented ones; its groups count from 0 too."""
    return _of_rows(examples, examples.group >= GROUPS, augmented=False)


def sums(which: Ints, values: Floats, n: int) -> Floats:
    """Values summed by which of `n` they belong to.

    >>> sums(np.array([1, 1, 0]), np.array([1.0, 2.0, 4.0]), 3).tolist()
    [4.0, 3.0, 0.0]
    """
    return np.bincount(which, values, n).astype(np.float64, copy=False)


def _of_rows(examples: Examples, chosen: Flags, *, augmented: bool) -> Counted:
    counts = examples.counts
    negatives = counts[:, NEGATIVE] + counts[:, AUGMENTED] * augmented
    rows = np.flatnonzero(chosen & ((negatives > 0) | (counts[:, POSITIVE] > 0)))
    present, pattern = _reindexed(examples.pattern[rows], len(examples.patterns.keys))
    codes, stratum = np.unique(examples.stratum[rows], return_inverse=True)
    cells, cell = np.unique(pattern * len(codes) + stratum, return_inverse=True)
    by_group = Rows(
        cell,
        examples.group[rows] % GROUPS,
        negatives[rows].astype(np.float64),
        counts[rows, POSITIVE].astype(np.float64),
    )
    return Counted(
        examples.patterns.take(present),
        codes,
        *np.divmod(cells, max(len(codes), 1)),
        sums(cell, by_group.negatives, len(cells)),
        sums(cell, by_group.positives, len(cells)),
        by_group,
    )


def _reindexed(which: Ints, n: int) -> tuple[Ints, Ints]:
    """Those of `n` that occur, ascending, and which of them each one is."""
    seen = np.zeros(n, np.bool_)
    seen[which] = True
    new = np.cumsum(seen) - 1
    return np.flatnonzero(seen), new[which]
