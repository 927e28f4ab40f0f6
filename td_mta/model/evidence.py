"""How large a channel's weights may be, by the evidence of the data themselves.

The weight of a channel on a day of the window is what the channel's days share plus what the day
adds, w = a + b, with Gaussian priors of mean 0: a precision for each channel's a, one for all b.
They maximise the marginal likelihood (MacKay 1992; Tipping 2001). Where what a channel's days share
is no larger than its standard error, that precision grows without bound and takes the channel's
credit away, so that many channels without effect do not add up to one with an effect.
"""

import numpy as np
import scipy.linalg

from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.model.glm import Problem, Solution, penalised

MOST_ROUNDS = 100
NEAR = 0.01  # change of the logarithm of a precision in a round
START = 4.0  # precision: a standard deviation of half a unit of log-odds
WEAKEST, STRONGEST = 0.1, 1e4  # standard deviations of 3 and of a hundredth


def cell_precision(problem: Problem, solution: Solution, channel: Ints) -> Floats:
    """The precision matrix of the priors of some weights, `(cells, cells)`.

    They are the first after the intercept; `channel` `(cells,)` is theirs. Around the solution the
    likelihood is taken as quadratic, so that no fit is needed.
    """
    n, channels = len(channel), int(channel.max()) + 1
    information, toward = _of_cells(problem, solution, n)
    shares = np.eye(channels)[channel]  # w = shares a + b
    mixing = np.concatenate([shares, np.eye(n)], axis=1)
    information, toward = mixing.T @ information @ mixing, mixing.T @ toward
    member = np.concatenate([np.arange(channels), np.full(n, channels)])
    sizes = np.bincount(member)
    by_group = np.full(channels + 1, START)
    for _ in range(MOST_ROUNDS):
        before = by_group
        covariance = np.linalg.inv(information + np.diag(by_group[member]))
        mean = covariance @ toward
        determined = sizes - by_group * np.bincount(member, np.diag(covariance))
        squares = np.bincount(member, mean**2)
        by_group = np.clip(determined / np.maximum(squares, 1e-300), WEAKEST, STRONGEST)
        if np.abs(np.log(by_group / before)).max() < NEAR:
            break
    of_channel, of_day = by_group[:-1], by_group[-1]
    prior = (shares / of_channel) @ shares.T + np.eye(n) / of_day  # covariance of w
    precision: Floats = np.linalg.inv(prior)
    return precision


def _of_cells(problem: Problem, solution: Solution, n: int) -> tuple[Floats, Floats]:
    """The likelihood of the cells' weights alone, as a Gaussian's: information and its product
    with the optimum. The other parameters are integrated out, with their priors.
    """
    H = penalised(problem, solution.information)
    toward = H @ solution.parameters
    cells = np.arange(1, n + 1)
    others = np.delete(np.arange(len(H)), cells)
    cross = H[np.ix_(others, cells)]
    solved = scipy.linalg.solve(H[np.ix_(others, others)], cross, assume_a="pos")
    own = H[np.ix_(cells, cells)] - problem.precision[np.ix_(cells, cells)]
    return own - cross.T @ solved, toward[cells] - solved.T @ toward[others]
