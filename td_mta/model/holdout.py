"""What held-out examples say of the model: beside simpler ones, by bins, its worst misses."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from td_mta import metrics
from td_mta.journeys.patterns import Grid, Patterns
from td_mta.journeys.touchpoints import Floats
from td_mta.metrics import Bins, Difference, Quality

LSTM, LOGISTIC, BASE_RATE = "lstm", "logistic", "base_rate"
TOLD = 10  # misses
FEW = 5  # conversions, observed and predicted: with fewer of both a pattern is no miss


class HeldOut(NamedTuple):
    """Patterns held out, counts of each class `(n,)`, and every model's chances `(n,)`."""

    sets: Patterns
    negatives: Floats
    positives: Floats
    chances: Mapping[str, Floats]

    def qualities(self) -> dict[str, Quality]:
        """Every model's figures; NaN where nobody was held out."""
        if not len(self.negatives):
            nothing = Quality(*[float("nan")] * len(Quality._fields))
            return dict.fromkeys(self.chances, nothing)
        return {
            model: metrics.quality(chance, self.negatives, self.positives)
            for model, chance in self.chances.items()
        }

    def beyond(self, rival: str) -> Difference:
        """How much higher the LSTM's log loss is than the rival's; below 0 it is better."""
        if not len(self.negatives):
            return Difference(float("nan"), float("nan"))
        one, other = self.chances[LSTM], self.chances[rival]
        return metrics.loss_difference(one, other, self.negatives, self.positives)

    def calibration(self) -> dict[str, Bins]:
        """Predicted and observed rates by bins, of the models that tell patterns apart."""
        if not len(self.negatives):
            return {}
        return {
            model: metrics.calibration(chance, self.negatives, self.positives)
            for model, chance in self.chances.items()
            if model != BASE_RATE
        }


class Miss(NamedTuple):
    """A pattern whose conversions are not as many as predicted, by so many standard errors."""

    cells: tuple[int, ...]
    conversions: float
    predicted: float
    errors: float


class Misses(NamedTuple):
    """The worst first, of so many `patterns`; by chance alone half the time one is further off than
    `by_chance` standard errors.
    """

    worst: list[Miss]
    patterns: int
    by_chance: float


def misses(held_out: HeldOut) -> Misses:
    """Where the LSTM misses most, among patterns of `FEW` conversions, observed or predicted."""
    chance, observed = held_out.chances[LSTM], held_out.positives
    expected = (held_out.negatives + observed) * chance
    some = np.flatnonzero(np.maximum(expected, observed) >= FEW)
    errors = metrics.residuals(chance, held_out.negatives, observed)
    worst = some[np.argsort(-np.abs(errors[some]), kind="stable")][:TOLD]
    found = [
        Miss(_cells(held_out.sets, at), float(observed[at]), float(expected[at]), float(errors[at]))
        for at in worst
    ]
    by_chance = -ndtri((1 - 0.5 ** (1 / len(some))) / 2) if len(some) else 0.0
    return Misses(found, len(some), float(by_chance))


def in_words(miss: Miss, channels: Sequence[str], grid: Grid) -> str:
    """The miss as a sentence.

    >>> in_words(Miss((0, 3), 41.0, 22.31, 3.54), ["Email", "Search"], Grid(3, 2))
    'Email on day 0, Search on day 1: 41 conversions, 22.3 predicted (+3.5 standard errors)'
    """
    touched = [
        f"{channels[cell % grid.channels]} on day {cell // grid.channels}" for cell in miss.cells
    ]
    return (
        f"{', '.join(touched) or 'No touch in the window'}: {miss.conversions:.0f} conversions, "
        f"{miss.predicted:.1f} predicted ({miss.errors:+.1f} standard errors)"
    )


def _cells(sets: Patterns, at: int) -> tuple[int, ...]:
    return tuple(int(cell) for cell in sets.cells[sets.offsets[at] : sets.offsets[at + 1]])
