"""What arranged rows are, where a table says it in ways of its own: orders of several rows, a flag
on every touch of a journey, refunds, orders that follow at once, users who are no people.
"""

import operator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from td_mta.journeys.runs import owners
from td_mta.journeys.touchpoints import NO_ID, Flags, Floats, Ints, Marks, Touchpoints
from td_mta.journeys.windows import Journeys


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How rows are read; the defaults take each for what it is."""

    flags_of_journeys: bool = False  # the flag stands on every touch of a journey that converts
    subtract_refunds: bool = False
    repeats_within: int | None = None  # seconds after a conversion in which the next is part of it
    max_touches: int | None = None  # users with more are left out
    max_conversions: int | None = None


class Counts(NamedTuple):
    """What reading changed, in rows unless it says otherwise; counts of parts add up."""

    same_order: int = 0  # further rows of an order that counts once
    orders_with_values: int = 0  # orders whose rows have different values
    repeats: int = 0  # conversions so soon after the previous one that they count with it
    subtracted: int = 0  # refunds
    subtracted_value: float = 0.0  # above 0
    unmatched: int = 0  # refunds of users without an earlier conversion
    unmatched_value: float = 0.0

    def plus(self, other: "Counts") -> "Counts":
        """Both together."""
        return Counts(*map(operator.add, self, other))


class Read(NamedTuple):
    """Rows that mean what `Journeys` takes them for."""

    rows: Touchpoints
    marks: Marks  # of these rows
    counts: Counts


def read(rows: Touchpoints, marks: Marks, reading: Reading) -> Read:
    """The rows in their order, with one conversion row for each conversion."""
    counts = Counts()
    if reading.flags_of_journeys:
        rows = _converting_once(rows, marks.journey)
    if marks.order is not None:
        rows, marks, counts = _orders_once(rows, marks)
    if reading.subtract_refunds:
        stays = ~is_refund(rows)
        rows, of_refunds = _refunds_subtracted(rows, marks.order)
        marks = marks.take(stays)
        counts = counts.plus(of_refunds)
    if reading.repeats_within is not None:
        stays = ~_repeats(rows, reading.repeats_within)
        rows, of_repeats = _repeats_once(rows, stays)
        marks = marks.take(stays)
        counts = counts.plus(of_repeats)
    return Read(rows, marks, counts)


def users_within(journeys: Journeys, reading: Reading) -> Flags:
    """Which users have no more touches and conversions than the limits, shape `(users,)`."""
    within = np.ones(journeys.users, np.bool_)
    for limit, rows in (
        (reading.max_touches, "touches"),
        (reading.max_conversions, "conversions"),
    ):
        if limit is not None:
            user = getattr(journeys, rows).user
            within &= np.bincount(user, minlength=journeys.users) <= limit
    return within


class _Groups(NamedTuple):
    """Rows by user and id, each group in the order of its rows."""

    rows: Ints  # (n,)
    offsets: Ints  # group `i` is `rows[offsets[i]:offsets[i + 1]]`, (groups + 1,)

    @classmethod
    def of(cls, rows: Ints, user: Ints, group_id: Ints) -> "_Groups":
        order = np.lexsort((group_id, user))
        user, group_id = user[order], group_id[order]
        begins = np.ones(len(rows), np.bool_)
        begins[1:] = (user[1:] != user[:-1]) | (group_id[1:] != group_id[:-1])
        return cls(rows[order], np.append(np.flatnonzero(begins), len(rows)))

    @property
    def first(self) -> Ints:
        first: Ints = self.rows[self.offsets[:-1]]
        return first

    @property
    def last(self) -> Ints:
        last: Ints = self.rows[self.offsets[1:] - 1]
        return last

    def value(self, value: Floats) -> tuple[Floats, int]:
        """The first value of each group that is not missing, and how many groups have several."""
        group = owners(np.diff(self.offsets))
        of_row = value[self.rows]
        known = ~np.isnan(of_row)
        first = np.full(len(self.offsets) - 1, np.nan)
        # Assigned from the last to the first, so that the first one stays.
        first[group[known][::-1]] = of_row[known][::-1]
        differs = known & (of_row != first[group])
        return first, len(np.unique(group[differs]))


def _converting_once(rows: Touchpoints, journey: Ints | None) -> Touchpoints:
    """Of the flags of a journey only the last one stays, with the journey's value."""
    flagged = np.flatnonzero(rows.conversion)
    journey_id = np.full(len(flagged), NO_ID) if journey is None else journey[flagged]
    groups = _Groups.of(flagged, rows.user[flagged], journey_id)
    conversion = np.zeros(len(rows), np.bool_)
    conversion[groups.last] = True
    value = np.where(rows.conversion, np.nan, rows.value)
    value[groups.last], _ = groups.value(rows.value)
    return replace(rows, conversion=conversion, value=value)


