"""All touchpoints of some users as arrays in one canonical order: user, time, conversion, channel.

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
    """All `n` rows of some users, each array of shape `(n,)`."""

    user: Ints  # counted from 0
    time: Ints  # unix seconds
    day: Ints  # local calendar day, in days since 1970
    second: Ints  # of the local day
    channel: Ints  # -1 where there is none
    conversion: Flags
    value: Floats  # NaN where a table has no value

    def __len__(self) -> int:
        return len(self.user)

    def take(self, rows: Ints | Flags) -> "Touchpoints":
        """Some of the rows, in the order given."""
        columns = {name: column[rows] for name, column in vars(self).items()}
        return Touchpoints(**columns)


def arrange(rows: Touchpoints) -> tuple[Touchpoints, int]:
    """Sort rows, and drop those equal to another in every column; returns how many were dropped.

    >>> one = np.array([0, 0])
    >>> rows = Touchpoints(user=one, time=one + 5, day=one, second=one + 5, channel=one,
    ...                    conversion=one > 0, value=one * 0.0)
    >>> arrange(rows)[1]
    1
    """
    if not len(rows):
        return rows, 0
    event = _event_code(rows)
    order = np.lexsort((rows.value, event, rows.user))
    differs = _differs_from_previous(rows.user[order], event[order], rows.value[order])
    distinct = order[differs]
    duplicates = len(rows) - len(distinct)
    return _onward(rows.take(distinct)), duplicates


def _event_code(rows: Touchpoints) -> Ints:
    """Time, then conversion, then channel as one number, so that one sort orders all three."""
    codes = int(rows.channel.max(initial=0)) + 2  # of channels, -1 for none included
    time_and_conversion = rows.time * 2 + rows.conversion
    return time_and_conversion * codes + rows.channel + 1


def _differs_from_previous(user: Ints, event: Ints, value: Floats) -> Flags:
    """Whether each sorted row differs from the one before it, shape `(n,)`; the first row does."""
    same_user = user[1:] == user[:-1]
    same_event = event[1:] == event[:-1]
    # Two missing values are equal here, which NaN is not.
    missing = np.isnan(value)
    both_missing = missing[1:] & missing[:-1]
    same_value = (value[1:] == value[:-1]) | both_missing
    differs = ~(same_user & same_event & same_value)
    return np.concatenate([[True], differs])


def _onward(rows: Touchpoints) -> Touchpoints:
    """A clock set back at the end of summer time does not turn a user's local time back."""
    local = rows.day * SECONDS_PER_DAY + rows.second
    earliest = local.min()
    span = local.max() - earliest + 1
    # A stretch of the time line for every user: one running maximum then serves all of them.
    user_start = rows.user * span - earliest
    latest = np.maximum.accumulate(user_start + local)
    day, second = np.divmod(latest - user_start, SECONDS_PER_DAY)
    return replace(rows, day=day, second=second)
