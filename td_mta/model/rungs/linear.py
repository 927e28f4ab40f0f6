"""The linear rungs: logistic regression over the cells, and from it that with products.

Weights of channels that seem to have no effect are drawn to 0 (`null_channels`); the precision of
the products' priors is chosen by groups of training users.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from td_mta.journeys.strata import Strata
from td_mta.journeys.touchpoints import Floats
from td_mta.metrics import Difference, quality
from td_mta.model import choice, covariance, glm, null_channels
from td_mta.model import terms as terms_of
from td_mta.model.predictor import Calibration, Linear, Predictor
from td_mta.model.rungs.rung import Data, Scored, score_held_out, unscored
from td_mta.model.terms import Terms

log = logging.getLogger(__name__)

PRODUCT_PRECISIONS = (1.0, 4.0, 16.0, 64.0, 256.0, 1024.0)


class LinearFit(NamedTuple):
    """A linear rung and how far its parameters would differ for other users."""

    terms: Terms
    weights: Floats  # (terms,), the intercept first
    controls: Floats  # (columns,)
    covariance: Floats  # of weights, then controls, (terms + columns, terms + columns)
    null: Floats  # probability that a channel has no effect, (channels,)


class Fit(NamedTuple):
    """A linear rung, the problem that it solves, and the solution."""

    scored: Scored
    terms: Terms
    problem: glm.Problem
    solution: glm.Solution
    scores: Floats  # of groups of training users, (groups, terms + columns)
    null: Floats  # probability that a channel has no effect, (channels,)

    @property
    def name(self) -> str:
        return self.scored.rung.name

    @property
    def weights(self) -> Floats:
        return self.solution.parameters[: self.problem.terms]

    @property
    def controls(self) -> Floats:
        return self.solution.parameters[self.problem.terms :]

    def probability(self) -> Floats:
        """Of the training table's cells, `(cells,)`."""
        return expit(self.problem.log_odds(self.solution.parameters))


def linear(data: Data, name: str, below: Fit | None) -> Fit:
    """The logistic rung, or from it that with products."""
    started = time.monotonic()
    if below is None:
        terms = terms_of.cells_only(data.grid)
        problem, solution, null = _without_null_channels(data, terms)
    else:
        null = below.null
        terms = _products(data, below)
        problem, solution = _with_chosen_penalty(data, terms, below)
    weights = solution.parameters[: problem.terms]
    controls = solution.parameters[problem.terms :]
    predictor = Predictor(Linear(terms, weights), None, _calibration(data.strata, controls))
    f = terms.features(data.held_out.patterns) @ weights
    probability = expit(problem.log_odds(solution.parameters))
    train = quality(probability, data.train.negatives, data.train.positives)
    scored = score_held_out(data, unscored(name, predictor, controls, train), f, started)
    scores = covariance.group_scores(problem, solution.parameters, data.train)
    return Fit(scored, terms, problem, solution, scores, null)


def with_covariance(fit: Fit) -> LinearFit:
    """The rung and the clustered covariance of its parameters.

    With weak priors of the cells: the prior that drew a weight to 0 does not tell how far from it
    the truth may be.
    """
    weak = terms_of.cells_only(fit.terms.grid).precision(0.0)[1:]
    problem = _with_cell_precision(fit.problem, weak)
    spread = covariance.sandwich(problem, fit.solution, fit.scores)
    return LinearFit(fit.terms, fit.weights, fit.controls, spread, fit.null)


def comparisons_of(data: Data, fits: Sequence[Fit]) -> dict[choice.Comparison, Difference]:
    """With products against without, where both are there."""
    if len(fits) < 2:
        return {}
    losses = {
        fit.name: covariance.left_out_losses(fit.problem, fit.solution, fit.scores, data.train)
        for fit in fits
    }
    return choice.compared(losses, data.train)


def _problem(data: Data, terms: Terms, products: float) -> glm.Problem:
    features = terms.features(data.train.patterns)
    design = data.strata.design(data.train.codes)
    precision = np.concatenate([terms.precision(products), data.strata.precision])
    return glm.Problem.of(data.train, features, design, precision)


def _without_null_channels(data: Data, terms: Terms) -> tuple[glm.Problem, glm.Solution, Floats]:
    """A fit with weak priors tells which channels seem to have no effect: theirs get stronger."""
    problem = _problem(data, terms, products=0.0)
    solution = glm.solve(problem)
    channel = terms.first[1:] % data.grid.channels
    null = null_channels.probability(problem, solution, channel)
    if not null.any():
        return problem, solution, null
    added = null_channels.precision(null, solution, channel)
    problem = _with_cell_precision(problem, problem.precision[1 : problem.terms] + added)
    return problem, glm.solve(problem, solution.parameters), null


def _with_cell_precision(problem: glm.Problem, cells: Floats) -> glm.Problem:
    """The same with priors of this precision, `(cells,)`, of the cells' weights."""
    precision = problem.precision.copy()
    precision[1 : 1 + len(cells)] = cells
    return replace(problem, precision=precision)


def _products(data: Data, below: Fit) -> Terms:
    train = data.train
    observed = train.by_pattern(train.positives)
    expected = train.by_pattern(train.weight * below.probability())
    return terms_of.with_products(train.patterns, observed, expected, data.grid)


def _with_chosen_penalty(data: Data, terms: Terms, below: Fit) -> tuple[glm.Problem, glm.Solution]:
    """The precision of the products' priors by groups of training users left out in turn."""
    middle = PRODUCT_PRECISIONS[len(PRODUCT_PRECISIONS) // 2]
    cells = below.problem.precision[1 : below.problem.terms]
    problem = _with_cell_precision(_problem(data, terms, middle), cells)
    new = np.zeros(problem.terms - below.problem.terms)
    solution = glm.solve(problem, np.concatenate([below.weights, new, below.controls]), near=1.0)
    scores = covariance.group_scores(problem, solution.parameters, data.train)
    is_product = np.append(terms.is_product, np.zeros(data.strata.columns, np.bool_))
    precisions = [
        np.where(is_product, products, problem.precision) for products in PRODUCT_PRECISIONS
    ]
    losses = [covariance.left_out_loss(problem, solution, scores, each) for each in precisions]
    chosen = int(np.argmin(losses))
    log.debug("products: precision %g of %s", PRODUCT_PRECISIONS[chosen], losses)
    problem = replace(problem, precision=precisions[chosen])
    return problem, glm.solve(problem, solution.parameters)


def _calibration(strata: Strata, controls: Floats) -> Calibration:
    """The controls' weights by name."""
    columns = [basis.rows.shape[1] for basis in strata.bases]
    parts = np.split(controls, np.cumsum(columns)[:-1]) if columns else []
    named = zip(strata.names, parts, strict=True)
    return Calibration(controls={name: part.tolist() for name, part in named})
