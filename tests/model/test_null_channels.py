"""Channels without effect: many of them are told from those with one, a weak one of few is not."""

import numpy as np
import pytest
import scipy.sparse
from scipy.special import expit
from scipy.stats import multivariate_normal

from td_mta.journeys import patterns as patterns_of
from td_mta.journeys.examples import GROUPS, Examples
from td_mta.journeys.patterns import Grid
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.model import counted, null_channels
from td_mta.model.glm import Problem, Solution
from td_mta.model.rungs import linear
from td_mta.model.rungs.rung import Data
from tests.model.small_world import PLAIN

ERROR = 0.1
DAYS = 4


def channels(number: int) -> Ints:
    """Of the weights of all cells, day by day."""
    return np.tile(np.arange(number), DAYS)


def fitted(weights: Floats, error: float = ERROR) -> tuple[Problem, Solution]:
    """A likelihood whose optimum has an intercept and these weights, all with one error."""
    optimum = np.append(-3.0, weights)
    precision = np.zeros(len(optimum))
    cell, nothing = np.zeros(1, np.int64), np.zeros((1, 0))
    features = scipy.sparse.csr_matrix(np.ones((1, len(optimum))))
    problem = Problem(features, nothing, cell, cell, np.ones(1), np.ones(1), precision)
    return problem, Solution(optimum, np.eye(len(optimum)) / error**2)


def probability(effects: Floats, seed: int = 0) -> Floats:
    """By estimates of these effects of channels, the same on all days."""
    channel = channels(len(effects))
    noise = np.random.default_rng(seed).normal(0, ERROR, len(channel))
    return null_channels.probability(*fitted(effects[channel] + noise), channel)


@pytest.mark.parametrize("seed", range(5))
def test_thirty_without_effect_beside_ten_with_one(seed: int) -> None:
    effects = np.append(np.geomspace(0.3, 1.5, 10) * np.resize([1, 1, -1], 10), np.zeros(30))
    null = probability(effects, seed)
    assert null[:10].max() < 0.05
    assert null[10:].min() > 0.5
    assert null[10:].mean() > 0.95


@pytest.mark.parametrize("seed", range(5))
def test_a_weak_one_of_six_is_left_as_it_is(seed: int) -> None:
    null = probability(np.array([0.05, 0.0, 0.4, -0.5, 0.8, 1.2]), seed)
    assert not null.any()


def test_where_no_channel_has_an_effect_all_are_null() -> None:
    assert probability(np.zeros(12)).min() > 0.9


def test_bayes_factors_are_those_of_the_two_normal_distributions() -> None:
    weights, covariance = np.array([0.2, -0.1, 0.3]), np.diag([0.01, 0.02, 0.03])
    effects = 0.4**2 * (np.ones((3, 3)) + np.eye(3)) / 2
    expected = multivariate_normal.logpdf(weights, cov=covariance + effects)
    expected -= multivariate_normal.logpdf(weights, cov=covariance)
    assert null_channels._log_factor(weights, covariance, 0.4) == pytest.approx(expected)


def test_a_prior_of_that_precision_multiplies_by_the_probability_of_an_effect() -> None:
    weights, null = np.array([0.3, -0.2, 0.5]), np.array([0.0, 0.75, 0.9])
    channel = np.arange(3)
    _, solution = fitted(weights)
    added = null_channels.precision(null, solution, channel)
    penalised = solution.information[1:, 1:] + np.diag(added)
    drawn = np.linalg.solve(penalised, solution.information[1:, 1:] @ weights)
    np.testing.assert_allclose(drawn, (1 - null) * weights)


def test_the_logistic_rung_draws_them_to_zero_and_keeps_their_intervals() -> None:
    grid, rng = Grid(1, 20), np.random.default_rng(3)
    patterns = patterns_of.of_cells(np.arange(1, 21), np.arange(20), 21, grid)  # none, or one cell
    effects = np.append([1.0, 0.8, -0.9, 1.4], np.zeros(16))
    pattern, group = (index.ravel() for index in np.indices((21, 2 * GROUPS)))
    positives = rng.binomial(250, expit(-2 + np.append(0, effects)[pattern]))
    counts = np.stack([250 - positives, positives, 0 * positives], axis=1)
    examples = Examples(patterns, pattern, np.zeros_like(pattern), group, counts)
    data = Data(counted.training(examples), counted.held_out(examples), PLAIN, grid)
    found = linear.with_covariance(linear.linear(data, "logistic", None))
    np.testing.assert_allclose(found.weights[1:5], effects[:4], atol=0.1)
    assert np.abs(found.weights[5:]).max() < 0.01
    errors = np.sqrt(np.diag(found.covariance))[1:]
    assert errors[4:].min() > 0.02
