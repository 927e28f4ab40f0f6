"""Quality of predicted probabilities, over counted patterns."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from td_mta.journeys.touchpoints import Floats

BINS = 10
SMALLEST = 1e-15  # probability that a logarithm is taken of


class Quality(NamedTuple):
    """Log loss, root mean squared error, area under the ROC curve, expected calibration error."""

    log_loss: float
    rmse: float
    auc: float
    calibration_error: float


class Bins(NamedTuple):
    """Bins of rising probabilities, each `(bins,)`: mean probability, and what was observed."""

    predicted: Floats
    observed: Floats
    examples: Floats
    conversions: Floats


class Difference(NamedTuple):
    """A mean over examples and its standard error."""

    mean: float
    error: float


def quality(probability: Floats, negatives: Floats, positives: Floats) -> Quality:
    """Of probabilities `(n,)` for patterns that stand for so many examples of each class.

    >>> quality(np.array([0.5, 0.5]), np.array([1, 0]), np.array([0, 1])).auc
    0.5
    """
    total = negatives.sum() + positives.sum()
    of_negative, of_positive = _losses(probability)
    loss = (positives @ of_positive + negatives @ of_negative) / total
    squared = (positives @ (1 - probability) ** 2 + negatives @ probability**2) / total
    return Quality(
        log_loss=float(loss),
        rmse=float(np.sqrt(squared)),
        auc=area_under_curve(probability, negatives, positives),
        calibration_error=calibration_error(probability, negatives, positives),
    )


def area_under_curve(probability: Floats, negatives: Floats, positives: Floats) -> float:
    """P(a positive example has the higher probability), ties half; NaN where a class is missing."""
    pairs = negatives.sum() * positives.sum()
    if not pairs:
        return float("nan")
    _, rank = np.unique(probability, return_inverse=True)
    negative, positive = np.bincount(rank, negatives), np.bincount(rank, positives)
    below = np.cumsum(negative) - negative
    return float(positive @ (below + negative / 2) / pairs)


def calibration_error(probability: Floats, negatives: Floats, positives: Floats) -> float:
    """Mean distance of observed and predicted rates over the bins, each by its examples."""
    bins = calibration(probability, negatives, positives)
    gap = np.abs(bins.observed - bins.predicted) @ bins.examples
    return float(gap / bins.examples.sum())


def calibration(probability: Floats, negatives: Floats, positives: Floats) -> Bins:
    """Up to `BINS` bins of as many examples, as nearly as patterns allow: each stays whole.

    >>> bins = calibration(np.array([0.1, 0.3]), np.array([9.0, 5.0]), np.array([1.0, 5.0]))
    >>> bins.observed.tolist(), bins.examples.tolist()
    ([0.1, 0.5], [10.0, 10.0])
    """
    weight = negatives + positives
    order = np.argsort(probability, kind="stable")
    share = (np.cumsum(weight[order]) - weight[order] / 2) / weight.sum()
    at = np.empty(len(probability), np.int64)
    at[order] = np.minimum((share * BINS).astype(np.int64), BINS - 1)
    columns = (weight, positives, weight * probability)
    examples, conversions, expected = np.array([np.bincount(at, each, BINS) for each in columns])
    some = examples > 0
    return Bins(
        expected[some] / examples[some],
        conversions[some] / examples[some],
        examples[some],
        conversions[some],
    )


def loss_difference(one: Floats, other: Floats, negatives: Floats, positives: Floats) -> Difference:
    """How much higher the log loss of `one` is than that of `other`, example by example.

    Days of a user are taken as independent, given what was touched; then the error is that of the
    mean of the paired differences.
    """
    of_negative, of_positive = (
        mine - theirs for mine, theirs in zip(_losses(one), _losses(other), strict=True)
    )
    total = negatives.sum() + positives.sum()
    mean = (positives @ of_positive + negatives @ of_negative) / total
    squares = positives @ (of_positive - mean) ** 2 + negatives @ (of_negative - mean) ** 2
    if total < 2:
        return Difference(float(mean), float("nan"))
    return Difference(float(mean), float(np.sqrt(squares / (total - 1) / total)))


def last_as_good(probabilities: Sequence[Floats], negatives: Floats, positives: Floats) -> int:
    """The last of several predictions `(n,)` that is not worse than that of the lowest log loss.

    The rule of one standard error (Hastie, Tibshirani & Friedman 2009, 7.10), of the paired
    difference. The last of all where no example tells them apart.
    """
    if not len(negatives):
        return len(probabilities) - 1
    losses = [
        negatives @ negative + positives @ positive
        for negative, positive in map(_losses, probabilities)
    ]
    lowest = int(np.argmin(np.nan_to_num(losses, nan=np.inf)))
    apart = [
        loss_difference(each, probabilities[lowest], negatives, positives) for each in probabilities
    ]
    return max(at for at, more in enumerate(apart) if at == lowest or more.mean <= more.error)


def residuals(probability: Floats, negatives: Floats, positives: Floats) -> Floats:
    """Conversions beyond those predicted, `(n,)`, in standard errors: roots of the deviance.

    Near (observed - predicted) / sqrt(predicted) where much is predicted; unlike that, one
    conversion where next to none was predicted is no wonder (McCullagh & Nelder 1989, 2.4.3).
    """
    total = negatives + positives
    expected = total * np.clip(probability, SMALLEST, 1 - SMALLEST)
    deviance = _times_log(positives, expected) + _times_log(negatives, total - expected)
    root: Floats = np.sqrt(2 * np.maximum(deviance, 0.0))
    return np.where(positives >= expected, root, -root)


def _losses(probability: Floats) -> tuple[Floats, Floats]:
    """Log loss of a negative and of a positive example."""
    safe = np.clip(probability, SMALLEST, 1 - SMALLEST)
    return -np.log1p(-safe), -np.log(safe)


def _times_log(count: Floats, expected: Floats) -> Floats:
    """count * log(count / expected), 0 where nothing was counted."""
    ratio = np.divide(count, expected, out=np.ones_like(expected), where=count > 0)
    return count * np.log(ratio)
