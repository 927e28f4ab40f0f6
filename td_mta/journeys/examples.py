"""Examples counted by pattern, made in one of two ways: `touch_days` or `person_days`.

Days are never held one by one: a stretch of days without an event shifts the pattern of the day
before it, and days that see nothing are a number.
"""

from typing import NamedTuple

import numpy as np

from td_mta.journeys.hashing import Hashes, uniform
from td_mta.journeys.patterns import Grid, Patterns, distinct, shift, without_day_zero
from td_mta.journeys.touchpoints import SECONDS_PER_DAY, Flags, Ints
from td_mta.journeys.windows import Journeys, Windows, look_back, patterns_seen

NEGATIVE, POSITIVE, AUGMENTED = KINDS = 0, 1, 2
FEWEST_TIMES_OF_DAY = 200


GROUPS = 40  # random groups of users; 0..39 train, 40..79 are held out


class Examples(NamedTuple):
    """How many examples have a pattern, by stratum of the controls and by group of users."""

    patterns: Patterns  # the distinct ones, by ascending key
    pattern: Ints  # which of the patterns, (n,), one row for each (pattern, stratum, group)
    stratum: Ints  # code of the stratum, (n,)
    group: Ints  # of users, (n,)
    counts: Ints  # (n, kinds)


class PatternCounts(NamedTuple):
    """How many examples of one kind have a pattern: `counts[i, group]` of pattern `i`."""

    patterns: Patterns  # n distinct ones
    kind: int
    counts: Ints  # (n, groups)


class CutTimes(NamedTuple):
    """The time of day up to which a day without a conversion is seen.

    Drawn from `times_of_day`, as a hash of user and day says. Were such days seen to their end,
    they would show more touches than a day with a conversion, which is seen up to that only.
    """

    times_of_day: Ints | None  # seconds of the day, sorted; None sees days to their end
    user_hash: Hashes  # (users,)

    def second(self, user: Ints, day: Ints) -> Ints:
        """The second of the day of the cut, for `n` user-days, shape `(n,)`."""
        if self.times_of_day is None:
            return np.full(len(user), SECONDS_PER_DAY)
        rank = uniform(self.user_hash[user], day.astype(np.uint64))
        index = (rank * len(self.times_of_day)).astype(np.int64)
        return self.times_of_day[index]


def split_weights(held_out: Flags) -> Ints:
    """Weights of two groups, shape `(users, 2)`: training users, then held-out users."""
    return np.stack([~held_out, held_out], axis=1).astype(np.int64)


def select_groups(examples: Examples, groups: slice) -> Examples:
    """Some of the groups, with the patterns that any of these has."""
    counts = examples.counts[:, :, groups]
    rows = np.flatnonzero(counts.any(axis=(1, 2)))
    return Examples(examples.patterns.take(rows), counts[rows])


def merge(parts: list[Examples]) -> Examples:
    """The examples of all parts: each pattern once, by ascending key, its counts added."""
    joined = Patterns.join([part.patterns for part in parts])
    patterns, which = distinct(joined)
    part_counts = np.concatenate([part.counts for part in parts])
    _, kinds, groups = part_counts.shape
    counts = np.zeros((len(patterns.keys), kinds, groups), np.int64)
    np.add.at(counts, which, part_counts)
    return Examples(patterns, counts)


def touch_days(journeys: Journeys, weights: Ints, grid: Grid, *, augment: bool) -> Examples:
    """Positives: every conversion with a touch in its window. Negatives: users who never convert,
    one per active day, and the shorter windows at the end of a journey.

    `weights` are each user's in every group, shape `(users, groups)`. With `augment` every example
    counts once more as `AUGMENTED`, with the anchor day emptied (but for those left with nothing).
    """
    conversions = look_back(journeys, journeys.conversion_windows, grid.days)
    positives = conversions.take(conversions.sizes > 0)
    negatives = _windows_without_conversion(journeys, grid.days)
    positive_counts = _count_windows(journeys, positives, POSITIVE, weights, grid)
    negative_counts = _count_windows(journeys, negatives, NEGATIVE, weights, grid)
    parts = [positive_counts, negative_counts]
    if augment:
        parts += [_anchor_day_emptied(part, grid) for part in parts]
    return _sum_of(parts)


