"""How far parameters would differ for other users: the clustered sandwich, and penalties by it.

Users fall into random groups, so the scores of the groups, which sum to the score, are independent
whatever the days of one user have in common (Liang & Zeger 1986; White 1982).
"""

import numpy as np
import scipy.linalg
from scipy.special import expit

from td_mta.journeys.examples import GROUPS
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.model.counted import Counted, Rows, sums
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


def left_out_losses(
    problem: Problem, solution: Solution, scores: Floats, counted: Counted
) -> Floats:
    """Negative log likelihood of each group by a fit without it, `(groups,)`.

    Unlike `left_out_loss` not of the quadratic approximation, but of the parameters that one Newton
    step leads to, with a G-th of the information in each group.
    """
    rows, moves = counted.rows, _moves(solution, scores, problem.precision)
    return np.array(
        [
            _loss(problem, solution.parameters + move, rows, group)
            for group, move in enumerate(moves)
        ]
    )


def _loss(problem: Problem, parameters: Floats, rows: Rows, group: int) -> float:
    own = np.flatnonzero(rows.group == group)
    f = problem.features @ parameters[: problem.terms]
    g = problem.design @ parameters[problem.terms :]
    cell, negatives, positives = rows.cell[own], rows.negatives[own], rows.positives[own]
    log_odds = f[problem.pattern[cell]] + g[problem.stratum[cell]]
    losses = np.logaddexp(0, log_odds)
    return float(negatives @ losses + positives @ (losses - log_odds))


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
