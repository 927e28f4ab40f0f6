"""Priors by evidence: at the maximum of the marginal likelihood; noise is drawn to 0."""

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from td_mta.journeys.touchpoints import Floats
from td_mta.model import counted, evidence, glm, terms
from td_mta.model.glm import Problem, Solution
from tests.model.small_world import GRID, STRATA, draw

CHANNEL = terms.cells_only(GRID).first[1:] % GRID.channels


def small() -> Problem:
    train = counted.training(draw(np.random.default_rng(0), each=4).examples)
    features = terms.cells_only(GRID).features(train.patterns)
    precision = np.concatenate([terms.cells_only(GRID).precision(1.0), STRATA.precision])
    return Problem.of(train, features, STRATA.design(train.codes), np.diag(precision))


def with_weights(problem: Problem, weights: Floats, error: float) -> Solution:
    """A likelihood whose optimum has these weights, all with one standard error."""
    optimum = np.zeros(len(problem.precision))
    optimum[1 : 1 + len(weights)] = weights
    information = np.eye(len(optimum)) / error**2
    toward = information @ optimum
    return Solution(np.linalg.solve(glm.penalised(problem, information), toward), information)


def marginal(weights: Floats, error: float, precisions: Floats) -> float:
    """The log marginal likelihood by its definition."""
    same = CHANNEL[:, None] == CHANNEL
    spread = same / precisions[CHANNEL] + np.eye(len(weights)) * (1 / precisions[-1] + error**2)
    return float(multivariate_normal.logpdf(weights, cov=spread))


def test_the_priors_have_the_largest_marginal_likelihood() -> None:
    rng, error = np.random.default_rng(1), 0.1
    by_channel = np.array([0.8, -0.5])[CHANNEL % 2]
    weights = by_channel + rng.normal(0, 0.3, len(CHANNEL))
    problem = small()
    found = np.linalg.inv(
        evidence.cell_precision(problem, with_weights(problem, weights, error), CHANNEL)
    )
    best = minimize(
        lambda log: -marginal(weights, error, np.exp(log)),
        np.zeros(GRID.channels + 1),
        bounds=[np.log([evidence.WEAKEST, evidence.STRONGEST])] * (GRID.channels + 1),
    )
    of_channel, of_day = np.exp(-best.x[:-1]), np.exp(-best.x[-1])
    same = CHANNEL[:, None] == CHANNEL
    np.testing.assert_allclose(
        found, same * of_channel[CHANNEL] + of_day * np.eye(len(CHANNEL)), rtol=0.05, atol=2e-3
    )


def test_weights_of_noise_become_zero_and_those_of_an_effect_stay() -> None:
    error = 0.1
    weights = np.where(CHANNEL == 0, 1.0, 0.05 * (-1.0) ** np.arange(len(CHANNEL)))
    problem = small()
    solution = with_weights(problem, weights, error)
    precision = problem.precision.copy()
    after = 1 + len(weights)
    precision[1:after, 1:after] = evidence.cell_precision(problem, solution, CHANNEL)
    strict = replace(problem, precision=precision)
    toward = glm.penalised(problem, solution.information) @ solution.parameters
    drawn = np.linalg.solve(glm.penalised(strict, solution.information), toward)[1:after]
    np.testing.assert_allclose(drawn[CHANNEL == 0], 1.0, atol=0.05)
    assert np.abs(drawn[CHANNEL != 0]).max() < 0.01
