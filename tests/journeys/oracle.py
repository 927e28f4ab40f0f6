"""What an example is, row by row and as slowly as it reads: the tests' yardstick.

Plain Python, no numpy, nothing of td_mta. A row is `(user, time, channel, conversion, value)`: time
in whole seconds since 1970, channel None where there is none, conversion 0 or 1. A pattern is a
`frozenset` of `(days_before, channel)`; a day is a number of local days since 1970-01-01.

Readings, where the words leave a choice:
 1. A row without a channel sorts before those with one (as the empty name would); names compare by
    code point. It matters only between conversions of the same second: the first takes the touches.
 2. Rows equal in every column but the value are different rows; equal ones with a missing value are
    the same row (NaN counts as equal to NaN here).
 3. A touch in the very second of the cut is seen: only touches *after* the cut wait. So a day whose
    cut is the second of the first touch is an anchor day.
 4. Time of day is what the clock on the wall shows in `day_timezone`. Where it is put back, a
    user's later row is not earlier in the day: it stands still until the hour has come again.
 5. The end of the data is the day of the latest row of any user, whether a touch or not.
 6. "Users who never convert" have no conversion row at all; an active day has a touch, a row
    without a channel does not make one. The shorter windows are those of the last active day.
 7. The conversions without a touch in their window, whose times of day are drawn from, are those
    of days without a touch, also later on that day: those before any touch ever are among them.
 8. An augmented example that would be empty is left out: `touch_days` never has the empty pattern.
 9. A day whose first conversion comes before the user's first touch is no anchor day, even if a
    touch and a second conversion follow that day.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime
from fractions import Fraction
from itertools import permutations
from math import factorial
from typing import NamedTuple
from zoneinfo import ZoneInfo

Row = tuple[str, int, str | None, int, float | None]
Pattern = frozenset[tuple[int, str]]
Examples = Counter[tuple[int, Pattern]]

EMPTY: Pattern = frozenset()


class Event(NamedTuple):
    """One row of a journey: its moment, local day and time of day, channel, flag and value."""

    time: int
    day: int
    second: int
    channel: str | None
    converts: bool
    value: float | None


class TouchDays(NamedTuple):
    examples: Examples
    augmented: Examples


# --- journeys -------------------------------------------------------------------------------------


def journeys(rows: Iterable[Row], day_timezone: str = "UTC") -> dict[str, list[Event]]:
    """Every user's distinct rows in order: time, non-conversions first, channel."""
    by_user: dict[str, list[Event]] = {}
    for user, time, channel, conversion, value in distinct(rows):
        day, second = local_day_and_second(time, day_timezone)
        event = Event(time, day, second, channel, conversion == 1, value)
        by_user.setdefault(user, []).append(event)
    for journey in by_user.values():
        journey.sort(key=lambda e: (e.time, e.converts, e.channel or "", e.value or 0))
        for i in range(1, len(journey)):
            if (journey[i].day, journey[i].second) < (journey[i - 1].day, journey[i - 1].second):
                earlier = journey[i - 1]
                journey[i] = journey[i]._replace(day=earlier.day, second=earlier.second)
    return by_user


def distinct(rows: Iterable[Row]) -> list[Row]:
    kept: list[Row] = []
    seen: set[Hashable] = set()
    for row in rows:
        key = tuple("missing" if cell != cell or cell is None else cell for cell in row)
        if key not in seen:
            seen.add(key)
            kept.append(row)
    return kept


def local_day_and_second(time: int, day_timezone: str) -> tuple[int, int]:
    """Days since 1970-01-01 and seconds of the day on the wall clock.

    >>> local_day_and_second(86_400 + 3_600, "UTC")
    (1, 3600)
    >>> local_day_and_second(86_400 + 3_600, "America/New_York")
    (0, 72000)
    """
    moment = datetime.fromtimestamp(time, ZoneInfo(day_timezone))
    day = moment.date().toordinal() - datetime(1970, 1, 1).date().toordinal()
    return day, moment.hour * 3600 + moment.minute * 60 + moment.second


def is_touch(event: Event, conversion_row_is_touch: bool) -> bool:
    if event.channel is None:
        return False
    return conversion_row_is_touch or not event.converts


def pattern(touches: Iterable[Event], anchor: int, lookback: int) -> Pattern:
    """The cells of some touches, as seen from the anchor day; those outside the window drop out."""
    cells = set()
    for touch in touches:
        days_before = anchor - touch.day
        if 0 <= days_before < lookback:
            cells.add((days_before, str(touch.channel)))
    return frozenset(cells)


def pattern_of_conversion(
    journey: list[Event], index: int, lookback: int, conversion_row_is_touch: bool
) -> Pattern:
    """What led to the conversion at `journey[index]`: touches since the previous conversion."""
    touches = []
    if is_touch(journey[index], conversion_row_is_touch):
        touches.append(journey[index])
    for event in reversed(journey[:index]):
        if event.converts:
            break
        if is_touch(event, conversion_row_is_touch):
            touches.append(event)
    return pattern(touches, journey[index].day, lookback)


def conversion_patterns(
    rows: Iterable[Row],
    *,
    lookback: int,
    day_timezone: str = "UTC",
    conversion_row_is_touch: bool = True,
) -> Counter[Pattern]:
    """How many conversions have which pattern, the empty one included: what credit is given for."""
    found: Counter[Pattern] = Counter()
    for journey in journeys(rows, day_timezone).values():
        for index, event in enumerate(journey):
            if event.converts:
                found[pattern_of_conversion(journey, index, lookback, conversion_row_is_touch)] += 1
    return found


