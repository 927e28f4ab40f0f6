from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from td_mta.config import mmm as configuration
from td_mta.errors import DataError
from td_mta.ingest.media_mix import experiments, periods, tables
from td_mta.ingest.media_mix.tables import MediaTable
from td_mta.mmm.controls import seasons, trend
from td_mta.mmm.fit import fit
from td_mta.mmm.media import media_data
from td_mta.mmm.model import Model
from td_mta.simulate.media_mix.worlds import HOLIDAY_SALES, MEDIA_WORLDS
from td_mta.warehouse.local import LocalWarehouse

WEEKS = 30
RNG = np.random.default_rng(4)
START = date(2024, 1, 1)


def days(step: int, number: int) -> list[str]:
    return [str(START + timedelta(step * row)) for row in range(number)]


SORTED = days(7, WEEKS)


def wide(**changes: object) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    columns = {
        "date": days(7, WEEKS),
        "spend_TV": rng.uniform(1, 9, WEEKS).round(2),
        "spend_Radio": rng.uniform(1, 9, WEEKS).round(2),
        "revenue": rng.uniform(50, 99, WEEKS).round(2),
        "promotions": (np.arange(WEEKS) % 5 == 0).astype(int),
        **changes,
    }
    return pd.DataFrame(columns)


def read(folder: Path, **frames: pd.DataFrame) -> MediaTable:
    return read_with(folder, {}, **frames)


def read_with(folder: Path, chosen: dict[str, str], **frames: pd.DataFrame) -> MediaTable:
    warehouse = warehouse_of(folder, **frames)
    return tables.read(configuration.load(None, chosen), warehouse)


def warehouse_of(folder: Path, **frames: pd.DataFrame) -> LocalWarehouse:
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return LocalWarehouse(folder, folder / "out", now=0)


def test_a_wide_table_is_read_as_it_stands(tmp_path: Path) -> None:
    frame = wide()
    table = read(tmp_path, media=frame)
    assert table.channels == ("TV", "Radio")
    assert table.spend[:, 0] == pytest.approx(frame["spend_TV"])
    assert table.sales == pytest.approx(frame["revenue"])
    assert table.control_names == ("promotions",)
    assert (table.periods.kind, len(table.sales)) == ("week", WEEKS)


def test_days_are_summed_by_week_and_part_of_a_week_is_left_out(tmp_path: Path) -> None:
    number = 7 * WEEKS + 3
    daily = pd.DataFrame(
        {"Day": days(1, number), "sales": np.arange(number), "tv_spend": np.arange(number) % 5}
    )
    table = read(tmp_path, media=daily)
    assert table.periods.kind == "week"
    assert table.sales[:2] == pytest.approx([sum(range(7)), sum(range(7, 14))])
    assert len(table.sales) == WEEKS
    assert read_with(tmp_path, {"period": "day"}, media=daily).sales == pytest.approx(
        daily["sales"]
    )


def test_months_have_their_own_lengths(tmp_path: Path) -> None:
    months = [f"{2022 + number // 12}-{number % 12 + 1:02}-01" for number in range(WEEKS)]
    table = read(tmp_path, media=wide(date=months))
    assert table.periods.kind == "month"
    assert table.periods.length[:3].tolist() == [31, 28, 31]


def test_weeks_may_be_numbered(tmp_path: Path) -> None:
    table = read(tmp_path, media=wide().rename(columns={"date": "week"}).assign(week=range(1, 31)))
    assert len(table.sales) == WEEKS
    assert str(date(1970, 1, 1) + timedelta(int(table.periods.first_day[0]))) == "2024-01-01"
    assert "column week numbers weeks" in table.notes[1]


def test_weeks_and_months_are_numbered_within_years(tmp_path: Path) -> None:
    dates = [date.fromisoformat(day).isocalendar() for day in days(7, 60)]
    frame = pd.DataFrame(
        {"year": [d[0] for d in dates], "week": [d[1] for d in dates], "sales": range(60)}
    )
    table = read(tmp_path, media=frame.assign(tv=np.arange(60) % 7, radio=np.arange(60) % 4))
    assert [str(periods.date(day)) for day in table.periods.first_day] == days(7, 60)
    assert "no column's name says spend" in table.notes[1]
    months = [f"{2022 + number // 12}-{number % 12 + 1:02}" for number in range(WEEKS)]
    assert read(tmp_path, media=wide(date=months)).periods.length[1] == 28


