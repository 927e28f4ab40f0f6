"""The ridge regression, the choice of a form, and diagnostics."""

import numpy as np
import pytest

from td_mta.mmm.checks import choice, diagnostics
from td_mta.mmm.checks.known_truth import data_of
from td_mta.mmm.checks.ridge import ridge
from td_mta.mmm.media import media_data
from td_mta.mmm.model import Form, Priors
from td_mta.simulate.media_mix.worlds import MEDIA_WORLDS, shop


def test_ridge_without_penalty_finds_the_law_that_it_was_given() -> None:
    rng = np.random.default_rng(3)
    spend = rng.uniform(0, 10, (60, 2))
    unit = spend.mean(axis=0)
    carried = np.zeros((60, 2))
    for week in range(60):
        carried[week] = 0.5 * spend[week] + 0.5 * (carried[week - 1] if week else 0)
    curves = carried / (carried + unit)
    sales = 7 + curves @ np.array([30.0, 20.0])
    found = ridge(media_data(sales, spend, ["a", "b"]), penalty=0.0)
    assert found.contribution == pytest.approx(curves.sum(axis=0) * [30, 20])
    assert found.roi == pytest.approx(found.contribution / spend.sum(axis=0))
    assert found.fitted == pytest.approx(sales)


def test_ridge_pulls_effects_to_nothing() -> None:
    data = data_of(shop(42))
    pulled = ridge(data, penalty=1e12)
    assert np.abs(pulled.contribution).max() < 1


@pytest.mark.slow
def test_hold_out_chooses_the_curve_that_the_world_has() -> None:
    forms = [Form("geometric", "hill"), Form("geometric", "logistic")]
    for world, expected in (("shop", "hill"), ("logistic", "logistic")):
        data = data_of(MEDIA_WORLDS[world](1000, noise=100.0))
        found = choice.compare(data, Priors(), np.random.default_rng(1), forms)
        assert min(found, key=lambda form: found[form].rmse).saturation == expected


def test_a_simpler_form_is_kept_where_others_are_hardly_better() -> None:
    found = {
        form: choice.Held(rmse, 0.1)
        for form, rmse in zip(choice.FORMS, (101, 100, 120, 100), strict=False)
    }
    assert choice.best(found) == choice.FORMS[0]
    found[choice.FORMS[1]] = choice.Held(90, 0.1)
    assert choice.best(found) == choice.FORMS[1]


def test_diagnostics_worked_by_hand() -> None:
    sales = np.array([10.0, 20.0, 10.0, 20.0, np.nan])
    found = diagnostics.diagnostics(sales, np.array([11.0, 19.0, 11.0, 19.0, 5.0]))
    assert found.r_squared == pytest.approx(1 - 4 / 100)
    assert found.mape == pytest.approx((0.1 + 0.05) / 2)
    assert found.durbin_watson == pytest.approx(3.0)


def test_normal_errors_lie_on_the_diagonal() -> None:
    expected, found = diagnostics.normal_quantiles(np.random.default_rng(1).normal(0, 9, 2000))
    assert np.abs(expected - found)[100:-100].max() < 0.15
