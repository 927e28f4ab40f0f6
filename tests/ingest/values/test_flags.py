"""The conversion column: numbers, words for yes and no, names of events."""

from decimal import Decimal

import pyarrow as pa
import pytest

from td_mta.errors import DataError
from td_mta.ingest.values.flags import FlagReader

LOCATION = "table t, column c"
NAN = float("nan")


def reader(*values: str) -> FlagReader:
    return FlagReader("c", LOCATION, values, ("na", "null"))


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 0]),
        pa.array([1, 0], pa.uint8()),
        pa.array([1, None]),
        pa.array([1.0, 0.0]),
        pa.array([1.0, NAN]),
        pa.array([True, False]),
        pa.array([True, None]),
        pa.array(["1", "0"]),
        pa.array([" 1.0", "0.0 "]),
        pa.array(["true", "FALSE"]),
        pa.array(["Yes", "No"]),
        pa.array(["Y", "n\xa0"]),
        pa.array(["t", "F"]),
        pa.array(["ON", "off"]),
        pa.array(["x", ""]),
        pa.array(["X", None]),
        pa.array(["1", "NULL"]),
        pa.array(["ja", "nein"]),
        pa.array(["WAHR", "FALSCH"]),
        pa.array(["oui", "non"]),
        pa.array(["Sí", "-"]),
        pa.array(["是", "否"]),
        pa.array(["1", "0"]).dictionary_encode(),
        pa.array([Decimal(1), Decimal(0)]),
    ],
    ids=lambda column: f"{column.type} {column.to_pylist()}",
)
def test_a_flag_is_yes_or_no_in_any_form(column: pa.Array) -> None:
    flags = reader()
    assert flags.read(column).tolist() == [True, False]
    flags.check()


def test_what_was_taken_for_yes_and_no_is_counted() -> None:
    flags = reader()
    flags.read(pa.array(["yes", "", None, "NA", "1"]))
    assert flags.converted == {
        "words for yes and no in column c": 1,
        "nothing in column c as no conversion": 3,
    }


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0, 2, 2], "'2' (2 rows); a row is one conversion at most"),
        ([0, 2, 2], "set conversion_value_is: '1, 2'"),
        ([-1], "'-1' (1 row)"),
        ([0.5], "'0.5' (1 row)"),
        (["session_start", "purchase", "session_start"], "'session_start' (2 rows), 'purchase' (1"),
        (["session_start", "purchase", "session_start"], "--set conversion_value_is=purchase"),
        (["kept", "kept", "won"], "--set conversion_value_is=won"),
        (["purchase", ""], "'purchase' (1 row); set conversion_value_is"),
        (["Order Completed", "page"], "--set conversion_value_is=Order Completed"),
        ([f"e{number}" for number in range(12)], "and 4 more values"),
    ],
    ids=str,
)
def test_another_flag_is_refused_with_what_may_be_meant(values: list[object], said: str) -> None:
    flags = reader()
    flags.read(pa.array(values))
    with pytest.raises(DataError) as refused:
        flags.check()
    assert str(refused.value).startswith(f"{LOCATION} must hold 0 or 1 (or yes, no), got ")
    assert said in str(refused.value)


def test_all_rows_are_counted_before_a_flag_is_refused() -> None:
    flags = reader()
    for _ in range(3):
        flags.read(pa.array(["view", "buy", "view"]))
    with pytest.raises(DataError, match="'view' \\(6 rows\\), 'buy' \\(3 rows\\)"):
        flags.check()


def test_a_column_of_free_text_is_refused_at_once() -> None:
    with pytest.raises(DataError, match="and 1,492 more values"):
        reader().read(pa.array([f"text {number}" for number in range(1500)]))


@pytest.mark.parametrize(
    ("values", "column", "expected"),
    [
        (["purchase"], pa.array(["Purchase ", "view", "", None]), [True, False, False, False]),
        (["purchase", "sign_up"], pa.array(["sign_up", "purchase", "1"]), [True, True, False]),
        (["2", "1"], pa.array([2, 1, 0, None]), [True, True, False, False]),
        (["2"], pa.array([2.0, 1.0]), [True, False]),
        (["true"], pa.array([True, False, None]), [True, False, False]),
        (["没有"], pa.array(["没有", "有"]), [True, False]),
    ],
    ids=str,
)
def test_only_the_values_that_a_parameter_names_convert(
    values: list[str], column: pa.Array, expected: list[bool]
) -> None:
    flags = reader(*values)
    assert flags.read(column).tolist() == expected
    flags.check()
    assert flags.absent_values() == []


def test_values_that_no_row_has_are_told() -> None:
    flags = reader("purchase", "order")
    flags.read(pa.array(["view", "purchase", "view"]))
    assert flags.absent_values() == ["order"]
    assert "it has 'view' (2 rows)" in flags.nothing_found()
