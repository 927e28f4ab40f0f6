"""What `td_mta.main` reads of a cell, the SQL of the workflow reads too; both refuse the same."""

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from td_mta.config import attribution as configuration
from td_mta.config import placeholders
from td_mta.errors import DataError
from td_mta.ingest import coercion
from td_mta.ingest.columns import BLANKS
from td_mta.ingest.values.amounts import amounts
from td_mta.ingest.values.flags import NUMBERS, WORDS, FlagReader
from td_mta.trino_on_datafusion.types import TrinoError
from td_mta.warehouse.local import LocalWarehouse

QUERY = Path(__file__).parents[3] / "queries" / "union_touchpoints.sql"
TIME = 1_772_236_800
NAMES = (
    *("c1", "c1 ", " c1", "Büro", "付费搜索", "🙂", "007", "12.10", "1e5", "1.2E1", "12.0", "-1"),
    *("00000000-0000-0000-0000-000000000000", "9007199254740993", "a b", "a\xa0b", "İ", "ß", "a'b"),
    *(f"{blank}c2{blank}" for blank in BLANKS),
    *(" \ufeff\u200b", "", " ", "NULL", "undefined", "(not set)", "nullify", "N/A", "(none)", "0"),
)
FLAGS = (
    *NUMBERS,
    *WORDS,
    *(word.upper() for word in WORDS if word.isascii()),
    *(" Yes ", "1\xa0", "", " ", "NULL", "n/a", "(not set)"),
)
OTHER_FLAGS = ("2", "-1", "0.5", "purchase", "page view", "maybe", "没有", "1 2")
POINT = (
    *("1", "1.5", "-2", "+3", ".5", "12.", "1e3", "1.5E-2", "1,234.50", "1,234,567", "1,23,456.5"),
    *("(5.00)", "5.00-", "1 234.5", "1'234.50", "1\u2019234.50", "1\xa0234.50", "\u22125.5"),
    *("99.-", "1,234", "", " ", "nan", "NULL", "n/a", "-", "\u2013", "0.123", "12 345 678.9"),
)
COMMA = (
    *("1", "1,5", "-2", "+3", ",5", "1.234,50", "1.234.567", "(5,00)", "5,00-", "1 234,5", "99,-"),
    *("1'234,50", "0,123", "1.234", "1,234", "1,2345", "", "-", "1\u202f234,50"),
)
MONEY = (
    *("$1,234.50", "-$5", "$-5", "($5.00)", "$ 1,000", "US$ 5", "5 USD", "€ 12,50", "12.50 EUR"),
    *("€1.234", "$1.234", "$1,234", "1.234,50 €", "£5", "¥12,000", "R$ 1.234,50", "Rs. 500"),
    *("Rs. 1,00,000", "fr. 12.50", "CHF 1'234.50", "1 234,50 zł", "99,- kr", "kr 5", "$ -"),
    *("1.234", "1,234", "A$5", "12 Kč", "HK$ 1,000.00", "5 TL", "500 руб.", "₹5"),  # noqa: RUF001
)
NO_AMOUNTS = (
    *("5%", "12k", "5$50", "5 $ 500", "inf", "Infinity", "abc", "1.2.3", "12 34", "--5"),
    *("1,2,3", "3 apples", "1e", "0x10", "1d", "5 us $ 50", "1 2 3", "$5 £5", "١٢", "5 '"),
)


def by_sql(folder: Path, name: str, values: pa.Array, **parameters: str) -> list[object]:
    """What the query makes of a column of such values, in their order."""
    columns: dict[str, object] = {
        "time": range(TIME, TIME + len(values)),
        "user_id": ["u"] * len(values),
        "channel": ["Email"] * len(values),
        "conversion": [0] * len(values),
        "value": [1.5] * len(values),
    }
    pq.write_table(pa.table(columns | {name: values}), folder / "touchpoints.parquet")
    config = configuration.from_params(
        {"union_query": "union_touchpoints", "touchpoints_value_column": "value"} | parameters,
        "test",
        out=folder,
    )
    warehouse = LocalWarehouse(folder, folder / "out", now=TIME + 2 * 86_400)
    rows = warehouse.query(placeholders.statement(QUERY, config))
    made = {"user_id": "canonical_id", "channel": "channels"}.get(name, name)
    found: list[object] = rows.sort_by("time")[made].to_pylist()
    return found


@pytest.mark.parametrize("name", ["user_id", "channel"])
def test_users_and_channels(name: str, tmp_path: Path) -> None:
    found = by_sql(tmp_path, name, pa.array(NAMES))
    assert coercion.users(pa.array(NAMES)).ids.to_pylist() == found
    result = coercion.names(pa.array(NAMES))
    assert [result.names[code] for code in result.codes] == found


