"""Warnings and notes come where their limit is passed, and not below it."""

import numpy as np
import pytest
from scipy.special import logit

from td_mta.journeys import patterns
from td_mta.journeys.patterns import Grid
from td_mta.metrics import Difference, Line, Quality
from td_mta.model.holdout import HeldOut
from td_mta.reporting import channel_notes, diagnostics
from td_mta.reporting.run_facts import Evaluation
from td_mta.shapley.convergence import CreditChange
from td_mta.shapley.credit import Credit, Values, attribute, shapley_values
from td_mta.shapley.games import without_offsets
from td_mta.shapley.shifts import Shift

NAN = float("nan")
RIGHT = Line(1.0, 0.0, 0.0, 0.0)


def evaluation(
    lstm: float, logistic: float, base_rate: float, line: Line = RIGHT, groups: int = 40
) -> Evaluation:
    losses = {"lstm": lstm, "logistic": logistic, "base_rate": base_rate}
    qualities = {name: Quality(loss, NAN, NAN, NAN) for name, loss in losses.items()}
    differences = {name: Difference(lstm - losses[name], 0.002) for name in losses}
    return Evaluation("lstm", qualities, differences, line, groups)


@pytest.mark.parametrize(
    ("losses", "models"),
    [
        ((0.1, 0.2, 0.3), []),
        ((0.25, 0.2, 0.3), ["logistic regression"]),
        ((0.2041, 0.2, 0.3), []),  # 2.05 standard errors of 40 groups
        ((0.2042, 0.2, 0.3), ["logistic regression"]),
        ((0.4, 0.2, 0.3), ["logistic regression", "the base rate"]),
        ((NAN, NAN, NAN), []),
    ],
)
def test_a_model_that_loses_is_named_with_both_losses(
    losses: tuple[float, float, float], models: list[str]
) -> None:
    sentences = diagnostics.model_warnings(evaluation(*losses), "users")
    assert len(sentences) == len(models)
    for sentence, model in zip(sentences, models, strict=True):
        assert sentence.startswith(f"The LSTM does not beat {model} on held-out users")
        assert f"{losses[0]:.5f}" in sentence
    if models:
        assert f"{losses[0] - losses[1]:.6f} with a standard error of 0.002000" in sentences[0]


def test_a_few_held_out_conversions_condemn_no_model() -> None:
    assert diagnostics.model_warnings(evaluation(0.4, 0.2, 0.3, groups=10), "users")
    assert not diagnostics.model_warnings(evaluation(0.4, 0.2, 0.3, groups=9), "users")


@pytest.mark.parametrize(
    ("slope", "error", "groups", "told"),
    [
        (
            0.85,
            0.04,
            40,
            "0.85 with a standard error of 0.04, and should be 1: predictions of the "
            "LSTM are too far apart",
        ),
        (1.15, 0.04, 40, "are too near each other"),
        (0.85, 0.06, 40, ""),  # 2.5 standard errors
        (0.91, 0.01, 40, ""),
        (0.5, 0.01, 9, ""),
        (NAN, NAN, 40, ""),
    ],
)
def test_a_calibration_slope_far_from_1_is_a_warning(
    slope: float, error: float, groups: int, told: str
) -> None:
    run = evaluation(0.1, 0.2, 0.3, Line(slope, error, 0.0, 0.1), groups)
    sentences = diagnostics.slope_warnings(run, "users")
    assert len(sentences) == bool(told)
    assert told in " ".join(sentences)


def credit_of(
    touched: float, untouched: float, conversions: list[float]
) -> tuple[Values, Credit, np.ndarray]:
    """No touch and a touch of one channel, with their probabilities and conversions."""
    grid = Grid(1, 1)
    sets, which = patterns.distinct(patterns.of_cells(np.array([1]), np.array([0]), n=2, grid=grid))
    values = shapley_values(
        without_offsets(sets),
        grid,
        lambda cells: logit(np.where(cells.any(axis=(1, 2)), touched, untouched)),
        exact_cells=1,
        budget=10,
        permutations=2,
        rng=np.random.default_rng(0),
    )
    amounts = np.zeros((2, 2))
    amounts[0, which] = conversions
    return values, attribute(values, amounts, grid), amounts[0]