def test_rows_of_regions_are_added_up(tmp_path: Path) -> None:
    here, there = wide().assign(geo="north"), wide().assign(geo="south", spend_TV=1.5)
    table = read(tmp_path, media=pd.concat([here, there]))
    assert table.spend[:, 0] == pytest.approx(here["spend_TV"] + 1.5)
    assert table.sales == pytest.approx(2 * here["revenue"])
    assert table.controls[:, 0] == pytest.approx(here["promotions"])
    assert "2 regions of column geo are added up by date" in table.notes[1]
    with pytest.raises(DataError, match="stands in more than one row"):
        read(tmp_path, media=pd.concat([here, here]))


def test_a_control_of_words_is_one_control_per_word(tmp_path: Path) -> None:
    events = ["na", "Black Friday", "Easter", "na", "na"] * 6
    table = read(tmp_path, media=wide(events=events, on_promo=[1, None] * 15))
    names = ("promotions", "events Black Friday", "events Easter", "on_promo")
    assert table.control_names == names
    assert table.controls[:5, 1].tolist() == [0, 1, 0, 0, 0]
    assert table.controls[:3, 3].tolist() == [1, 0, 1]


def test_one_channel_may_be_called_spend(tmp_path: Path) -> None:
    frame = wide().rename(columns={"spend_TV": "ad_spend"}).drop(columns="spend_Radio")
    assert read(tmp_path, media=frame).channels == ("ad_spend",)


def test_a_strangers_file(tmp_path: Path) -> None:
    frame = wide()
    text = pd.DataFrame(
        {
            "Woche": [date.fromisoformat(day).strftime("%d.%m.%Y") for day in frame["date"]],
            "Umsatz (EUR)": frame["revenue"].map(lambda value: f"{value:.2f}".replace(".", ",")),
            "TV Ausgaben": frame["spend_TV"].map(lambda value: f"{value:.2f}".replace(".", ",")),
            "Facebook Spend ($)": frame["spend_Radio"].map(lambda value: f"${value:,.2f}"),
            "Total Spend": 3,
        }
    )
    text.to_csv(tmp_path / "media.csv", sep=";", index=False)
    table = read(tmp_path)
    assert table.channels == ("TV", "Facebook")
    assert "not used: Total Spend" in table.notes[1]
    assert table.spend == pytest.approx(frame[["spend_TV", "spend_Radio"]].to_numpy())
    assert table.sales == pytest.approx(frame["revenue"])


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%Y%m%d", "%Y-%m-%dT00:00:00Z"])
def test_dates_are_read_in_many_forms(tmp_path: Path, form: str) -> None:
    written = [date.fromisoformat(day).strftime(form) for day in SORTED]
    first = read(tmp_path, media=wide(date=written)).periods.first_day[0]
    assert date(1970, 1, 1) + timedelta(int(first)) == START


def test_a_hole_is_a_period_of_unknown_sales(tmp_path: Path) -> None:
    table = read(tmp_path, media=wide().drop(index=[4, 5]))
    assert np.flatnonzero(np.isnan(table.sales)).tolist() == [4, 5]
    assert table.spend[4:6].sum() == 0
    assert "2 weeks lack rows, the first 2024-01-29" in table.notes[-1]


def test_sales_of_a_week_with_days_missing_are_not_known(tmp_path: Path) -> None:
    number = 7 * WEEKS
    daily = pd.DataFrame({"date": days(1, number), "revenue": 1.0, "spend_tv": np.arange(number)})
    daily["revenue"] += np.arange(number) % 3
    table = read(tmp_path, media=daily.drop(index=[30, 31]))
    assert np.flatnonzero(np.isnan(table.sales)).tolist() == [4]
    working = daily[np.arange(number) % 7 < 5]
    assert not np.isnan(read(tmp_path, media=working).sales).any()


def test_rows_of_a_warehouse_may_come_in_any_order(tmp_path: Path) -> None:
    """As a query gave them, not a file: sums of floats are the same to the last digit."""
    rng = np.random.default_rng(4)
    wide_rows = wide(date=[date.fromisoformat(day).strftime("%d.%m.%Y") for day in SORTED])
    spend = pd.DataFrame({"day": days(1, 7 * WEEKS) * 2, "spend": rng.uniform(1, 9, 14 * WEEKS)})
    spend["channel"] = np.repeat(["TV", "Radio"], 7 * WEEKS)
    sales = pd.DataFrame({"day": days(1, 7 * WEEKS), "revenue": rng.uniform(1, 9, 7 * WEEKS)})

    def arrays(place: str, draw: int) -> list[list[float]]:
        folder = tmp_path / place
        folder.mkdir()
        frames = {"wide": wide_rows, "spend": spend, "orders": sales}
        for name, frame in frames.items():
            shuffled = frame.sample(frac=1, random_state=draw)
            shuffled.to_csv(folder / f"{name}.csv", index=False)
        warehouse = LocalWarehouse(None, folder, now=0)
        found = [
            tables.read(configuration.load(None, chosen), warehouse)
            for chosen in (
                {"media_table": "wide"},
                {"media_table": "spend", "revenue_table": "orders"},
            )
        ]
        return [part.tolist() for table in found for part in (table.spend, table.sales)]

    assert arrays("a", 1) == arrays("b", 2)


