"""Levels of users and days by hand, and against a loop over all rows."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from td_mta.journeys.attributes import MISSING, OfUsers, of_days

Row = tuple[int, int, int, int]  # user, day, second of the day, level
ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(0, 2), st.integers(0, 3)),
    max_size=25,
)


def attribute(rows: list[Row]) -> OfUsers:
    user, day, second, level = np.array(rows, np.int64).reshape(-1, 4).T
    return OfUsers.of_rows(user, day * 86_400 + second, day, level)


def level_by_loop(rows: list[Row], user: int, day: int) -> int:
    said = sorted((d, second, level) for who, d, second, level in rows if who == user and level)
    before = [level for d, _, level in said if d < day]
    if before:
        return before[-1]
    return said[0][2] if said else MISSING


@given(ROWS)
def test_a_level_is_what_the_last_row_before_the_day_said_or_else_the_first(
    rows: list[Row],
) -> None:
    user, day = (column.ravel() for column in np.mgrid[0:5, -2:9])
    wanted = [level_by_loop(rows, *user_day) for user_day in zip(user, day, strict=True)]
    assert attribute(rows).level(user, day).tolist() == wanted


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[Row], random: Random) -> None:
    shuffled = sorted(rows, key=lambda _: random.random())
    for one, other in zip(attribute(rows), attribute(shuffled), strict=True):
        assert one.tolist() == other.tolist()


@given(ROWS)
def test_users_left_out_take_their_levels_with_them(rows: list[Row]) -> None:
    kept = np.array([True, False, True, True])
    user, day = (column.ravel() for column in np.mgrid[0:3, 0:8])
    old_number = np.flatnonzero(kept)
    few = attribute(rows).of_users(kept)
    assert few.level(user, day).tolist() == attribute(rows).level(old_number[user], day).tolist()


def test_a_row_of_the_day_itself_says_nothing_of_the_day() -> None:
    rows = [(0, 2, 0, 1), (0, 4, 0, 2)]
    levels = attribute(rows).level(np.zeros(5, int), np.arange(2, 7))
    assert levels.tolist() == [1, 1, 1, 2, 2]


def test_a_column_of_days_has_the_level_of_the_day_for_everybody() -> None:
    day = np.repeat([3, 4, 6], 40)
    level = np.repeat([1, 2, 1], 40)
    level[0] = 2  # a row in another zone
    found = of_days(day, level)
    assert found is not None
    assert found.level(np.zeros(6, int), np.arange(2, 8)).tolist() == [1, 1, 2, 2, 1, 1]


def test_a_column_that_most_users_share_is_not_of_days() -> None:
    rng = np.random.default_rng(1)
    day, level = np.repeat(np.arange(5), 200), 1 + (rng.random(1000) < 0.02)
    assert of_days(day, level) is None
    assert of_days(day, np.ones(1000, int)) is None


def test_few_rows_a_day_do_not_tell_that_a_column_is_of_days() -> None:
    assert of_days(np.arange(30), 1 + np.arange(30) % 2) is None
