"""Touchpoints of whole users as arrays in one canonical order: user, time, conversion, channel.

Every later step relies on that order: the touches that an example sees are then a slice. The order
in which rows arrived leaves no trace.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Touchpoints:
    """`n` rows of whole users; `user` counts from 0, `channel` is -1 where there is none.

    `time` is in unix seconds; `day` and `second` are the local calendar day (days since 1970) and
    the second in it. `value` is NaN where a table has no value.
    """

    user: Ints
    time: Ints
    day: Ints
    second: Ints
    channel: Ints
    conversion: Flags
    value: Floats

    def __len__(self) -> int:
        return len(self.user)

    def take(self, rows: Ints | Flags) -> "Touchpoints":
        return Touchpoints(**{name: column[rows] for name, column in vars(self).items()})


def arrange(rows: Touchpoints) -> tuple[Touchpoints, int]:
    """Sort rows and count rows that are equal in every column once; returns how many went.

    >>> one = np.array([0, 0])
    >>> rows = Touchpoints(user=one, time=one + 5, day=one, second=one + 5, channel=one,
    ...                    conversion=one > 0, value=one * 0.0)
    >>> arrange(rows)[1]
    1
    """
    widest = int(rows.channel.max(initial=0)) + 2
    moment = (rows.time * 2 + rows.conversion) * widest + rows.channel + 1
    order = np.lexsort((rows.value, moment, rows.user))
    moment, user, value = moment[order], rows.user[order], rows.value[order]
    same_value = (value[1:] == value[:-1]) | (np.isnan(value[1:]) & np.isnan(value[:-1]))
    repeated = (moment[1:] == moment[:-1]) & (user[1:] == user[:-1]) & same_value
    kept = order[np.concatenate([[True], ~repeated])] if len(order) else order
    return _onward(rows.take(kept)), len(rows) - len(kept)


def _onward(rows: Touchpoints) -> Touchpoints:
    """A clock set back at the end of summer time does not turn a user's local time back."""
    if not len(rows):
        return rows
    local = rows.day * SECONDS_PER_DAY + rows.second
    low, span = local.min(), local.max() - local.min() + 1
    local = np.maximum.accumulate(rows.user * span + local - low) - rows.user * span + low
    return replace(rows, day=local // SECONDS_PER_DAY, second=local % SECONDS_PER_DAY)
