"""Quality of predicted probabilities, over counted patterns.

Arrays are of shape `(n,)`, one entry a pattern: the predicted probability of a conversion, and how
many negative and positive examples have the pattern.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from td_mta.journeys.touchpoints import Floats, Ints

BINS = 10
FEW = 100_000  # predictions that are sorted one by one
STEPS = 4096  # of log-odds, to one: beyond, predictions so near are taken as equal
ROUNDING = 1e-12  # of a difference of losses
SMALLEST = 1e-15  # probability that a logarithm is taken of
NEWTON_STEPS = 50


class Quality(NamedTuple):
    """How good predictions are; see the functions of these names."""

    log_loss: float
    rmse: float
    auc: float
    calibration_error: float


class Bins(NamedTuple):
    """Bins of rising probabilities, each array of shape `(bins,)`."""

    predicted: Floats  # mean probability
    observed: Floats  # share of examples that converted
    examples: Floats
    conversions: Floats


class Line(NamedTuple):
    """Calibration as a straight line of log-odds; see `calibration_line`."""

    slope: float
    slope_error: float
    intercept: float
    intercept_error: float


class Difference(NamedTuple):
    """A mean over examples and its standard error."""

    mean: float
    error: float


def quality(probability: Floats, negatives: Floats, positives: Floats) -> Quality:
    """All figures of some predictions; log loss in nats, and the root of the mean squared error.

    >>> quality(np.array([0.5, 0.5]), np.array([1, 0]), np.array([0, 1])).auc
    0.5
    """
    total = negatives.sum() + positives.sum()
    negative_loss, positive_loss = _losses(probability)
    log_loss = (positives @ positive_loss + negatives @ negative_loss) / total
    squares = positives @ (1 - probability) ** 2 + negatives @ probability**2
    rmse = np.sqrt(squares / total)
    return Quality(
        log_loss=float(log_loss),
        rmse=float(rmse),
        auc=area_under_curve(probability, negatives, positives),
        calibration_error=calibration_error(probability, negatives, positives),
    )


def area_under_curve(probability: Floats, negatives: Floats, positives: Floats) -> float:
    """P(a positive example has the higher probability), ties half; NaN where a class is missing.

    The area under the ROC curve, as Mann and Whitney's U over the number of pairs.
    """
    pairs = negatives.sum() * positives.sum()
    if not pairs:
        return float("nan")
    probability, negatives, positives = _merged(probability, negatives, positives)
    _, rank = np.unique(probability, return_inverse=True)
    negative = np.bincount(rank, negatives)  # by rank
    positive = np.bincount(rank, positives)
    negatives_below = np.cumsum(negative) - negative
    ordered_pairs = positive @ (negatives_below + negative / 2)
    return float(ordered_pairs / pairs)


def calibration_error(probability: Floats, negatives: Floats, positives: Floats) -> float:
    """Expected calibration error: the mean distance of observed and predicted rates over the bins,
    each weighing its examples.
    """
    bins = calibration(probability, negatives, positives)
    distance = np.abs(bins.observed - bins.predicted) @ bins.examples
    return float(distance / bins.examples.sum())


def calibration(probability: Floats, negatives: Floats, positives: Floats) -> Bins:
    """Up to `BINS` bins of about as many examples; those of one pattern all fall into one bin.

    >>> bins = calibration(np.array([0.1, 0.3]), np.array([9.0, 5.0]), np.array([1.0, 5.0]))
    >>> bins.observed.tolist(), bins.examples.tolist()
    ([0.1, 0.5], [10.0, 10.0])
    """
    probability, negatives, positives = _merged(probability, negatives, positives)
    weight = negatives + positives
    which_bin = _bin_of(probability, weight)
    columns = (weight, positives, weight * probability)
    sums = np.array([np.bincount(which_bin, column, BINS) for column in columns])
    filled = sums[0] > 0
    examples, conversions, expected = (column[filled] for column in sums)
    return Bins(expected / examples, conversions / examples, examples, conversions)


def calibration_line(log_odds: Floats, negatives: Floats, positives: Floats, group: Ints) -> Line:
    """The observed log-odds as a + b times the predicted ones, both from those of the base rate.

    Right are a = 0 and b = 1 (Cox 1958). Where b is below 1 predictions differ too much from each
    other, as by overfitting; above 1 too little. Errors are over groups of users, the sandwich.
    NaN where a class is missing, all predictions are one, groups are fewer than two, or no line is
    best since the predictions tell the classes apart.
    """
    total = negatives + positives
    undefined = Line(*[float("nan")] * len(Line._fields))
    groups = np.unique(group)
    if not positives.sum() or not negatives.sum() or len(groups) < 2 or not np.ptp(log_odds):
        return undefined
    center = np.log(positives.sum() / negatives.sum())
    x = np.stack([np.ones(len(log_odds)), log_odds - center])  # (2, n)
    line = np.array([0.0, 1.0])
    for _ in range(NEWTON_STEPS):
        p = expit(center + line @ x)
        residuals = positives - total * p
        information = (x * (total * p * (1 - p))) @ x.T
        if not np.linalg.cond(information) < 1 / ROUNDING:
            return undefined
        step = np.linalg.solve(information, x @ residuals)
        line += step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < ROUNDING:
            break
    scores = np.array([np.bincount(group, residuals * row) for row in x])  # (2, groups)
    moved = np.linalg.solve(information, scores)
    errors = np.sqrt((moved**2).sum(axis=1) * len(groups) / (len(groups) - 1))
    return Line(float(line[1]), float(errors[1]), float(line[0]), float(errors[0]))


def loss_difference(
    one: Floats, other: Floats, negatives: Floats, positives: Floats, group: Ints | None = None
) -> Difference:
    """How much higher the log loss of `one` is than that of `other`, example by example.

    Examples are taken as independent, given what was touched, or with `group` `(n,)` only those of
    different groups of users (clusters); then the error is that of the mean of the paired
    differences. NaN for fewer than two examples or groups. Models that are equal but for rounding
    do not differ at all.
    """
    one_negative, one_positive = _losses(one)
    other_negative, other_positive = _losses(other)
    of_negative = _beyond_rounding(one_negative - other_negative)
    of_positive = _beyond_rounding(one_positive - other_positive)
    total = negatives.sum() + positives.sum()
    if group is None:
        mean = (positives @ of_positive + negatives @ of_negative) / total
        from_negative, from_positive = of_negative - mean, of_positive - mean
        squares = float(positives @ from_positive**2 + negatives @ from_negative**2)
        return Difference(float(mean), _error_of_mean(squares, total, total))
    both = positives * of_positive + negatives * of_negative, negatives + positives
    changes, examples = (np.bincount(group, of_rows).astype(np.float64) for of_rows in both)
    return clustered(changes, examples)


def clustered(changes: Floats, examples: Floats) -> Difference:
    """The mean over examples, given its sums by group of users and the groups' examples.

    Groups without an example do not count. NaN where there are none; of one, for the error.

    >>> clustered(np.array([1.0, 3.0, 0.0]), np.array([1.0, 1.0, 0.0]))
    Difference(mean=2.0, error=1.0)
    """
    total = examples.sum()
    if not total:
        return Difference(float("nan"), float("nan"))
    mean = changes.sum() / total
    deviations = changes - mean * examples
    clusters = int(np.count_nonzero(examples))
    error = _error_of_mean(float(deviations @ deviations), clusters, total)
    return Difference(float(mean), error)


def _beyond_rounding(difference: Floats) -> Floats:
    """0 instead of what the last digits of two equal numbers may differ by."""
    return np.where(np.abs(difference) < ROUNDING, 0.0, difference)


def residuals(probability: Floats, negatives: Floats, positives: Floats) -> Floats:
    """Conversions beyond those predicted, `(n,)`, in standard errors: roots of the deviance.

    Near (observed - predicted) / sqrt(predicted) where much is predicted; unlike that, one
    conversion where next to none was predicted is not extreme (McCullagh & Nelder 1989, 2.4.3).
    """
    total = negatives + positives
    expected = total * np.clip(probability, SMALLEST, 1 - SMALLEST)
    half_deviance = _times_log(positives, expected) + _times_log(negatives, total - expected)
    root: Floats = np.sqrt(2 * np.maximum(half_deviance, 0.0))
    return np.where(positives >= expected, root, -root)


def _error_of_mean(squares: float, independent: float, total: float) -> float:
    """From squared deviations of so many independent parts, summed, of `total` examples."""
    if independent < 2:
        return float("nan")
    return float(np.sqrt(squares * independent / (independent - 1)) / total)


def _losses(probability: Floats) -> tuple[Floats, Floats]:
    """Log loss of a negative and of a positive example."""
    safe = np.clip(probability, SMALLEST, 1 - SMALLEST)
    return -np.log1p(-safe), -np.log(safe)


def _merged(
    probability: Floats, negatives: Floats, positives: Floats
) -> tuple[Floats, Floats, Floats]:
    """The same where there are few; of many, log-odds within a `STEPS`-th are made one.

    Sorting millions of probabilities would cost more than fitting them.
    """
    if len(probability) <= FEW:
        return probability, negatives, positives
    safe = np.clip(probability, SMALLEST, 1 - SMALLEST)
    step = np.rint(np.log(safe / (1 - safe)) * STEPS).astype(np.int64)
    step -= step.min()
    columns = (negatives, positives, (negatives + positives) * safe)
    sums = np.array([np.bincount(step, column) for column in columns], np.float64)
    sums = sums[:, sums[0] + sums[1] > 0]
    return sums[2] / (sums[0] + sums[1]), sums[0], sums[1]


def _bin_of(probability: Floats, weight: Floats) -> Ints:
    """The bin of every pattern: by the share of examples before its middle one."""
    order = np.argsort(probability, kind="stable")
    sorted_weight = weight[order]
    middle = np.cumsum(sorted_weight) - sorted_weight / 2
    share = middle / weight.sum()
    in_order = (share * BINS).astype(np.int64)
    which_bin = np.empty(len(probability), np.int64)
    which_bin[order] = np.minimum(in_order, BINS - 1)
    return which_bin


def _times_log(count: Floats, expected: Floats) -> Floats:
    """count * log(count / expected), 0 where nothing was counted."""
    ratio = np.divide(count, expected, out=np.ones_like(expected), where=count > 0)
    return count * np.log(ratio)
