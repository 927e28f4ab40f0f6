"""What columns of a table say of its users and days, as levels that controls may have.

What a user is on a day is what the last row before it said: a row of the day itself would tell that
something happened on it. A column that says the same of all users of a day is of days.
"""

from typing import NamedTuple, Protocol

import numpy as np

from td_mta.journeys.touchpoints import Flags, Ints

MISSING = 0  # the level of users of whom no row says anything
FEWEST_ROWS = 20  # a day, on average, to tell that a column is of days
OF_DAYS = 0.9  # of the rows that differ from the most frequent level, those that their day explains


class Attribute(Protocol):
    """The level of every user on every day."""

    def level(self, user: Ints, day: Ints) -> Ints:
        """Of `n` user-days, `(n,)`."""

    def of_users(self, users: Flags) -> "Attribute":
        """Of some users, who are numbered anew; `users` has shape `(users,)`."""


class OfDays(NamedTuple):
    """The level of each day, whoever the user is."""

    first_day: int
    levels: Ints  # of the days from the first one on, (days,)

    def level(self, user: Ints, day: Ints) -> Ints:
        """Days before the first or after the last have that one's."""
        level: Ints = self.levels[np.clip(day - self.first_day, 0, len(self.levels) - 1)]
        return level

    def of_users(self, users: Flags) -> "OfDays":
        """The same."""
        return self


class OfUsers(NamedTuple):
    """The level of users after a day, by user and day; what holds at first holds before it too."""

    user: Ints  # ascending, (n,)
    day: Ints  # after which the level holds, ascending of each user, (n,)
    levels: Ints  # (n,)

    @classmethod
    def of_rows(cls, user: Ints, time: Ints, day: Ints, level: Ints) -> "OfUsers":
        """From rows in any order, each `(rows,)`; those without a level say nothing.

        >>> user, day = np.array([0, 0]), np.array([3, 5])
        >>> OfUsers.of_rows(user, day * 86400, day, np.array([7, 8])).level(
        ...     np.zeros(4, int), np.array([2, 4, 5, 6])).tolist()
        [7, 7, 7, 8]
        """
        rows = np.flatnonzero(level != MISSING)
        order = rows[np.lexsort((level[rows], time[rows], day[rows], user[rows]))]
        user, day, level = user[order], day[order], level[order]
        begins = np.diff(user, prepend=-1) != 0
        ends_day = np.ones(len(order), np.bool_)
        ends_day[:-1] = (user[1:] != user[:-1]) | (day[1:] != day[:-1])
        # The first row of a user stands for the time before it too.
        parts = [
            (user[begins], day[begins] - 1, level[begins]),
            (user[ends_day], day[ends_day], level[ends_day]),
        ]
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        in_order = np.lexsort((columns[1], columns[0]))
        return cls(*(column[in_order] for column in columns))

    def level(self, user: Ints, day: Ints) -> Ints:
        """What the last row before the day said, else the user's first one."""
        if not len(self.user):
            return np.full(len(user), MISSING)
        low, high = int(self.day.min()), int(self.day.max())
        days = high - low + 2
        known = self.user * days + self.day - low
        # Of every user, days up to the first known one count as the day after what holds at first.
        asked = user * days + np.clip(day - low, 0, days - 1)
        last = np.searchsorted(known, asked) - 1
        following = np.minimum(last + 1, len(self.user) - 1)
        at = np.where((last >= 0) & (self.user[last] == user), last, following)
        return np.where(self.user[at] == user, self.levels[at], MISSING)

    def of_users(self, users: Flags) -> "OfUsers":
        """Those of some users, who are numbered anew; `users` has shape `(users,)`."""
        kept = users[self.user]
        number = np.cumsum(users) - 1
        return OfUsers(number[self.user[kept]], self.day[kept], self.levels[kept])


def of_days(day: Ints, level: Ints) -> OfDays | None:
    """The level of each day, from rows `(rows,)`; None where a column is not of days.

    It is where nearly all rows that differ from the most frequent level have their day's (Goodman
    and Kruskal's lambda). A day without rows is like the last one before it.
    """
    said = level != MISSING
    day, level = day[said], level[said]
    if not len(day):
        return None
    first, levels = int(day.min()), int(level.max()) + 1
    days, which = np.unique(day, return_inverse=True)
    rows = np.bincount(which * levels + level, minlength=len(days) * levels)
    rows = rows.reshape(len(days), levels)
    same, of_their_day = rows.sum(axis=0).max(), rows.max(axis=1).sum()
    few = len(day) < FEWEST_ROWS * len(days)
    if few or of_their_day - same < OF_DAYS * (len(day) - same) or same == len(day):
        return None
    every_day = np.arange(first, int(day.max()) + 1)
    last = np.searchsorted(days, every_day, side="right") - 1
    return OfDays(first, rows.argmax(axis=1)[last])
