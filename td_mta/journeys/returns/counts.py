"""Counts of users who come back, which tell lost ids, lasting touches and purchases that cause
touches; `statistics.py` says how. Parts add up. Days count from the first of the data.
"""

import operator
from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

from td_mta.journeys.controls import Period
from td_mta.journeys.patterns import Grid
from td_mta.journeys.runs import owners, positions
from td_mta.journeys.strata import doublings, reached
from td_mta.journeys.touchpoints import Ints
from td_mta.journeys.windows import Journeys

ACTIVE_DAYS = 3  # the first ones of a user, after which a further one is waited for
WAIT = 14  # days
REACH = 7  # days of the longest window looked at after a conversion
BESIDE = 7  # days before and after a first conversion
MORE_TOUCHES = doublings(1, 2, 27)  # of a user, at which the next level of activity begins
LEVELS = len(MORE_TOUCHES) + 1
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


def shapes(grid: Grid, days: int) -> dict[str, tuple[int, ...]]:
    """The shape of every array of `Returns`, of a record of so many days."""
    strata = max(min(grid.days, REACH) - 1, 0) * days * LEVELS * 2
    return {
        "users": (2,),
        "waits": (ACTIVE_DAYS, days, WAIT + 1),
        "conversions": (2,),
        "gaps": (days,),
        "after_conversion": (strata, 2, 2),
        "beside": (5, grid.channels),
        "buyers": (days,),
        "touches": (days, grid.channels),
    }


def sum_of(parts: Sequence[Returns]) -> Returns:
    """The counts of all parts together."""
    return reduce(Returns.plus, parts)


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
    counts: Ints = np.bincount(cell, minlength=int(np.prod(shape))).reshape(shape)
    return counts


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
    window = min(grid.days, REACH)
    by_since = [
        _by_day(journeys, _days_after(journeys, since, window, period), window, period)
        for since in range(1, window)
    ]
    return np.concatenate([np.zeros((0, 2, 2), np.int64), *by_since])


class _DaysAfter(NamedTuple):
    """User-days after a conversion, each `(n,)`."""

    user: Ints
    day: Ints
    stop: Ints  # position after the last touch up to the conversion
    converts: Ints  # 0 or 1


def _days_after(journeys: Journeys, since: int, window: int, period: Period) -> _DaysAfter:
    """Those so many days since a user's last conversion whose window lies in the data."""
    last_of_day = np.flatnonzero(np.diff(journeys.conversion_days, append=-1))
    conversions = journeys.conversions
    user, conversion_day = conversions.user[last_of_day], conversions.day[last_of_day]
    day = conversion_day + since
    next_day = np.full(len(user), period.last_day + 1)
    same_user = user[1:] == user[:-1]
    next_day[:-1][same_user] = conversion_day[1:][same_user]
    rows = (day <= next_day) & (day <= period.last_day) & (day - window >= period.first_day - 1)
    stop = journeys.conversion_windows.stop[last_of_day]
    converts = (day == next_day).astype(np.int64)
    return _DaysAfter(user[rows], day[rows], stop[rows], converts[rows])


def _by_day(journeys: Journeys, after: _DaysAfter, window: int, period: Period) -> Ints:
    """Counts by day, activity, touches since, touches before and conversion."""
    user, day, stop, converts = after
    window_opens = journeys.day_opens(user, day - window + 1)
    day_opens, day_closes = journeys.day_opens(user, day), journeys.day_opens(user, day + 1)
    # Today's touches are left out of the activity: they are what a conversion depends on.
    touches = np.diff(journeys.first_touch)[user] - (day_closes - day_opens)
    counts = _counted(
        (period.days, LEVELS, 2, 2, 2),
        day - period.first_day,
        reached(MORE_TOUCHES, touches),
        (day_opens > stop).astype(np.int64),
        (window_opens < stop).astype(np.int64),
        converts,
    )
    return counts.reshape(-1, 2, 2)


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
