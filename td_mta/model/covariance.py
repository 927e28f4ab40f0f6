"""How far parameters would differ for other users: the clustered sandwich, and penalties by it.

Users fall into random groups, so the scores of the groups, which sum to the score, are independent
whatever the days of one user have in common (Liang & Zeger 1986; White 1982).
"""

import numpy as np
import scipy.linalg
from scipy.special import expit

from td_mta.journeys.examples import GROUPS
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.model.counted import Counted, sums
from td_mta.model.glm import JITTER, Problem, Solution, penalised


def sandwich(problem: Problem, solution: Solution, scores: Floats) -> Floats:
    """The covariance of the parameters, from the scores of the groups `(groups, parameters)`.

    The bread is the inverse of the penalised Hessian, the meat the sum of the scores' products
    about their mean, times G / (G - 1).
    """
    groups = len(scores)
    centred = scores - scores.mean(axis=0)
    factor = scipy.linalg.cho_factor(penalised(problem, solution.information))
    moved = scipy.linalg.cho_solve(factor, centred.T)  # parameters by groups
    return moved @ moved.T * groups / (groups - 1)


def group_scores(problem: Problem, parameters: Floats, counted: Counted) -> Floats:
    """The likelihood's gradient of each group of users, `(groups, parameters)`."""
    rows = counted.rows
    probability = expit(problem.log_odds(parameters))[rows.cell]
    residuals = rows.positives - (rows.negatives + rows.positives) * probability
    by_pattern = _by_group(
        rows.group, counted.pattern[rows.cell], residuals, len(counted.patterns.keys)
    )
    by_stratum = _by_group(rows.group, counted.stratum[rows.cell], residuals, len(counted.codes))
    return np.concatenate([by_pattern @ problem.features, by_stratum @ problem.design], axis=1)


def left_out_loss(problem: Problem, solution: Solution, scores: Floats, precision: Floats) -> float:
    """Loss of groups left out in turn, in nats beyond that at `solution`, were `precision` used.

    Around the solution the likelihood is taken as quadratic, with a G-th of the information in
    each group; so all penalties are compared by one fit. Leaving group g out moves the parameters
    by d_g = (H (1 - 1/G) + P)^-1 (s - s_g - P theta), which costs that group
    -s_g d_g + d_g'H d_g / 2G.
    """
    groups, H = len(scores), solution.information
    d = _moves(solution, scores, precision)
    loss = -(scores * d).sum() + ((d @ H) * d).sum() / (2 * groups)
    return float(loss)


def left_out_log_odds(
    problem: Problem, solution: Solution, scores: Floats, counted: Counted
) -> Floats:
    """Log-odds of each row of examples by a fit without its group of users, `(rows,)`.

    To one Newton step from the fit to all, with a G-th of the information in each group.
    """
    rows = counted.rows
    log_odds = problem.log_odds(solution.parameters)[rows.cell]
    for group, move in enumerate(_moves(solution, scores, problem.precision)):
        own = np.flatnonzero(rows.group == group)
        cell = rows.cell[own]
        log_odds[own] += (problem.features @ move[: problem.terms])[problem.pattern[cell]]
        log_odds[own] += (problem.design @ move[problem.terms :])[problem.stratum[cell]]
    return log_odds


def _moves(solution: Solution, scores: Floats, precision: Floats) -> Floats:
    """By how much leaving out each group moves the parameters, `(groups, parameters)`."""
    groups, H = len(scores), solution.information
    hessian = H * (1 - 1 / groups) + np.diag(precision + JITTER * np.diag(H))
    others = scores.sum(axis=0) - scores - precision * solution.parameters  # (groups, parameters)
    moves: Floats = scipy.linalg.solve(hessian, others.T, assume_a="pos").T
    return moves


def _by_group(group: Ints, which: Ints, values: Floats, n: int) -> Floats:
    """Sums by group, `(groups, n)`."""
    return sums(group * n + which, values, GROUPS * n).reshape(GROUPS, n)