@pytest.mark.parametrize(
    "column",
    [
        pa.array([12.0, 1200000.0, 2.0**53, -3.0, 0.0, None]),
        pa.array([12, 2**63 - 1, 2**53 + 1, -1, 0, None]),
        pa.array([True, False, None]),
    ],
    ids=lambda column: str(column.type),
)
def test_users_that_are_numbers(column: pa.Array, tmp_path: Path) -> None:
    assert coercion.users(column).ids.to_pylist() == by_sql(tmp_path, "user_id", column)


@pytest.mark.parametrize("number", [12.5, 0.1, 1e19])
def test_users_that_are_no_whole_numbers_are_refused(number: float, tmp_path: Path) -> None:
    column, sentence = pa.array([1.0, number]), "must hold ids, got .* which is no whole number"
    with pytest.raises(DataError, match=sentence):
        coercion.users(column)
    with pytest.raises(TrinoError, match=sentence):
        by_sql(tmp_path, "user_id", column)


def test_channels_that_are_numbers(tmp_path: Path) -> None:
    column = pa.array([12.0, 1200000.0, -3.0, 0.0, None])
    result = coercion.names(column)
    assert [result.names[code] for code in result.codes] == by_sql(tmp_path, "channel", column)


@pytest.mark.parametrize("column", [pa.array(FLAGS), pa.array([1.0, 0.0, None]), pa.array([True])])
def test_flags(column: pa.Array, tmp_path: Path) -> None:
    words = [word.strip() for word in configuration.NULL_WORDS.split(",")]
    flags = FlagReader("c", "c", null_words=words)
    assert flags.read(column).tolist() == by_sql(tmp_path, "conversion", column)
    flags.check()


@pytest.mark.parametrize("value", OTHER_FLAGS)
def test_flags_that_are_refused(value: str, tmp_path: Path) -> None:
    flags = FlagReader("c", "c")
    flags.read(pa.array([value]))
    with pytest.raises(DataError, match="must hold 0 or 1"):
        flags.check()
    with pytest.raises(TrinoError, match=f"conversion must hold 0 or 1 .or yes, no., got {value}"):
        by_sql(tmp_path, "conversion", pa.array([value]))


def test_values_that_convert(tmp_path: Path) -> None:
    column = pa.array(["Purchase", "sign_up ", "view", "", None, "1"])
    found = by_sql(tmp_path, "conversion", column, conversion_value_is="purchase, Sign_Up")
    assert FlagReader("c", "c", ("purchase", "sign_up")).read(column).tolist() == found
    numbers = pa.array([2.0, 1.0, 0.0, None])
    found = by_sql(tmp_path, "conversion", numbers, conversion_value_is="2, 3")
    assert FlagReader("c", "c", ("2", "3")).read(numbers).tolist() == found


@pytest.mark.parametrize(("mark", "values"), [("point", POINT), ("comma", COMMA)])
def test_amounts_of_a_decimal_mark(mark: str, values: tuple[str, ...], tmp_path: Path) -> None:
    found = by_sql(tmp_path, "value", pa.array(values), decimal_mark=mark)
    assert _rounded(found) == _rounded(_by_python(values, mark))


@pytest.mark.parametrize("value", MONEY)
def test_amounts_with_a_currency(value: str, tmp_path: Path) -> None:
    column = [value, "2"]
    assert _rounded(by_sql(tmp_path, "value", pa.array(column))) == _rounded(_by_python(column))


@pytest.mark.parametrize("value", NO_AMOUNTS)
def test_amounts_that_are_refused(value: str, tmp_path: Path) -> None:
    with pytest.raises(DataError):
        _by_python([value, "2"])
    with pytest.raises(TrinoError, match="column value must hold numbers, got"):
        by_sql(tmp_path, "value", pa.array([value, "2"]))


@pytest.mark.parametrize(
    "values",
    [
        ["1,234.50", "1.234,50"],
        ["12.5", "12,5"],
        ["€1.234", "€1,234"],
        ["$5", "5 EUR"],
    ],
    ids=str,
)
def test_amounts_that_contradict_each_other(values: list[str], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"decimal_mark|several currencies"):
        _by_python(values)
    with pytest.raises(TrinoError, match=r"decimal_mark|several currencies"):
        by_sql(tmp_path, "value", pa.array(values))


@pytest.mark.parametrize(
    "values", [["12,5", "1.234"], ["12.5", "1,234"], ["1,234", "7"], ["1.234", "7"]], ids=str
)
def test_amounts_whose_column_shows_the_mark(values: list[str], tmp_path: Path) -> None:
    assert by_sql(tmp_path, "value", pa.array(values)) == _by_python(values)


def _by_python(values: list[str] | tuple[str, ...], mark: str | None = None) -> list[float]:
    words = [word.strip() for word in configuration.NULL_WORDS.split(",")]
    return amounts(pa.array(values), "c", mark, words).tolist()  # type: ignore[arg-type]


def _rounded(numbers: list[object] | list[float]) -> list[float | None]:
    """NaN, as Python has a missing one, as NULL."""
    floats = [math.nan if number is None else float(str(number)) for number in numbers]
    return [None if math.isnan(number) else number for number in floats]
