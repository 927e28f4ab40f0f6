"""Controls: what drives touches and conversions alike, as a level of every user-day.

Those of `CONTROLS`, and the attributes of users and days that a table has columns of. Each is a
function of the user and the day alone, so that a day with a conversion and one without are told
apart by the same rule, and all conversions of a day have one stratum.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from td_mta.journeys.strata import Basis, Strata, doublings, reached
from td_mta.journeys.touchpoints import Flags, Floats, Ints
from td_mta.journeys.windows import Journeys

FORECAST_DAYS = 14  # what a day after the training days is expected to be like
SINGLE_DAYS = 40  # days since a conversion that have a level each; longer times share levels
LONGER_TIMES = doublings(SINGLE_DAYS, 2, 9)
SINCE_LEVELS = SINGLE_DAYS + len(LONGER_TIMES) + 2
FEW_TOUCHES = 16  # of a user, with a level for each number; of more, four levels double it
MORE_TOUCHES = doublings(FEW_TOUCHES, 4, 32)
ACTIVITY_LEVELS = FEW_TOUCHES + len(MORE_TOUCHES) + 1
RATES = 2.0 ** (np.arange(-10, 12) / 2)  # touches a day at which the next level begins
RATE_LEVELS = len(RATES) + 2
PRECISION = 0.3  # of dummies
MONDAY = 4  # 1970-01-05, counted from 1970-01-01


class Period(NamedTuple):
    """The days that user-days are taken from, counted from 1970."""

    first_day: int  # the first credited one
    last_day: int
    held_out_day: int | None = None  # the first held-out day, where days are held out and not users

    @property
    def days(self) -> int:
        """How many days there are."""
        return self.last_day - self.first_day + 1


class UserDays(NamedTuple):
    """`n` user-days, each array of shape `(n,)`."""

    user: Ints
    day: Ints


def strata_of(
    names: tuple[str, ...], period: Period, attributes: Mapping[str, int] | None = None
) -> Strata:
    """The strata of the controls of these names; `attributes` are the others' numbers of levels."""
    levels = attributes or {}
    bases = (
        _dummies(levels[name], PRECISION) if name in levels else CONTROLS[name].basis
        for name in names
    )
    return Strata(names, tuple(basis(period) for basis in bases))


def codes(
    strata: Strata, journeys: Journeys, user_days: UserDays, period: Period, window_days: int
) -> Ints:
    """The stratum of every user-day, `(n,)`; a window reaches back `window_days` days."""
    levels = [
        journeys.attributes[name].level(*user_days)
        if name in journeys.attributes
        else CONTROLS[name].level(journeys, user_days, period, window_days)
        for name in strata.names
    ]
    return strata.code(levels, len(user_days.user))


class Control(NamedTuple):
    """A control: the level of every user-day, and what the levels are in the model."""

    level: Callable[[Journeys, UserDays, Period, int], Ints]
    basis: Callable[[Period], Basis]


def _calendar_level(
    journeys: Journeys, user_days: UserDays, period: Period, window_days: int
) -> Ints:
    return user_days.day - period.first_day


def _calendar_basis(period: Period) -> Basis:
    """A weekday's effect, and what its own day adds; days held out are like the last ones."""
    day = np.arange(period.days)
    weekday = np.eye(7)[(day + period.first_day - MONDAY) % 7]
    own = np.eye(period.days)
    if period.held_out_day is not None:
        training = period.held_out_day - period.first_day
        recent = np.zeros(period.days)
        recent[max(0, training - FORECAST_DAYS) : training] = 1 / min(FORECAST_DAYS, training)
        own[training:] = recent
        own = own[:, :training]
    rows = np.concatenate([weekday, own], axis=1)
    return Basis(rows, np.ones(rows.shape[1]))


def _activity_level(
    journeys: Journeys, user_days: UserDays, period: Period, window_days: int
) -> Ints:
    """Touches of the user in all.

    Given their number, when they are says nothing of the user's rate, so few touches have levels of
    their own.
    """
    touches = np.diff(journeys.first_touch)
    of_user = np.minimum(touches, FEW_TOUCHES) + reached(MORE_TOUCHES, touches)
    level: Ints = of_user[user_days.user]
    return level


def _past_level(journeys: Journeys, user_days: UserDays, period: Period, window_days: int) -> Ints:
    """Touches a day before the window opens; level 0 where the user was not yet known."""
    opens_on = user_days.day - window_days + 1
    first = journeys.first_touch[user_days.user]
    touches = journeys.day_opens(user_days.user, opens_on) - first
    known = np.flatnonzero(touches > 0)
    days = opens_on[known] - journeys.touches.day[first[known]]
    level = np.zeros(len(touches), np.int64)
    level[known] = 1 + reached(RATES, touches[known] / days)
    return level


def _since_level(journeys: Journeys, user_days: UserDays, period: Period, window_days: int) -> Ints:
    """Days since the user's last conversion; level 0 where there was none before the day."""
    user, day = user_days
    before = np.searchsorted(journeys.conversion_days, journeys.user_day(user, day))
    level = np.zeros(len(user), np.int64)
    rows = np.flatnonzero(before)
    last = before[rows] - 1
    same_user = journeys.conversions.user[last] == user[rows]
    rows, last = rows[same_user], last[same_user]
    since = day[rows] - journeys.conversions.day[last]
    level[rows] = np.minimum(since, SINGLE_DAYS + 1) + reached(LONGER_TIMES, since)
    return level


def _dummies(levels: int, precision: float) -> Callable[[Period], Basis]:
    rows: Floats = np.eye(levels)
    return lambda period: Basis(rows, np.full(levels, precision))


CONTROLS: Mapping[str, Control] = {
    "calendar_day": Control(_calendar_level, _calendar_basis),
    "user_activity": Control(_activity_level, _dummies(ACTIVITY_LEVELS, PRECISION)),
    "user_activity_past": Control(_past_level, _dummies(RATE_LEVELS, PRECISION)),
    "since_conversion": Control(_since_level, _dummies(SINCE_LEVELS, PRECISION)),
}


def returns_from(journeys: Journeys) -> Ints:
    """Position of each user's first touch on the second day with one, `(users,)`.

    That of the next user's first touch where there is no second day.
    """
    day = journeys.touch_days
    opens = np.diff(day, prepend=-1) != 0
    user = journeys.touches.user
    first_of_user = np.zeros(len(user), np.bool_)
    has_touch = journeys.first_touch[:-1] < journeys.first_touch[1:]
    first_of_user[journeys.first_touch[:-1][has_touch]] = True
    later: Flags = opens & ~first_of_user
    position = np.append(np.flatnonzero(later), len(user))
    entry = position[np.searchsorted(position, journeys.first_touch[:-1])]
    returns: Ints = np.minimum(entry, journeys.first_touch[1:])
    return returns
