"""Orders that follow at once, worked by hand and by their laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from td_mta.journeys.events import Read, Reading, read
from td_mta.journeys.touchpoints import NO_MARKS, SECONDS_PER_DAY, Touchpoints, arrange

Row = tuple[int, int, int, bool, float]  # user, time, channel, conversion, value
NOTHING = float("nan")


def read_within(rows: list[Row], seconds: int | None) -> Read:
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    user, time, channel, conversion, value = columns
    day, second = np.divmod(time, SECONDS_PER_DAY)
    touchpoints = Touchpoints(
        user=user,
        time=time,
        day=day,
        second=second,
        channel=channel,
        conversion=conversion,
        value=np.where(conversion, value, NOTHING),
    )
    arranged = arrange(touchpoints)
    return read(arranged.rows, NO_MARKS, Reading(repeats_within=seconds))


def test_orders_that_follow_one_another_are_one_with_the_sum_of_values() -> None:
    rows: list[Row] = [
        (0, 100, -1, True, 5.0),
        (0, 150, 0, False, NOTHING),
        (0, 160, -1, True, NOTHING),
        (0, 220, -1, True, 2.0),  # a minute after the previous one, two after the first
        (0, 281, -1, True, 7.0),
        (1, 285, -1, True, NOTHING),
    ]
    found = read_within(rows, 60)
    assert found.counts.repeats == 2
    assert found.rows.time.tolist() == [100, 150, 281, 285]
    assert found.rows.value.tolist() == pytest.approx([7.0, NOTHING, 7.0, NOTHING], nan_ok=True)


def test_no_time_joins_nothing_and_no_seconds_join_what_is_at_once() -> None:
    rows: list[Row] = [(0, 100, -1, True, 5.0), (0, 100, -1, True, 6.0)]
    assert len(read_within(rows, None).rows) == 2
    assert read_within(rows, 0).rows.value.tolist() == [11.0]


ROWS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 50),
        st.integers(-1, 1),
        st.booleans(),
        st.sampled_from([1.0, 2.0]),
    ),
    min_size=1,
    max_size=20,
    unique=True,
)


@given(ROWS, st.integers(0, 20))
def test_value_stays_touches_stay_and_none_follows_within_the_time(
    rows: list[Row], seconds: int
) -> None:
    before, after = read_within(rows, None).rows, read_within(rows, seconds).rows
    assert np.nansum(after.value) == np.nansum(before.value)
    assert np.count_nonzero(~after.conversion) == np.count_nonzero(~before.conversion)
    user, time = after.user[after.conversion], after.time[after.conversion]
    assert (np.diff(time)[np.diff(user) == 0] > seconds).all()
