from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from td_mta.mmm import budget, experiments, what_to_test
from td_mta.mmm.checks.known_truth import data_of
from td_mta.mmm.draws import laplace
from td_mta.mmm.effects import answers
from td_mta.mmm.experiments import Experiment
from td_mta.mmm.fit import Fit, fit
from td_mta.mmm.media import media_data
from td_mta.mmm.model import Model
from td_mta.simulate.media_mix.world import MediaWorld
from td_mta.simulate.media_mix.worlds import MEDIA_WORLDS, META, TIKTOK, shop


def fitted(world: MediaWorld) -> Fit:
    return fit(Model(data=data_of(world)), np.random.default_rng(1), starts=2)


def switched_off(world: MediaWorld, channel: int, error: float) -> Experiment:
    effect = float(world.contribution()[channel])
    return Experiment(channel, 0, len(world.sales) - 1, 0.0, effect, error * effect)


def raised_by_half(world: MediaWorld) -> Experiment:
    spend = world.spend.copy()
    spend[:, META] *= 1.5
    more = float((world.effects(spend) - world.effects())[:, META].sum())
    return Experiment(META, 0, 103, 1.5, more, 0.03 * float(world.contribution()[META]))


@pytest.fixture(scope="module")
def driven() -> MediaWorld:
    return MEDIA_WORLDS["demand_a"](1000)


@pytest.fixture(scope="module")
def plain(driven: MediaWorld) -> Fit:
    return fitted(driven)


def test_effects_of_tests_and_their_derivatives(plain: Fit) -> None:
    model, p = plain.model, plain.p
    off = Experiment(1, 0, 103, 0.0, 1.0, 2.0)
    more = Experiment(0, 10, 20, 1.5, 1.0, 2.0)
    assert experiments.effect(model, p, off) == pytest.approx(answers(model, p).contribution[1])
    assert experiments.effect(model, p, more) > 0
    rows = experiments.rows(model, [off, more])
    values, jacobian = rows(p)
    assert values[0] == pytest.approx((experiments.effect(model, p, off) - 1) / 2)
    for number, step in enumerate(1e-6 * np.eye(model.size)):
        difference = (rows(p + step)[0] - rows(p - step)[0]) / 2e-6
        assert jacobian[:, number] == pytest.approx(difference, rel=1e-4, abs=1e-3)


@pytest.mark.slow
def test_an_experiment_repairs_what_hidden_demand_has_spoilt(
    driven: MediaWorld, plain: Fit
) -> None:
    test = switched_off(driven, TIKTOK, 0.1)
    calibrated = experiments.calibrate(plain, [test], np.random.default_rng(2))
    assert calibrated.conflicts[0] > 1.96
    t = experiments.next_spend(plain)[TIKTOK]
    assert experiments.doubt(calibrated.conflicts[0], t) < 0.01
    before = answers(plain.model, plain.p)
    after = answers(calibrated.additive.model, calibrated.additive.p)
    for found, better, truth in (
        (before.roi, after.roi, driven.roi()),
        (before.marginal_roi, after.marginal_roi, driven.marginal_roi()),
    ):
        assert found[TIKTOK] / truth[TIKTOK] > 1.25
        assert abs(better[TIKTOK] / truth[TIKTOK] - 1) < 0.2
    pooled = calibrated.draws(np.random.default_rng(3), 100)
    assert sum(len(draws.p) for draws in pooled) == 100
    assert min(len(draws.p) for draws in pooled) > 4
    assert [draws.p.shape[1] - plain.model.size for draws in pooled] == [2, 1, 1]
    assert pooled[2].model.multiplicative == (TIKTOK,)


def test_a_tested_channel_has_its_spend_and_that_of_its_neighbours_beside_its_curve() -> None:
    spend = np.array([[1.0, 4], [1, 2], [1, 0], [1, 6]])
    model = Model(data=media_data(np.arange(4.0), spend, ["a", "b"]), additive=(1,))
    usual = 4.0
    assert model.columns[:, 0].tolist() == [1, 1, 1, 1]
    assert (usual * model.columns[:, 1]).tolist() == [1, -1, -3, 3]  # 4 2 0 6 less 3
    assert (usual * model.columns[:, 2]).tolist() == [0, -1, 1, 0]  # 3 2 4 3 less 3
    for lasting, columns in ((True, 2), (False, 1)):
        one = replace(model, lasting=lasting)
        assert len(one.column_names) == one.columns.shape[1] == 1 + columns
        assert one.size == len(one.prior[0]) == len(one.prior[1])


@pytest.mark.slow
def test_demand_that_lasts_is_not_taken_for_an_effect_of_more_spend() -> None:
    """The curve alone takes what last week's spend tells of demand: twice the truth, on average."""
    found, true = [], []
    for seed in range(1000, 1004):
        world = MEDIA_WORLDS["demand_m"](seed)
        calibrated = experiments.calibrate(
            fitted(world), [raised_by_half(world)], np.random.default_rng(seed)
        )
        own = calibrated.additive
        found.append(answers(own.model, own.p).marginal_roi[META])
        true.append(world.marginal_roi()[META])
    assert np.mean(found) < 1.5 * np.mean(true)


def test_evidence_of_a_model_without_media_is_that_of_a_normal_regression() -> None:
    rng = np.random.default_rng(5)
    sales, controls = rng.normal(5, 1, 30), rng.normal(size=(30, 2))
    model = Model(data=media_data(sales, np.zeros((30, 0)), [], controls, ["a", "b"]))
    found = fit(model, rng, starts=1)
    scaled = sales / sales.std()
    columns, (mean, spread) = model.columns, model.prior
    covariance = found.sigma**2 * np.eye(30) + (columns * spread**2) @ columns.T
    exact = multivariate_normal(columns @ mean, covariance).logpdf(scaled)
    constant = -15 * np.log(2 * np.pi)
    assert found.log_evidence + constant == pytest.approx(exact, rel=1e-6)


def test_draws_follow_the_form_that_the_data_prefer() -> None:
    world = MEDIA_WORLDS["demand_m"](1000)
    calibrated = experiments.calibrate(
        fitted(world), [raised_by_half(world)], np.random.default_rng(2)
    )
    assert calibrated.shares[2] == experiments.LEAST_SHARE
    assert calibrated.shares.sum() == pytest.approx(1)


def test_without_hidden_demand_an_experiment_and_the_model_agree() -> None:
    world = shop(1001)
    conflicts = experiments.conflicts(
        fitted(world), [switched_off(world, TIKTOK, 0.1)], np.random.default_rng(2)
    )
    assert abs(conflicts[0]) < 1.96


def test_spend_that_follows_demand_is_told_by_what_is_spent_next() -> None:
    driven = [fitted(MEDIA_WORLDS["demand_b"](seed)) for seed in range(1000, 1004)]
    assert max(abs(experiments.next_spend(one)[TIKTOK]) for one in driven) > 2.5
    assert (np.abs(experiments.next_spend(fitted(shop(1001)))) < 1.96).all()


def test_the_channel_to_test_and_how(plain: Fit) -> None:
    limits = budget.Limits(np.zeros(3), np.full(3, 33_000.0))
    draws = laplace(plain, np.random.default_rng(4), 40)
    found = what_to_test.advice(plain.model, plain.p, draws, 33_000.0, limits)
    assert found.gain.max() == 1
    assert found.is_saturated.tolist() == [False, False, True]
