"""Held-out examples: the largest residuals, the difference to baselines, none held out."""

import numpy as np
import pytest

from td_mta.journeys import patterns
from td_mta.journeys.patterns import Grid
from td_mta.model import holdout
from td_mta.model.holdout import HeldOut

GRID = Grid(2, 2)
# nothing; Email today; Search today; Email today and Search yesterday
PATTERNS = patterns.of_cells(np.array([1, 2, 3, 3]), np.array([0, 1, 0, 3]), 4, GRID)
CHANNELS = ["Email", "Search"]


def held_out(positives: list[float], probability: list[float], n: float = 1000.0) -> HeldOut:
    conversions = np.array(positives)
    baselines = {"logistic": np.full(4, 0.02), "base_rate": np.full(4, 0.01)}
    return HeldOut(
        patterns=PATTERNS,
        pattern=np.arange(4),
        group=np.arange(4),
        negatives=n - conversions,
        positives=conversions,
        probabilities={"lstm": np.array(probability), **baselines},
        chosen="lstm",
    )


def test_the_largest_residual_stands_first_with_its_sign() -> None:
    largest = holdout.largest_residuals(held_out([10, 20, 50, 41], [0.01, 0.04, 0.05, 0.0223]))
    sentences = [holdout.describe(residual, CHANNELS, GRID) for residual in largest.residuals]
    assert sentences[0] == (
        "Email on day 0, Search on day 1: 41 conversions, 22.3 predicted (+3.6 standard errors)"
    )
    assert sentences[1].startswith("Email on day 0: 20 conversions, 40.0 predicted (-3.6")
    assert largest.compared == 4


def test_patterns_with_few_conversions_are_not_compared() -> None:
    largest = holdout.largest_residuals(held_out([4, 5, 0, 0], [0.0001, 0.0001, 0.0051, 0.001]))
    assert [residual.conversions for residual in largest.residuals] == [5, 0]
    assert largest.compared == 2


def test_the_empty_pattern_is_described() -> None:
    largest = holdout.largest_residuals(held_out([30, 0, 0, 0], [0.01, 0.001, 0.001, 0.001]))
    assert holdout.describe(largest.residuals[0], CHANNELS, GRID).startswith(
        "No touch in the window: 30"
    )


def test_the_largest_residual_by_chance_alone_grows_with_the_patterns() -> None:
    one = holdout.largest_residuals(held_out([30, 0, 0, 0], [0.01, 0.001, 0.001, 0.001]))
    four = holdout.largest_residuals(held_out([30] * 4, [0.03] * 4))
    assert one.median_by_chance == pytest.approx(0.6745, abs=1e-3)  # half of all are closer
    draws = np.abs(np.random.default_rng(0).normal(size=(20_000, 4))).max(axis=1)
    assert four.median_by_chance == pytest.approx(np.median(draws), abs=0.02)


def test_a_better_model_is_below_its_baseline() -> None:
    patterns = held_out([10, 40, 50, 22], [0.01, 0.04, 0.05, 0.022])
    difference = patterns.difference_to("logistic")
    assert difference.mean < 0 < difference.error
    opposite = patterns.difference("logistic", "lstm")
    assert opposite == pytest.approx((-difference.mean, difference.error))


def test_residuals_are_of_patterns_whatever_the_stratum_and_group() -> None:
    """Twice the same pattern: half of the examples each, 0.02 and 0.06 predicted."""
    one = held_out([10, 20, 50, 41], [0.01, 0.04, 0.05, 0.0223])
    split = HeldOut(
        patterns=PATTERNS,
        pattern=np.array([0, 1, 1, 2, 3]),
        group=np.arange(5),
        negatives=np.array([990.0, 492, 488, 950, 959]),
        positives=np.array([10.0, 8, 12, 50, 41]),
        probabilities={"lstm": np.array([0.01, 0.02, 0.06, 0.05, 0.0223])},
        chosen="lstm",
    )
    found, expected = holdout.largest_residuals(split), holdout.largest_residuals(one)
    assert [each.cells for each in found.residuals] == [each.cells for each in expected.residuals]
    numbers = [each[1:] for each in expected.residuals]
    np.testing.assert_allclose([each[1:] for each in found.residuals], numbers)


def test_models_that_distinguish_patterns_are_binned() -> None:
    bins = held_out([10, 40, 50, 22], [0.01, 0.04, 0.05, 0.022]).calibration()
    assert list(bins) == ["lstm", "logistic"]
    assert bins["lstm"].conversions.tolist() == [10, 22, 40, 50]
    assert bins["logistic"].conversions.sum() == 122


def test_nothing_held_out_has_no_figures() -> None:
    none = np.empty(0)
    no_rows = np.empty(0, np.int64)
    probabilities = dict.fromkeys(("lstm", "logistic"), none)
    empty = HeldOut(PATTERNS.take(no_rows), no_rows, no_rows, none, none, probabilities, "lstm")
    assert np.isnan(empty.qualities()["lstm"].log_loss)
    assert np.isnan(empty.difference_to("logistic").mean)
    assert empty.calibration() == {}
    assert holdout.largest_residuals(empty) == ([], 0, 0.0)
