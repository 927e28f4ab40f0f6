"""Times as their owners write them: the seconds they mean, or an error that shows a bad value."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from td_mta.errors import DataError
from td_mta.ingest import times

LOCATION = "table t, column c"
NOON = 1_700_049_600  # 2023-11-15 12:00:00 UTC
STAMP = dt.datetime(2023, 11, 15, 12, tzinfo=dt.timezone.utc)
TEXT, ISO = "times written as text", "ISO 8601 times"


@pytest.mark.parametrize(
    ("column", "conversion"),
    [
        (pa.array([NOON]), None),
        (pa.array([NOON + 0.9]), None),
        (pa.array([NOON * 1000 + 999]), "milliseconds"),
        (pa.array([float(NOON * 1000)]), "milliseconds"),
        (pa.array([str(NOON)]), TEXT),
        (pa.array([f" {NOON}.5 "]), TEXT),
        (pa.array([f"+{NOON}"]), TEXT),
        (pa.array(["1.7000496e9"]), TEXT),
        (pa.array([str(NOON * 1000)]), TEXT),
        (pa.array([str(NOON)]).dictionary_encode(), TEXT),
        (pa.array([Decimal(NOON)]), TEXT),
        (pa.array(["2023-11-15T12:00:00Z"]), ISO),
        (pa.array(["2023-11-15 12:00:00.999"]), ISO),
        (pa.array([" 2023-11-15 12:00 "]), ISO),
        (pa.array(["2023-11-15T21:00:00+09:00"]), ISO),
        (pa.array(["20231115T120000Z"]), ISO),
        (pa.array([STAMP], pa.timestamp("us", "UTC")), "timestamps"),
        (pa.array([STAMP], pa.timestamp("ms", "Asia/Tokyo")), "timestamps"),
        (pa.array([STAMP.replace(tzinfo=None)], pa.timestamp("ns")), "timestamps"),
    ],
    ids=lambda value: str(value.to_pylist()[0]) if isinstance(value, pa.Array) else None,
)
def test_a_time_is_read_in_any_form_and_conversion_is_reported(
    column: pa.Array, conversion: str | None
) -> None:
    seconds, missing, converted = times.read(column, LOCATION)
    assert (seconds.tolist(), missing.tolist(), converted) == ([NOON], [False], conversion)


def test_a_date_is_its_midnight() -> None:
    for column in (pa.array([dt.date(1970, 1, 3)]), pa.array(["1970-01-03"])):
        assert times.read(column, LOCATION).seconds.tolist() == [2 * 86_400]


def test_seconds_and_milliseconds_may_stand_in_one_column() -> None:
    column = pa.array([0, 99_999_999_999, 100_000_000_000, NOON * 1000])
    assert times.read(column, LOCATION).seconds.tolist() == [
        0,
        99_999_999_999,
        100_000_000,
        NOON,
    ]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([5, None, None]),
        pa.array([5.0, float("nan"), None]),
        pa.array(["5", "", None]),
        pa.array(["1970-01-01T00:00:05", "  ", None]),
        pa.array([dt.datetime(1970, 1, 1, 0, 0, 5), None, None]),
    ],
    ids=["whole", "float", "text", "ISO", "timestamp"],
)
def test_a_time_that_is_not_there_is_missing(column: pa.Array) -> None:
    seconds, missing, _ = times.read(column, LOCATION)
    assert seconds[0] == 5
    assert missing.tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        (pa.array([7, -3]), "-3 in one row"),
        (pa.array([-1, 7, -2]), "-1 in 2 of the rows read"),
        (pa.array(["-3"]), "'-3' in one row"),
        (pa.array(["1969-12-31T23:59:59Z"]), "'1969-12-31T23:59:59Z' in one row"),
        (pa.array([NOON * 10**6]), f"{NOON * 10**6} in one row"),
        (pa.array([float("inf")]), "inf in one row"),
        (pa.array([2**64 - 1], pa.uint64()), f"{2**64 - 1} in one row"),
        (pa.array(["9999-01-01"]), "'9999-01-01' in one row"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_time_before_1970_or_far_ahead_is_refused(column: pa.Array, shown: str) -> None:
    with pytest.raises(DataError) as refused:
        times.read(column, LOCATION)
    wanted = "times from 1970 on, as unix seconds, milliseconds or ISO 8601"
    assert str(refused.value) == f"{LOCATION} must hold {wanted}, got {shown}"


@pytest.mark.parametrize("text", ["soon", "today", "now", "nan", "15.11.2023", "2023-13-01", "12h"])
def test_a_text_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(DataError) as refused:
        times.read(pa.array(["5", None, text]), LOCATION)
    wanted = "times from 1970 on, as unix seconds, milliseconds or ISO 8601"
    assert str(refused.value) == f"{LOCATION} must hold {wanted}, got {text!r} in one row"


def test_true_and_false_are_no_times() -> None:
    with pytest.raises(DataError, match=f"{LOCATION} must hold .*ISO 8601, got true and false"):
        times.read(pa.array([True]), LOCATION)
