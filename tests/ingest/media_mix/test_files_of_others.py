"""Media tables as other people write them: read as they meant them, or refused with a remedy."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from td_mta.config import mmm as configuration
from td_mta.errors import DataError
from td_mta.ingest.media_mix import periods, tables
from td_mta.ingest.media_mix.tables import MediaTable
from td_mta.warehouse.file_options import FileOptions
from td_mta.warehouse.local import LocalWarehouse

WEEKS = 60
RNG = np.random.default_rng(8)
MONDAYS = [date(2021, 1, 4) + timedelta(7 * week) for week in range(WEEKS)]
MONTHS = [date(2021 + month // 12, month % 12 + 1, 1) for month in range(36)]
TV, RADIO = (RNG.uniform(100, 900, WEEKS).round(2) for _ in range(2))
SALES = RNG.uniform(5000, 9000, WEEKS).round(2)


def weekly(**changes: object) -> pd.DataFrame:
    columns = {"date": MONDAYS, "sales": SALES, "tv_spend": TV, "radio_spend": RADIO}
    return pd.DataFrame({**columns, **changes})


def daily(number: int = 7 * WEEKS) -> pd.DataFrame:
    days = [MONDAYS[0] + timedelta(day) for day in range(number)]
    spend = RNG.uniform(1, 9, number)
    return pd.DataFrame({"date": days, "sales": 10.0 + np.arange(number), "tv_spend": spend})


def read(folder: Path, media: pd.DataFrame | str, *others: pd.DataFrame, **sets: str) -> MediaTable:
    if isinstance(media, str):
        (folder / "media.csv").write_text(media, encoding="utf-8")
    else:
        media.to_csv(folder / "media.csv", index=False)
    for other in others:
        other.to_csv(folder / "sold.csv", index=False)
    config = configuration.load(None, sets | ({"revenue_table": "sold"} if others else {}))
    files = FileOptions.of(config)
    return tables.read(config, LocalWarehouse(folder, folder / "out", now=0, files=files))


WEEK_FORMS = {
    "ISO": lambda day: f"{day.isocalendar()[0]}-W{day.isocalendar()[1]:02}",
    "German": lambda day: f"KW {day.isocalendar()[1]:02}/{day.isocalendar()[0]}",
    "number": lambda day: day.isocalendar()[0] * 100 + day.isocalendar()[1],
    "both ends": lambda day: f"{day} - {day + timedelta(6)}",
    "Japanese": lambda day: f"{day.year}年{day.month}月{day.day}日",
}
MONTH_FORMS = {
    "short name": lambda day: day.strftime("%b-%y"),
    "name": lambda day: day.strftime("%B %Y"),
    "number": lambda day: int(day.strftime("%Y%m")),
    "year last": lambda day: day.strftime("%m/%Y"),
    "with M": lambda day: day.strftime("%YM%m"),
    "day first": lambda day: day.strftime("%d/%m/%Y"),
    "month first": lambda day: day.strftime("%m/%d/%Y"),
}


@pytest.mark.parametrize("form", WEEK_FORMS.values(), ids=WEEK_FORMS)
def test_weeks_are_read_in_many_forms(tmp_path: Path, form: object) -> None:
    assert callable(form)
    table = read(tmp_path, weekly(date=[form(day) for day in MONDAYS]))
    assert [periods.date(day) for day in table.periods.first_day] == MONDAYS
    assert table.periods.kind == "week"


def of_months(dates: list[object]) -> pd.DataFrame:
    return weekly()[: len(MONTHS)].assign(date=dates).rename(columns={"date": "Month"})


@pytest.mark.parametrize("form", MONTH_FORMS.values(), ids=MONTH_FORMS)
def test_months_are_read_in_many_forms(tmp_path: Path, form: object) -> None:
    assert callable(form)
    table = read(tmp_path, of_months([form(day) for day in MONTHS]))
    assert [periods.date(day) for day in table.periods.first_day] == MONTHS
    assert table.periods.kind == "month"


def test_months_have_names_or_numbers_beside_a_year(tmp_path: Path) -> None:
    years = [day.year for day in MONTHS]
    for form in ("%B", "%m"):
        frame = of_months([day.strftime(form) for day in MONTHS]).assign(year=years)
        table = read(tmp_path, frame)
        assert [periods.date(day) for day in table.periods.first_day] == MONTHS
    running = read(tmp_path, of_months(list(range(1, 37))))
    assert running.periods.kind == "month"
    assert "column Month numbers months" in running.notes[1]
    weeks = read(tmp_path, weekly(date=[f"week {row + 1}" for row in range(WEEKS)]))
    assert "numbers weeks" in weeks.notes[1]
    parts = daily().assign(year=0, month=0, day=0)
    for part in ("year", "month", "day"):
        parts[part] = [getattr(day, part) for day in parts["date"]]
    assert read(tmp_path, parts.drop(columns="date")).sales[0] == sum(range(10, 17))


def test_the_newest_row_may_be_the_first_one(tmp_path: Path) -> None:
    assert read(tmp_path, weekly()[::-1]).sales == pytest.approx(SALES)


def test_periods_without_a_row_have_no_sales_however_many_they_are(tmp_path: Path) -> None:
    quarters = weekly()[:40].assign(date=pd.date_range("2010-01-01", periods=40, freq="QS"))
    with pytest.raises(DataError, match=r"a date every 91 days: .* needs days, weeks or months"):
        read(tmp_path, quarters)
    with pytest.raises(DataError, match="28 of 86 periods have no row"):
        sparse = [MONDAYS[0] + timedelta(7 * (row + row // 2)) for row in range(58)]
        read(tmp_path, weekly()[:58].assign(date=sparse))
    four_weeks = weekly().assign(date=[MONDAYS[0] + timedelta(28 * row) for row in range(WEEKS)])
    with pytest.raises(DataError, match="two dates in 2021-03"):
        read(tmp_path, four_weeks)


def test_days_are_summed_by_month_and_parts_of_months_are_left_out_with_a_word(
    tmp_path: Path,
) -> None:
    days = [date(2021, 1, 20) + timedelta(day) for day in range(1000)]
    table = read(tmp_path, daily(1000).assign(date=days), period="month")
    assert periods.date(table.periods.first_day[0]) == date(2021, 2, 1)
    assert np.isfinite(table.sales).all()
    assert table.sales[0] == sum(range(22, 50))
    assert "left out: 28 rows of a month" in table.notes[-1]


def test_the_last_week_of_working_days_is_whole(tmp_path: Path) -> None:
    working = daily()[[day.weekday() < 5 for day in daily()["date"]]]
    assert len(read(tmp_path, working).sales) == WEEKS


def test_a_row_of_totals_is_left_out_with_a_word(tmp_path: Path) -> None:
    total = pd.DataFrame([{**weekly().sum(numeric_only=True), "date": "Grand Total"}])
    table = read(tmp_path, pd.concat([weekly(), total]))
    assert table.sales.sum() == pytest.approx(SALES.sum())
    assert "left out: rows whose date says that they are totals: 1" in table.notes


@pytest.mark.parametrize(
    ("columns", "channels"),
    [
        (["TVSpend", "RadioSpend"], ["TV", "Radio"]),
        (["spend.tv", "Spend: Radio"], ["tv", "Radio"]),
        (["Inversión en TV", "Gasto Radio"], ["TV", "Radio"]),
        (["テレビ広告費", "ラジオ費用"], ["テレビ", "ラジオ"]),
        (["Digital", "X.Affiliates"], ["Digital", "X.Affiliates"]),
    ],
)
def test_channels_by_the_names_of_their_columns(
    tmp_path: Path, columns: list[str], channels: list[str]
) -> None:
    shares = {"tv_share_of_spend": TV / 1e3, "total_marketing_spend": 1 + TV}
    frame = weekly(**shares).rename(
        columns=dict(zip(["tv_spend", "radio_spend"], columns, strict=True))
    )
    used = frame if "Digital" not in columns else frame.drop(columns=list(shares))
    assert list(read(tmp_path, used).channels) == channels


@pytest.mark.parametrize(
    ("name", "is_money"),
    [("Units Sold", False), ("new_customers", False), ("weekly_sales", True), ("売上", True)],
)
def test_sales_by_a_word_of_their_name(tmp_path: Path, name: str, is_money: bool) -> None:
    frame = weekly(competitor_sales=1.0 + np.arange(WEEKS)).rename(columns={"sales": name})
    table = read(tmp_path, frame)
    assert (table.kpi, table.is_money) == (name, is_money)


def long(frame: pd.DataFrame, **names: str) -> pd.DataFrame:
    melted = frame.melt("date", ["tv_spend"], "platform", "amount_spent")
    return melted.rename(columns=names)


def test_channels_of_a_long_table_may_be_platforms(tmp_path: Path) -> None:
    media = weekly().melt(["date", "sales"], ["tv_spend", "radio_spend"], "platform", "cost_micros")
    table = read(tmp_path, media)
    assert sorted(table.channels) == ["radio_spend", "tv_spend"]
    assert table.spend.sum() == pytest.approx((TV.sum() + RADIO.sum()) / 1e6)
    assert table.sales.sum() == pytest.approx(SALES.sum())


def test_weeks_of_spend_are_those_by_which_sales_of_days_are_summed(tmp_path: Path) -> None:
    sundays = weekly(date=[day - timedelta(1) for day in MONDAYS])
    table = read(tmp_path, long(sundays), daily(), date_column="date")
    assert periods.date(table.periods.first_day[0]) == MONDAYS[1] - timedelta(1)
    assert table.spend[:, 0] == pytest.approx(TV[1:])
    assert f"left out: spend of {TV[0]:,.2f} before or after the sales" in table.notes[1]
    weeks = read(tmp_path, long(sundays), weekly())
    assert weeks.spend[:, 0] == pytest.approx(TV)


def test_months_of_spend_are_not_taken_for_days(tmp_path: Path) -> None:
    media = long(of_months(list(MONTHS)).rename(columns={"Month": "date"}))
    sold = daily(1095).assign(date=[MONTHS[0] + timedelta(day) for day in range(1095)])
    with pytest.raises(DataError, match="set period to month"):
        read(tmp_path, media, sold)
    assert read(tmp_path, media, sold, period="month").spend[:, 0] == pytest.approx(TV[:36])


def test_thousands_with_a_point_are_no_small_numbers(tmp_path: Path) -> None:
    amounts = [f"{number // 1000}.{number % 1000:03}" for number in range(1001, 1001 + WEEKS)]
    lines = [
        f"{day};{sales};{RNG.integers(100, 900)},50;{amount}"
        for day, sales, amount in zip(MONDAYS, range(100, 160), amounts, strict=True)
    ]
    text = "\n".join(["Woche;Umsatz;TV Ausgaben;Radio Ausgaben", *lines])
    with pytest.raises(DataError, match=r"has 1\.001 in Radio Ausgaben .* set decimal_mark to com"):
        read(tmp_path, text)
    assert read(tmp_path, text, decimal_mark="comma").spend[0, 1] == 1001
    assert read(tmp_path, text, decimal_mark="point").spend[0, 1] == 1.001
    whole = read(tmp_path, text.replace(",50", ""))
    assert any("decimal_mark=comma makes them thousands" in note for note in whole.notes)


def test_empty_cells_of_spend_are_zeros_where_a_parameter_says_so(tmp_path: Path) -> None:
    frame = weekly(tv_spend=["-", "", *TV[2:]])
    with pytest.raises(DataError, match=r"and in 1 more rows; .* set empty_spend to zero"):
        read(tmp_path, frame)
    table = read(tmp_path, frame, empty_spend="zero")
    assert table.spend[:3, 0].tolist() == [0, 0, TV[2]]
    assert "cells of spend without a number, read as 0: 2" in table.notes


def test_percentages_of_a_control_are_numbers(tmp_path: Path) -> None:
    table = read(tmp_path, weekly(discount=[f"{row / 2} %" for row in range(WEEKS)]))
    assert table.controls[:3, 0].tolist() == [0, 0.5, 1]


def test_spend_that_each_region_repeats_is_said(tmp_path: Path) -> None:
    north, south = weekly(division="n"), weekly(division="s", radio_spend=TV * RADIO)
    table = read(tmp_path, pd.concat([north, south]))
    assert "spend of tv is the same in all regions" in table.notes[2]


REFUSED = {
    "units": (
        weekly().rename(columns={"tv_spend": "TV spend (000s)"}),
        r"TV spend \(000s\) is in thousands and radio_spend is not",
    ),
    "plans": (weekly(tv_budget=TV), "tv_spend and tv_budget may both be spend of tv; name the"),
    "weeks without a year": (
        weekly(date=[row % 52 + 1 for row in range(WEEKS)]).rename(columns={"date": "week"}),
        "numbers weeks and repeats the numbers: add a column year",
    ),
    "two kinds of sales": (
        weekly().rename(columns={"sales": "online_sales"}).assign(store_sales=SALES),
        "the sales may be in online_sales or store_sales; set kpi_column to one of them",
    ),
}


@pytest.mark.parametrize(("frame", "said"), REFUSED.values(), ids=REFUSED)
def test_what_may_be_either_is_refused(tmp_path: Path, frame: pd.DataFrame, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(tmp_path, frame)
