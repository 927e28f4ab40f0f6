"""Users who come back: what tells lost ids, lasting touches and purchases that cause touches.

Parts are counted, and parts add up. The sums then give each fact as an estimate with its error.
Days count from the first one of the data.
"""

import operator
from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

from td_mta.journeys.controls import Period
from td_mta.journeys.patterns import Grid
from td_mta.journeys.runs import owners, positions
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.journeys.windows import Journeys

ACTIVE_DAYS = 3  # the first ones of a user, after which a further one is waited for
WAIT = 14  # days
MOST = 0.999  # a hazard, whose logarithm is taken
REACH = 7  # days after a conversion of which the first ones are looked at
BESIDE = 7  # days before and after a first conversion
LEVELS = 28  # of activity; two double the touches
SECONDS_PER_HOUR = 3_600


class Returns(NamedTuple):
    """Counts of some users; a period of `days` days and so many channels."""

    users: Ints  # with a touch; of these with touches on one day only, (2,)
    waits: Ints  # [k, day, n]: the next touch n days after the k-th active day, 0: none in `WAIT`
    conversions: Ints  # all; within an hour after the user's previous one, (2,)
    gaps: Ints  # days between the days of conversions of a user, (days,)
    after_conversion: Ints  # days soon after one, (strata, 2, 2): sees touches before it; converts
    beside: Ints  # first conversions: sums of b, a, b b, a b, a a of touches before, after, (5, c)
    buyers: Ints  # first conversions with known days beside them, by day, (days,)
    touches: Ints  # of all users, (days, channels)

    def plus(self, other: "Returns") -> "Returns":
        """Both together."""
        return Returns(*map(operator.add, self, other))


class Estimate(NamedTuple):
    """A figure and its standard error; NaN where nothing tells."""

    value: float
    error: float


class Ratios(NamedTuple):
    """Of every channel, each `(channels,)`."""

    before: Floats  # touches a user and day
    after: Floats
    log_ratio: Floats  # of after to before, above what all users' touches did
    error: Floats  # standard error, clustered by user


def returns_of(journeys: Journeys, grid: Grid, period: Period) -> Returns:
    """Counts of the journeys, whose rows are all of days of the period.

    Cost: some sorted look-ups for each user-day with a touch and each conversion.
    """
    active = _active_days(journeys)
    return Returns(
        users=_user_counts(journeys, active),
        waits=_waits(journeys, active, period),
        conversions=_conversion_counts(journeys),
        gaps=_gaps(journeys, period),
        after_conversion=_after_conversion(journeys, grid, period),
        **_beside_conversions(journeys, grid, period),
    )


def sum_of(parts: Sequence[Returns]) -> Returns:
    """The counts of all parts together."""
    return reduce(Returns.plus, parts)


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
    with np.errstate(invalid="ignore", divide="ignore"):
        log_ratio = np.log(after / before) - np.log(usual_after / usual_before)
        variance = after_2 / after**2 - 2 * both / (after * before) + before_2 / before**2
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


class _ActiveDays(NamedTuple):
    """Days with a touch, each `(n,)`, by user and day."""

    user: Ints
    day: Ints  # counted from 1970
    number: Ints  # of the user's, from 0


def _active_days(journeys: Journeys) -> _ActiveDays:
    opens = np.flatnonzero(np.diff(journeys.touch_days, prepend=-1))
    user = journeys.touches.user[opens]
    first_of_user = np.searchsorted(user, user)
    return _ActiveDays(user, journeys.touches.day[opens], np.arange(len(user)) - first_of_user)


def _user_counts(journeys: Journeys, active: _ActiveDays) -> Ints:
    days = np.bincount(active.user, minlength=journeys.users)
    return np.array([np.count_nonzero(days), np.count_nonzero(days == 1)])


def _waits(journeys: Journeys, active: _ActiveDays, period: Period) -> Ints:
    """How long users wait for a further active day after each of their first ones."""
    following = np.zeros(len(active.user), np.int64)
    same_user = active.user[1:] == active.user[:-1]
    following[:-1] = np.where(same_user, np.diff(active.day), 0)
    following[following > WAIT] = 0
    early = active.number < ACTIVE_DAYS
    return _counted(
        (ACTIVE_DAYS, period.days, WAIT + 1),
        active.number[early],
        active.day[early] - period.first_day,
        following[early],
    )


