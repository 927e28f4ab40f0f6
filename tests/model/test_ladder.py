"""The ladder: which rung is used, what each one says, and that a second climb says the same."""

import functools
import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from td_mta.errors import DataError
from td_mta.journeys.patterns import dense
from td_mta.metrics import quality
from td_mta.model import ladder
from td_mta.model.ladder import Fitted
from td_mta.model.rungs.recalibration import recalibration
from td_mta.model.settings import TrainingSettings
from tests.model.small_world import GRID, PLAIN, SEASON, STRATA, World, draw

SETTINGS = TrainingSettings(network="pairs", width=8, dropout=0.5, epochs=2, batch_size=64, seed=18)
ADDITIVE = draw(np.random.default_rng(0), each=8)
PRODUCT = draw(np.random.default_rng(0), each=8, product=-1.5)


def climb(world: World, network: str = "pairs") -> Fitted:
    return ladder.climb(world.examples, STRATA, GRID, replace(SETTINGS, network=network))


@functools.cache
def additive(network: str) -> Fitted:
    return climb(ADDITIVE, network)


@functools.cache
def product(network: str) -> Fitted:
    return climb(PRODUCT, network)


def log_odds_error(fitted: Fitted, world: World) -> float:
    """The largest error of f + g in any pattern and season."""
    f = fitted.predictor.log_odds(dense(world.examples.patterns, GRID))
    found = f[:, None] + fitted.offsets(np.arange(3))
    return float(np.abs(found - world.f[:, None] - SEASON).max())


def test_without_interactions_logistic_regression_is_used() -> None:
    fitted = additive("auto")
    assert fitted.chosen == "logistic"
    assert [rung.name for rung in fitted.rungs] == ["logistic", "pairs", "mlp", "lstm"]
    assert log_odds_error(fitted, ADDITIVE) < 0.25
    assert not fitted.linear.terms.is_product.any()


def test_a_product_of_two_channels_takes_pairs() -> None:
    assert product("auto").chosen != "logistic"
    fitted = product("pairs")
    assert log_odds_error(fitted, PRODUCT) < 0.25
    assert log_odds_error(product("logistic"), PRODUCT) > 0.4
    difference = fitted.held_out.difference_to("logistic")
    assert difference.mean < -5 * difference.error


@pytest.mark.parametrize("network", ["logistic", "pairs", "mlp"])
def test_the_named_rung_is_used_and_none_above_it_fitted(network: str) -> None:
    fitted = additive(network)
    assert fitted.chosen == network == fitted.rungs[-1].name


def test_the_linear_fit_and_its_covariance_are_of_the_terms_and_controls() -> None:
    linear = product("pairs").linear
    parameters = len(linear.weights) + len(linear.controls)
    assert len(linear.weights) == len(linear.terms.first)
    assert linear.covariance.shape == (parameters, parameters)
    np.testing.assert_allclose(linear.covariance, linear.covariance.T)
    assert np.linalg.eigvalsh(linear.covariance).min() > -1e-10


def test_every_rung_predicts_the_same_held_out_rows() -> None:
    fitted = additive("mlp")
    held_out = fitted.held_out
    assert set(held_out.probabilities) == {"logistic", "pairs", "mlp", "base_rate"}
    assert held_out.probabilities["base_rate"][0] == fitted.prevalence
    rows = ADDITIVE.examples.group >= 40
    assert held_out.positives.sum() == ADDITIVE.examples.counts[rows, 1].sum()
    for rung in fitted.rungs:
        f = rung.predictor.log_odds(dense(held_out.patterns, GRID))
        levels = ADDITIVE.examples.stratum[rows]  # in the order of (pattern, season, group)
        probability = expit(f[held_out.pattern] + rung.controls[levels])
        np.testing.assert_allclose(held_out.probabilities[rung.name], probability, atol=1e-6)
        loss = held_out.qualities()[rung.name].log_loss
        assert rung.held_out.log_loss == pytest.approx(loss)


def test_training_figures_of_a_network_are_by_season_too() -> None:
    fitted = additive("mlp")
    examples = ADDITIVE.examples
    f = fitted.predictor.log_odds(dense(examples.patterns, GRID))
    rows = np.flatnonzero(examples.group < 40)
    log_odds = f[examples.pattern[rows]] + fitted.offsets(examples.stratum[rows])
    counts = examples.counts[rows].T.astype(float)
    expected = quality(expit(log_odds), counts[0], counts[1])
    assert fitted.rungs[-1].train.log_loss == pytest.approx(expected.log_loss, rel=1e-6)


