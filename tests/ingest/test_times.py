"""Times as their owners write them: the seconds they mean, or an error that shows a bad value."""

import csv
import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from td_mta.config import placeholders
from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.ingest.times import texts as rules_of
from td_mta.ingest.times.clocks import shown, unix_time
from td_mta.ingest.times.reader import TimeReader, Times
from td_mta.warehouse.local import LocalWarehouse

LOCATION = "table t, column c"
NOON = 1_700_049_600  # 2023-11-15 12:00:00 UTC
STAMP = dt.datetime(2023, 11, 15, 12, tzinfo=dt.timezone.utc)
TEXT, ISO = "times written as text", "ISO 8601 times"
LOCAL = "times without an offset, as local times of UTC"
DAY_FIRST = "dates with the day first"
QUERY = Path(__file__).parents[2] / "queries" / "union_touchpoints.sql"
with (Path(__file__).parent / "times.csv").open(encoding="utf-8", newline="") as file:
    WRITTEN = {row["written"]: row["seconds"] for row in csv.DictReader(file)}


def read(column: pa.Array, form: str | None = None, zone: str = "UTC") -> Times:
    return TimeReader(LOCATION, form=form, zone=zone, batches=lambda: [column]).read(column)


def seconds(*values: object, form: str | None = None, zone: str = "UTC") -> list[int]:
    return read(pa.array(values), form, zone).seconds.tolist()


def refusal(*values: object, form: str | None = None) -> str:
    with pytest.raises(DataError) as refused:
        read(pa.array(values), form)
    return str(refused.value)


@pytest.mark.parametrize("written", [text for text, found in WRITTEN.items() if found])
def test_a_time_is_read_in_the_forms_that_people_write(written: str) -> None:
    assert seconds(written) == [int(WRITTEN[written])]


@pytest.mark.parametrize("written", [text for text, found in WRITTEN.items() if not found])
def test_what_is_no_time_or_may_be_two_is_refused(written: str) -> None:
    message = refusal(str(NOON), None, written)
    assert f"got {written} " in message.replace("'", "").replace('"', "")


def test_a_word_for_no_value_is_no_time(tmp_path: Path) -> None:
    texts = [str(NOON), "NULL", "n/a", "NaN"]
    found = TimeReader(LOCATION, null_words=("null", "n/a", "nan")).read(pa.array(texts))
    assert found.missing.tolist() == [False, True, True, True]
    rows = touchpoints(tmp_path, texts).query(statement()).to_pylist()
    assert [row["time"] for row in rows if row["time"] is not None] == [NOON]


def test_forms_may_differ_from_row_to_row() -> None:
    good = [text for text, found in WRITTEN.items() if found]
    assert seconds(*good) == [int(WRITTEN[text]) for text in good]


def touchpoints(folder: Path, texts: list[str]) -> LocalWarehouse:
    rows = [str(row) for row in range(len(texts))]
    columns = {"time": texts, "user_id": rows, "channel": rows, "conversion": ["0"] * len(texts)}
    pq.write_table(pa.table(columns), folder / "touchpoints.parquet")
    return LocalWarehouse(folder, folder / "out", now=NOON)


def statement(*, refuses: bool = True, **settings: str) -> str:
    """The query without its interval; with NULL for what is refused, if so wished."""
    config = Config(union_query="union_touchpoints", **settings)
    sql = placeholders.statement(QUERY, config)
    sql = sql[: sql.rindex("where td_interval")]
    return sql if refuses else sql.replace("else cast(case", "else try_cast(case")


def test_sql_reads_the_same_and_refuses_the_same(tmp_path: Path) -> None:
    rows = touchpoints(tmp_path, list(WRITTEN)).query(statement(refuses=False)).to_pylist()
    by_place = {int(row["canonical_id"]): row["time"] for row in rows}
    found = {text: by_place[place] for place, text in enumerate(WRITTEN)}
    assert found == {text: int(found) if found else None for text, found in WRITTEN.items()}


@pytest.mark.parametrize(
    "texts",
    [
        ["soon"],
        ["4/3/2024 9:00"],
        ["13/3/2024", "3/13/2024"],
        ["2024030409"],
        ["2024-W10-1"],
        ["1970-01-01"],
        ["12"],
    ],
    ids=lambda texts: texts[0],
)
def test_sql_stops_with_the_sentence_of_the_reader(tmp_path: Path, texts: list[str]) -> None:
    with pytest.raises(DataError) as by_reader:
        TimeReader("table touchpoints, column time", batches=lambda: [pa.array(texts)]).read(
            pa.array(texts)
        )
    expected = re.sub(" in (one row|2 of the rows read)", "", str(by_reader.value))
    with pytest.raises(Exception, match="INVALID_CAST") as by_sql:
        touchpoints(tmp_path, texts).query(statement())
    expected = expected.replace("; s", ". S").replace("; c", ". C")
    assert expected.replace("'", "") in str(by_sql.value).replace("'", "")