def _counted(shape: tuple[int, ...], *index: Ints) -> Ints:
    """How often each index comes, an array of that shape."""
    cell = np.ravel_multi_index(index, shape)
    return np.bincount(cell, minlength=int(np.prod(shape))).reshape(shape)


def _conversion_counts(journeys: Journeys) -> Ints:
    user, time = journeys.conversions.user, journeys.conversions.time
    soon = (user[1:] == user[:-1]) & (np.diff(time) <= SECONDS_PER_HOUR)
    return np.array([len(user), np.count_nonzero(soon)])


def _gaps(journeys: Journeys, period: Period) -> Ints:
    user, day = journeys.conversions.user, journeys.conversions.day
    gap = np.diff(day)
    return np.bincount(gap[(user[1:] == user[:-1]) & (gap > 0)], minlength=period.days)


def _after_conversion(journeys: Journeys, grid: Grid, period: Period) -> Ints:
    """Days after a conversion whose window reaches before it, up to the next conversion's.

    A stratum is the day, the days since, the user's activity and whether touches came in between.
    """
    days_since = range(1, min(grid.days, REACH))
    strata = (period.days, len(days_since), LEVELS, 2)
    total = np.zeros((int(np.prod(strata)), 2, 2), np.int64)
    conversions, last = journeys.conversions, _last_of_day(journeys)
    user, day = conversions.user[last], conversions.day[last]
    stop = journeys.conversion_windows.stop[last]
    next_day = np.full(len(last), period.last_day + 1)
    next_day[:-1] = np.where(user[1:] == user[:-1], day[1:], period.last_day + 1)
    touches = np.diff(journeys.first_touch)[user]
    for since in days_since:
        today = day + since
        rows = (today <= np.minimum(next_day, period.last_day)) & (
            today - grid.days + 1 >= period.first_day
        )
        of, on, end = user[rows], today[rows], stop[rows]
        window_opens = journeys.day_opens(of, on - grid.days + 1)
        day_opens, day_closes = journeys.day_opens(of, on), journeys.day_opens(of, on + 1)
        # Today's touches are left out of the activity: they are what a conversion depends on.
        level = _level(touches[rows] - (day_closes - day_opens))
        total += _counted(
            (*strata, 2, 2),
            on - period.first_day,
            np.full(len(on), since - 1),
            level,
            (day_opens > end).astype(np.int64),
            (window_opens < end).astype(np.int64),
            (on == next_day[rows]).astype(np.int64),
        ).reshape(total.shape)
    return total


def _last_of_day(journeys: Journeys) -> Ints:
    """The last conversions of user-days."""
    return np.flatnonzero(np.diff(journeys.conversion_days, append=-1))


def _level(touches: Ints) -> Ints:
    level = np.floor(2 * np.log2(np.maximum(touches, 1))).astype(np.int64)
    return np.minimum(level, LEVELS - 1)


def _beside_conversions(journeys: Journeys, grid: Grid, period: Period) -> dict[str, Ints]:
    """Touches beside first conversions of users with an earlier touch than those days.

    So a user was there in all of them: who is new has no touches before.
    """
    user, day = journeys.conversions.user, journeys.conversions.day
    first = np.flatnonzero(np.diff(user, prepend=-1))
    user, day = user[first], day[first]
    known = journeys.first_touch[user] < journeys.day_opens(user, day - BESIDE)
    chosen = known & (day + BESIDE <= period.last_day)
    user, day = user[chosen], day[chosen]
    before = _by_channel(journeys, user, day - BESIDE, day, grid.channels)
    after = _by_channel(journeys, user, day + 1, day + BESIDE + 1, grid.channels)
    products = (before, after, before * before, before * after, after * after)
    touched = journeys.touches.day - period.first_day, journeys.touches.channel
    return {
        "beside": np.stack([product.sum(axis=0) for product in products]),
        "buyers": np.bincount(day - period.first_day, minlength=period.days),
        "touches": _counted((period.days, grid.channels), *touched),
    }


def _by_channel(journeys: Journeys, user: Ints, first: Ints, end: Ints, channels: int) -> Ints:
    """Touches of the users on the days from `first` until before `end`, `(n, channels)`."""
    start = journeys.day_opens(user, first)
    sizes = journeys.day_opens(user, end) - start
    channel = journeys.touches.channel[positions(start, sizes)]
    return _counted((len(user), channels), owners(sizes), channel)


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
