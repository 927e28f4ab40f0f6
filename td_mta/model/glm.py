"""Logistic regression of conversions on terms of patterns and on controls, with Gaussian priors.

The log-odds of pattern i in stratum j are (Xw)_i + (Bu)_j. Counts are sparse over patterns and
strata, and so are the weights p(1 - p) of Newton's method (iteratively reweighted least squares,
McCullagh & Nelder 1989, 2.5): the Hessian's blocks are X'V1 X, X'VB and B'V'1 B, so that no design
with a row for each (pattern, stratum) is ever formed.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.linalg
import scipy.sparse
from scipy.special import expit, log_expit

from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.model import grams
from td_mta.model.counted import Counted, sums

MOST_STEPS = 50
NEAR = 1e-4  # nats that a last step still gains; the next would gain its square
MOST_HALVINGS = 20
MOST_DENSE = 200_000  # patterns
JITTER = 1e-10  # of the Hessian's diagonal: two equal columns without a prior share their weight


@dataclass(frozen=True)
class Problem:
    """Counts by (pattern, stratum), ordered by both, and what their log-odds are made of."""

    features: scipy.sparse.csr_matrix  # X of 0 and 1, (patterns, terms)
    design: Floats  # B, (strata, columns)
    pattern: Ints  # (cells,)
    stratum: Ints  # (cells,)
    weight: Floats  # examples, (cells,)
    positives: Floats  # (cells,)
    precision: Floats  # of the priors with mean 0, (terms + columns,)

    @classmethod
    def of(
        cls, counted: Counted, features: scipy.sparse.csr_matrix, design: Floats, precision: Floats
    ) -> "Problem":
        """That of counted examples."""
        which = (counted.pattern, counted.stratum)
        return cls(features, design, *which, counted.weight, counted.positives, precision)

    @property
    def terms(self) -> int:
        """How many parameters stand before those of the controls."""
        return int(self.features.shape[1])

    def log_odds(self, parameters: Floats) -> Floats:
        """Of each (pattern, stratum), `(cells,)`."""
        f = self.features @ parameters[: self.terms]
        if not self.design.shape[1]:
            return f[self.pattern]
        g = self.design @ parameters[self.terms :]
        return f[self.pattern] + g[self.stratum]

    def objective(self, parameters: Floats, log_odds: Floats | None = None) -> float:
        """Log likelihood plus that of the priors, up to a constant; to be made large.

        `log_odds` are the parameters', where they are at hand.
        """
        if log_odds is None:
            log_odds = self.log_odds(parameters)
        likelihood = self.positives @ log_odds + self.weight @ log_expit(-log_odds)
        return float(likelihood - self.precision @ parameters**2 / 2)

    def score(self, residuals: Floats) -> Floats:
        """The likelihood's gradient, from conversions beyond those predicted `(cells,)`."""
        by_pattern, by_stratum = self._sums(residuals)
        return np.concatenate([self.features.T @ by_pattern, self.design.T @ by_stratum])

    def gradient(self, parameters: Floats) -> Floats:
        """Of the objective, `(terms + columns,)`."""
        return self._gradient(parameters, expit(self.log_odds(parameters)))

    def information(self, p: Floats) -> Floats:
        """The likelihood's negative Hessian at probabilities p of the cells, for all parameters."""
        v = self.weight * p * (1 - p)
        by_pattern, by_stratum = self._sums(v)
        XVX = grams.gram(self.features, by_pattern)
        if not self.design.shape[1]:
            return XVX
        XVB = self._cross(v)
        BVB = (self.design * by_stratum[:, None]).T @ self.design
        return np.block([[XVX, XVB], [XVB.T, BVB]])

    def _cross(self, v: Floats) -> Floats:
        """X'VB of weights v of the cells, by the cheaper order: VB is dense, a row a pattern."""
        if self.features.shape[0] <= MOST_DENSE:
            return self.features.T @ (self._table(v) @ self.design)
        return grams.cross(self.features, self.pattern, self.stratum, v, self.design)

    def newton(self, parameters: Floats, log_odds: Floats) -> tuple[Floats, float, Floats]:
        """A step, what it gains by the quadratic model in nats, and the information."""
        p = expit(log_odds)
        information, gradient = self.information(p), self._gradient(parameters, p)
        factor = scipy.linalg.cho_factor(penalised(self, information))
        step = scipy.linalg.cho_solve(factor, gradient)
        return step, float(gradient @ step) / 2, information

    def without_controls(self) -> "Problem":
        """The same examples by pattern alone."""
        n = self.features.shape[0]
        weight, positives = (sums(self.pattern, x, n) for x in (self.weight, self.positives))
        nothing, zeros = np.zeros((1, 0)), np.zeros(n, np.int64)
        precision = self.precision[: self.terms]
        return Problem(self.features, nothing, np.arange(n), zeros, weight, positives, precision)

    def _gradient(self, parameters: Floats, p: Floats) -> Floats:
        return self.score(self.positives - self.weight * p) - self.precision * parameters

    def _sums(self, values: Floats) -> tuple[Floats, Floats]:
        """Values `(cells,)` summed over strata and over patterns."""
        patterns, strata = self.features.shape[0], len(self.design)
        return (
            sums(self.pattern, values, patterns),
            sums(self.stratum, values, strata),
        )

    def _table(self, values: Floats) -> scipy.sparse.csr_matrix:
        counts = np.bincount(self.pattern, minlength=self.features.shape[0])
        offsets = np.concatenate([[0], np.cumsum(counts)])
        shape = (self.features.shape[0], len(self.design))
        return scipy.sparse.csr_matrix((values, self.stratum, offsets), shape)


class Solution(NamedTuple):
    """The parameters of the largest objective, and the likelihood's information there."""

    parameters: Floats  # (terms + columns,)
    information: Floats  # (terms + columns, terms + columns)


def solve(problem: Problem, start: Floats | None = None, near: float = NEAR) -> Solution:
    """Newton's method with step halving, from `start` or from a fit without controls.

    It ends with the step that gains less than `near` nats.
    """
    parameters = _start(problem) if start is None else start
    log_odds = problem.log_odds(parameters)
    for _ in range(MOST_STEPS):
        step, gain, information = problem.newton(parameters, log_odds)
        if gain < near:
            break
        parameters, log_odds = _uphill(problem, parameters, log_odds, step)
    return Solution(parameters + step, information)


def penalised(problem: Problem, information: Floats) -> Floats:
    """The negative Hessian of the objective."""
    return information + np.diag(problem.precision + JITTER * np.diag(information))


def _start(problem: Problem) -> Floats:
    """The fit by pattern alone; for that, the base rate."""
    if problem.design.shape[1]:
        alone = solve(problem.without_controls()).parameters
        return np.concatenate([alone, np.zeros(problem.design.shape[1])])
    parameters = np.zeros(problem.terms)
    positives = problem.positives.sum()
    parameters[0] = np.log(positives / (problem.weight.sum() - positives))
    return parameters


def _uphill(
    problem: Problem, parameters: Floats, log_odds: Floats, step: Floats
) -> tuple[Floats, Floats]:
    """The largest of the steps 1, 1/2, 1/4, ... that does not lower the objective."""
    before = problem.objective(parameters, log_odds)
    for halvings in range(MOST_HALVINGS):
        after = parameters + step / 2**halvings
        log_odds_after = problem.log_odds(after)
        if problem.objective(after, log_odds_after) >= before:
            return after, log_odds_after
    return parameters, log_odds