# --- examples: touch_days -------------------------------------------------------------------------


def touch_days(
    rows: Iterable[Row],
    *,
    lookback: int,
    day_timezone: str = "UTC",
    conversion_row_is_touch: bool = True,
    augment_last_day: bool = False,
) -> TouchDays:
    """The examples by (label, pattern), and apart from them those that augmentation adds."""
    examples: Examples = Counter()
    for journey in journeys(rows, day_timezone).values():
        if any(event.converts for event in journey):
            for index, event in enumerate(journey):
                if event.converts:
                    examples[
                        1, pattern_of_conversion(journey, index, lookback, conversion_row_is_touch)
                    ] += 1
        else:
            for cells in windows_without_conversion(journey, lookback):
                examples[0, cells] += 1
    del examples[1, EMPTY]
    return TouchDays(examples, anchor_day_emptied(examples) if augment_last_day else Counter())


def windows_without_conversion(journey: list[Event], lookback: int) -> list[Pattern]:
    """One window per active day, then the last one again and again without its earliest day."""
    touches = [event for event in journey if event.channel is not None]
    active_days = sorted({touch.day for touch in touches})
    windows = [pattern(touches, anchor, lookback) for anchor in active_days]
    if not active_days:
        return windows
    last = active_days[-1]
    in_last_window = [day for day in active_days if last - day < lookback]
    while len(in_last_window) > 1:
        in_last_window.pop(0)
        remaining = [touch for touch in touches if touch.day in in_last_window]
        windows.append(pattern(remaining, last, lookback))
    return windows


def anchor_day_emptied(examples: Examples) -> Examples:
    emptied: Examples = Counter()
    for (_, cells), count in examples.items():
        earlier = frozenset(cell for cell in cells if cell[0] > 0)
        if earlier:
            emptied[0, earlier] += count
    return emptied


# --- examples: person_days ------------------------------------------------------------------------


def person_days(
    rows: Sequence[Row],
    *,
    lookback: int,
    cut_of: Callable[[str, int], float],
    day_timezone: str = "UTC",
    conversion_row_is_touch: bool = True,
) -> Examples:
    """The user-days by (label, pattern), the empty pattern included.

    `cut_of(user, day)` is the second of the day up to which a day without a conversion is seen. It
    is not asked where conversions are visits: then such days are seen to their end.
    """
    by_user = journeys(rows, day_timezone)
    end = max(event.day for journey in by_user.values() for event in journey)
    seen_to_the_end = conversions_are_visits(rows, conversion_row_is_touch)
    examples: Examples = Counter()
    for user, journey in by_user.items():
        touches = [event for event in journey if is_touch(event, conversion_row_is_touch)]
        if not touches:
            continue
        for day in range(touches[0].day, end + 1):
            converting = [i for i, e in enumerate(journey) if e.converts and e.day == day]
            if converting:
                index = converting[0]
                if journey.index(touches[0]) <= index:
                    cells = pattern_of_conversion(journey, index, lookback, conversion_row_is_touch)
                    examples[1, cells] += 1
            else:
                cut = float("inf") if seen_to_the_end else cut_of(user, day)
                if touches[0].day < day or touches[0].second <= cut:
                    cells = pattern_of_day(journey, day, cut, lookback)
                    examples[0, cells] += 1
    return examples


def pattern_of_day(journey: list[Event], day: int, cut: float, lookback: int) -> Pattern:
    """What a day without conversion sees at its cut: touches since the last conversion."""
    touches: list[Event] = []
    for event in journey:
        if event.day > day or (event.day == day and event.second > cut):
            continue
        if event.converts:
            touches = []
        elif event.channel is not None:
            touches.append(event)
    return pattern(touches, day, lookback)


def conversions_are_visits(rows: Iterable[Row], conversion_row_is_touch: bool) -> bool:
    return conversion_row_is_touch and all(
        channel is not None for _, _, channel, conversion, _ in rows if conversion == 1
    )


def times_to_draw_from(
    rows: Iterable[Row],
    *,
    lookback: int,
    day_timezone: str = "UTC",
    conversion_row_is_touch: bool = True,
    fewest: float = 200,
) -> list[int]:
    """Seconds of the day, sorted, of the conversions without a touch in their window.

    Of all conversions, where those are less than `fewest`.
    """
    untouched, every = [], []
    for journey in journeys(rows, day_timezone).values():
        touched = {e.day for e in journey if is_touch(e, conversion_row_is_touch)}
        for index, event in enumerate(journey):
            if event.converts:
                every.append(event.second)
                cells = pattern_of_conversion(journey, index, lookback, conversion_row_is_touch)
                if not cells and event.day not in touched:
                    untouched.append(event.second)
    return sorted(untouched if len(untouched) >= fewest else every)


# --- Shapley --------------------------------------------------------------------------------------


def credits(
    players: Sequence[Hashable], v: Callable[[frozenset[Hashable]], float]
) -> dict[Hashable, float]:
    """Each player's gain, averaged over all orders in which the players can come.

    The glove game: one left glove, two right ones, v of a pair is 1.

    >>> pair = lambda S: float("left" in S and len(S) > 1)
    >>> credits(["left", "right", "another right"], pair)
    {'left': 0.6666666666666666, 'right': 0.16666666666666666, 'another right': 0.16666666666666666}
    """
    gains = {player: Fraction(0) for player in players}
    for order in permutations(players):
        came: frozenset[Hashable] = frozenset()
        for player in order:
            gains[player] += Fraction(v(came | {player})) - Fraction(v(came))
            came |= {player}
    orders = factorial(len(players))
    return {player: float(gain / orders) for player, gain in gains.items()}
