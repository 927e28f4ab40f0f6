"""How good predicted chances are, over patterns with counts of positive and negative examples."""

from typing import NamedTuple

import numpy as np

from td_mta.journeys.touchpoints import Floats

BINS = 10


class Quality(NamedTuple):
    """Log loss, root mean squared error, area under the ROC curve, expected calibration error."""

    log_loss: float
    rmse: float
    auc: float
    calibration_error: float


def quality(chance: Floats, negatives: Floats, positives: Floats) -> Quality:
    """Of chances `(n,)` for patterns that stand for so many examples of each class.

    >>> quality(np.array([0.5, 0.5]), np.array([1, 0]), np.array([0, 1])).auc
    0.5
    """
    total = negatives.sum() + positives.sum()
    safe = np.clip(chance, 1e-15, 1 - 1e-15)
    loss = -(positives @ np.log(safe) + negatives @ np.log1p(-safe)) / total
    squared = (positives @ (1 - chance) ** 2 + negatives @ chance**2) / total
    return Quality(
        log_loss=float(loss),
        rmse=float(np.sqrt(squared)),
        auc=area_under_curve(chance, negatives, positives),
        calibration_error=calibration_error(chance, negatives, positives),
    )


def area_under_curve(chance: Floats, negatives: Floats, positives: Floats) -> float:
    """P(a positive example has the higher chance), ties half; NaN where a class is missing."""
    pairs = negatives.sum() * positives.sum()
    if not pairs:
        return float("nan")
    _, rank = np.unique(chance, return_inverse=True)
    negative, positive = np.bincount(rank, negatives), np.bincount(rank, positives)
    below = np.cumsum(negative) - negative
    return float(positive @ (below + negative / 2) / pairs)


def calibration_error(chance: Floats, negatives: Floats, positives: Floats) -> float:
    """Mean distance of observed and predicted rates over `BINS` bins of as many examples."""
    weight = negatives + positives
    order = np.argsort(chance, kind="stable")
    share = (np.cumsum(weight[order]) - weight[order] / 2) / weight.sum()
    bins = np.empty(len(chance), np.int64)
    bins[order] = np.minimum((share * BINS).astype(np.int64), BINS - 1)
    gap = np.bincount(bins, positives - weight * chance)
    return float(np.abs(gap).sum() / weight.sum())