def test_a_long_table_with_sales_beside_it(tmp_path: Path) -> None:
    number = 7 * WEEKS
    spend = pd.DataFrame(
        {
            "day": days(1, number) * 2,
            "channel": ["TV"] * number + ["Radio"] * number,
            "spend": [1.0, 2, 3, 4, 5, 6, 7] * WEEKS + list(RNG.uniform(0, 1, number)),
            "impressions": 1,
            "clicks": 1,
        }
    )
    spend.loc[:6, "spend"] = 2.0
    sales = pd.DataFrame({"date": days(1, number), "revenue": RNG.uniform(1, 2, number)})
    table = read_with(tmp_path, {"revenue_table": "orders"}, media=spend, orders=sales)
    assert sorted(table.channels) == ["Radio", "TV"]
    tv = table.spend[:, list(table.channels).index("TV")]
    assert tv[:3].tolist() == [14, 28, 28]
    assert table.sales.sum() == pytest.approx(sales["revenue"].sum())
    together = spend.merge(sales, left_on="day", right_on="date").drop(columns="date")
    same = read(tmp_path, media=together)
    assert same.sales == pytest.approx(table.sales)
    assert same.spend.sum() == pytest.approx(table.spend.sum())
    with pytest.raises(DataError, match="sales must be those of all channels together"):
        read(tmp_path, media=together.assign(revenue=together["spend"]))


def values(**cells: float) -> list[float]:
    """Revenue or spend with one bad cell in the third row."""
    return [cells["cell"] if row == 2 else 5.0 + row % 3 for row in range(WEEKS)]


REFUSED = {
    "negative": (
        wide(spend_TV=values(cell=-4)),
        "table media: spend of TV is negative on 2024-01-15 (-4.00); correct it",
    ),
    "missing": (
        wide(spend_TV=values(cell=np.nan)),
        "table media: spend of TV is missing on 2024-01-15; write 0 where none was spent",
    ),
    "few": (
        wide()[:25],
        "table media has 25 weeks: media mix modelling needs at least 26",
    ),
    "never": (wide(spend_TV=0.0), "table media: TV never has spend; leave it out"),
    "same": (wide(spend_TV=7.0), "table media: spend of TV is always the same"),
    "proportional": (
        wide(spend_TV=2 * wide()["spend_Radio"]),
        "table media: spend of TV and Radio is proportional",
    ),
    "order": (
        wide(date=[SORTED[1], SORTED[0], *SORTED[2:]]),
        "table media, column date: dates are not in order, row 2 (2024-01-01)",
    ),
    "doubled": (
        wide(date=[SORTED[0], SORTED[0], *SORTED[2:]]),
        "table media, column date: 2024-01-01 stands in more than one row; keep one",
    ),
    "no revenue": (
        wide(revenue=values(cell=np.nan)),
        "table media, column revenue: 1 rows have no value, the first on 2024-01-15",
    ),
    "zero": (wide(revenue=0.0), "table media, column revenue: all values are 0"),
    "taken name": (
        wide().rename(columns={"spend_TV": "spend_base"}),
        "table media: base is called like a column of the output; rename one of them",
    ),
    "same name": (
        wide()
        .rename(columns={"promotions": "TV holidays"})
        .rename(columns={"spend_TV": "spend_tv HOLIDAYS"}),
        "table media: TV holidays is called like another channel or control",
    ),
    "no spend": (
        wide().drop(columns=["spend_TV", "spend_Radio"]),
        "table media has no column of spend such as spend_tv or tv_spend",
    ),
    "no kpi": (wide().drop(columns="revenue"), "table media has no column for the sales"),
}