def person_days(
    journeys: Journeys, weights: Ints, grid: Grid, cut: CutTimes, last_day: int
) -> Examples:
    """Every user-day from the first touch to `last_day`, positive when a conversion falls on it.

    A positive day is seen up to its first conversion, another day up to its cut. A day whose cut
    precedes the user's first touch is no example. `weights` has shape `(users, groups)`.
    """
    days = _EventDays.of(journeys, last_day)
    # On a day that converts, the conversions before the day number its first one.
    first_conversion = days.conversions_before[days.converts]
    positives = journeys.conversion_windows.take(first_conversion)
    started = positives.stop > journeys.first_touch[positives.user]
    positives = positives.take(started)
    negatives = _days_up_to_cut(journeys, days, cut)
    positive_counts = _count_windows(journeys, positives, POSITIVE, weights, grid)
    negative_counts = _count_windows(journeys, negatives, NEGATIVE, weights, grid)
    between = _days_between_events(journeys, days, weights, grid)
    return _sum_of([positive_counts, negative_counts, *between])


def person_days_forward(
    journeys: Journeys, weights: Ints, grid: Grid, cut: CutTimes, held_out_day: int, last_day: int
) -> Examples:
    """`person_days` in two groups, those before `held_out_day` and those from it on; then the first
    again with `weights`, shape `(users, groups)`.
    """
    one = np.ones((len(weights), 1), np.int64)
    # An example knows nothing of later days, so the second group is all examples less the first.
    past_weights = np.concatenate([one, -one, weights], axis=1)
    all_weights = np.concatenate([0 * one, one, 0 * weights], axis=1)
    past = journeys.before(held_out_day)
    past_examples = person_days(past, past_weights, grid, cut, held_out_day - 1)
    all_examples = person_days(journeys, all_weights, grid, cut, last_day)
    return merge([past_examples, all_examples])


def conversion_times_of_day(journeys: Journeys, days: int) -> tuple[Ints, Ints]:
    """Seconds of the day of all conversions, and of those that had no touch in their window.

    Not even later on their day: on a day with a touch only a conversion before it has none in its
    window, so those would make the cuts too early, and the touches of that day too strong.
    """
    windows = look_back(journeys, journeys.conversion_windows, days)
    day_opens = journeys.day_opens(windows.user, windows.anchor)
    next_day_opens = journeys.day_opens(windows.user, windows.anchor + 1)
    untouched = (day_opens == next_day_opens) & (windows.sizes == 0)
    second = journeys.conversions.second
    return second, second[untouched]


def _windows_without_conversion(journeys: Journeys, days: int) -> Windows:
    """The windows of the users who never convert: to each active day, and the shorter ones that
    begin at each active day in the lookback of the last one and end there.
    """
    touches, user_day = journeys.touches, journeys.touch_days
    opens = np.flatnonzero(np.diff(user_day, prepend=-1))  # the first touch of every active day
    closes = np.append(opens[1:], len(user_day))
    user, day = touches.user[opens], touches.day[opens]
    conversions = np.bincount(journeys.conversions.user, minlength=journeys.users)
    never_converts = conversions[user] == 0
    begin = journeys.first_touch[user]
    end = journeys.first_touch[user + 1]
    last_day = touches.day[end - 1]
    lookback_opens = journeys.day_opens(user, last_day - days + 1)
    shorter = never_converts & (opens > lookback_opens)
    to_each_day = Windows(user, day, begin, closes).take(never_converts)
    to_last_day = Windows(user, last_day, opens, end).take(shorter)
    return Windows.join([to_each_day, to_last_day])


def _anchor_day_emptied(part: PatternCounts, grid: Grid) -> PatternCounts:
    emptied = without_day_zero(part.patterns, grid)
    touched = np.flatnonzero(emptied.sizes)
    return PatternCounts(emptied.take(touched), AUGMENTED, part.counts[touched])


class _EventDays(NamedTuple):
    """The `n` user-days with a touch or a conversion, from the user's first touch on."""

    user: Ints  # (n,)
    day: Ints  # (n,)
    converts: Flags  # (n,)
    conversions_before: Ints  # (n,): conversions of all users before this user-day
    conversions_after: Ints  # (n,): the same, up to its end
    days_without_event: Ints  # (n,): up to the next one here, or to the end of the data

    @staticmethod
    def of(journeys: Journeys, last_day: int) -> "_EventDays":
        touches, conversions = journeys.touches, journeys.conversions
        user_days = np.concatenate([journeys.touch_days, journeys.conversion_days])
        user_day, first_row = np.unique(user_days, return_index=True)
        # The user and the day of these rows, which are touches, then conversions.
        user = np.concatenate([touches.user, conversions.user])[first_row]
        day = np.concatenate([touches.day, conversions.day])[first_row]
        started = np.flatnonzero(_since_first_touch(journeys, user, day))
        user = user[started]
        day = day[started]
        user_day = user_day[started]
        # Conversions are in the order of user-days, so those before one are a position among them.
        before = np.searchsorted(journeys.conversion_days, user_day, side="left")
        after = np.searchsorted(journeys.conversion_days, user_day, side="right")
        return _EventDays(
            user=user,
            day=day,
            converts=after > before,
            conversions_before=before,
            conversions_after=after,
            days_without_event=_days_to_next(user, day, last_day),
        )