def _orders_once(rows: Touchpoints, marks: Marks) -> tuple[Touchpoints, Marks, Counts]:
    """Of a user's conversion rows with one order id the first stays, with the first known value."""
    order = marks.order
    assert order is not None
    of_orders = np.flatnonzero(rows.conversion & (order != NO_ID))
    groups = _Groups.of(of_orders, rows.user[of_orders], order[of_orders])
    value = rows.value.copy()
    value[groups.first], differing = groups.value(rows.value)
    stays = np.ones(len(rows), np.bool_)
    stays[of_orders] = False
    stays[groups.first] = True
    further = len(of_orders) - len(groups.first)
    counts = Counts(same_order=further, orders_with_values=differing)
    if not further:
        return replace(rows, value=value), marks, counts
    return replace(rows, value=value).take(stays), marks.take(stays), counts


def is_refund(rows: Touchpoints) -> Flags:
    """Whether rows are refunds: neither touch nor conversion, with a value below 0."""
    return ~rows.conversion & (rows.channel < 0) & (rows.value < 0)


def _refunds_subtracted(rows: Touchpoints, order: Ints | None) -> tuple[Touchpoints, Counts]:
    """Each refund's value taken from the user's conversion of the same order, else from the latest
    one up to its time; refunds of users without one change nothing.
    """
    refunds = is_refund(rows)
    refund, conversion = np.flatnonzero(refunds), np.flatnonzero(rows.conversion)
    target = _latest_before(rows, refund, conversion)
    if order is not None:
        of_order = _of_same_order(rows.user, order, refund, conversion)
        target = np.where(of_order >= 0, of_order, target)
    matched = target >= 0
    amount = -rows.value[refund]
    value = rows.value.copy()
    value[target[matched]] = np.nan_to_num(value[target[matched]], nan=0.0)
    np.subtract.at(value, target[matched], amount[matched])
    counts = Counts(
        subtracted=int(matched.sum()),
        subtracted_value=float(amount[matched].sum()),
        unmatched=int((~matched).sum()),
        unmatched_value=float(amount[~matched].sum()),
    )
    if not len(refund):
        return rows, counts
    return replace(rows, value=value).take(~refunds), counts


def _latest_before(rows: Touchpoints, refund: Ints, conversion: Ints) -> Ints:
    """The row of the user's latest conversion up to the time of each refund, -1 for none."""
    if not len(conversion):
        return np.full(len(refund), -1)
    span = int(rows.time.max()) + 1
    moment = rows.user * span + rows.time  # ascending
    before = np.searchsorted(moment[conversion], moment[refund], side="right") - 1
    latest = conversion[np.maximum(before, 0)]
    own = (before >= 0) & (rows.user[latest] == rows.user[refund])
    return np.where(own, latest, -1)


def _of_same_order(user: Ints, order: Ints, refund: Ints, conversion: Ints) -> Ints:
    """The row of the user's conversion with the same order id, -1 for none."""
    both = np.concatenate([conversion, refund])
    pairs = np.stack([user[both], order[both]], axis=1)
    _, code = np.unique(pairs, axis=0, return_inverse=True)
    row_of_code = np.full(len(both), -1)
    of_conversion, of_refund = np.split(code.reshape(-1), [len(conversion)])
    row_of_code[of_conversion] = conversion
    found = row_of_code[of_refund]
    return np.where(order[refund] == NO_ID, -1, found)


def _repeats(rows: Touchpoints, within: int) -> Flags:
    """Whether a row is a conversion within so many seconds of the user's one before, `(rows,)`."""
    conversion = np.flatnonzero(rows.conversion)
    user, time = rows.user[conversion], rows.time[conversion]
    follows = (user[1:] == user[:-1]) & (time[1:] - time[:-1] <= within)
    repeats = np.zeros(len(rows), np.bool_)
    repeats[conversion[1:][follows]] = True
    return repeats


def _repeats_once(rows: Touchpoints, stays: Flags) -> tuple[Touchpoints, Counts]:
    """The rows that stay; conversions that do not add their value to the one before that does."""
    conversion = np.flatnonzero(rows.conversion)
    is_first = stays[conversion]
    first, group = conversion[is_first], np.cumsum(is_first) - 1
    of_row = rows.value[conversion]
    known = np.bincount(group, ~np.isnan(of_row), len(first)) > 0
    value = rows.value.copy()
    value[first] = np.where(known, np.bincount(group, np.nan_to_num(of_row), len(first)), np.nan)
    repeats = int(np.count_nonzero(~stays))
    return replace(rows, value=value).take(stays), Counts(repeats=repeats)
