"""Columns as their owners write them: what they mean, or an error that shows a bad value."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from td_mta.errors import DataError
from td_mta.ingest import coercion

LOCATION = "table t, column c"


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
