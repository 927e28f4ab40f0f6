"""The examples of one group as the model reads them: distinct patterns and counts of each class."""

from typing import NamedTuple

import numpy as np

from td_mta.errors import DataError
from td_mta.journeys.examples import AUGMENTED, NEGATIVE, POSITIVE, Examples
from td_mta.journeys.patterns import Patterns
from td_mta.journeys.touchpoints import Floats, Ints


class CountedPatterns(NamedTuple):
    """Distinct patterns and how many examples of each class have them."""

    patterns: Patterns  # n of them
    negatives: Floats  # (n,)
    positives: Floats  # (n,)
    sampled_negatives: Floats  # negatives and augmented examples: what training samples, (n,)

    def take(self, rows: Ints) -> "CountedPatterns":
        """Those of some rows, in that order."""
        return CountedPatterns(
            self.patterns.take(rows),
            self.negatives[rows],
            self.positives[rows],
            self.sampled_negatives[rows],
        )

    @property
    def weight(self) -> Floats:
        """Examples of both classes, `(n,)`."""
        return self.negatives + self.positives

    @property
    def prevalence(self) -> float:
        """The share of positives."""
        return float(self.positives.sum() / self.weight.sum())

    @property
    def prior(self) -> float:
        """The log-odds of a positive."""
        odds = self.positives.sum() / self.negatives.sum()
        return float(np.log(odds))


def of_group(examples: Examples, group: int) -> CountedPatterns:
    """One group of the examples, without the patterns that it does not have."""
    counts = examples.counts[:, :, group].astype(np.float64)  # (patterns, 3)
    negatives = counts[:, NEGATIVE]
    positives = counts[:, POSITIVE]
    sampled = negatives + counts[:, AUGMENTED]
    present = np.flatnonzero(sampled + positives)
    return CountedPatterns(examples.patterns, negatives, positives, sampled).take(present)


def training_group(examples: Examples, group: int) -> CountedPatterns:
    """The same of a group to train on; raises `DataError` where a class has no example."""
    train = of_group(examples, group)
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
