"""What counts of returning users say of ids, windows and purchases, as estimates with errors."""

from typing import NamedTuple

import numpy as np

from td_mta.journeys.returns.counts import BESIDE, WAIT, Returns
from td_mta.journeys.touchpoints import Floats, Ints

HALF = 0.5  # of a touch, so that none has a logarithm too
MOST = 0.999  # a hazard, whose logarithm is taken


class Estimate(NamedTuple):
    """A figure and its standard error; NaN where nothing tells."""

    value: float
    error: float

    def is_above(self, least: float, errors: float) -> bool:
        """Above both `least` and so many standard errors.

        >>> Estimate(0.5, 0.1).is_above(0.2, 3), Estimate(0.5, 0.2).is_above(0.2, 3)
        (True, False)
        """
        return self.value > least and self.value > errors * self.error


class Ratios(NamedTuple):
    """Of every channel, each `(channels,)`."""

    before: Floats  # touches a user and day
    after: Floats
    log_ratio: Floats  # of after to before, above what all users' touches did
    error: Floats  # standard error, clustered by user


def one_day_share(returns: Returns) -> float:
    """Users with touches on one day only, as a share of those with any."""
    users, one_day = returns.users
    return float(one_day / max(users, 1))


def lost_share(returns: Returns) -> Estimate:
    """Share of the ids that are lost after their first day with a touch.

    Users differ in how often they are touched, so that those of more active days come back sooner.
    With rates of a gamma distribution the cumulative hazard of coming back is linear in the number
    of active days so far, on a day alike for all (Poisson's posterior rate). What the second and
    third foretell for the first is compared with what is seen. An id that is lost later, after any
    of its days alike, is not found.
    """
    hazard, variance = _cumulative_hazards(returns.waits)
    foretold = max(2 * hazard[1] - hazard[2], hazard[1] / 2)  # a rate's shape is at least 0
    with np.errstate(invalid="ignore", divide="ignore"):
        seen_back, back = -np.expm1(-hazard[0]), -np.expm1(-foretold)
        lost = 1 - seen_back / back
        slopes = np.exp([-hazard[0], -foretold]) / [seen_back, back]
        error = (1 - lost) * np.sqrt(
            slopes[0] ** 2 * variance[0] + slopes[1] ** 2 * (4 * variance[1] + variance[2])
        )
    return Estimate(float(lost), float(error))


def lasting_effect(returns: Returns) -> Estimate:
    """Log odds ratio of a conversion on days soon after one: touches before it against none.

    Of Mantel and Haenszel, with the error of Robins, Breslow and Greenland (1986).
    """
    exposed, other = returns.after_conversion[:, 1], returns.after_conversion[:, 0]
    n = np.maximum(returns.after_conversion.sum(axis=(1, 2)), 1)
    agree = (exposed[:, 1] + other[:, 0]) / n
    differ = (exposed[:, 0] + other[:, 1]) / n
    up, down = exposed[:, 1] * other[:, 0] / n, exposed[:, 0] * other[:, 1] / n
    r, s = up.sum(), down.sum()
    if not (r and s):
        return Estimate(np.nan, np.nan)
    variance = (
        (agree * up).sum() / (2 * r**2)
        + (agree * down + differ * up).sum() / (2 * r * s)
        + (differ * down).sum() / (2 * s**2)
    )
    return Estimate(float(np.log(r / s)), float(np.sqrt(variance)))


def affected_share(returns: Returns) -> float:
    """Conversions on days soon after one whose window would show touches before it, of all."""
    return float(returns.after_conversion[:, 1, 1].sum() / max(returns.conversions[0], 1))


def touches_after_buying(returns: Returns) -> Ratios:
    """Touches in the `BESIDE` days after first conversions against those in as many before."""
    before, after, before_2, both, after_2 = returns.beside.astype(np.float64)
    usual_before, usual_after = _usual(returns)
    b, a = before + HALF, after + HALF
    log_ratio = np.log(a / b) - np.log((usual_after + HALF) / (usual_before + HALF))
    variance = (after_2 + HALF) / a**2 - 2 * both / (a * b) + (before_2 + HALF) / b**2
    days = max(returns.buyers.sum(), 1) * BESIDE
    return Ratios(before / days, after / days, log_ratio, np.sqrt(variance))


def usual_gap(returns: Returns) -> int:
    """Median of the days between two conversions of a user, 0 where nobody converts twice."""
    total = returns.gaps.sum()
    return int(np.searchsorted(np.cumsum(returns.gaps), total / 2)) if total else 0


def second_order_share(returns: Returns) -> float:
    """Conversions within an hour after the user's previous one, of all."""
    conversions, soon = returns.conversions
    return float(soon / max(conversions, 1))


def _usual(returns: Returns) -> tuple[Floats, Floats]:
    """Touches of all users before and after the days of the first conversions, `(channels,)`."""
    days = len(returns.buyers)
    until = np.concatenate([np.zeros((1, returns.touches.shape[1])), np.cumsum(returns.touches, 0)])
    on = np.flatnonzero(returns.buyers)
    before = until[on] - until[np.maximum(on - BESIDE, 0)]
    after = until[np.minimum(on + BESIDE + 1, days)] - until[on + 1]
    return returns.buyers[on] @ before, returns.buyers[on] @ after


def _cumulative_hazards(waits: Ints) -> tuple[Floats, Floats]:
    """Of a further active day within `WAIT` days, by the number of active days so far, and their
    variances (Greenwood), each `(ACTIVE_DAYS,)`.

    The hazards of every wait are averaged over the days alike, weighted by what they tell together.
    """
    hazard, variance = np.zeros(len(waits)), np.zeros(len(waits))
    for wait in range(1, WAIT + 1):
        in_data = waits[:, : max(waits.shape[1] - wait, 0)]
        at_risk = in_data.sum(axis=2) - in_data[:, :, 1:wait].sum(axis=2)
        all_there = (at_risk > 0).all(axis=0)
        at_risk, back = at_risk[:, all_there], in_data[:, all_there, wait]
        if not at_risk.size:
            break
        weight = 1 / (1 / at_risk).sum(axis=0)
        weight /= weight.sum()
        rate = np.minimum((weight * back / at_risk).sum(axis=1), MOST)
        hazard -= np.log1p(-rate)
        spread = (weight**2 / at_risk).sum(axis=1) * rate / (1 - rate)
        variance += spread
    return hazard, variance