@pytest.mark.parametrize("form", ["day_first", "month_first"])
def test_sql_reads_day_and_month_in_the_order_that_is_set(tmp_path: Path, form: str) -> None:
    texts = ["04/03/2024 09:00", "4.3.24 9:00 AM", "4-3-2024, 09:00", "12/12/2024"]
    found = touchpoints(tmp_path, texts).query(statement(time_format=form)).to_pydict()["time"]
    assert sorted(found) == sorted(seconds(*texts, form=form))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_sql_and_reader_take_clocks_of_a_zone_alike(tmp_path: Path, zone: str) -> None:
    hours = [dt.datetime(2024, month, 1) + dt.timedelta(hours=hour / 2)
             for month in (3, 4, 10, 11) for hour in range(48 * 30)]  # fmt: skip
    texts = [f"{hour:%Y-%m-%d %H:%M:%S}" for hour in hours]
    rows = touchpoints(tmp_path, texts).query(statement(day_timezone=zone)).to_pylist()
    by_place = {int(row["canonical_id"]): row["time"] for row in rows}
    assert [by_place[place] for place in range(len(texts))] == seconds(*texts, zone=zone)


FORMS = {
    "seconds": {"0": 0, "5.9": 5, "20240304": 20_240_304, "45355": 45_355},
    "milliseconds": {"0": 0, "5999": 5, "1709542800000": 1_709_542_800},
    "microseconds": {"5999999": 5, "1709542800000000": 1_709_542_800},
    "nanoseconds": {"5999999999": 5, "1709542800000000000": 1_709_542_800},
    "excel": {"25569": 0, "45355.375": 1_709_542_800, "25570.5": 129_600},
    "yyyymmdd": {"20240304": 1_709_510_400, "2024030409": 1_709_542_800},
    "iso": {"20240304": 1_709_510_400, "2024-03-04 09:00": 1_709_542_800},
    "day_first": {"1709542800": 1_709_542_800, "3/4/2024": 1_712_102_400},
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_that_is_set_is_taken(tmp_path: Path, form: str) -> None:
    texts = list(FORMS[form])
    assert seconds(*texts, form=form) == list(FORMS[form].values())
    found = touchpoints(tmp_path, texts).query(statement(time_format=form)).to_pydict()["time"]
    assert sorted(found) == sorted(FORMS[form].values())


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("seconds", "-5"),
        ("seconds", "1709542800000"),
        ("milliseconds", "1709542800000000000"),
        ("yyyymmdd", "1709542800"),
        ("iso", "1709542800"),
        ("iso", "04/03/2024"),
        ("excel", "1709542800"),
        ("seconds", "04/03/2024"),
        ("day_first", "04/13/2024"),
        ("month_first", "13/04/2024"),
    ],
)
def test_what_a_form_does_not_have_is_refused(tmp_path: Path, form: str, value: str) -> None:
    assert f"got {value} " in refusal(value, form=form).replace("'", "")
    sql = statement(refuses=False, time_format=form)
    assert touchpoints(tmp_path, [value]).query(sql).to_pydict()["time"] == [None]


def test_sql_has_the_rules_of_the_reader() -> None:
    sql = QUERY.read_text(encoding="utf-8")
    rules = [*rules_of.DATE_RULES, *rules_of.CLOCK_RULES]
    places = [
        sql.index("{}, {})".format(*(f"'{part}'" for part in (pattern, dollars(replacement)))))
        for pattern, replacement in rules
    ]
    assert places == sorted(places)
    for pattern in (rules_of.STAMP, rules_of.TAIL, rules_of.DAY_MONTH):
        assert pattern in sql


def dollars(replacement: str) -> str:
    return re.sub(r"\\([1-9])", r"$\1", replacement)


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        (["04/03/2024", "13/03/2024"], "2024-03-04"),
        (["04/03/2024", "03/13/2024"], "2024-04-03"),
        (["04.03.2024 09:00", None, "31.03.2024 10:00"], "2024-03-04 09:00"),
        (["4-3-24", "3-13-24"], "2024-04-03"),
        (["04/03/2024", "1709510400", "25/12/2024"], "2024-03-04"),
    ],
)
def test_a_number_above_12_anywhere_says_whether_the_day_comes_first(
    texts: list[str | None], first: str
) -> None:
    column = pa.array(texts)
    batches = [column.slice(0, 1), column.slice(1)]
    reader = TimeReader(LOCATION, batches=lambda: batches)
    assert reader.read(batches[0]).seconds.tolist() == seconds(first)


