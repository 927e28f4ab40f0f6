"""How well models predict held-out examples: beside baseline models, by bins, largest residuals."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import logit, ndtr, ndtri
from scipy.stats import t

from td_mta import metrics
from td_mta.journeys.patterns import Grid, Patterns
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.metrics import Bins, Difference, Line, Quality
from td_mta.model.counted import sums

LOGISTIC, PAIRS, MLP, LSTM = RUNGS = "logistic", "pairs", "mlp", "lstm"
BASE_RATE = "base_rate"
UNDEFINED = Quality(*[float("nan")] * len(Quality._fields))
MOST_LISTED = 10  # residuals
FEWEST_GROUPS = 10  # of users with a conversion: by fewer no model is judged
FEW = 5  # conversions, observed and predicted: with fewer of both a pattern is not compared


class HeldOut(NamedTuple):
    """Held-out examples by pattern, stratum and group, and what each model predicts for them."""

    patterns: Patterns  # the distinct ones
    pattern: Ints  # which of them, (n,)
    group: Ints  # of users, (n,)
    negatives: Floats  # examples without a conversion, (n,)
    positives: Floats  # examples with one, (n,)
    probabilities: Mapping[str, Floats]  # of a conversion, by model, each (n,)
    chosen: str  # the model whose credits are reported

    def qualities(self) -> dict[str, Quality]:
        """Every model's figures; NaN where nothing was held out."""
        if not len(self.negatives):
            return dict.fromkeys(self.probabilities, UNDEFINED)
        return {
            model: metrics.quality(probability, self.negatives, self.positives)
            for model, probability in self.probabilities.items()
        }

    def difference_to(self, baseline: str) -> Difference:
        """The chosen model's log loss minus another one's: below 0 the chosen one is better."""
        return self.difference(self.chosen, baseline)

    def difference(self, one: str, other: str) -> Difference:
        """The log loss of one model minus another one's, its error clustered by group of users."""
        if not len(self.negatives):
            return Difference(float("nan"), float("nan"))
        both = self.probabilities[one], self.probabilities[other]
        return metrics.loss_difference(*both, self.negatives, self.positives, self.group)

    def groups_with_conversions(self) -> int:
        """Independent parts of the held-out users that any judgement rests on."""
        return len(np.unique(self.group[self.positives > 0]))

    def calibration_line(self) -> Line:
        """Of the chosen model: how far log-odds are too far apart or too near each other."""
        p = np.clip(self.probabilities[self.chosen], metrics.SMALLEST, 1 - metrics.SMALLEST)
        return metrics.calibration_line(logit(p), self.negatives, self.positives, self.group)

    def calibration(self) -> dict[str, Bins]:
        """Predicted and observed rates by bins; the base rate, one for all patterns, has none."""
        if not len(self.negatives):
            return {}
        return {
            model: metrics.calibration(probability, self.negatives, self.positives)
            for model, probability in self.probabilities.items()
            if model != BASE_RATE
        }


def standard_errors_beyond_noise(groups: int) -> float:
    """How many a difference must have to be told: as likely by chance as 2 of a normal number.

    By Student's t over `groups` of users; with fewer than `FEWEST_GROUPS` no number is enough.

    >>> round(standard_errors_beyond_noise(40), 2), standard_errors_beyond_noise(9)
    (2.07, inf)
    """
    if groups < FEWEST_GROUPS:
        return float("inf")
    return float(t.ppf(ndtr(2.0), groups - 1))


class Residual(NamedTuple):
    """A pattern whose conversions differ from those predicted."""

    cells: tuple[int, ...]
    conversions: float
    predicted: float
    standard_errors: float  # the difference in standard errors, above 0 for more than predicted


class LargestResiduals(NamedTuple):
    """The residuals that are largest by absolute value, and how large they would be by chance."""

    residuals: list[Residual]  # in descending order
    compared: int  # patterns
    median_by_chance: float  # of the largest of so many standard normal numbers, in absolute value


def largest_residuals(held_out: HeldOut) -> LargestResiduals:
    """Where the chosen model misses most, of patterns with `FEW` conversions, seen or predicted."""
    n, which = len(held_out.patterns.keys), held_out.pattern
    probability = held_out.probabilities[held_out.chosen]  # by row
    examples = held_out.negatives + held_out.positives
    observed = sums(which, held_out.positives, n)  # conversions, by pattern
    predicted = sums(which, examples * probability, n)
    total = sums(which, examples, n)
    larger = np.maximum(predicted, observed)
    compared = np.flatnonzero(larger >= FEW)
    mean = predicted / np.maximum(total, 1)
    errors = metrics.residuals(mean, total - observed, observed)  # (patterns,)
    sizes = np.abs(errors[compared])
    descending = np.argsort(-sizes, kind="stable")
    largest = compared[descending][:MOST_LISTED]  # rows of the patterns
    cells = [_cells(held_out.patterns, row) for row in largest]
    columns = np.stack([observed, predicted, errors], axis=1)  # (patterns, 3)
    numbers = columns[largest].tolist()
    residuals = [Residual(touched, *row) for touched, row in zip(cells, numbers, strict=True)]
    return LargestResiduals(residuals, len(compared), _median_of_largest(len(compared)))


def describe(residual: Residual, channels: Sequence[str], grid: Grid) -> str:
    """The residual as a sentence.

    >>> describe(Residual((0, 3), 41.0, 22.31, 3.54), ["Email", "Search"], Grid(3, 2))
    'Email on day 0, Search on day 1: 41 conversions, 22.3 predicted (+3.5 standard errors)'
    """
    day_and_channel = [divmod(cell, grid.channels) for cell in residual.cells]
    touches = [f"{channels[channel]} on day {day}" for day, channel in day_and_channel]
    pattern = ", ".join(touches) or "No touch in the window"
    return (
        f"{pattern}: {residual.conversions:.0f} conversions, {residual.predicted:.1f} predicted "
        f"({residual.standard_errors:+.1f} standard errors)"
    )


def _median_of_largest(n: int) -> float:
    """The median of the largest absolute value of n standard normal numbers; 0 of none.

    All n stay below x with probability (2 Φ(x) - 1)^n, which is a half at the median.
    """
    if not n:
        return 0.0
    upper_tail = (1 - 0.5 ** (1 / n)) / 2  # 1 - Φ(x)
    return float(-ndtri(upper_tail))


def _cells(patterns: Patterns, row: int) -> tuple[int, ...]:
    first, last = patterns.offsets[row], patterns.offsets[row + 1]
    return tuple(patterns.cells[first:last].tolist())