def test_controls_stand_in_the_calibration_by_name() -> None:
    fitted = additive("pairs")
    weights = fitted.predictor.calibration.controls["season"]
    np.testing.assert_allclose(weights, fitted.offsets(np.arange(3)))


def test_no_controls_add_nothing() -> None:
    world = draw(np.random.default_rng(0), each=8, seasons=False)
    fitted = ladder.climb(world.examples, PLAIN, GRID, SETTINGS)
    assert fitted.offsets(np.zeros(2, np.int64)).tolist() == [0, 0]
    f = fitted.predictor.log_odds(dense(world.examples.patterns, GRID))
    assert np.abs(f - world.f).max() < 0.5


def test_held_out_users_have_no_say_in_the_choice() -> None:
    """Where they say the opposite, the rungs compare as they did, to the last digit."""
    for world, network, said in ((ADDITIVE, "pairs", additive), (PRODUCT, "auto", product)):
        examples = world.examples
        opposite = examples.counts.copy()
        opposite[examples.group >= 40] = opposite[examples.group >= 40][:, [1, 0, 2]]
        fitted = climb(World(examples._replace(counts=opposite), world.f), network)
        assert fitted.chosen == said(network).chosen == "pairs"
        assert fitted.comparisons == said(network).comparisons


def test_where_nobody_is_held_out_a_rung_is_chosen_all_the_same() -> None:
    nobody = PRODUCT.examples._replace(group=PRODUCT.examples.group % 40)
    fitted = climb(World(nobody, PRODUCT.f), "auto")
    assert fitted.chosen == "pairs"
    assert all(np.isnan(rung.held_out.log_loss) for rung in fitted.rungs)


def test_rungs_are_compared_by_training_users() -> None:
    comparisons = product("auto").comparisons
    networks = {("mlp", "pairs"), ("lstm", "pairs"), ("lstm", "mlp")}
    assert set(comparisons) == {("pairs", "logistic")} | networks
    difference = comparisons["pairs", "logistic"]
    assert difference.mean < -5 * difference.error
    assert all(abs(comparisons[pair].mean) < -difference.mean / 20 for pair in networks)


def test_the_intercept_is_refitted_where_too_many_conversions_are_predicted() -> None:
    log_odds, weight = np.array([-1.0, 0.5]), np.array([100.0, 50.0])
    shift, ratio = recalibration(log_odds, weight, 40.0)
    assert ratio == pytest.approx(weight @ expit(log_odds) / 40)
    assert weight @ expit(log_odds + shift) == pytest.approx(40)
    predicted = float(weight @ expit(log_odds))
    assert recalibration(log_odds, weight, predicted * 1.01)[0] == 0


def test_a_second_climb_says_the_same() -> None:
    one, other = additive("mlp"), climb(ADDITIVE, "mlp")
    cells = dense(ADDITIVE.examples.patterns, GRID)
    np.testing.assert_array_equal(one.predictor.log_odds(cells), other.predictor.log_odds(cells))


def test_each_rung_has_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    climb(ADDITIVE)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0].startswith("rung logistic: log loss 0.")
    assert lines[1].startswith("rung pairs: log loss 0.")
    assert lines[2] == "used: pairs"


def test_training_without_conversions_is_refused() -> None:
    examples = ADDITIVE.examples
    none = examples._replace(counts=examples.counts * [1, 0, 0])
    with pytest.raises(DataError, match="no training user converts"):
        ladder.climb(none, STRATA, GRID, SETTINGS)


def test_linear_rungs_need_no_tensorflow() -> None:
    code = (
        "import sys, numpy as np\n"
        "from td_mta.model import ladder\n"
        "from tests.model.small_world import GRID, STRATA, draw\n"
        "from tests.model.test_ladder import SETTINGS\n"
        "examples = draw(np.random.default_rng(0), each=2).examples\n"
        "fitted = ladder.climb(examples, STRATA, GRID, SETTINGS)\n"
        "fitted.predictor(np.zeros((1, 2, 3), np.float32))\n"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
