import numpy as np
import pytest

from td_mta.mmm import draws, effects
from td_mta.mmm.checks.known_truth import data_of
from td_mta.mmm.fit import Fit, fit, full_jacobian
from td_mta.mmm.media import MediaData, media_data
from td_mta.mmm.model import Form, Model, shown
from td_mta.simulate.media_mix.world import ChannelLaw
from td_mta.simulate.media_mix.worlds import shop

STEP = 1e-6
FORMS = [Form(a, s) for a in ("geometric", "delayed") for s in ("hill", "logistic")]


@pytest.fixture(scope="module")
def fitted() -> Fit:
    return fit(Model(data=data_of(shop(42))), np.random.default_rng(1), starts=3)


def small() -> MediaData:
    rng = np.random.default_rng(5)
    sales = rng.uniform(50, 100, 12)
    sales[3] = np.nan
    spend = rng.uniform(0, 9, (12, 2)) * (rng.random((12, 2)) < 0.7)
    return media_data(sales, spend, ["a", "b"], rng.normal(size=(12, 1)), ["x"], np.ones(2))


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f"{f.adstock}-{f.saturation}")
def test_the_jacobian_is_that_of_small_steps(form: Form) -> None:
    model = Model(data=small(), form=form, additive=(1,), multiplicative=(0, 1))
    mean = model.prior[0]
    p = mean + 0.3 * np.random.default_rng(2).standard_normal(model.size)
    sales = model.data.sales / model.data.sales_scale
    jacobian = full_jacobian(model, p, 0.3, None)
    for number, step in enumerate(STEP * np.eye(model.size)):
        ahead = model.residuals(p + step, 0.3, sales, mean)
        behind = model.residuals(p - step, 0.3, sales, mean)
        assert jacobian[:, number] == pytest.approx((ahead - behind) / (2 * STEP), abs=1e-6)


def test_almost_without_noise_the_law_is_found() -> None:
    world = shop(42, noise=1.0)
    exact = fit(Model(data=data_of(world)), np.random.default_rng(1), starts=4)
    assert shown(exact.model, exact.p)[0] == pytest.approx([0.5, 0.2, 0.7], abs=1e-3)
    found = effects.answers(exact.model, exact.p)
    assert found.contribution == pytest.approx(world.contribution(), rel=0.005)
    assert found.marginal_roi == pytest.approx(world.marginal_roi(), rel=0.005)


def test_starts_end_in_one_place_and_noise_is_found(fitted: Fit) -> None:
    assert fitted.agreeing == 1
    assert fitted.sigma * fitted.model.data.sales_scale == pytest.approx(1000, rel=0.25)


def test_effects_are_those_of_simulating_again_without_the_channel(fitted: Fit) -> None:
    model, spend = fitted.model, fitted.model.data.spend
    decay, slope, half_at = shown(model, fitted.p)
    found = effects.answers(model, fitted.p)
    usual, scale = model.data.usual_spend, model.data.sales_scale
    for c, name in enumerate(model.data.channels):
        effect = np.exp(model.media(fitted.p)[-1, c]) * scale
        most = effect * (1 + (half_at[c] / usual[c]) ** slope[c])
        law = ChannelLaw(name, decay[c], slope[c], half_at[c] / (1 - decay[c]), most)
        sales = law.of_spend(spend[:, c])
        raised = (law.of_spend(1.01 * spend[:, c]) - sales).sum() / (0.01 * spend[:, c].sum())
        assert found.contribution[c] == pytest.approx(sales.sum(), rel=1e-6)
        assert found.roi[c] == pytest.approx(sales.sum() / spend[:, c].sum(), rel=1e-6)
        assert found.marginal_roi[c] == pytest.approx(raised, rel=1e-6)
        assert effects.by_period(model, fitted.p)[:, c] == pytest.approx(sales, rel=1e-6)
        curve = effects.curve(model, fitted.p, fitted.p[None], c)
        assert curve.sales.value == pytest.approx(law.held(curve.spend), rel=1e-6)


def test_what_was_spent_before_is_no_effect_of_the_data() -> None:
    model = Model(data=small())
    p = model.prior[0]
    later = model.effect(p, 0, 0 * model.scaled_spend[:, 0])
    assert later[0] > 0  # carried over
    with_it = model.effect(p, 0, model.scaled_spend[:, 0])
    assert effects.answers(model, p).contribution[0] == pytest.approx(
        (with_it - later).sum() * model.data.sales_scale
    )


def test_draws_spread_as_the_covariance_says(fitted: Fit) -> None:
    many = draws.laplace(fitted, np.random.default_rng(3), 4000)
    assert many.mean(axis=0) == pytest.approx(fitted.p)
    spread = np.sqrt(np.diag(fitted.covariance))
    assert many.std(axis=0) == pytest.approx(spread, rel=0.1)


@pytest.mark.slow
def test_randomised_fits_spread_about_as_much(fitted: Fit) -> None:
    some = draws.randomised_map(fitted, np.random.default_rng(3), 30)
    tiktok = effects.answers(fitted.model, some).marginal_roi[:, 1]
    assert 0.02 < tiktok.std() / 1.104 < 0.08


def test_an_effect_without_data_is_its_prior() -> None:
    once = np.eye(12)[0]
    sales = np.where(once > 0, np.nan, np.arange(12.0))  # not known where there was spend
    data = media_data(sales, np.stack([once, once], axis=1), ["a", "b"])
    unknown = fit(Model(data=data), np.random.default_rng(1), starts=1)
    assert draws.share_from_prior(unknown) == pytest.approx([1, 1], abs=0.05)
