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
    key, keys_per_moment = _row_keys(rows)
    ids = [column for column in (marks.order, marks.journey) if column is not None]
    tie = [] if marks.tie is None else [marks.tie]
    order, is_new = _sorted_by_key(key, [rows.value, *ids], tie)
    distinct = order if is_new.all() else order[is_new]
    if arrival or marks.tie is not None:
        moment = key[distinct] // keys_per_moment
        distinct = _in_order_at_equal_times(distinct, moment, rows.conversion, marks.tie, arrival)
    once = rows.take(distinct)
    conversions = np.count_nonzero(rows.conversion) - np.count_nonzero(once.conversion)
    return Arranged(_onward(once), marks.take(distinct), len(rows) - len(once), conversions)


def same_time_as_previous(rows: Touchpoints) -> Flags:
    """Whether a row has the user and the time of the row before it, shape `(n,)`."""
    same = np.zeros(len(rows), np.bool_)
    same[1:] = (rows.user[1:] == rows.user[:-1]) & (rows.time[1:] == rows.time[:-1])
    return same


def _row_keys(rows: Touchpoints) -> tuple[Ints, int]:
    """User, time, conversion and channel as one number `(n,)`, so that one sort orders all four.

    The second number divides a key to one of user and time alone.
    """
    codes = int(rows.channel.max()) + 2  # of channels, -1 for none included
    time, span = rows.time - rows.time.min(), int(np.ptp(rows.time)) + 1
    if (int(rows.user.max()) + 1) * span >= np.iinfo(np.int64).max // (2 * codes):
        time = np.unique(time, return_inverse=True)[1]
        span = int(time.max()) + 1
    moment = rows.user * span + time
    return (moment * 2 + rows.conversion) * codes + rows.channel + 1, 2 * codes


def _sorted_by_key(
    key: Ints, differing: list[Ints | Floats], tie: list[Ints]
) -> tuple[Ints, Flags]:
    """Row numbers by key, then by the columns `differing` and `tie`, then as they came; and where
    a row differs from the one before it in key or `differing`, both `(n,)`.
    """
    order = np.argsort(key)
    in_order = key[order]
    is_new = np.ones(len(key), np.bool_)
    is_new[1:] = in_order[1:] != in_order[:-1]
    if is_new.all():
        return order, is_new
    # Few rows share their key with another, and only those need the other columns.
    tied = np.flatnonzero(~is_new | ~np.append(is_new[1:], True))
    row, run = order[tied], np.cumsum(is_new)[tied]
    of_tied = (column[row] for column in (*tie, *reversed(differing)))
    row = row[np.lexsort((row, *of_tied, run))]
    order[tied] = row
    for column in differing:
        value = column[row]
        # Two missing values are equal here, which NaN is not.
        same = (value[1:] == value[:-1]) | (value[1:] != value[1:]) & (value[:-1] != value[:-1])
        is_new[tied[1:]] |= ~same
    return order, is_new


def _in_order_at_equal_times(
    canonical: Ints, moment: Ints, conversion: Flags, tie: Ints | None, arrival: int
) -> Ints:
    """Row numbers in canonical order, those of one `moment` of a user in the order that `tie` or
    arrival gives.
    """
    begins = np.concatenate([[True], moment[1:] != moment[:-1]])
    tied = np.flatnonzero(~begins | ~np.append(begins[1:], True))
    if not len(tied):
        return canonical
    row = canonical[tied]
    keys = [row * arrival, conversion[row]]
    if tie is not None:
        keys.append(tie[row])
    in_order: Ints = canonical.copy()
    in_order[tied] = row[np.lexsort((*keys, moment[tied]))]
    return in_order


def _onward(rows: Touchpoints) -> Touchpoints:
    """A clock set back at the end of summer time does not turn a user's local time back."""
    local = rows.day * SECONDS_PER_DAY + rows.second
    earliest = local.min()
    span = local.max() - earliest + 1
    # A stretch of the time line for every user: one running maximum then serves all of them.
    user_start = rows.user * span - earliest
    shown = user_start + local
    latest = np.maximum.accumulate(shown)
    if np.array_equal(latest, shown):
        return rows
    day, second = day_and_second(latest - user_start)
    return replace(rows, day=day, second=second)


def day_and_second(clock: Ints) -> tuple[Ints, Ints]:
    """Seconds since a midnight as whole days and the seconds of the last one.

    >>> day_and_second(np.array([86_401]))
    (array([1]), array([1]))
    """
    day = clock // SECONDS_PER_DAY
    return day, clock - day * SECONDS_PER_DAY