def test_an_open_order_of_day_and_month_is_asked_for() -> None:
    assert refusal("04/03/2024 09:00", "05/03/2024 10:00") == (
        f"{LOCATION} may have the day or the month first, got '04/03/2024 09:00' in 2 of the rows "
        "read, which is 2024-03-04 09:00 or 2024-04-03 09:00; set time_format to day_first or "
        "month_first"
    )
    assert "must hold dates of one order, got '13/03/2024' with the day first and '03/13/2024'" in (
        refusal("13/03/2024", "03/13/2024")
    )
    assert "got '25/3/24' in one row; set time_format" in refusal("25/3/24")  # or 2025-03-24


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_a_clock_of_a_zone_is_the_first_time_that_shows_it(zone: str) -> None:
    at = np.arange(1_704_067_200, 1_735_689_600, 1800)  # half hours of 2024
    clock = shown(at, zone)
    back = unix_time(clock, zone)
    assert (shown(back, zone) == clock).all()
    assert (back <= at).all()
    assert (back < at).sum() in (1, 2)  # of the hour, or half hour, that autumn has twice


def test_in_the_gap_of_spring_the_clock_moves_on() -> None:
    assert seconds("2024-03-31 02:30", zone="Europe/Berlin") == seconds("2024-03-31 01:30Z")


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
        (pa.array([str(NOON * 1000)]), "milliseconds"),
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
    found = read(column)
    kinds = [kind for kind in found.kinds if kind != LOCAL]
    assert (found.seconds.tolist(), found.missing.tolist()) == ([NOON], [False])
    assert kinds == [conversion or "seconds"]


def test_a_date_is_its_midnight() -> None:
    for column in (pa.array([dt.date(1970, 1, 3)]), pa.array(["1970-01-03"])):
        assert read(column).seconds.tolist() == [2 * 86_400]


def test_seconds_and_milliseconds_may_stand_in_one_column() -> None:
    found = read(pa.array([NOON, 99_999_999_999, 100_000_000_000, NOON * 1000]))
    assert found.seconds.tolist() == [NOON, 99_999_999_999, 100_000_000, NOON]
    assert found.kinds == {"seconds": 2, "milliseconds": 2}


@pytest.mark.parametrize(
    "column",
    [
        pa.array([NOON, None, None]),
        pa.array([float(NOON), float("nan"), None]),
        pa.array([str(NOON), "", None]),
        pa.array(["2023-11-15T12:00:00", "  ", None]),
        pa.array([STAMP.replace(tzinfo=None), None, None]),
    ],
    ids=["whole", "float", "text", "ISO", "timestamp"],
)
def test_a_time_that_is_not_there_is_missing(column: pa.Array) -> None:
    found = read(column)
    assert found.seconds[0] == NOON
    assert found.missing.tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        (pa.array([NOON, -3]), "-3 in one row"),
        (pa.array([-1, NOON, -2]), "-1 in 2 of the rows read"),
        (pa.array([5]), "5 in one row"),
        (pa.array([20_416]), "20416 in one row"),
        (pa.array([float("inf")]), "inf in one row"),
        (pa.array([2**64 - 1], pa.uint64()), f"{2**64 - 1} in one row"),
        (pa.array([dt.date(1970, 1, 1)]), "datetime.date(1970, 1, 1) in one row"),
        (pa.array([dt.datetime(9999, 1, 1)]), "datetime.datetime(9999, 1, 1, 0, 0) in one row"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_number_or_day_that_is_no_time_is_refused(column: pa.Array, shown: str) -> None:
    with pytest.raises(DataError) as refused:
        read(column)
    message = str(refused.value)
    assert message.startswith(f"{LOCATION} must hold times (unix seconds, milliseconds, ")
    assert f"got {shown}; set time_format" in message


def test_true_and_false_are_no_times() -> None:
    assert "got true and false" in refusal(True)


def test_what_our_sql_made_is_in_seconds_however_small() -> None:
    reader = TimeReader(LOCATION, in_seconds=True)
    assert reader.read(pa.array([0, 5, 20_240_304])).seconds.tolist() == [0, 5, 20_240_304]
    assert reader.read(pa.array([NOON * 1000])).seconds.tolist() == [NOON]


def test_nanoseconds_are_read_to_the_last_digit() -> None:
    assert seconds(1_709_542_799_999_999_999) == [1_709_542_799]
    assert seconds(1_709_542_799_999_999_999, None)[0] == 1_709_542_799