@pytest.mark.parametrize(("frame", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_fitted_is_said(tmp_path: Path, frame: pd.DataFrame, said: str) -> None:
    with pytest.raises(DataError) as error:
        read(tmp_path, media=frame)
    assert said in str(error.value)


def experiment(**changes: object) -> pd.DataFrame:
    row = {
        "channel": "tv",
        "first_day": "2024-01-15",
        "last_day": "2024-01-28",
        "spend_multiplier": 0.0,
        "incremental_revenue": 30.0,
        "standard_error": 3.0,
    }
    return pd.DataFrame([{**row, **changes}])


def experiments_of(folder: Path, frame: pd.DataFrame) -> list[experiments.Experiment]:
    warehouse = warehouse_of(folder, media=wide(), tests=frame)
    config = configuration.load(None, {"experiments_table": "tests"})
    return experiments.read(config, warehouse, tables.read(config, warehouse))


def test_experiments_have_channels_and_periods_of_the_table(tmp_path: Path) -> None:
    assert experiments_of(tmp_path, experiment()) == [(0, 2, 3, 0.0, 30.0, 3.0)]


def test_a_lift_is_a_share_of_sales_at_the_lower_spend(tmp_path: Path) -> None:
    frame = experiment(standard_error=0.01).drop(columns="incremental_revenue")
    (found,) = experiments_of(tmp_path, frame.assign(lift=0.25))
    assert found.effect == pytest.approx(wide()["revenue"][2:4].sum() / 1.25 * 0.25)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"standard_error": 0.0}, "standard_error must be above 0"),
        ({"last_day": "2030-01-01"}, "are not within the data, 2024-01-01 to 2024-07-28"),
        ({"channel": "Print"}, "no such channel; there are TV, Radio"),
        ({"spend_multiplier": 1.0}, "spend_multiplier must be at least 0 and not 1"),
    ],
)
def test_experiments_that_cannot_be_used(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        experiments_of(tmp_path, experiment(**changes))


def test_holidays_are_the_weeks_that_contain_one(tmp_path: Path) -> None:
    listed = {"holidays": "1-7, Spring=2024-02-14, Spring=2024-03-01, 2-29"}
    table = read_with(tmp_path, listed, media=wide())
    assert table.control_names == ("promotions", "holidays", "Spring")
    assert np.flatnonzero(table.controls[:, 1]).tolist() == [
        0,
        8,
    ]  # January 1 to 7, from February 26
    assert np.flatnonzero(table.controls[:, 2]).tolist() == [6, 8]
    assert table.notes[-1] == "of 30 weeks 2 with holidays, 2 with Spring"


def test_a_yearly_holiday_counts_in_the_year_that_a_period_ends_in(tmp_path: Path) -> None:
    dates = [str(date(2024, 7, 1) + timedelta(7 * week)) for week in range(WEEKS)]
    table = read_with(tmp_path, {"holidays": "1-1"}, media=wide(date=dates))
    assert np.flatnonzero(table.controls[:, 1]).tolist() == [dates.index("2024-12-30")]


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ("12-25", "holidays: no week from 2024-01-01 to 2024-07-28 has one of holidays, so"),
        ("A=2020-01-01", "no week from 2024-01-01 to 2024-07-28 has one of A"),
        (", ".join(days(7, WEEKS)), "every week from 2024-01-01 to 2024-07-28 has one of"),
        ("Promotions=2024-01-01", "Promotions is called like another channel or control"),
    ],
)
def test_holidays_of_which_nothing_can_be_learned(
    tmp_path: Path, listed: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_with(tmp_path, {"holidays": listed}, media=wide())


def test_the_spikes_of_a_shop_are_estimated_from_dates_of_holidays(tmp_path: Path) -> None:
    world = MEDIA_WORLDS["retail"](7)
    spend = {f"spend_{name}": world.spend[:, c] for c, name in enumerate(world.channels)}
    weeks = len(world.sales)
    frame = pd.DataFrame({"date": days(7, weeks), **spend, "revenue": world.sales})
    listed = {"holidays": "11-20, 11-28, 12-18, 12-25"}
    table = read_with(tmp_path, listed, media=frame)
    assert table.controls[:, 0].tolist() == world.controls["holiday"].tolist()
    found = {}
    for name, columns in (("with", table.controls), ("without", table.controls[:, :0])):
        every = np.hstack([trend(weeks), seasons(7.0 * np.arange(weeks), 2, 364.0), columns])
        names = [str(number) for number in range(every.shape[1])]
        data = media_data(table.sales, table.spend, table.channels, every, names)
        found[name] = fit(Model(data=data), np.random.default_rng(1), starts=2)
    own = found["with"]
    last = own.model.columns[:, -1] * own.p[-1] * own.model.data.sales_scale
    assert last.max() - last.min() == pytest.approx(HOLIDAY_SALES, rel=0.15)
    assert own.sigma < 0.6 * found["without"].sigma
