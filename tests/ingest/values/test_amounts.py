"""Amounts as people write them, and what a column tells about its decimal mark."""

import re
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from td_mta.errors import DataError
from td_mta.ingest.values.amounts import AmountReader, DecimalMarkError, amounts

LOCATION = "table t, column c"
NAN = float("nan")


@pytest.mark.parametrize(
    ("column", "numbers"),
    [
        (pa.array([3, None]), [3, NAN]),
        (pa.array([1.5, NAN, None]), [1.5, NAN, NAN]),
        (pa.array([Decimal("1.50"), None]), [1.5, NAN]),
        (pa.array([None], pa.null()), [NAN]),
        (pa.array([], pa.string()), []),
        (pa.array(["1.5", " -2 ", "+3", "1e3", ".5"]), [1.5, -2, 3, 1000, 0.5]),
        (pa.array(["", " ", "nan", "NaN", None]), [NAN] * 5),
        (pa.array(["1.5"]).dictionary_encode(), [1.5]),
        (pa.array(["$1,234.50", "$-5", "-$5", "($5.00)", "$ 1,000"]), [1234.5, -5, -5, -5, 1000]),
        (pa.array(["€ 12,50", "12,50 EUR", "-1.234,50 €"]), [12.5, 12.5, -1234.5]),
        (pa.array(["12.50 EUR", "eur 3"]), [12.5, 3]),
        (pa.array(["1 234,50", "1\xa0234,50", "1\u202f234,5"]), [1234.5, 1234.5, 1234.5]),
        (pa.array(["1'234.50", "1\u2019234.50", "CHF 2.-"]), [1234.5, 1234.5, 2]),
        (pa.array(["5.00-", "\u22125"]), [-5, -5]),
        (pa.array(["Rs. 1,00,000", "₹ 5.5"]), [100000, 5.5]),
        (pa.array(["1,234,567", "12"]), [1234567, 12]),
        (pa.array(["1.234.567", "1.234"]), [1234567, 1234]),
        (pa.array(["12,5", "1.234"]), [12.5, 1234]),
        (pa.array(["12.5", "1,234"]), [12.5, 1234]),
        (pa.array(["1.234"]), [1.234]),
        (pa.array(["1,234", "950"]), [1234, 950]),
        (pa.array(["€1.234", "€950"]), [1234, 950]),
        (pa.array(["0,500"]), [0.5]),
        (pa.array(["$ -", "$3"]), [NAN, 3]),
        (pa.array(["R$ 1.234,50"]), [1234.5]),
        (pa.array(["1 234,50 zł", "12,00 PLN"]), [1234.5, 12]),
        (pa.array(["kr 1 234", "99,- ", "99.-- kr"]), [1234, 99, 99]),
        (pa.array(["¥12,000", "￥800"]), [12000, 800]),
    ],
    ids=str,
)
def test_an_amount_is_a_number_or_missing(column: pa.Array, numbers: list[float]) -> None:
    assert np.array_equal(amounts(column, LOCATION), numbers, equal_nan=True)


@pytest.mark.parametrize(
    "value",
    ["5%", "12k", "5$50", "inf", "twelve", "1,23", "1.2.3", "12 34", "--5", "1,2,3", "3 apples"],
)
def test_an_amount_that_is_no_number_is_refused(value: str) -> None:
    with pytest.raises(DataError) as refused:
        amounts(pa.array([value, "$1.50", value]), LOCATION)
    assert str(refused.value).startswith(f"{LOCATION} ")
    assert repr(value) in str(refused.value)


@pytest.mark.parametrize("value", [float("inf"), -2e15, "1e308", "1e999", "$2000000000000000"])
def test_a_number_whose_sums_have_no_end_is_refused(value: object) -> None:
    said = f"none of them beyond 1,000,000,000,000,000, got {value!r} in one row"
    with pytest.raises(DataError, match=re.escape(said)):
        amounts(pa.array([value]), LOCATION)
    assert amounts(pa.array([1e15, -1e15]), LOCATION).tolist() == [1e15, -1e15]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["1,234.50", "1.234,50"], "holds '1,234.50' and '1.234,50'; set decimal_mark"),
        (["12.5", "12,5"], "holds '12.5' and '12,5'; set decimal_mark"),
        (["€1.234", "€1,234"], "holds '€1,234' and '€1.234'; set decimal_mark"),
        (["$5", "€5"], "several currencies, such as '$5' and '€5'; convert them to one"),
    ],
    ids=str,
)
def test_amounts_that_contradict_each_other_are_refused(values: list[str], said: str) -> None:
    with pytest.raises(DataError) as refused:
        amounts(pa.array(values), LOCATION)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("mark", "number"), [("point", 1234.0), ("comma", 1.234)], ids=["point", "comma"]
)
def test_the_parameter_decides_what_is_open(mark: str, number: float) -> None:
    reader = AmountReader("c", LOCATION, mark)  # type: ignore[arg-type]
    assert reader.read(pa.array(["1,234"])).tolist() == [number]
    reader.check()
    assert not any("open" in what for what in reader.converted)


def test_a_value_against_the_parameter_is_refused() -> None:
    with pytest.raises(DataError, match=r"with decimal_mark: comma, got '1,234\.50' in one row"):
        AmountReader("c", LOCATION, "comma").read(pa.array(["1,234.50"]))
    with pytest.raises(DataError, match="holds numbers with a decimal point already"):
        AmountReader("c", LOCATION, "comma").read(pa.array([1.5]))


def test_a_later_batch_that_shows_the_mark_asks_for_another_reading() -> None:
    reader = AmountReader("c", LOCATION)
    assert reader.read(pa.array(["1,234"])).tolist() == [1234]
    assert reader.read(pa.array(["5", None])).tolist()[0] == 5
    with pytest.raises(DecimalMarkError) as found:
        reader.read(pa.array(["12,5"]))
    assert found.value.mark == "comma"


def test_what_was_stripped_is_counted_by_row() -> None:
    reader = AmountReader("c", LOCATION)
    reader.read(pa.array(["$1,234", "$1,234", "$5", None]))
    assert reader.converted == {
        "open amounts of column c, such as $1,234, by a decimal point "
        "(decimal_mark: comma reads them otherwise)": 2,
        "$ in column c": 3,
    }


def test_words_for_a_missing_amount_are_missing() -> None:
    reader = AmountReader("c", LOCATION, None, ("null", "n/a"))
    assert np.isnan(reader.read(pa.array(["NULL", "N/A "]))).all()
