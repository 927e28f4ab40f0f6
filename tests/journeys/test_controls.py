"""The levels of user-days by each control, worked by hand; the journeys are of a few users."""

from typing import Literal

import numpy as np
import pytest

from td_mta.journeys import controls
from td_mta.journeys.controls import CONTROLS, Period, UserDays, returns_from, strata_of
from td_mta.journeys.strata import Basis, Strata, doublings, reached
from td_mta.journeys.touchpoints import SECONDS_PER_DAY, Touchpoints, arrange
from td_mta.journeys.windows import Journeys

Row = tuple[int, int, bool]  # user, day, and whether it is a conversion instead of a touch


def journeys_of(rows: list[Row], users: int = 3) -> Journeys:
    user, day, conversion = (np.array(column) for column in zip(*rows, strict=True))
    arranged = arrange(
        Touchpoints(
            user=user,
            time=day * SECONDS_PER_DAY + np.arange(len(rows)),
            day=day,
            second=np.arange(len(rows)),
            channel=np.where(conversion, -1, 0),
            conversion=conversion,
            value=np.zeros(len(rows)),
        )
    )
    return Journeys(arranged.rows, users, conversion_row_is_touch=False)


def level(name: str, journeys: Journeys, user: int, days: list[int]) -> list[int]:
    user_days = UserDays(np.full(len(days), user), np.array(days))
    period = Period(0, 400)
    return CONTROLS[name].level(journeys, user_days, period, 3).tolist()


def test_days_since_a_conversion_count_from_the_last_one_before_the_day() -> None:
    journeys = journeys_of([(0, 1, False), (0, 5, True), (0, 7, True), (1, 6, True), (2, 6, False)])
    assert level("since_conversion", journeys, 0, [4, 5, 6, 7, 8, 17]) == [0, 0, 1, 2, 1, 10]
    assert level("since_conversion", journeys, 1, [6, 7]) == [0, 1]
    assert level("since_conversion", journeys, 2, [6, 7]) == [0, 0]


def test_times_beyond_the_single_days_share_levels() -> None:
    journeys = journeys_of([(0, 0, True)])
    days = [controls.SINGLE_DAYS, controls.SINGLE_DAYS + 1, 56, 57, 80, 399]
    assert level("since_conversion", journeys, 0, days) == [40, 41, 41, 42, 43, 47]


def test_activity_counts_all_touches_of_a_user_and_many_share_levels() -> None:
    rows = [(0, day, False) for day in range(5)] + [(1, 2, False)] * 33
    journeys = journeys_of(rows)
    assert level("user_activity", journeys, 0, [0, 4]) == [5, 5]
    assert level("user_activity", journeys, 1, [9]) == [controls.FEW_TOUCHES + 4]
    assert level("user_activity", journeys, 2, [9]) == [0]


@pytest.mark.parametrize(("first", "steps"), [(40, 2), (16, 4), (1, 2)])
def test_thresholds_are_the_least_numbers_whose_logarithm_reaches_the_next_step(
    first: int, steps: Literal[2, 4]
) -> None:
    number = np.arange(first, 20_000)
    k = np.floor(steps * np.log2(number / first)).astype(int)
    thresholds = doublings(first, steps, k.max())
    assert (reached(thresholds, number) == k).all()


def test_past_activity_is_a_rate_before_the_window_and_knows_nothing_later() -> None:
    past = [(0, 0, False), (0, 1, False), (0, 6, False)]
    journeys = journeys_of(past)
    later = journeys_of([*past, (0, 9, False), (0, 9, True)])
    days = [2, 3, 8, 9]
    # On day 8 the window opens on day 6: two touches in six days.
    expected = [0, 1 + controls.RATE_LEVELS // 2 + 1, 12 + int(np.floor(2 * np.log2(2 / 6))), 0]
    found = level("user_activity_past", journeys, 0, days)
    assert found[0] == expected[0]
    assert found[2] == expected[2]
    assert found == level("user_activity_past", later, 0, days)


def test_weekdays_begin_on_monday_and_every_day_has_an_effect_of_its_own() -> None:
    monday = int((np.datetime64("2026-01-05") - np.datetime64("1970-01-01")).astype(int))
    basis = CONTROLS["calendar_day"].basis(Period(monday, monday + 8))
    assert basis.rows.shape == (9, 7 + 9)
    assert basis.rows[:, :7].argmax(axis=1).tolist() == [0, 1, 2, 3, 4, 5, 6, 0, 1]
    assert (basis.rows[:, 7:] == np.eye(9)).all()


def test_held_out_days_are_like_the_last_training_days() -> None:
    basis = CONTROLS["calendar_day"].basis(Period(0, 4, held_out_day=3))
    assert basis.rows[:, 7:].shape == (5, 3)
    assert basis.rows[3:, 7:] == pytest.approx(np.full((2, 3), 1 / 3))


def test_a_user_returns_with_the_first_touch_of_a_second_day() -> None:
    journeys = journeys_of(
        [(0, 1, False), (0, 1, False), (0, 4, False), (0, 5, False), (2, 3, False)]
    )
    assert returns_from(journeys).tolist() == [2, 4, 5]


def test_codes_and_levels_are_each_others_inverse() -> None:
    strata = Strata(("a", "b", "c"), tuple(Basis(np.eye(n), np.ones(n)) for n in (3, 1, 5)))
    code = np.arange(strata.count)
    assert strata.count == 15
    assert (strata.code(strata.levels(code), 15) == code).all()
    assert strata.design(code).shape == (15, 9)


def test_without_controls_there_is_one_stratum() -> None:
    strata = strata_of((), Period(0, 9))
    assert strata.count == 1
    assert strata.design(np.zeros(2, np.int64)).shape == (2, 0)
    assert len(strata.precision) == 0


def test_a_control_left_out_keeps_the_codes() -> None:
    period = Period(0, 9)
    strata = strata_of(("calendar_day", "since_conversion"), period)
    code = np.array([controls.SINCE_LEVELS * 3 + 2])
    less = strata.without("since_conversion")
    assert [level.tolist() for level in less.levels(code)] == [[3], [2]]
    assert less.columns == strata.columns - controls.SINCE_LEVELS
