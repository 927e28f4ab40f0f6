"""Counts of users who come back are those of a row-by-row count, and their statistics are right
where the answer is known.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import floor, log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from td_mta.journeys.controls import Period
from td_mta.journeys.patterns import Grid
from td_mta.journeys.returns.counts import BESIDE, LEVELS, REACH, WAIT, Returns, returns_of, sum_of
from td_mta.journeys.returns.statistics import (
    Estimate,
    affected_share,
    lasting_effect,
    lost_share,
    one_day_share,
    second_order_share,
    touches_after_buying,
    usual_gap,
)
from td_mta.journeys.touchpoints import SECONDS_PER_DAY, Touchpoints, arrange
from td_mta.journeys.windows import Journeys

Row = tuple[int, int, int, int]  # user, second, channel or -1, conversion
TOUCH, BUY = 0, 1
USERS, DAYS, CHANNELS = 3, 30, 2
PERIOD, FIRST_DAY = Period(100, 100 + DAYS - 1), 100


def journeys_of(rows: Sequence[Row], users: int = USERS) -> Journeys:
    user, clock, channel, conversion = np.array(rows, np.int64).reshape(-1, 4).T
    time = FIRST_DAY * SECONDS_PER_DAY + clock
    day, second = np.divmod(time, SECONDS_PER_DAY)
    rows_ = Touchpoints(
        user=user,
        time=time,
        day=day,
        second=second,
        channel=channel,
        conversion=conversion == 1,
        value=np.full(len(user), np.nan),
    )
    return Journeys(arrange(rows_).rows, users, conversion_row_is_touch=False)


def counted(rows: Sequence[Row], days: int = 3) -> Returns:
    return returns_of(journeys_of(rows), Grid(days, CHANNELS), PERIOD)


def on(day: int, user: int = 0, channel: int = 0, hour: int = 12) -> Row:
    """A touch on a day counted from 0."""
    return user, day * SECONDS_PER_DAY + hour * 3600, channel, TOUCH


def bought(day: int, user: int = 0, hour: int = 13) -> Row:
    return user, day * SECONDS_PER_DAY + hour * 3600, -1, BUY


some_rows = st.lists(
    st.one_of(
        st.builds(on, st.integers(0, DAYS - 1), st.integers(0, 2), st.integers(0, 1)),
        st.builds(bought, st.integers(0, DAYS - 1), st.integers(0, 2), st.integers(10, 14)),
    ),
    min_size=1,
    max_size=60,
)


@given(some_rows)
def test_waits_are_those_of_a_count_by_user(rows: list[Row]) -> None:
    expected: Counter = Counter()
    for user in range(USERS):
        days = sorted({row[1] // SECONDS_PER_DAY for row in rows if row[0] == user and not row[3]})
        for number, (day, following) in enumerate(pairwise([*days, 10**6])):
            wait = following - day
            if number < 3:
                expected[number, day, wait if wait <= WAIT else 0] += 1
    waits = counted(rows).waits
    assert {key: waits[key] for key in zip(*map(list, np.nonzero(waits)), strict=True)} == expected


@given(some_rows, st.integers(1, 10))
def test_days_after_a_conversion_are_those_of_a_count_by_day(rows: list[Row], days: int) -> None:
    window, rows = min(days, REACH), sorted(set(rows))
    expected: Counter = Counter()
    for user in range(USERS):
        touches = [row[1] for row in rows if row[0] == user and not row[3]]
        orders = [row[1] for row in rows if row[0] == user and row[3]]
        for day in range(window - 1, DAYS):
            opens = day * SECONDS_PER_DAY
            earlier = [order for order in orders if order < opens]
            since = day - max(earlier) // SECONDS_PER_DAY if earlier else window
            if since >= window:
                continue
            number = sum(not opens <= touch < opens + SECONDS_PER_DAY for touch in touches)
            first = opens - (window - 1) * SECONDS_PER_DAY
            key = (
                *(since - 1, day, floor(2 * log2(max(number, 1)))),
                any(max(earlier) < touch < opens for touch in touches),
                any(first <= touch <= max(earlier) for touch in touches),
                any(order // SECONDS_PER_DAY == day for order in orders),
            )
            expected[key] += 1
    found = counted(rows, days).after_conversion.reshape(-1, DAYS, LEVELS, 2, 2, 2)
    assert {key: found[key] for key in zip(*map(list, np.nonzero(found)), strict=True)} == expected


@given(some_rows)
def test_touches_beside_first_conversions_are_those_of_a_count(rows: list[Row]) -> None:
    rows = sorted(set(rows))
    sums, buyers = np.zeros((5, CHANNELS), np.int64), Counter()
    for user in range(USERS):
        touched = [
            (row[1] // SECONDS_PER_DAY, row[2]) for row in rows if row[0] == user and not row[3]
        ]
        orders = [row[1] // SECONDS_PER_DAY for row in rows if row[0] == user and row[3]]
        if not orders or min(orders) + BESIDE >= DAYS:
            continue
        day = min(orders)
        if not any(touch < day - BESIDE for touch, _ in touched):
            continue
        buyers[day] += 1
        for channel in range(CHANNELS):
            of_channel = [touch - day for touch, of in touched if of == channel]
            before = sum(-BESIDE <= since < 0 for since in of_channel)
            after = sum(0 < since <= BESIDE for since in of_channel)
            sums[:, channel] += before, after, before**2, before * after, after**2
    found = counted(rows)
    assert found.beside.tolist() == sums.tolist()
    assert {int(day): found.buyers[day] for day in np.flatnonzero(found.buyers)} == buyers


@given(some_rows, st.lists(st.booleans(), min_size=3, max_size=3))
def test_counts_of_parts_add_up(rows: list[Row], chosen: list[bool]) -> None:
    whole, grid = journeys_of(rows), Grid(3, CHANNELS)
    parts = [whole.of_users(np.array(chosen)), whole.of_users(~np.array(chosen))]
    together = sum_of([returns_of(part, grid, PERIOD) for part in parts])
    for found, expected in zip(together, returns_of(whole, grid, PERIOD), strict=True):
        assert np.array_equal(found, expected)


def test_users_of_one_day_orders_within_an_hour_and_gaps_are_counted() -> None:
    rows = [
        *(on(0), on(0, hour=15), bought(1), bought(1, hour=14), bought(8), bought(15)),
        *(on(0, user=1), on(3, user=1)),
        bought(4, user=2),
    ]
    found = counted(rows)
    assert found.users.tolist() == [2, 1]  # user 2 has no touch
    assert one_day_share(found) == 0.5
    assert found.conversions.tolist() == [5, 1]
    assert second_order_share(found) == 0.2
    assert usual_gap(found) == 7


def test_nothing_is_told_by_a_single_touch() -> None:
    found = counted([on(3)], days=1)
    assert np.isnan(lost_share(found).value)
    assert np.isnan(lasting_effect(found).value)
    assert (affected_share(found), usual_gap(found), second_order_share(found)) == (0, 0, 0)
    assert not Estimate(np.nan, np.nan).is_above(0, 0)
    assert not Estimate(1.0, np.nan).is_above(0, 0)


def waits_of(probabilities: Sequence[float], lost: float, users: float = 1e12) -> np.ndarray:
    """Waits as they are expected to be, `(3, days, WAIT + 1)`, where everybody is new on each day.

    After the k-th active day `probabilities[k]` come back on each day, but for those lost at once.
    """
    waits = np.zeros((3, DAYS, WAIT + 1))
    for number, probability in enumerate(probabilities):
        kept = users * (1 - lost if number == 0 else 1)
        for day in range(DAYS):
            wait = np.arange(1, min(WAIT, DAYS - 1 - day) + 1)
            waits[number, day, wait] = kept * probability * (1 - probability) ** (wait - 1)
            waits[number, day, 0] = users - waits[number, day].sum()
    return np.rint(waits).astype(np.int64)


@pytest.mark.parametrize("lost", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("shape", [None, 1.0], ids=["users alike", "users of gamma rates"])
def test_the_share_of_lost_ids_is_found_where_waits_are_as_expected(
    lost: float, shape: float | None
) -> None:
    # Of rates with a gamma distribution, survival is exponential in the active days so far.
    powers = [2, 2, 2] if shape is None else [shape + 1, shape + 2, shape + 3]
    waits = waits_of([1 - 0.8**power for power in powers], lost)
    found = lost_share(counted([on(0)])._replace(waits=waits))
    assert found.value == pytest.approx(lost, abs=1e-6)
    assert 0 < found.error < 1e-5


def test_the_odds_ratio_of_one_stratum_is_that_of_its_table() -> None:
    """Woolf's standard error: of one table all estimates agree."""
    table = np.array([[[90, 10], [60, 20]]])
    found = lasting_effect(counted([on(0)])._replace(after_conversion=table))
    assert found.value == pytest.approx(np.log(20 * 90 / (10 * 60)))
    assert found.error == pytest.approx(np.sqrt(1 / 90 + 1 / 10 + 1 / 60 + 1 / 20))


def test_the_odds_ratio_is_of_equal_users_and_days() -> None:
    """Two strata without an effect, whose sum shows one (Simpson)."""
    tables = np.array([[[900, 100], [90, 10]], [[50, 50], [500, 500]]])
    of_all = counted([on(0)])._replace(after_conversion=tables)
    assert lasting_effect(of_all).value == pytest.approx(0, abs=1e-12)


def test_what_all_users_are_touched_more_is_not_owed_to_buying() -> None:
    """Twice the mail for everybody from day 15 on, and three times after a first conversion."""
    beside = np.array([[100, 100], [200, 600], [150, 150], [250, 700], [500, 4000]])
    touches = np.repeat([[1000, 1000], [2000, 2000]], [15, 15], axis=0)
    buyers = np.zeros(DAYS, np.int64)
    buyers[15] = 100
    # Of the days after, all are of twice the mail, of those before none.
    found = touches_after_buying(
        counted([on(0)])._replace(beside=beside, touches=touches, buyers=buyers)
    )
    assert found.log_ratio == pytest.approx(np.log([1, 3]), abs=0.01)
    assert found.before == pytest.approx([1 / 7, 1 / 7])
    assert (found.error > 0).all()
