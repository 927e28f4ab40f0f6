"""Columns as their owners write them: what they mean, or an error that shows a bad value."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from td_mta.errors import DataError
from td_mta.ingest import coercion

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
    seconds, missing, converted = coercion.times(column, LOCATION)
    assert (seconds.tolist(), missing.tolist(), converted) == ([NOON], [False], conversion)


def test_a_date_is_its_midnight() -> None:
    for column in (pa.array([dt.date(1970, 1, 3)]), pa.array(["1970-01-03"])):
        assert coercion.times(column, LOCATION).seconds.tolist() == [2 * 86_400]


def test_seconds_and_milliseconds_may_stand_in_one_column() -> None:
    column = pa.array([0, 99_999_999_999, 100_000_000_000, NOON * 1000])
    assert coercion.times(column, LOCATION).seconds.tolist() == [
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
    seconds, missing, _ = coercion.times(column, LOCATION)
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
        coercion.times(column, LOCATION)
    wanted = "times from 1970 on, as unix seconds, milliseconds or ISO 8601"
    assert str(refused.value) == f"{LOCATION} must hold {wanted}, got {shown}"


@pytest.mark.parametrize("text", ["soon", "today", "now", "nan", "15.11.2023", "2023-13-01", "12h"])
def test_a_text_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(DataError) as refused:
        coercion.times(pa.array(["5", None, text]), LOCATION)
    wanted = "times from 1970 on, as unix seconds, milliseconds or ISO 8601"
    assert str(refused.value) == f"{LOCATION} must hold {wanted}, got {text!r} in one row"


def test_true_and_false_are_no_times() -> None:
    with pytest.raises(DataError, match=f"{LOCATION} must hold .*ISO 8601, got true and false"):
        coercion.times(pa.array([True]), LOCATION)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 0]),
        pa.array([1, 0], pa.uint8()),
        pa.array([1.0, 0.0]),
        pa.array([True, False]),
        pa.array(["1", "0"]),
        pa.array([" 1.0", "0.0 "]),
        pa.array(["true", "FALSE"]),
        pa.array(["1", "0"]).dictionary_encode(),
        pa.array([Decimal(1), Decimal(0)]),
    ],
    ids=lambda column: f"{column.type} {column.to_pylist()[0]}",
)
def test_a_flag_is_one_or_zero_in_any_form(column: pa.Array) -> None:
    assert coercion.flags(column, LOCATION).tolist() == [True, False]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0, 2, 2], "2 in 2 of the rows read"),
        ([-1], "-1 in one row"),
        ([0.5], "0.5 in one row"),
        (["yes"], "'yes' in one row"),
        ([""], "'' in one row"),
        ([1, None], "no value in one row"),
        ([True, None], "no value in one row"),
        ([1.0, float("nan")], "nan in one row"),
    ],
    ids=str,
)
def test_another_flag_is_refused(values: list[object], shown: str) -> None:
    with pytest.raises(DataError) as refused:
        coercion.flags(pa.array(values), LOCATION)
    assert str(refused.value) == f"{LOCATION} must hold 0 or 1 (or true, false), got {shown}"


NAN = float("nan")


@pytest.mark.parametrize(
    ("column", "numbers"),
    [
        (pa.array([3, None]), [3, NAN]),
        (pa.array([1.5, NAN, None]), [1.5, NAN, NAN]),
        (pa.array(["1.5", " -2 ", "+3", "1e3"]), [1.5, -2, 3, 1000]),
        (pa.array(["", " ", "nan", "NaN", None]), [NAN] * 5),
        (pa.array([Decimal("1.50"), None]), [1.5, NAN]),
        (pa.array([None], pa.null()), [NAN]),
        (pa.array([], pa.string()), []),
    ],
    ids=["whole", "float", "text", "text without", "decimal", "nothing", "empty"],
)
def test_an_amount_is_a_number_or_missing(column: pa.Array, numbers: list[float]) -> None:
    assert np.array_equal(coercion.amounts(column, LOCATION), numbers, equal_nan=True)


@pytest.mark.parametrize(
    ("value", "shown"),
    [("12 EUR", "'12 EUR'"), ("1,5", "'1,5'"), ("inf", "'inf'"), (float("inf"), "inf")],
)
def test_an_amount_that_is_no_number_is_refused(value: object, shown: str) -> None:
    with pytest.raises(DataError) as refused:
        coercion.amounts(pa.array([value]), LOCATION)
    assert str(refused.value) == f"{LOCATION} must hold numbers, got {shown} in one row"


def test_spaces_around_names_are_taken_off_and_counted_by_row() -> None:
    column = pa.array([" Email", "Email", "Email\t", "", "  ", None, "\u3000é", " Email"])
    result = coercion.names(column)
    names = [result.names[code] for code in result.codes]
    assert names == ["Email", "Email", "Email", None, None, None, "é", "Email"]
    assert result.trimmed == 5


@pytest.mark.parametrize(
    ("column", "names"),
    [
        (pa.array([7, None]), ["7", None]),
        (pa.array([7.0, NAN]), ["7", None]),
        (pa.array([None, None], pa.null()), [None, None]),
        (pa.array([], pa.string()), []),
    ],
    ids=["whole", "float", "nothing", "empty"],
)
def test_names_may_be_numbers_or_missing(column: pa.Array, names: list[str | None]) -> None:
    result = coercion.names(column)
    assert [result.names[code] for code in result.codes] == names
    assert result.trimmed == 0


@pytest.mark.parametrize(
    ("column", "ids"),
    [
        (pa.array(["a", "", None, "日本"]), ["a", None, None, "日本"]),
        (pa.array([7, None]), ["7", None]),
        (pa.array([7.0, NAN]), ["7", None]),
        (pa.array(["a", None]).dictionary_encode(), ["a", None]),
        (pa.array([None], pa.null()), [None]),
    ],
    ids=["text", "whole", "float", "dictionary", "nothing"],
)
def test_a_user_is_a_text_and_an_empty_one_is_missing(
    column: pa.Array, ids: list[str | None]
) -> None:
    assert coercion.users(column).to_pylist() == ids