def _since_first_touch(journeys: Journeys, user: Ints, day: Ints) -> Flags:
    """Whether user-days are on or after the day of the user's first touch; never without one."""
    first_touch = journeys.first_touch[user]
    has_touch = first_touch < journeys.first_touch[user + 1]
    first_day = journeys.touches.day[first_touch[has_touch]]
    since = np.zeros(len(user), np.bool_)
    since[has_touch] = day[has_touch] >= first_day
    return since


def _days_to_next(user: Ints, day: Ints, last_day: int) -> Ints:
    """Days strictly between each of the ordered user-days and the user's next one.

    >>> _days_to_next(np.array([0, 0, 1]), np.array([3, 7, 4]), last_day=9).tolist()
    [3, 2, 5]
    """
    next_day = np.full(len(day), last_day + 1)
    same_user = np.flatnonzero(user[1:] == user[:-1])
    next_day[same_user] = day[same_user + 1]
    return next_day - day - 1


def _days_up_to_cut(journeys: Journeys, days: _EventDays, cut: CutTimes) -> Windows:
    """The windows of the event days without a conversion that have begun by their cut."""
    without = ~days.converts
    user, day = days.user[without], days.day[without]
    # Touches on a line of user-days and seconds; a day has one second more, for cuts at its end.
    seconds_per_day = SECONDS_PER_DAY + 1
    touch_time = journeys.touch_days * seconds_per_day + journeys.touches.second
    day_begins = journeys.user_day(user, day) * seconds_per_day
    cut_time = day_begins + cut.second(user, day)
    stop = np.searchsorted(touch_time, cut_time, side="right")
    start = journeys.since_conversion(user, days.conversions_before[without])
    begun = stop > journeys.first_touch[user]
    return Windows(user, day, start, stop).take(begun)


def _days_between_events(
    journeys: Journeys, days: _EventDays, weights: Ints, grid: Grid
) -> list[PatternCounts]:
    """The days without an event: each shows what the last event day left, some days older."""
    start = journeys.since_conversion(days.user, days.conversions_after)
    stop = journeys.day_opens(days.user, days.day + 1)
    day_ends = Windows(days.user, days.day, start, stop)
    patterns, which = patterns_seen(journeys, day_ends, grid)
    parts = []
    for age in range(1, grid.days):
        lasts = days.days_without_event >= age
        older = shift(patterns, age, grid)
        user = days.user[lasts]
        parts.append(_grouped(older, which[lasts], NEGATIVE, weights[user]))
    # From the window's length on nothing is seen any more: these days are the empty pattern.
    empty_days = np.maximum(days.days_without_event - grid.days + 1, 0)
    counts = empty_days @ weights[days.user]  # (groups,)
    nothing_seen = PatternCounts(Patterns.empty(), NEGATIVE, counts[None])
    return [*parts, nothing_seen]


def _count_windows(
    journeys: Journeys, windows: Windows, kind: int, weights: Ints, grid: Grid
) -> PatternCounts:
    """Windows by the pattern they show, each weighing what its user does."""
    patterns, which = patterns_seen(journeys, windows, grid)
    return _grouped(patterns, which, kind, weights[windows.user])


def _grouped(patterns: Patterns, which: Ints, kind: int, weights: Ints) -> PatternCounts:
    """Sums of `weights` `(examples, groups)` by `which` of the patterns an example has."""
    n = len(patterns.keys)
    sums = [np.bincount(which, group_weights, n) for group_weights in weights.T]
    counts = np.stack(sums, axis=1).astype(np.int64)  # (n, groups)
    return PatternCounts(patterns, kind, counts)


def _sum_of(parts: list[PatternCounts]) -> Examples:
    """All parts together, each pattern once; patterns that nobody has are left out."""
    joined = Patterns.join([part.patterns for part in parts])
    patterns, which = distinct(joined)
    part_sizes = [len(part.counts) for part in parts]
    kind = np.repeat([part.kind for part in parts], part_sizes)
    part_counts = np.concatenate([part.counts for part in parts])
    groups = part_counts.shape[1]
    counts = np.zeros((len(patterns.keys), len(KINDS), groups), np.int64)
    np.add.at(counts, (which, kind), part_counts)
    examples = Examples(patterns, counts)
    return select_groups(examples, slice(None))
