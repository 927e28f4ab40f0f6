"""A column is a number only where none of its values loses what it says."""

import pyarrow as pa
import pytest

from td_mta.warehouse.files.column_types import Guess

TEXT, INT, DOUBLE, BOOL = pa.string(), pa.int64(), pa.float64(), pa.bool_()
COLUMNS = {
    "decimal ids": ("user_id", ["12.1", "12.10"], TEXT),
    "prices": ("price", ["12.10", "5", "7.5"], DOUBLE),
    "ids with an exponent": ("Customer ID", ["1e5", "2"], TEXT),
    "pieces of a hash, by any name": ("kunde", ["1e5", "12E4"], TEXT),
    "numbers with an exponent": ("x", ["1e+05", "1E-3", "0.5"], DOUBLE),
    "numbers as Java writes them": ("x", ["1.0E5", "0.5"], DOUBLE),
    "leading zeros": ("x", ["007", "8"], TEXT),
    "a phone": ("x", ["+4930123"], TEXT),
    "hexadecimal": ("x", ["0x1F"], TEXT),
    "twenty digits": ("x", ["12345678901234567890", "1"], TEXT),
    "sixteen digits beside a fraction": ("x", ["1234567890123456", "1.5"], TEXT),
    "ids of Google Analytics": ("cid", ["523478901.1709542800"], TEXT),
    "sums of floats": ("x", ["0.30000000000000004", "1234567.8900000001"], DOUBLE),
    "integers are integers by any name": ("visitor_id", ["1", "22"], INT),
    "ids beside missing ones, as pandas writes them": ("userId", ["1.0", "2.0"], INT),
    "the same, mixed": ("uid", ["1.0", "2"], INT),
    "too large for pandas": ("uid", ["9007199254740993.0"], TEXT),
    "inf and nan as users": ("user", ["inf", "nan", "5"], TEXT),
    "infinity beside numbers": ("x", ["inf", "5"], DOUBLE),
    "infinity alone": ("x", ["inf"], TEXT),
    "channels in decimals": ("channel", ["1.0", "2.0"], TEXT),
    "campaigns true and false": ("campaign", ["true", "false"], TEXT),
    "flags": ("conversion", ["true", "FALSE"], BOOL),
    "a price that ends in id": ("amount_paid", ["12.50"], DOUBLE),
    "a bid": ("bid", ["1.0"], DOUBLE),
    "of a customer, but no id": ("customer_value", ["12.50"], DOUBLE),
    "counts of users": ("user_count", ["1.5"], DOUBLE),
    "decimals, or thousands": ("x", ["1.234", "12.500"], TEXT),
    "decimals by one of them": ("x", ["1.234", "12.50"], DOUBLE),
    "small decimals": ("x", ["0.244", "3.195"], DOUBLE),
    "ids by a name in Chinese": ("用户id", ["12.1", "12.10"], TEXT),
    "ids by a name in Russian": ("Клиент", ["12.1", "12.10"], TEXT),
    "decimal commas": ("x", ["12,50"], TEXT),
    "currencies": ("x", ["€ 5"], TEXT),
    "a missing number": ("x", ["1", "NA"], INT),
    "missing numbers": ("x", ["1.5", "-", "NULL", "n/a", "NaN"], DOUBLE),
    "a missing flag": ("x", ["true", "null"], BOOL),
    "words alone": ("x", ["NA", "NULL"], TEXT),
    "a country among ids": ("user_id", ["1", "NA"], TEXT),
    "numbers with blanks around": ("x", [" 1", "2 ", "\u00a03", " "], INT),
    "words with blanks around": ("x", [" 1", "a "], TEXT),
    "nothing": ("x", [None], TEXT),
}


@pytest.mark.parametrize("name,values,kind", COLUMNS.values(), ids=COLUMNS)
def test_a_column_has_the_narrowest_type_that_keeps_its_values(
    name: str, values: list[str | None], kind: pa.DataType
) -> None:
    together, apart = Guess(name), Guess(name)
    together.add(pa.array(values, pa.string()))
    for value in values:
        apart.add(pa.array([value], pa.string()))
    assert together.reading().type == kind
    assert apart.reading().type == kind


def test_a_column_that_a_parameter_calls_a_name_keeps_its_text() -> None:
    guess = Guess("kunde", holds_names=True)
    guess.add(pa.array(["12.10", "12.1"]))
    assert guess.reading().type == TEXT


@pytest.mark.parametrize(
    "name,values,read,said",
    [
        ("x", ["1", "NA", None, "na"], [1, None, None, None], "NA, na in column x read as missing"),
        ("x", ["1.5", "-"], [1.5, None], "- in column x read as missing (1)"),
        ("uid", ["1.0", None, "22"], [1, None, 22], "1.0 in column uid read as 1"),
        ("x", ["TRUE", "null"], [True, None], "null in column x read as missing (1)"),
    ],
)
def test_what_is_read_otherwise_than_written_is_said(
    name: str, values: list[str | None], read: list[object], said: str
) -> None:
    guess = Guess(name)
    guess.add(pa.array(values))
    reading = guess.reading()
    assert not reading.by_csv
    assert reading.values(pa.array(values)).to_pylist() == read
    assert said in reading.said[0]


def test_blanks_around_numbers_say_nothing() -> None:
    guess = Guess("x")
    guess.add(pa.array([" 1.5", "2 ", " "]))
    reading = guess.reading()
    assert reading.values(pa.array([" 1.5", "2 ", " ", None])).to_pylist() == [1.5, 2, None, None]
    assert not reading.said


def test_ids_that_a_spreadsheet_has_cut_are_said() -> None:
    guess = Guess("order_id")
    guess.add(pa.array(["1.23457E+12", "7"]))
    assert "column order_id holds numbers such as 1.23E+12" in guess.reading().said[0]


def test_what_we_write_ourselves_has_no_words_for_missing_numbers() -> None:
    guess = Guess("x", exact=True)
    guess.add(pa.array(["1", "NA"]))
    assert guess.reading().type == TEXT
