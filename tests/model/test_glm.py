"""Logistic regression over patterns and strata, against scikit-learn and finite differences."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from td_mta.model import counted, glm, terms
from td_mta.model.glm import Problem
from tests.model.small_world import GRID, SEASON, STRATA, WEIGHTS, draw

TRAIN = counted.training(draw(np.random.default_rng(0), each=4).examples)
TERMS = terms.cells_only(GRID)


def problem(precision: float = 1.0) -> Problem:
    features, design = TERMS.features(TRAIN.patterns), STRATA.design(TRAIN.codes)
    ridge = np.full(len(WEIGHTS) + len(SEASON), precision)
    ridge[0] = 0
    return Problem.of(TRAIN, features, design, ridge)


def test_parameters_are_those_of_scikit_learn() -> None:
    ours = glm.solve(problem()).parameters
    rows = np.column_stack(
        [
            TERMS.features(TRAIN.patterns).toarray()[TRAIN.pattern, 1:],
            STRATA.design(TRAIN.codes)[TRAIN.stratum],
        ]
    )
    label = np.repeat([0, 1], len(rows))
    weight = np.concatenate([TRAIN.negatives, TRAIN.positives])
    model = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000)
    theirs = model.fit(np.concatenate([rows, rows]), label, sample_weight=weight)
    np.testing.assert_allclose(ours[0], theirs.intercept_[0], atol=1e-5)
    np.testing.assert_allclose(ours[1:], theirs.coef_[0], atol=1e-5)


def test_the_truth_is_found() -> None:
    found = glm.solve(problem(0.01)).parameters
    np.testing.assert_allclose(found[1:7], WEIGHTS[1:], atol=0.1)
    np.testing.assert_allclose(found[9] - found[7], 1.0, atol=0.1)


def test_the_gradient_and_the_information_are_differences_of_the_objective() -> None:
    of, step = problem(), 1e-4
    at = np.random.default_rng(1).normal(0, 0.3, len(of.precision))
    steps = np.eye(len(at)) * step
    differences = [(of.objective(at + d) - of.objective(at - d)) / (2 * step) for d in steps]
    np.testing.assert_allclose(of.gradient(at), differences, rtol=1e-5, atol=1e-4)
    curvature = [(of.gradient(at - d) - of.gradient(at + d)) / (2 * step) for d in steps]
    information = of.information(expit(of.log_odds(at)))
    np.testing.assert_allclose(information + np.diag(of.precision), curvature, rtol=1e-5, atol=1e-4)


def test_the_gradient_vanishes_at_the_solution() -> None:
    of = problem()
    assert np.abs(of.gradient(glm.solve(of).parameters)).max() < 1e-3


def test_as_many_conversions_are_predicted_as_observed() -> None:
    of = problem()
    predicted = of.weight @ expit(of.log_odds(glm.solve(of).parameters))
    assert predicted == pytest.approx(TRAIN.positives.sum(), rel=1e-6)


def test_a_far_start_ends_at_the_same_place() -> None:
    of = problem()
    far = np.full(len(of.precision), 3.0)
    near = glm.solve(of).parameters
    np.testing.assert_allclose(glm.solve(of, far).parameters, near, atol=1e-5)


def test_patterns_that_nobody_has_change_nothing_however_many_they_are() -> None:
    of = problem()
    nobody = scipy.sparse.csr_matrix((glm.MOST_DENSE + 1, of.terms))
    many = replace(of, features=scipy.sparse.vstack([of.features, nobody]).tocsr())
    p = expit(of.log_odds(np.zeros(len(of.precision))))
    np.testing.assert_allclose(many.information(p), of.information(p), rtol=1e-12)
