"""Experiments correct the credit: a Gaussian update, with the sum of all credit held.

The credit of k coordinates (channels, and the baseline last) is the mean of a Gaussian prior whose
covariance is that of the delta method; an experiment observes one channel with its standard error
(Gelman et al. 2013, ch. 3.5). What it moves, the others take up in the proportions of their
covariance with it.

Each experiment is compared to the credit first. Where they are in conflict, the model has an error
that its covariance does not know, such as a wish to buy that nobody sees: it gives to channels what
is the baseline's. Every channel then has a further variance, of the same relative error, as large
as makes the differences expected ones (Paule & Mandel 1982), and each errs against the baseline
alone: an experiment says nothing of what drives the touches of other channels.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from td_mta.journeys.touchpoints import Flags, Floats, Ints
from td_mta.shapley.credit import Values

CONFLICT = 1.96  # standard errors between credit and experiment


class Experiments(NamedTuple):
    """What `m` experiments found."""

    channel: Ints  # (m,): the coordinate that each observed, never the baseline
    incremental: Floats  # (m,): conversions
    error: Floats  # (m,): their standard errors, above 0


class Updated(NamedTuple):
    """The credit after the experiments."""

    credit: Floats  # (k,)
    covariance: Floats  # (k, k)
    z: Floats  # (m,): experiment minus credit, in standard errors of that difference
    conflict: Flags  # (m,): |z| beyond `CONFLICT`
    unknown: (
        float  # relative error of each channel's credit beyond its covariance; 0 if no conflict
    )


def update(credit: Floats, covariance: Floats, scale: Floats, experiments: Experiments) -> Updated:
    """Credit `(k,)` and its covariance `(k, k)`, corrected by experiments; its sum stays.

    `scale` `(k - 1,)` is what a channel's unknown error is relative to, its credit or about that.

    >>> covariance = np.array([[4.0, -4.0], [-4.0, 4.0]])
    >>> found = Experiments(np.array([0]), np.array([12.0]), np.array([2.0]))
    >>> updated = update(np.array([10.0, 90.0]), covariance, np.array([10.0]), found)
    >>> updated.credit.tolist(), updated.covariance.tolist()
    ([11.0, 89.0], [[2.0, -2.0], [-2.0, 2.0]])
    """
    prior, at = _given_sum(covariance), experiments.channel
    difference = experiments.incremental - credit[at]
    z = difference / np.sqrt(np.diag(prior)[at] + experiments.error**2)
    conflict = np.abs(z) > CONFLICT
    unknown = 0.0
    if conflict.any():
        known = np.diag(prior)[:-1]
        unknown = _unknown(difference, known[at] + experiments.error**2, scale[at])
        prior = _against_baseline(known + (unknown * scale) ** 2)
    # K of the Kalman filter: the prior's covariance with what is observed, over that of the latter.
    of_observed = prior[np.ix_(at, at)] + np.diag(experiments.error**2)
    gain = np.linalg.solve(of_observed, prior[at]).T  # (k, m)
    posterior = _symmetric(prior - gain @ prior[at])
    return Updated(credit + gain @ difference, posterior, z, conflict, unknown)


def corrected(values: Values, conversions: Floats, change: Floats) -> Values:
    """Values of the same games by which every channel gets `change` `(channels,)` more conversions.

    A channel's cells share its change in proportion to the size of their credit, in every game of
    `conversions` `(games,)`; v(0) takes up what they give or take, so that each game still sums to
    v(N). A channel without any credit stays so.
    """
    games, channels = values.games, len(change)
    channel = games.cells % channels
    size = credit_sizes(values, conversions, channels)
    relative = np.divide(change, size, out=np.zeros(channels), where=size > 0)
    more = relative[channel] * np.abs(values.phi)
    taken = np.bincount(games.owner, more, len(games.pattern))
    return values._replace(phi=values.phi + more, value_empty=values.value_empty - taken)


def credit_sizes(values: Values, conversions: Floats, channels: int) -> Floats:
    """The sizes of every channel's credit, whatever their signs, summed over conversions of games.

    Shape `(channels,)`: its conversions, where no touch lowers the probability of one.
    """
    games = values.games
    per_value = np.where(games.sizes > 0, conversions / values.value_full, 0.0)
    of_players = per_value[games.owner] * np.abs(values.phi)
    sizes: Floats = np.bincount(games.cells % channels, of_players, channels).astype(np.float64)
    return sizes


def _against_baseline(variance: Floats) -> Floats:
    """Covariance `(k, k)` of channels `(k - 1,)` that err each by itself against the baseline."""
    side = -variance[:, None]
    whole: Floats = np.block([[np.diag(variance), side], [side.T, variance.sum()]])
    return whole


def _unknown(difference: Floats, variance: Floats, scale: Floats) -> float:
    """The least relative error by which `m` differences are no larger than expected.

    `variance` is that which is known of each; two experiments on one channel count as two.
    """
    reached = scale > 0
    difference, variance, scale = difference[reached], variance[reached], scale[reached]

    def excess(unknown: float) -> float:
        return float((difference**2 / (variance + (unknown * scale) ** 2)).sum()) - len(scale)

    if not len(scale) or excess(0.0) <= 0:
        return 0.0
    upper = float((np.sqrt(len(scale)) * np.abs(difference) / scale).max())
    return float(brentq(excess, 0.0, upper))


def _given_sum(covariance: Floats) -> Floats:
    """The covariance once the sum of all coordinates is known.

    A gradient's rows sum to 0, and so does its covariance already, but for rounding.
    """
    with_sum = covariance.sum(axis=1)
    variance = with_sum.sum()
    if variance <= np.finfo(np.float64).eps * np.trace(covariance):
        return covariance
    return _symmetric(covariance - np.outer(with_sum, with_sum) / variance)


def _symmetric(covariance: Floats) -> Floats:
    half: Floats = (covariance + covariance.T) / 2
    return half