@pytest.mark.parametrize(
    ("untouched_conversions", "visits", "warned"),
    [(81.0, False, 1), (79.0, False, 0), (81.0, True, 0)],
)
def test_a_large_baseline_is_a_warning_unless_it_is_0_by_construction(
    untouched_conversions: float, visits: bool, warned: int
) -> None:
    run = credit_of(1.0, 0.0, [untouched_conversions, 100 - untouched_conversions])
    sentences = diagnostics.credit_warnings(*run, visits=visits)
    assert len(sentences) == warned
    assert not warned or sentences[0].startswith("The baseline receives 81% of the conversions")


@pytest.mark.parametrize(("lowered", "warned"), [(1.0, 0), (2.0, 1)])
def test_touches_that_lower_the_probability_are_counted(lowered: float, warned: int) -> None:
    run = credit_of(0.1, 0.2, [100 - lowered, lowered])
    sentences = diagnostics.credit_warnings(*run, visits=True)
    assert len(sentences) == warned
    assert not warned or sentences[0].startswith("For 2 conversions the model predicts a lower")


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ("logistic", "with network: pairs the share of Email would change by +50.0"),
        ("pairs", "with network: lstm the share of Fax would change by -3.1"),
        ("mlp", "with network: lstm the share of Fax would change by -3.1"),
        ("lstm", ""),
    ],
)
def test_credits_that_change_above_the_used_model_are_a_warning(chosen: str, told: str) -> None:
    changes = [
        CreditChange("pairs", 0, 0.5),
        CreditChange("mlp", 0, 0.02),
        CreditChange("lstm", 1, -0.031),
    ]
    sentences = diagnostics.rung_warnings(changes, chosen, ["Email", "Fax"])
    assert len(sentences) == bool(told)
    assert told in " ".join(sentences)


def test_models_that_agree_on_the_credit_are_no_warning() -> None:
    changes = [CreditChange("pairs", 0, 0.019), CreditChange("mlp", 0, -0.02)]
    assert not diagnostics.rung_warnings(changes, "logistic", ["Email", "Fax"])
    assert not diagnostics.rung_warnings([], "logistic", ["Email"])


def shift(change: list[float]) -> Shift:
    """Of a channel and the baseline, each with half of the conversions."""
    return Shift("calendar_day", np.array([0.5, 0.5]), 0.5 + np.array(change))


@pytest.mark.parametrize(
    ("change", "conversions", "told"),
    [
        ([0.02, -0.02], 100_000, True),
        ([0.005, -0.005], 100_000, False),
        ([0.02, -0.02], 400, False),  # 400 conversions leave 5 % open in any case
    ],
)
def test_a_control_that_takes_more_than_a_point_is_a_warning(
    change: list[float], conversions: int, told: bool
) -> None:
    sentences = diagnostics.confounding_warnings([shift(change)], ["Email"], conversions)
    assert bool(sentences) == told
    assert not told or "for Email 52.0% of the conversions instead of 50.0%" in sentences[0]
    assert not told or sentences[0].startswith("Touches and conversions follow one calendar")


def test_history_is_a_note() -> None:
    (sentence,) = diagnostics.history_notes(17_744, 2)
    assert "credited from 2018-08-01 on: the 2 days before are history" in sentence
    assert not diagnostics.history_notes(17_744, 0)


@pytest.mark.parametrize("forward", [False, True])
def test_overfitting_is_measured_relative_to_the_base_rate(forward: bool) -> None:
    half = {"prevalence": 0.5, "base_rate": np.log(2), "noise": 0.01, "forward": forward}
    (sentence,) = diagnostics.overfitting_warnings(0.5, 0.55, **half)
    assert "held-out loss is 10% above training loss" in sentence
    assert "the model overfits" in sentence
    assert ("behaviour changed" in sentence) == forward
    assert not diagnostics.overfitting_warnings(0.5, 0.524, **half)
    assert not diagnostics.overfitting_warnings(0.5, NAN, **half)
    assert not diagnostics.overfitting_warnings(0.5, 0.55, **half | {"noise": 0.06})


