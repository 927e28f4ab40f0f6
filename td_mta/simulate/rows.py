"""What every simulated world makes: touchpoint rows as columns, users and channels as numbers."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from td_mta.simulate.draws import Floats, Integers

Bools = npt.NDArray[np.bool_]

START = 1_767_225_600  # 2026-01-01 00:00 UTC, a Thursday


class Rows(NamedTuple):
    """Touchpoints as columns of one length.

    `time` is in unix seconds; `channel` indexes the world's channels, -1 for none; `cents` is the
    value of an order in whole cents, so that sums are exact, and -1 where nothing was sold.
    """

    user: Integers
    time: Integers
    channel: Integers
    conversion: Bools
    cents: Integers

    @property
    def value(self) -> Floats:
        """The value of orders, NaN where nothing was sold."""
        return np.where(self.conversion, self.cents / 100, np.nan)

    def take(self, rows: Integers | Bools) -> "Rows":
        return Rows(
            user=self.user[rows],
            time=self.time[rows],
            channel=self.channel[rows],
            conversion=self.conversion[rows],
            cents=self.cents[rows],
        )


def in_order(rows: Rows) -> Rows:
    """Sorted by user and time; at one second touches come before the conversion."""
    return rows.take(np.lexsort((rows.channel, rows.conversion, rows.time, rows.user)))


def joined(parts: list[Rows]) -> Rows:
    return Rows(
        user=np.concatenate([part.user for part in parts]),
        time=np.concatenate([part.time for part in parts]),
        channel=np.concatenate([part.channel for part in parts]),
        conversion=np.concatenate([part.conversion for part in parts]),
        cents=np.concatenate([part.cents for part in parts]),
    )
