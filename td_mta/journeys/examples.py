"""Examples of both ways, counted by pattern: `touch_days` and `person_days`.

Days are never held one by one: a stretch of days without an event shifts the pattern of the day
before it, and days that see nothing are a number.
"""

from typing import NamedTuple

import numpy as np

from td_mta.journeys import patterns
from td_mta.journeys.patterns import Grid, Keys, Patterns, mix
from td_mta.journeys.touchpoints import SECONDS_PER_DAY, Flags, Ints
from td_mta.journeys.windows import Journeys, Windows, look_back, patterns_seen

NEGATIVE, POSITIVE, AUGMENTED = 0, 1, 2
FEWEST_TIMES_OF_DAY = 200


class Examples(NamedTuple):
    """How many examples have a pattern: `counts[i, kind, group]` of pattern `i`.

    Groups weigh users: a user of weight 2 in a group counts twice there.
    """

    patterns: Patterns
    counts: Ints


def split_weights(held_out: Flags) -> Ints:
    """Weights of two groups, shape `(users, 2)`: training users, then those held out."""
    return np.stack([~held_out, held_out], axis=1).astype(np.int64)


class PatternCounts(NamedTuple):
    """`counts` of patterns in each group, of one kind, shape `(n, groups)`."""

    patterns: Patterns
    kind: int
    counts: Ints


def select_groups(examples: Examples, groups: slice) -> Examples:
    """The patterns that some of the groups have."""
    counts = examples.counts[:, :, groups]
    some = np.flatnonzero(counts.any(axis=(1, 2)))
    return Examples(examples.patterns.take(some), counts[some])


def merge(parts: list[Examples]) -> Examples:
    """One pattern once, counts added."""
    found, which = patterns.distinct(patterns.join([part.patterns for part in parts]))
    counts = np.zeros((len(found.keys), *parts[0].counts.shape[1:]), np.int64)
    np.add.at(counts, which, np.concatenate([part.counts for part in parts]))
    return Examples(found, counts)


def touch_days(journeys: Journeys, weights: Ints, grid: Grid, *, augment: bool) -> Examples:
    """Positives: every conversion with a touch in its window. Negatives: users who never convert,
    one per active day, and the shorter windows at the end of a journey.

    `weights` are each user's in every group, shape `(users, groups)`. With `augment` every example
    counts once more as `AUGMENTED`, with the anchor day emptied (but for those left with nothing).
    """
    positive = look_back(journeys, journeys.conversion_windows, grid.days)
    positive = positive.take(positive.stop > positive.start)
    parts = [
        _counts_of_windows(journeys, positive, POSITIVE, weights, grid),
        _counts_of_windows(journeys, _active_days(journeys, grid.days), NEGATIVE, weights, grid),
    ]
    if augment:
        parts += [_anchor_day_emptied(each, grid) for each in parts]
    return _count(parts)


def _anchor_day_emptied(part: PatternCounts, grid: Grid) -> PatternCounts:
    sets = patterns.without_day_zero(part.patterns, grid)
    rest = np.flatnonzero(sets.sizes)
    return PatternCounts(sets.take(rest), AUGMENTED, part.counts[rest])


def _active_days(journeys: Journeys, days: int) -> Windows:
    """Windows of the users who never convert."""
    user_day = journeys.touch_days
    opens = np.flatnonzero(np.diff(user_day, prepend=-1))
    user, day = journeys.touches.user[opens], journeys.touches.day[opens]
    closes = np.append(opens[1:], len(user_day))
    never = np.bincount(journeys.conversions.user, minlength=journeys.users)[user] == 0
    end = journeys.first_touch[user + 1]
    last_day = journeys.touches.day[end - 1]
    oldest = journeys.day_opens(user, last_day - days + 1)
    shorter = never & (opens > oldest)
    whole = Windows(user[never], day[never], journeys.first_touch[user[never]], closes[never])
    rest = Windows(user[shorter], last_day[shorter], opens[shorter], end[shorter])
    return Windows(*(np.concatenate(pair) for pair in zip(whole, rest, strict=True)))


def conversion_times_of_day(journeys: Journeys, days: int) -> tuple[Ints, Ints]:
    """Seconds of the day of all conversions, and of those that had no touch in their window.

    Not even later on their day: on a day with a touch only a conversion before it has none in its
    window, so those would make the drawn cuts too early, and the touches of that day too strong.
    """
    windows = look_back(journeys, journeys.conversion_windows, days)
    user, day, second = windows.user, windows.anchor, journeys.conversions.second
    quiet = journeys.day_opens(user, day) == journeys.day_opens(user, day + 1)
    return second, second[quiet & (windows.start == windows.stop)]


class CutTimes(NamedTuple):
    """The time of day up to which a day without conversion is seen: drawn from `times_of_day`.

    `times_of_day` is sorted; None sees whole days. `user_hash` has one number per user.
    """

    times_of_day: Ints | None
    user_hash: Keys

    def second(self, user: Ints, day: Ints) -> Ints:
        if self.times_of_day is None:
            return np.full(len(user), SECONDS_PER_DAY)
        drawn = mix(self.user_hash[user] ^ mix(day.astype(np.uint64))) >> np.uint64(11)
        share = drawn.astype(np.float64) / 2.0**53
        return self.times_of_day[(share * len(self.times_of_day)).astype(np.int64)]


