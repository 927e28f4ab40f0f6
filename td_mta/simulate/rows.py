"""Touchpoint rows of simulated users as columns; users and channels are numbers."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from td_mta.journeys.touchpoints import Flags, Floats, Ints

START = 1_767_225_600  # unix seconds of 2026-01-01 00:00 UTC, a Thursday


class UnfitWorldError(ValueError):
    """What was asked for cannot be simulated; the message is for the user."""

    exit_code = 2


class TouchpointRows(NamedTuple):
    """`n` touches and conversions as columns, each `(n,)`."""

    user: Ints
    time: Ints  # unix seconds
    channel: Ints  # index of the world's channels, -1 for none
    conversion: Flags
    cents: Ints  # value of an order in whole cents, so that sums are exact; -1 where none was sold

    @property
    def value(self) -> Floats:
        """The value of orders in money `(n,)`, NaN where nothing was sold."""
        return np.where(self.conversion, self.cents / 100, np.nan)

    def take(self, rows: Ints | Flags) -> "TouchpointRows":
        """The rows of these numbers, or those that are flagged."""
        return TouchpointRows(
            user=self.user[rows],
            time=self.time[rows],
            channel=self.channel[rows],
            conversion=self.conversion[rows],
            cents=self.cents[rows],
        )


def sort_rows(rows: TouchpointRows) -> TouchpointRows:
    """The rows by user and time; within a second touches come before the conversion."""
    order = np.lexsort((rows.channel, rows.conversion, rows.time, rows.user))
    return rows.take(order)


def concatenate_rows(parts: Sequence[TouchpointRows]) -> TouchpointRows:
    """The rows of all parts, one part after the other."""
    return TouchpointRows(
        user=np.concatenate([part.user for part in parts]),
        time=np.concatenate([part.time for part in parts]),
        channel=np.concatenate([part.channel for part in parts]),
        conversion=np.concatenate([part.conversion for part in parts]),
        cents=np.concatenate([part.cents for part in parts]),
    )


def touch_rows(users: Ints, first: Ints, last: Ints, midnight: int) -> TouchpointRows:
    """A row per touch of the day that begins at `midnight`, in unix seconds.

    `first` and `last` `(channels, users)` are seconds of the day, `last` -1 where untouched.
    """
    channel, user = np.nonzero(last >= 0)
    channel_twice, user_twice = np.nonzero(last > first)
    second_of_day = np.concatenate([first[channel, user], last[channel_twice, user_twice]])
    user = np.concatenate([user, user_twice])
    return TouchpointRows(
        user=users[user],
        time=midnight + second_of_day,
        channel=np.concatenate([channel, channel_twice]),
        conversion=np.zeros(len(user), bool),
        cents=np.full(len(user), -1),
    )


def conversion_rows(users: Ints, times: Ints, cents: Ints) -> TouchpointRows:
    """A row per conversion."""
    return TouchpointRows(
        user=users,
        time=times,
        channel=np.full(len(users), -1),
        conversion=np.ones(len(users), bool),
        cents=cents,
    )
