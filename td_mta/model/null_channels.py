"""Which channels have no effect: a mixture of channels without and with one, fitted to them all.

Many channels without effect get the credit of their sampling errors, which add up. By the
two-groups model (Efron 2008, Statistical Science 23) a channel is null with a prior probability
that all channels together determine (empirical Bayes; Johnstone & Silverman 2004, Annals of
Statistics 32).
"""

from typing import NamedTuple

import numpy as np
import scipy.linalg
from scipy.special import expit, logit

from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.model.glm import Problem, Solution, penalised

FEWEST = 3  # null channels; with fewer their share is 0, as that of a mixture's component without
# more data than it has parameters (Figueiredo & Jain 2002, IEEE Trans. PAMI 24)
SPREADS = 0.1 * 2.0 ** np.arange(6)  # candidates: standard deviation of weights that are not 0
BY_DAY = 0.5  # of their variance: what each day of the window has of its own
MOST_ROUNDS = 200
NEAR = 1e-6  # change of the share in a round
MOST_CERTAIN = 1 - 1e-4


class _Mixture(NamedTuple):
    null: Floats  # probability that a channel has no effect, `(channels,)`
    log_likelihood: float  # of the spread, at the best share


def probability(problem: Problem, solution: Solution, channel: Ints) -> Floats:
    """That a channel has no effect, `(channels,)`.

    `channel` `(cells,)` has that of each weight after the intercept.
    """
    covariance = scipy.linalg.inv(penalised(problem, solution.information))
    cells = [1 + np.flatnonzero(channel == c) for c in range(int(channel.max()) + 1)]
    weights = [solution.parameters[own] for own in cells]
    errors = [covariance[np.ix_(own, own)] for own in cells]
    mixtures = []
    for spread in SPREADS:
        log_factors = [_log_factor(*each, spread) for each in zip(weights, errors, strict=True)]
        mixtures.append(_mixture(np.array(log_factors)))
    return max(mixtures, key=lambda mixture: mixture.log_likelihood).null


def precision(null: Floats, solution: Solution, channel: Ints) -> Floats:
    """What to add to the priors' precision of the cells' weights, `(cells,)`.

    A prior of q / (1 - q) times the data's information multiplies a weight by 1 - q, the
    probability that the channel has an effect.
    """
    information = np.diag(solution.information)[1 : 1 + len(channel)]
    added: Floats = (null / (1 - null))[channel] * information
    return added


def _log_factor(weights: Floats, covariance: Floats, spread: float) -> float:
    """Log Bayes factor of N(0, V + T) against N(0, V), of covariance V of the errors."""
    days = len(weights)
    effects = spread**2 * ((1 - BY_DAY) * np.ones((days, days)) + BY_DAY * np.eye(days))
    return _log_normal(weights, covariance + effects) - _log_normal(weights, covariance)


def _log_normal(x: Floats, covariance: Floats) -> float:
    """Log density of N(0, covariance), up to a constant."""
    factor, _ = cholesky = scipy.linalg.cho_factor(covariance)
    return float(-np.log(np.diag(factor)).sum() - x @ scipy.linalg.cho_solve(cholesky, x) / 2)


def _mixture(log_factor: Floats) -> _Mixture:
    """The share of null channels by expectation-maximisation, and each one's probability."""
    share = 0.5
    for _ in range(MOST_ROUNDS):
        null = expit(logit(share) - log_factor)
        few = max(null.sum() - FEWEST, 0.0)
        before, share = share, few / (few + len(null) - null.sum())
        if abs(share - before) < NEAR:
            break
    with np.errstate(divide="ignore"):
        mixed = np.logaddexp(np.log(share), np.log1p(-share) + log_factor)
    return _Mixture(np.minimum(null, MOST_CERTAIN), float(mixed.sum()))
