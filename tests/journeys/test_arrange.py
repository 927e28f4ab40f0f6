"""Rows in canonical order against a plain sort of tuples, on rows that are equal in many ways."""

import math

import numpy as np
import pytest

from td_mta.journeys.touchpoints import Floats, Ints, Marks, Touchpoints, arrange

ROWS = 300
Row = tuple[float, ...]


def nasty_rows(rng: np.random.Generator, last_time: int) -> Touchpoints:
    """Few values of each column, so that most rows share some, or all, with another one."""
    time = rng.choice([5, 6, last_time], size=ROWS)
    return Touchpoints(
        user=rng.integers(3, size=ROWS),
        time=time,
        day=time // 86_400,
        second=time % 86_400,
        channel=rng.integers(-1, 2, size=ROWS),
        conversion=rng.random(ROWS) < 0.5,
        value=rng.choice([1.0, 2.0, np.nan], size=ROWS),
    )


def sorted_once(rows: Touchpoints, marks: Marks, arrival: int) -> list[int]:
    """Row numbers, by loops over rows."""

    def column(values: Ints | Floats | None, row: int) -> float:
        return 0.0 if values is None else float(values[row])

    def equal_rows(row: int) -> Row:
        value = float(rows.value[row])
        known = (math.isnan(value), 0.0 if math.isnan(value) else value)
        own = (rows.user[row], rows.time[row], rows.conversion[row], rows.channel[row])
        return (*map(float, own), *known, column(marks.order, row), column(marks.journey, row))

    first: dict[Row, int] = {}
    for row in sorted(range(ROWS), key=lambda row: (column(marks.tie, row), row)):
        first.setdefault(equal_rows(row), row)

    def place(row: int) -> Row:
        user, time, conversion, *others = equal_rows(row)
        if not arrival and marks.tie is None:
            return (user, time, conversion, *others)
        tie = column(marks.tie, row)
        return (user, time, tie, conversion, row * arrival, *others)

    return sorted(first.values(), key=place)


@pytest.mark.parametrize("last_time", [7, 10**10], ids=["near", "far"])
@pytest.mark.parametrize("arrival", [-1, 0, 1])
@pytest.mark.parametrize("marked", ["", "tie", "order", "tie order journey"])
def test_rows_are_sorted_and_each_kept_once(last_time: int, arrival: int, marked: str) -> None:
    rng = np.random.default_rng(18)
    rows = nasty_rows(rng, last_time)
    marks = Marks(**{name: rng.integers(3, size=ROWS) for name in marked.split()})
    found = arrange(rows, marks, arrival)
    wanted = sorted_once(rows, marks, arrival)
    for name, column in vars(rows.take(np.array(wanted))).items():
        np.testing.assert_array_equal(getattr(found.rows, name), column, name)
    for column, of_rows in zip(found.marks, marks, strict=True):
        assert of_rows is None or column.tolist() == of_rows[wanted].tolist()
    assert found.duplicates == ROWS - len(wanted)


def test_times_far_apart_of_many_users_fit_in_no_number_and_are_ranked() -> None:
    user = np.array([2**40, 0, 2**40, 0])
    time = np.array([10**10, 3, 3, 10**10])
    zeros = np.zeros(4, np.int64)
    rows = Touchpoints(
        user=user,
        time=time,
        day=time // 86_400,
        second=time % 86_400,
        channel=zeros,
        conversion=zeros > 0,
        value=zeros * 1.0,
    )
    found = arrange(rows).rows
    assert found.user.tolist() == [0, 0, 2**40, 2**40]
    assert found.time.tolist() == [3, 10**10, 3, 10**10]
