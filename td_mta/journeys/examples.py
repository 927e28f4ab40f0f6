"""Examples counted by pattern, stratum and group of users, made as `touch_days` or `person_days`.

The groups are clusters of users: what a figure would be without some users gives its standard
error. Days of users need not all be there: of those without a conversion one in so many may stand
for the others.
"""

from typing import NamedTuple

import numpy as np

from td_mta.journeys.controls import Period, UserDays, codes, returns_from
from td_mta.journeys.hashing import Hashes, uniform, whole
from td_mta.journeys.patterns import Grid, Patterns, distinct, without_day_zero
from td_mta.journeys.runs import owners, positions
from td_mta.journeys.strata import Compact, Strata
from td_mta.journeys.touchpoints import SECONDS_PER_DAY, Flags, Ints
from td_mta.journeys.windows import Journeys, Windows, look_back, patterns_seen

NEGATIVE, POSITIVE, AUGMENTED = KINDS = 0, 1, 2
FEWEST_TIMES_OF_DAY = 200
GROUPS = 40  # of training users, from 0; those of held-out users follow
GROUP_SALT, DRAW_SALT = np.uint64(0x0CB92BA72F3D8DD7), np.uint64(0x56E8FEB86659FD93)


class Examples(NamedTuple):
    """Counts of examples, a row for each pattern, stratum and group that has any."""

    patterns: Patterns  # the distinct ones, by ascending key
    pattern: Ints  # which of them, (n,)
    stratum: Ints  # its code, (n,)
    group: Ints  # of users: `GROUPS` of training, then as many of held-out ones, (n,)
    counts: Ints  # (n, kinds)


class ByPattern(NamedTuple):
    """Examples by pattern alone: `counts[i, kind, split]`, of training and of held-out users."""

    patterns: Patterns  # n distinct ones
    counts: Ints  # (n, kinds, 2)


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


class DayRules(NamedTuple):
    """Which user-days are examples, and what each of them shows."""

    grid: Grid
    period: Period
    strata: Strata = Strata()
    returning: bool = False  # at risk from the second day with a touch on, not from the first
    cut_at_conversion: bool = True  # touches before the previous conversion are not seen
    one_in: int = 1  # of the days without a conversion, one in so many stands for the others


class Seen(NamedTuple):
    """What some windows show: the distinct patterns, and of each window `(n,)` the pattern and the
    stratum."""

    patterns: Patterns
    which: Ints
    stratum: Ints


def groups_of(user_hash: Hashes, held_out: Flags) -> Ints:
    """The group of every user, `(users,)`."""
    group = (uniform(user_hash, GROUP_SALT) * GROUPS).astype(np.int64)
    return group + GROUPS * held_out


def by_pattern(examples: Examples) -> ByPattern:
    """The examples summed over strata and groups."""
    split = examples.group // GROUPS
    patterns = len(examples.patterns.keys)
    sums = [
        np.bincount(examples.pattern * 2 + split, counts, 2 * patterns).reshape(patterns, 2)
        for counts in examples.counts.T
    ]
    return ByPattern(examples.patterns, np.stack(sums, axis=1).astype(np.int64))


def merge_patterns(parts: list[ByPattern]) -> ByPattern:
    """The examples of all parts: each pattern once, by ascending key, its counts added."""
    patterns, which = distinct(Patterns.join([part.patterns for part in parts]))
    part_counts = np.concatenate([part.counts for part in parts])
    counts = np.zeros((len(patterns.keys), *part_counts.shape[1:]), np.int64)
    np.add.at(counts, which, part_counts)
    return ByPattern(patterns, counts)


def merge(parts: list[Examples]) -> Examples:
    """The examples of all parts: each pattern, stratum and group once, its counts added."""
    patterns, which = distinct(Patterns.join([part.patterns for part in parts]))
    sizes = [len(part.patterns.keys) for part in parts]
    starts = np.cumsum([0, *sizes[:-1]])
    pattern = [which[start + part.pattern] for start, part in zip(starts, parts, strict=True)]
    return _summed(
        patterns,
        np.concatenate(pattern),
        np.concatenate([part.stratum for part in parts]),
        np.concatenate([part.group for part in parts]),
        np.concatenate([part.counts for part in parts]),
    )


def touch_days(journeys: Journeys, group: Ints, grid: Grid, *, augment: bool) -> Examples:
    """Positives: every conversion with a touch in its window. Negatives: users who never convert,
    one per active day, and the shorter windows at the end of a journey.

    `group` is each user's, shape `(users,)`. With `augment` every example counts once more as
    `AUGMENTED`, with the anchor day emptied (but for those left with nothing).
    """
    conversions = look_back(journeys, journeys.conversion_windows, grid.days)
    windows = {
        POSITIVE: conversions.take(conversions.sizes > 0),
        NEGATIVE: _windows_without_conversion(journeys, grid.days),
    }
    parts = []
    for kind, of_kind in windows.items():
        patterns, which = patterns_seen(journeys, of_kind, grid)
        stratum = np.zeros(len(which), np.int64)
        parts.append(_examples(patterns, which, stratum, group[of_kind.user], kind))
        if augment:
            emptied = without_day_zero(patterns, grid)
            touched = emptied.sizes[which] > 0
            of_touched = which[touched], stratum[touched], group[of_kind.user[touched]]
            parts.append(_examples(emptied, *of_touched, AUGMENTED))
    return _kept(merge(parts))


