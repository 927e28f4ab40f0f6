"""All touchpoints of some users as arrays in one canonical order: user, then time.

Every later step relies on that order: the touches that an example sees are then a slice. The order
in which rows arrived matters only between rows of a user at one time, and only where it is known.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SECONDS_PER_DAY = 86_400
NO_ID = int(np.iinfo(np.int64).min)


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


class Marks(NamedTuple):
    """What some tables know of their `n` rows beyond `Touchpoints`; None where a table does not."""

    tie: Ints | None = None  # orders the rows of a user at equal times, (n,)
    order: Ints | None = None  # id of the order that a row belongs to or NO_ID, (n,)
    journey: Ints | None = None  # id of the conversion that a row leads to or NO_ID, (n,)

    def take(self, rows: Ints | Flags) -> "Marks":
        """Those of some rows, in the order given."""
        return Marks(*(None if column is None else column[rows] for column in self))


NO_MARKS = Marks()


class Arranged(NamedTuple):
    """Rows in canonical order, each once."""

    rows: Touchpoints
    marks: Marks
    duplicates: int  # rows left out, equal to another in all that was read but `tie`
    duplicate_conversions: int  # those of them that were conversions


def arrange(rows: Touchpoints, marks: Marks = NO_MARKS, arrival: int = 0) -> Arranged:
    """Sort rows, and leave out those that are equal to another one.

    At equal times `marks.tie` decides, then conversions come last, then come the order in which
    rows arrived (`arrival` 1), its reverse (-1) or neither (0), then channel and value.

    >>> one = np.array([0, 0])
    >>> rows = Touchpoints(user=one, time=one + 5, day=one, second=one + 5, channel=one,
    ...                    conversion=one > 0, value=one * 0.0)
    >>> arrange(rows).duplicates
    1
    """
    if not len(rows):
        return Arranged(rows, marks, 0, 0)
    event = _event_code(rows)
    ids = [column for column in (marks.order, marks.journey) if column is not None]
    tie = [] if marks.tie is None else [marks.tie]
    order = np.lexsort((*tie, *reversed(ids), rows.value, event, rows.user))
    keys = [rows.user, event, *ids]
    differs = _differs_from_previous([key[order] for key in keys], rows.value[order])
    distinct = order[differs]
    if arrival or marks.tie is not None:
        distinct = _in_order_at_equal_times(distinct, rows, marks.tie, arrival)
    once = rows.take(distinct)
    conversions = np.count_nonzero(rows.conversion) - np.count_nonzero(once.conversion)
    return Arranged(_onward(once), marks.take(distinct), len(rows) - len(once), conversions)


def same_time_as_previous(rows: Touchpoints) -> Flags:
    """Whether a row has the user and the time of the row before it, shape `(n,)`."""
    same = np.zeros(len(rows), np.bool_)
    same[1:] = (rows.user[1:] == rows.user[:-1]) & (rows.time[1:] == rows.time[:-1])
    return same


def _event_code(rows: Touchpoints) -> Ints:
    """Time, then conversion, then channel as one number, so that one sort orders all three."""
    codes = int(rows.channel.max(initial=0)) + 2  # of channels, -1 for none included
    time_and_conversion = rows.time * 2 + rows.conversion
    return time_and_conversion * codes + rows.channel + 1


def _differs_from_previous(keys: list[Ints], value: Floats) -> Flags:
    """Whether each sorted row differs from the one before it, shape `(n,)`; the first row does."""
    # Two missing values are equal here, which NaN is not.
    missing = np.isnan(value)
    same = (value[1:] == value[:-1]) | (missing[1:] & missing[:-1])
    for key in keys:
        same &= key[1:] == key[:-1]
    return np.concatenate([[True], ~same])


def _in_order_at_equal_times(
    canonical: Ints, rows: Touchpoints, tie: Ints | None, arrival: int
) -> Ints:
    """Row numbers in canonical order, those of a user at one time in the order that `tie` or
    arrival gives.
    """
    user, time = rows.user[canonical], rows.time[canonical]
    same = (user[1:] == user[:-1]) & (time[1:] == time[:-1])
    begins = np.concatenate([[True], ~same])
    tied = np.flatnonzero(~begins | ~np.append(begins[1:], True))
    if not len(tied):
        return canonical
    row = canonical[tied]
    moment = np.cumsum(begins)[tied]  # a number for each user and time
    keys = [row * arrival, rows.conversion[row]]
    if tie is not None:
        keys.append(tie[row])
    in_order: Ints = canonical.copy()
    in_order[tied] = row[np.lexsort((*keys, moment))]
    return in_order


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
