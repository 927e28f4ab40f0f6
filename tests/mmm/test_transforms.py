import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from td_mta.mmm.transforms import ADSTOCKS, SATURATIONS, Adstock, Delayed, Geometric, Saturation

ADSTOCK_CASES = pytest.mark.parametrize("adstock", ADSTOCKS.values(), ids=ADSTOCKS)
SATURATION_CASES = pytest.mark.parametrize("saturation", SATURATIONS.values(), ids=SATURATIONS)
SPEND = np.array([0.0, 3.0, 0.0, 1.0, 2.0, 0.5, 0.0, 4.0])
STEP = 1e-6


def parameters(names: tuple[str, ...]) -> np.ndarray:
    return np.array([-0.4, 0.3])[: len(names)]


def test_geometric_carry_over_worked_by_hand() -> None:
    carried = Geometric().carried(np.array([10.0, 0.0, 5.0]), np.array([np.log(0.25)]))  # θ = 0.2
    assert carried == pytest.approx([8.0, 1.6, 4.32])


def test_a_delayed_effect_peaks_at_its_lag() -> None:
    impulse = np.eye(1, 14)[0]
    peak_at_two = np.array([0.0, np.log(2 / 4)])  # 6 · expit(log ½) = 2
    assert np.argmax(Delayed().carried(impulse, peak_at_two)) == 2


@ADSTOCK_CASES
def test_spend_that_was_always_the_same_is_carried_unchanged(adstock: Adstock) -> None:
    held = adstock.carried(np.full(30, 7.0), parameters(adstock.names), before=7.0)
    assert held == pytest.approx(np.full(30, 7.0))


@ADSTOCK_CASES
def test_all_of_an_impulse_arrives_within_the_length(adstock: Adstock) -> None:
    p = parameters(adstock.names)
    impulse = np.eye(1, adstock.length(p))[0]
    assert adstock.carried(impulse, p).sum() == pytest.approx(1, abs=2e-6)


@ADSTOCK_CASES
@pytest.mark.parametrize("before", [0.0, 1.5])
def test_adstock_derivatives_are_those_of_small_steps(adstock: Adstock, before: float) -> None:
    p = parameters(adstock.names)
    for number, derivative in enumerate(adstock.derivatives(SPEND, p, before)):
        step = STEP * np.eye(len(p))[number]
        difference = adstock.carried(SPEND, p + step, before)
        difference = difference - adstock.carried(SPEND, p - step, before)
        assert derivative == pytest.approx(difference / (2 * STEP), abs=1e-8)


@SATURATION_CASES
def test_saturation_derivatives_are_those_of_small_steps(saturation: Saturation) -> None:
    p = parameters(saturation.names)
    for number, derivative in enumerate(saturation.derivatives(SPEND, p)):
        step = STEP * np.eye(len(p))[number]
        difference = saturation.value(SPEND, p + step) - saturation.value(SPEND, p - step)
        assert derivative == pytest.approx(difference / (2 * STEP), abs=1e-8)
    spend = SPEND[SPEND > 0]
    difference = saturation.value(spend + STEP, p) - saturation.value(spend - STEP, p)
    assert saturation.slope(spend, p) == pytest.approx(difference / (2 * STEP), abs=1e-8)


@SATURATION_CASES
@given(p=st.lists(st.floats(-0.7, 3), min_size=2, max_size=2))
def test_a_curve_rises_from_nothing_to_one_and_is_half_at_its_half(
    saturation: Saturation, p: list[float]
) -> None:
    free = np.array(p[-len(saturation.names) :])
    half_at = np.exp(free[-1])
    spend = half_at * np.array([0.0, 0.5, 1.0, 2.0, 1e30])
    values = saturation.value(spend, free)
    assert (np.diff(values) >= 0).all()
    assert values[[0, 2, 4]] == pytest.approx([0, 0.5, 1])
