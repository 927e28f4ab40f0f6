"""Figures of predicted probabilities: by hand, and against examples written out one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from td_mta import metrics

CHANCE = np.array([0.1, 0.2, 0.5])
NEGATIVES = np.array([9.0, 4.0, 1.0])
POSITIVES = np.array([1.0, 0.0, 3.0])


def one_by_one(probability: np.ndarray, negatives: np.ndarray, positives: np.ndarray) -> tuple:
    """Probability and label of every example."""
    counts = np.concatenate([negatives, positives]).astype(int)
    label = np.repeat(np.repeat([0.0, 1.0], len(probability)), counts)
    return np.repeat(np.tile(probability, 2), counts), label


def losses(probability: np.ndarray, label: np.ndarray) -> np.ndarray:
    return -label * np.log(probability) - (1 - label) * np.log(1 - probability)


def test_the_difference_of_losses_is_that_of_the_examples_one_by_one() -> None:
    other = np.array([0.15, 0.05, 0.6])
    ours, label = one_by_one(CHANCE, NEGATIVES, POSITIVES)
    theirs, _ = one_by_one(other, NEGATIVES, POSITIVES)
    paired = losses(ours, label) - losses(theirs, label)
    found = metrics.loss_difference(CHANCE, other, NEGATIVES, POSITIVES)
    assert found.mean == pytest.approx(paired.mean())
    assert found.error == pytest.approx(paired.std(ddof=1) / np.sqrt(len(paired)))


def test_with_groups_the_error_is_that_of_sums_over_them() -> None:
    other, group = np.array([0.15, 0.05, 0.6]), np.array([4, 7, 4])
    sums, total = {4: [0.0, 0], 7: [0.0, 0]}, 18
    for row, which in enumerate(group.tolist()):
        chance, label = one_by_one(CHANCE[[row]], NEGATIVES[[row]], POSITIVES[[row]])
        beside, _ = one_by_one(other[[row]], NEGATIVES[[row]], POSITIVES[[row]])
        sums[which][0] += (losses(chance, label) - losses(beside, label)).sum()
        sums[which][1] += len(label)
    mean = sum(paired for paired, _ in sums.values()) / total
    squares = sum((paired - n * mean) ** 2 for paired, n in sums.values())
    found = metrics.loss_difference(CHANCE, other, NEGATIVES, POSITIVES, group)
    assert found.mean == pytest.approx(mean)
    assert found.error == pytest.approx(np.sqrt(squares * 2 / 1) / total)


def test_models_that_are_equal_but_for_rounding_do_not_differ() -> None:
    other, group = CHANCE * (1 + 2e-16), np.array([4, 7, 4])
    assert (other != CHANCE).any()
    found = metrics.loss_difference(CHANCE, other, NEGATIVES, POSITIVES, group)
    assert found == (0.0, 0.0)


def test_one_group_has_no_standard_error() -> None:
    other, group = np.array([0.15, 0.05, 0.6]), np.zeros(3, np.int64)
    found = metrics.loss_difference(CHANCE, other, NEGATIVES, POSITIVES, group)
    assert np.isnan(found.error)


def test_users_who_come_many_times_are_no_more_than_one_each() -> None:
    """Groups repeated ten times over: the error is that of the groups, not of the rows."""
    rng = np.random.default_rng(0)
    one, other = rng.uniform(0.1, 0.3, 40), rng.uniform(0.1, 0.3, 40)
    positives = rng.binomial(50, 0.2, 40).astype(float)
    group = np.arange(40)
    once = metrics.loss_difference(one, other, 50 - positives, positives, group)
    arrays_ = [np.repeat(x, 10) for x in (one, other, 50 - positives, positives, group)]
    ten_times = metrics.loss_difference(*arrays_)
    assert ten_times == pytest.approx(once)


def test_figures_of_many_predictions_are_those_of_all_of_them_sorted() -> None:
    rng = np.random.default_rng(0)
    n = metrics.FEW + 1
    chance = rng.beta(1, 20, n)
    label = rng.binomial(1, chance).astype(float)
    found = metrics.quality(chance, 1 - label, label)
    assert found.auc == pytest.approx(roc_auc_score(label, chance), abs=1e-4)
    tenths = [part.mean() for part in np.array_split(label[np.argsort(chance)], metrics.BINS)]
    bins = metrics.calibration(chance, 1 - label, label)
    np.testing.assert_allclose(bins.observed, tenths, atol=1e-3)


def test_a_model_does_not_differ_from_itself() -> None:
    assert metrics.loss_difference(CHANCE, CHANCE, NEGATIVES, POSITIVES) == (0.0, 0.0)


def test_one_example_has_no_standard_error() -> None:
    one = np.array([1.0])
    found = metrics.loss_difference(one * 0.5, one * 0.25, one * 0, one)
    assert found.mean == pytest.approx(-np.log(2))
    assert np.isnan(found.error)


def test_the_error_says_how_much_the_difference_varies_over_samples() -> None:
    rng = np.random.default_rng(0)
    true, one, other = np.array([0.1, 0.4]), np.array([0.12, 0.35]), np.array([0.2, 0.3])
    drawn = [rng.binomial(500, true) for _ in range(2000)]
    found = [metrics.loss_difference(one, other, 500 - hits, hits) for hits in drawn]
    spread = np.std([each.mean for each in found])
    assert np.mean([each.error for each in found]) / spread == pytest.approx(1, abs=0.05)


def test_bins_by_hand() -> None:
    """Ten examples a bin: 0.1 and 0.2 in one would leave 0.5 alone; a pattern is never split."""
    bins = metrics.calibration(
        np.array([0.3, 0.1, 0.2]), np.array([5.0, 10.0, 3.0]), np.array([5.0, 0.0, 2.0])
    )
    assert bins.predicted.tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert bins.observed.tolist() == pytest.approx([0.0, 0.4, 0.5])
    assert bins.examples.tolist() == [10, 5, 10]
    assert bins.conversions.tolist() == [0, 2, 5]


def test_alike_patterns_fill_ten_bins() -> None:
    n = 1000
    probability = np.linspace(0.001, 0.5, n)
    bins = metrics.calibration(probability, np.ones(n), np.zeros(n))
    assert bins.examples.tolist() == [100] * 10
    assert bins.predicted == pytest.approx(probability.reshape(10, 100).mean(axis=1))


def test_the_calibration_error_is_the_bins_mean_distance() -> None:
    found = metrics.calibration_error(
        np.array([0.3, 0.1]), np.array([6.0, 27.0]), np.array([4.0, 3.0])
    )
    assert found == pytest.approx(10 * 0.1 / 40)


def test_residuals_by_hand() -> None:
    """Near (observed - predicted) / sqrt(n p q) where much is predicted, and of its sign."""
    n, probability = np.array([10_000.0, 10_000.0, 10_000.0]), np.full(3, 0.01)
    hits = np.array([120.0, 100.0, 80.0])
    found = metrics.residuals(probability, n - hits, hits)
    assert found == pytest.approx([20 / 99**0.5, 0, -20 / 99**0.5], abs=0.08)


def test_a_single_conversion_where_none_was_predicted_is_no_wonder() -> None:
    found = metrics.residuals(np.array([1e-4]), np.array([9.0]), np.array([1.0]))
    assert 3 < found[0] < 4  # Pearson's residual would be 32


@given(
    arrays.arrays(float, 5, elements=st.floats(0.01, 0.99)),
    arrays.arrays(float, 5, elements=st.integers(0, 50).map(float)),
    arrays.arrays(float, 5, elements=st.integers(1, 50).map(float)),
)
def test_bins_hold_every_example_once(
    probability: np.ndarray, negatives: np.ndarray, positives: np.ndarray
) -> None:
    bins = metrics.calibration(probability, negatives, positives)
    assert bins.examples.sum() == pytest.approx((negatives + positives).sum())
    assert bins.conversions.sum() == pytest.approx(positives.sum())
    assert bins.predicted @ bins.examples == pytest.approx((negatives + positives) @ probability)
    assert np.all(np.diff(bins.predicted) >= -1e-12)


@pytest.mark.parametrize(("intercept", "slope"), [(0.0, 1.0), (0.3, 0.7), (-0.5, 1.4)])
def test_the_calibration_line_is_found_with_its_error(intercept: float, slope: float) -> None:
    """Groups in which half of the users convert less are a hundred examples each."""
    rng = np.random.default_rng(0)
    log_odds = rng.normal(-2, 1, 4000)
    group = np.arange(4000) % 40
    found = []
    for _ in range(200):
        effect = rng.choice([-0.3, 0.3], 40)[group]
        base = -2 + intercept + slope * (log_odds + 2) + effect
        positives = rng.binomial(1, expit(base)).astype(float)
        line = metrics.calibration_line(log_odds, 1 - positives, positives, group)
        center = np.log(positives.sum() / (4000 - positives.sum()))
        found.append((line.slope, line.slope_error, line.intercept + (1 - line.slope) * center))
    slopes, errors, intercepts = np.array(found).T
    assert slopes.mean() == pytest.approx(slope, abs=0.03)  # group effects flatten a little
    assert errors.mean() == pytest.approx(slopes.std(), rel=0.15)
    assert intercepts.mean() == pytest.approx(intercept + 2 * (slope - 1), abs=0.06)


def test_calibration_of_one_prediction_or_one_outcome_has_no_line() -> None:
    one, two, group = np.full(4, -2.0), np.array([-2.0, -1, -2, -1]), np.array([0, 0, 1, 1])
    some, none = np.array([1.0, 0, 0, 1]), np.zeros(4)
    for arguments in ((one, 1 - some, some), (two, none, some), (two, some, none)):
        assert np.isnan(metrics.calibration_line(*arguments, group)).all()
    assert np.isnan(metrics.calibration_line(two, 1 - some, some, 0 * group)).all()
    assert np.isnan(metrics.calibration_line(*np.zeros((3, 0)), np.zeros(0, int))).all()
