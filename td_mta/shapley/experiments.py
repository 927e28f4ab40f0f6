"""Experiments correct the credit: a Gaussian update, with the sum of all credit held.

The credit of k coordinates (channels, and the baseline last) is the mean of a Gaussian prior whose
covariance is that of the delta method; an experiment observes one coordinate with its standard
error (Gelman et al. 2013, ch. 3.5). What it moves, the others take up in the proportions of their
covariance with it. First each experiment is compared to the credit: where they are in conflict
neither may be right, and all intervals widen.
"""

from typing import NamedTuple

import numpy as np

from td_mta.journeys.touchpoints import Flags, Floats, Ints

CONFLICT = 1.96  # standard errors between credit and experiment


class Experiments(NamedTuple):
    """What `m` experiments found."""

    channel: Ints  # (m,): the coordinate that each observed
    incremental: Floats  # (m,): conversions
    error: Floats  # (m,): their standard errors, above 0


class Updated(NamedTuple):
    """The credit after the experiments; on conflict the covariance is widened."""

    credit: Floats  # (k,)
    covariance: Floats  # (k, k)
    z: Floats  # (m,): experiment minus credit, in standard errors of that difference
    conflict: Flags  # (m,): |z| beyond `CONFLICT`
    widened: float  # by what intervals are wider for the conflict; 1 where there is none


def update(credit: Floats, covariance: Floats, experiments: Experiments) -> Updated:
    """Credit `(k,)` and its covariance `(k, k)`, corrected by experiments; its sum stays.

    >>> covariance = np.array([[4.0, -4.0], [-4.0, 4.0]])
    >>> found = Experiments(np.array([0]), np.array([12.0]), np.array([2.0]))
    >>> updated = update(np.array([10.0, 90.0]), covariance, found)
    >>> updated.credit.tolist(), updated.covariance.tolist()
    ([11.0, 89.0], [[2.0, -2.0], [-2.0, 2.0]])
    """
    prior = _given_sum(covariance)
    at = experiments.channel
    variance = experiments.error**2
    difference = experiments.incremental - credit[at]
    z = difference / np.sqrt(np.diag(prior)[at] + variance)
    # K of the Kalman filter: the prior's covariance with what is observed, over that of the latter.
    of_observed = prior[np.ix_(at, at)] + np.diag(variance)
    gain = np.linalg.solve(of_observed, prior[at]).T  # (k, m)
    posterior = prior - gain @ prior[at]
    widened = max(1.0, float(np.abs(z).max(initial=0.0)) / CONFLICT)
    return Updated(
        credit=credit + gain @ difference,
        covariance=_symmetric(posterior) * widened**2,
        z=z,
        conflict=np.abs(z) > CONFLICT,
        widened=widened,
    )


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
