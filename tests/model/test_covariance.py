"""Covariances of parameters: against their spread over data sets; penalties by groups left out."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from td_mta.journeys.examples import GROUPS
from td_mta.model import counted, covariance, glm, terms
from td_mta.model.counted import Counted
from td_mta.model.glm import Problem, Solution
from tests.model.small_world import GRID, STRATA, draw


def fitted(train: Counted) -> tuple[Problem, Solution]:
    features = terms.cells_only(GRID).features(train.patterns)
    precision = np.concatenate([terms.cells_only(GRID).precision(1.0), STRATA.precision])
    problem = Problem.of(train, features, STRATA.design(train.codes), precision)
    return problem, glm.solve(problem)


def test_standard_errors_are_the_spread_over_data_sets() -> None:
    parameters, errors = [], []
    for seed in range(200):
        train = counted.training(draw(np.random.default_rng(seed), each=1).examples)
        problem, solution = fitted(train)
        scores = covariance.group_scores(problem, solution.parameters, train)
        found = covariance.sandwich(problem, solution, scores)
        parameters.append(solution.parameters)
        errors.append(np.sqrt(np.diag(found)))
    spread = np.std(parameters, axis=0, ddof=1)[1:7]  # of the cells
    np.testing.assert_allclose(np.mean(errors, axis=0)[1:7], spread, rtol=0.2)
    assert np.mean(np.mean(errors, axis=0)[1:7] / spread) == pytest.approx(1, abs=0.1)


def test_scores_of_the_groups_sum_to_the_gradient() -> None:
    train = counted.training(draw(np.random.default_rng(0), each=2).examples)
    problem, solution = fitted(train)
    scores = covariance.group_scores(problem, solution.parameters, train)
    assert scores.shape == (GROUPS, len(problem.precision))
    residuals = problem.positives - problem.weight * expit(problem.log_odds(solution.parameters))
    np.testing.assert_allclose(scores.sum(axis=0), problem.score(residuals), atol=1e-8)


def test_a_group_that_is_twice_as_likely_widens_the_errors() -> None:
    """Users of a group who have something in common are not independent."""
    examples = draw(np.random.default_rng(0), each=4).examples
    whole = examples.counts.copy()
    odd = examples.group % 2 == 1
    whole[odd] = whole[odd][:, [1, 0, 2]]  # conversions and others change places
    errors = []
    for data in (examples, examples._replace(counts=whole)):
        train = counted.training(data)
        problem, solution = fitted(train)
        scores = covariance.group_scores(problem, solution.parameters, train)
        errors.append(np.sqrt(covariance.sandwich(problem, solution, scores)[0, 0]))
    assert errors[1] > 3 * errors[0]


def test_the_loss_of_left_out_groups_is_that_of_fits_without_them() -> None:
    train = counted.training(draw(np.random.default_rng(3), each=1).examples)
    problem, solution = fitted(train)
    scores = covariance.group_scores(problem, solution.parameters, train)
    strong = problem.precision + 20
    change = [
        covariance.left_out_loss(problem, solution, scores, precision)
        for precision in (problem.precision, strong)
    ]
    direct = [left_out_directly(problem, train, each) for each in (problem.precision, strong)]
    assert change[1] - change[0] == pytest.approx(direct[1] - direct[0], rel=0.15, abs=0.3)


def test_losses_of_left_out_groups_are_those_of_fits_without_them() -> None:
    train = counted.training(draw(np.random.default_rng(3), each=1).examples)
    problem, solution = fitted(train)
    scores = covariance.group_scores(problem, solution.parameters, train)
    losses = covariance.left_out_losses(problem, solution, scores, train)
    direct = losses_directly(problem, train, problem.precision)
    log_odds = problem.log_odds(solution.parameters)
    of_all = problem.weight @ np.logaddexp(0, log_odds) - problem.positives @ log_odds
    optimism = direct.sum() - of_all
    assert optimism > 5  # about one nat a parameter
    assert losses.sum() - direct.sum() == pytest.approx(0, abs=0.1 * optimism)
    np.testing.assert_allclose(losses, direct, atol=0.1 * optimism)


def left_out_directly(problem: Problem, train: Counted, precision: np.ndarray) -> float:
    return float(losses_directly(problem, train, precision).sum())


def losses_directly(problem: Problem, train: Counted, precision: np.ndarray) -> np.ndarray:
    problem, losses = replace(problem, precision=precision), []
    for group in range(GROUPS):
        rest = without_group(problem, train, group)
        log_odds = problem.log_odds(glm.solve(rest).parameters)
        weight, positives = problem.weight - rest.weight, problem.positives - rest.positives
        losses.append(weight @ np.logaddexp(0, log_odds) - positives @ log_odds)
    return np.array(losses)


def without_group(problem: Problem, train: Counted, group: int) -> Problem:
    rows = train.rows
    own = rows.group == group
    negatives, positives = (
        np.bincount(rows.cell[own], counts[own], len(train.weight))
        for counts in (rows.negatives, rows.positives)
    )
    return replace(
        problem,
        weight=problem.weight - negatives - positives,
        positives=problem.positives - positives,
    )