def person_days(
    journeys: Journeys, weights: Ints, grid: Grid, cut: CutTimes, last_day: int
) -> Examples:
    """Every user-day from the first touch to `last_day`, positive when a conversion falls on it.

    A positive day is seen up to its first conversion, another day up to its cut. A day whose cut
    precedes the user's first touch is none.
    """
    days = _EventDays.of(journeys, last_day)
    positive = journeys.conversion_windows.take(days.first_conversion[days.converts])
    started = positive.stop > journeys.first_touch[positive.user]
    parts = [
        _counts_of_windows(journeys, positive.take(started), POSITIVE, weights, grid),
        _counts_of_windows(journeys, _days_up_to_cut(journeys, days, cut), NEGATIVE, weights, grid),
    ]
    return _count(parts + _gaps(journeys, days, weights, grid))


def person_days_forward(
    journeys: Journeys, weights: Ints, grid: Grid, cut: CutTimes, held_out: int, last_day: int
) -> Examples:
    """`person_days` in two groups, those before the day `held_out` and those from it on; then the
    first again with `weights`, shape `(users, groups)`.

    An example knows nothing of later days, so the second group is all examples less the first.
    """
    ones = np.ones((len(weights), 1), np.int64)
    past = np.concatenate([ones, -ones, weights], axis=1)
    whole = np.concatenate([0 * ones, ones, 0 * weights], axis=1)
    return merge(
        [
            person_days(journeys.before(held_out), past, grid, cut, held_out - 1),
            person_days(journeys, whole, grid, cut, last_day),
        ]
    )


class _EventDays(NamedTuple):
    """The user-days with a touch or a conversion, from the user's first touch on."""

    user: Ints
    day: Ints
    converts: Flags
    first_conversion: Ints  # which conversion, where the day converts
    conversions_before: Ints  # conversions of all users before this user-day
    conversions_after: Ints  # the same, up to its end
    gap: Ints  # days without event up to the next one or to the end of the data

    @staticmethod
    def of(journeys: Journeys, last_day: int) -> "_EventDays":
        at = np.concatenate([journeys.touch_days, journeys.conversion_days])
        at, row = np.unique(at, return_index=True)
        user = np.concatenate([journeys.touches.user, journeys.conversions.user])[row]
        day = np.concatenate([journeys.touches.day, journeys.conversions.day])[row]
        touched = journeys.first_touch[user] < journeys.first_touch[user + 1]
        opens = journeys.first_touch[user[touched]]
        rows = np.flatnonzero(touched)
        rows = rows[day[rows] >= journeys.touches.day[opens]]
        user, day, at = user[rows], day[rows], at[rows]
        before = np.searchsorted(journeys.conversion_days, at, side="left")
        after = np.searchsorted(journeys.conversion_days, at, side="right")
        following = np.append(day[1:], 0) - 1
        following[np.append(user[1:] != user[:-1], True)[: len(user)]] = last_day
        return _EventDays(user, day, after > before, before, before, after, following - day)


def _days_up_to_cut(journeys: Journeys, days: _EventDays, cut: CutTimes) -> Windows:
    calm = ~days.converts
    user, day = days.user[calm], days.day[calm]
    line = journeys.touch_days * (SECONDS_PER_DAY + 1) + journeys.touches.second
    until = journeys.user_day(user, day) * (SECONDS_PER_DAY + 1) + cut.second(user, day)
    stop = np.searchsorted(line, until, side="right")
    start = journeys.since_conversion(user, days.conversions_before[calm])
    return Windows(user, day, start, stop).take(stop > journeys.first_touch[user])


def _gaps(journeys: Journeys, days: _EventDays, weights: Ints, grid: Grid) -> list[PatternCounts]:
    """The days between events: each shows the pattern before it, one day older."""
    start = journeys.since_conversion(days.user, days.conversions_after)
    stop = journeys.day_opens(days.user, days.day + 1)
    found, which = patterns_seen(journeys, Windows(days.user, days.day, start, stop), grid)
    parts = []
    for older in range(1, grid.days):
        lasts = days.gap >= older
        shifted = patterns.shift(found, older, grid)
        parts.append(_by_group(shifted, which[lasts], NEGATIVE, weights[days.user[lasts]]))
    nothing = np.maximum(days.gap - grid.days + 1, 0) @ weights[days.user]
    empty = Patterns(np.zeros(1, np.uint64), np.zeros(2, np.int64), np.zeros(0, np.int32))
    return [*parts, PatternCounts(empty, NEGATIVE, nothing[None])]


def _counts_of_windows(
    journeys: Journeys, windows: Windows, kind: int, weights: Ints, grid: Grid
) -> PatternCounts:
    found, which = patterns_seen(journeys, windows, grid)
    return _by_group(found, which, kind, weights[windows.user])


def _by_group(found: Patterns, which: Ints, kind: int, weights: Ints) -> PatternCounts:
    n = len(found.keys)
    times = [np.bincount(which, each, n) for each in weights.T]
    return PatternCounts(found, kind, np.stack(times, axis=1).astype(np.int64))


def _count(parts: list[PatternCounts]) -> Examples:
    """All parts together; patterns that nobody has are left out."""
    found, which = patterns.distinct(patterns.join([each.patterns for each in parts]))
    kind = np.concatenate([np.full(len(each.counts), each.kind) for each in parts])
    counts = np.zeros((len(found.keys), 3, parts[0].counts.shape[1]), np.int64)
    np.add.at(counts, (which, kind), np.concatenate([each.counts for each in parts]))
    return select_groups(Examples(found, counts), slice(None))