def test_rare_channels_are_named_the_rarest_first_up_to_a_limit() -> None:
    names = [f"c{number}" for number in range(30)]
    (sentence,) = diagnostics.channel_warnings(names, np.arange(30)[::-1])
    assert "touch of c29 (0), c28 (1), c27 (2)" in sentence
    assert sentence.endswith("c10 (19) before them: the credit of each is unreliable.")
    (sentence,) = diagnostics.channel_warnings(names, np.zeros(30, np.int64))
    assert "c19 (0) and 10 more channels before them" in sentence
    (sentence,) = diagnostics.channel_warnings(["a", "b"], np.array([20, 19]))
    assert sentence == (
        "Fewer than 20 conversions have a touch of b (19) before them: its credit is unreliable."
    )


def test_a_single_channel_is_a_warning() -> None:
    assert diagnostics.channel_warnings(["Email"], np.array([100])) == [
        "Email is the only channel: it receives all channel credit."
    ]


def test_notes_say_what_the_baseline_is_where_it_is_not_measured() -> None:
    (zero,) = diagnostics.baseline_notes("person_days", visits=True)
    (extrapolated,) = diagnostics.baseline_notes("touch_days", visits=False)
    assert "0 by construction" in zero
    assert "an extrapolation" in extrapolated
    assert not diagnostics.baseline_notes("person_days", visits=False)


def test_notes_say_what_was_converted_and_which_days_were_held_out() -> None:
    assert diagnostics.input_notes({"ISO times to seconds": 1200}, None) == [
        "Converted: ISO times to seconds (1,200 rows)."
    ]
    assert diagnostics.input_notes({}, 17_744) == [
        "Held out: the days from 2018-08-01 on, of all users (holdout: forward)."
    ]


def test_an_intercept_that_was_refitted_is_a_note() -> None:
    (sentence,) = diagnostics.calibration_notes(0.9, refitted=True)
    assert "0.900 times the observed conversions" in sentence
    assert not diagnostics.calibration_notes(0.99, refitted=False)


def test_channels_without_effect_are_a_note() -> None:
    channels = ["Search", *(f"Banner{number}" for number in range(25))]
    (sentence,) = channel_notes.of_null_channels(channels, np.append(0.5, np.full(25, 0.9)))
    assert "found of Banner0, Banner1," in sentence
    assert "Banner19 and 5 more:" in sentence
    assert not channel_notes.of_null_channels(["Search"], np.array([0.2]))


def test_notes_say_what_was_sampled_and_lowered() -> None:
    values = credit_of(1.0, 0.5, [1.0, 1.0])[0]._replace(sampled=7, largest_exact=9)
    sampled, lowered = diagnostics.shapley_notes(values, 0.0123, exact_cells=12, budget=2000)
    assert "7 patterns with more than 9 cells were estimated by sampling" in sampled
    assert "at most 0.012 conversions" in sampled
    assert "lowered to 9: more would need over 2,000 distinct coalitions" in lowered


@pytest.mark.parametrize(
    ("negatives", "positives", "told"),
    [
        ([], [], ["No users could be held out of so few"]),
        ([0.0, 3.0], [0.0, 0.0], ["The held-out users have no conversion"]),
        ([0.0], [2.0], ["The held-out users have only conversions"]),
        ([1.0], [1.0], []),
    ],
)
def test_too_little_held_out_is_told(
    negatives: list[float], positives: list[float], told: list[str]
) -> None:
    rows = np.zeros(len(negatives), np.int64)
    counts = np.array(negatives), np.array(positives)
    held_out = HeldOut(patterns.Patterns.empty(), rows, rows, *counts, {}, "lstm")
    sentences = diagnostics.holdout_warnings(held_out, "users")
    assert [sentence.partition(":")[0] for sentence in sentences] == told