def person_days(journeys: Journeys, group: Ints, rules: DayRules, cut: CutTimes) -> Examples:
    """The user-days of the period from the user's entry on, positive when a conversion falls on it.

    A positive day is seen up to its first conversion, another day up to its cut. A day whose cut
    precedes the user's entry is no example. `group` is each user's, shape `(users,)`.
    """
    entry = _entry(journeys, rules)
    positives = _first_conversions(journeys, rules, entry)
    negatives = _days_without_conversion(journeys, rules, entry, cut)
    parts = []
    for kind, windows, weight in ((POSITIVE, positives, 1), (NEGATIVE, negatives, rules.one_in)):
        seen = see(journeys, windows, rules)
        groups = group[windows.user]
        if rules.period.held_out_day is not None:
            groups = groups % GROUPS + GROUPS * (windows.anchor >= rules.period.held_out_day)
        parts.append(_examples(*seen, groups, kind, weight))
    return merge(parts)


def see(journeys: Journeys, windows: Windows, rules: DayRules) -> Seen:
    """What the windows show under the rules; their strata are those of their anchor days."""
    if not rules.cut_at_conversion:
        windows = windows._replace(start=journeys.first_touch[windows.user])
    patterns, which = patterns_seen(journeys, windows, rules.grid)
    user_days = UserDays(windows.user, windows.anchor)
    stratum = codes(rules.strata, journeys, user_days, rules.period, rules.grid.days)
    return Seen(patterns, which, stratum)


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


def _entry(journeys: Journeys, rules: DayRules) -> Ints:
    """Position of the touch with which every user's days at risk begin, `(users,)`; that of the
    next user's first touch where they never do.
    """
    return returns_from(journeys) if rules.returning else journeys.first_touch[:-1]


def _first_conversions(journeys: Journeys, rules: DayRules, entry: Ints) -> Windows:
    """The windows of the first conversions of user-days at risk."""
    first_of_day = np.diff(journeys.conversion_days, prepend=-1) != 0
    windows = journeys.conversion_windows.take(first_of_day)
    begun = windows.stop > entry[windows.user]
    return windows.take(begun & (windows.anchor >= rules.period.first_day))


def _days_without_conversion(
    journeys: Journeys, rules: DayRules, entry: Ints, cut: CutTimes
) -> Windows:
    """The windows of the drawn user-days at risk without a conversion, up to their cut."""
    user, day = _drawn_days(journeys, rules, entry, cut.user_hash)
    user_day = journeys.user_day(user, day)
    before = np.searchsorted(journeys.conversion_days, user_day)
    converts = np.append(journeys.conversion_days, -1)[before] == user_day
    user, day, before, user_day = (x[~converts] for x in (user, day, before, user_day))
    # Touches on a line of user-days and seconds; a day has one second more, for cuts at its end.
    seconds_per_day = SECONDS_PER_DAY + 1
    touch_time = journeys.touch_days * seconds_per_day + journeys.touches.second
    cut_time = user_day * seconds_per_day + cut.second(user, day)
    stop = np.searchsorted(touch_time, cut_time, side="right")
    begun = stop > entry[user]
    start = journeys.since_conversion(user[begun], before[begun])
    return Windows(user[begun], day[begun], start, stop[begun])


def _drawn_days(
    journeys: Journeys, rules: DayRules, entry: Ints, user_hash: Hashes
) -> tuple[Ints, Ints]:
    """User and day of the days of the period since each user's entry, one in `rules.one_in`.

    Of every user's days every so manieth is drawn, from a day on that the hash says: each is drawn
    with the same probability, and no more are enumerated than drawn.
    """
    enters = np.flatnonzero(entry < journeys.first_touch[1:])
    first = np.maximum(journeys.touches.day[entry[enters]], rules.period.first_day)
    phase = whole(user_hash[enters], DRAW_SALT) % rules.one_in
    first += -(first + phase) % rules.one_in
    days = np.maximum((rules.period.last_day - first) // rules.one_in + 1, 0)
    user = np.repeat(enters, days)
    day = first[owners(days)] + rules.one_in * positions(np.zeros(len(days), np.int64), days)
    return user, day


def _examples(
    patterns: Patterns, which: Ints, stratum: Ints, group: Ints, kind: int, weight: int = 1
) -> Examples:
    """One part's examples, `n` of one kind, each counted `weight` times."""
    counts = np.zeros((len(which), len(KINDS)), np.int64)
    counts[:, kind] = weight
    return _summed(patterns, which, stratum, group, counts)


def _summed(
    patterns: Patterns, pattern: Ints, stratum: Ints, group: Ints, counts: Ints
) -> Examples:
    """Rows of one pattern, stratum and group as one; whatever order rows have, the sum's is one."""
    small = Compact.of(stratum, len(patterns.keys) * 2 * GROUPS)
    cell = (pattern * small.size + small.stratum) * (2 * GROUPS) + group
    keys, which = np.unique(cell, return_inverse=True)
    sums = [np.bincount(which, of_kind, len(keys)).astype(np.int64) for of_kind in counts.T]
    rest, group = np.divmod(keys, 2 * GROUPS)
    pattern, stratum = np.divmod(rest, small.size)
    stratum = small.code(stratum)
    return Examples(patterns, pattern, stratum, group, np.stack(sums, axis=1))


def _kept(examples: Examples) -> Examples:
    """The examples without the patterns that none of them has."""
    rows = np.unique(examples.pattern)
    pattern = np.searchsorted(rows, examples.pattern)
    return examples._replace(patterns=examples.patterns.take(rows), pattern=pattern)
