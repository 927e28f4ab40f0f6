"""Costs are read from tables as people have them, and set against the touchpoints."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from td_mta.errors import DataError
from td_mta.ingest.beside import costs
from td_mta.reporting import cost_warnings
from tests.ingest.beside.given import CHANNELS, MARCH, TEN_DAYS, found_by, read_by

PLAIN = "day,channel,spend\n2024-03-01,Email,10\n2024-03-01,Email,5\n2024-03-02,Social,2.5\n"


read = partial(read_by, costs.read, "spend_table")


def matched(
    folder: Path,
    text: str,
    channels: tuple[str, ...] = CHANNELS,
    days: tuple[int, int] = TEN_DAYS,
) -> costs.ChannelCosts:
    return costs.of_channels(read(folder, text), channels, days)


def spend(found: costs.ChannelCosts) -> dict[str, float]:
    return {str(name): float(amount) for name, amount in found.by_channel["spend"].items()}


def test_no_table_of_costs_is_none(tmp_path: Path) -> None:
    assert found_by(costs.read, tmp_path) is None


def test_rows_of_a_day_and_channel_are_summed(tmp_path: Path) -> None:
    found = matched(tmp_path, PLAIN)
    assert spend(found) == {"Email": 15, "Social": 2.5}
    assert found.by_channel["impressions"].isna().all()


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("Date,Channel,Cost (EUR),Impr.,Clicks", "Date,Channel,Cost (EUR),Impr.,Clicks"),
        ("spend_date,UTM_Source,ad_spend,imps,link_clicks", ""),
        ("day,channel,campaign,spend,clicks", "day,channel,spend,clicks"),
        ("Reporting starts,Platform,Amount spent (USD)", ""),
        ("report_date,default channel group,total_spend,note", ""),
        ("Tag,channel,Kosten,Klicks", ""),
        ("日期,渠道,花费,展现量,点击量", ""),
        ("fecha,canal,gasto,impressions", ""),
        ("date,medium,cost_usd,impressions", ""),
        ("channel,spend,day,cost", "day,channel,spend"),
    ],
)
def test_columns_are_found_by_usual_names(header: str, columns: str, tmp_path: Path) -> None:
    found = read(tmp_path, f"{header}\n")
    assert set(found.columns.values()) == set((columns or header).split(",")) - {"note"}


@pytest.mark.parametrize(
    ("action_column", "column"),
    [("campaign", "campaign"), ("source", "source"), ("channels", "channel"), ("brand", "brand")],
)
def test_the_channel_is_what_action_column_says(
    action_column: str, column: str, tmp_path: Path
) -> None:
    text = "day,channel,source,campaign,brand,spend\n"
    assert read(tmp_path, text, action_column=action_column).columns["channel"] == column


def test_parameters_name_the_columns(tmp_path: Path) -> None:
    text = "day,week,channel,partner,spend,net,views,taps\n2024-03-02,2024-03-01,a,Email,1,2,3,4\n"
    named = {
        "spend_day_column": "week",
        "spend_channel_column": "partner",
        "spend_column": "net",
        "spend_impressions_column": "views",
        "spend_clicks_column": "taps",
    }
    found = read(tmp_path, text, **named)
    assert found.rows.values.tolist() == [[MARCH, "Email", 2, 3, 4]]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("channel,spend", "no column for the day: it has channel, spend; name it in spend_day_co"),
        ("day,spend", "no column for the channel: .* name it in spend_channel_column"),
        ("day,channel,price", "no column for the spend: .* name it in spend_column"),
    ],
)
def test_a_column_that_is_missing_is_named(header: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"spend_table given has {told}"):
        read(tmp_path, f"{header}\n")


def test_a_named_column_must_exist(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"spend_table given: no column 'dya'.*did you mean 'day'"):
        read(tmp_path, PLAIN, spend_day_column="dya")


@pytest.mark.parametrize(
    "day",
    [
        "2024-03-01",
        "19783",
        "1709251200",
        "1709251200000",
        "2024-03-01T00:00:00Z",
        "2024-03-01 00:00",
        *("2024-03-01 23:30:00", "20240301", "45352", "2024/3/1", "1 Mar 2024"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_days_are_read_however_they_are_written(day: str, zone: str, tmp_path: Path) -> None:
    found = read(tmp_path, f"day,channel,spend\n{day},Email,1\n", day_timezone=zone)
    assert found.rows["day"].tolist() == [MARCH]


def test_midnights_of_the_touchpoints_time_zone_are_its_days(tmp_path: Path) -> None:
    text = "day,channel,spend\n1709218800,Email,1\n1709305200,Email,1\n"
    found = read(tmp_path, text, day_timezone="Asia/Tokyo")
    assert found.rows["day"].tolist() == [MARCH, MARCH + 1]


def test_dates_of_a_parquet_file_are_days(tmp_path: Path) -> None:
    days = pa.array([MARCH, None], pa.int32()).cast(pa.date32())
    table = pa.table({"day": days, "channel": ["Email", "Email"], "cost_micros": [2_500_000, 1]})
    pq.write_table(table, tmp_path / "costs.parquet")
    found = found_by(costs.read, tmp_path, spend_table="costs")
    assert found is not None
    assert found.rows[["day", "spend"]].values.tolist() == [[MARCH, 2.5]]
    assert len(found.incomplete) == 1


def test_a_day_that_cannot_be_read_is_shown(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"table given, column day must .* got 'Total'"):
        read(tmp_path, "day,channel,spend\n2024-03-01,Email,1\nTotal,Email,1\n")


@pytest.mark.parametrize("mark", ["none", "comma"])
def test_amounts_are_read_as_people_write_them(mark: str, tmp_path: Path) -> None:
    text = 'day,channel,Cost (EUR)\n2024-03-01,Email,"1.234,50 €"\n2024-03-02,Email,"0,5 €"\n'
    assert read(tmp_path, text, decimal_mark=mark).rows["spend"].tolist() == [1234.5, 0.5]
    text = 'day,channel,spend\n2024-03-01,Email,"$1,234.50"\n'
    assert read(tmp_path, text, decimal_mark=mark).rows["spend"].tolist() == [1234.5]


def test_channels_that_differ_by_case_and_blanks_are_joined_and_said(tmp_path: Path) -> None:
    text = "day,channel,spend\n2024-03-01, email ,1\n2024-03-02,EMAIL,2\n2024-03-02,paid_search,4\n"
    found = matched(tmp_path, text, ("Email", "Paid Search"))
    assert spend(found) == {"Email": 3, "Paid Search": 4}
    assert (
        "EMAIL to Email, email to Email, paid_search to Paid Search"
        in cost_warnings.notes(found)[1]
    )
    assert cost_warnings.warnings(found)[:1] != []


def test_a_name_like_two_channels_is_joined_to_none(tmp_path: Path) -> None:
    text = "day,channel,spend\n2024-03-01,EMAIL,1\n2024-03-02,Email,2\n"
    found = matched(tmp_path, text, ("Email", "email"))
    assert spend(found) == {"EMAIL": 1, "Email": 2}
    assert found.unknown == {"EMAIL": 1}


def test_channels_of_one_side_alone_are_a_warning_with_their_spend(tmp_path: Path) -> None:
    found = matched(tmp_path, PLAIN, ("Email", "Direct"))
    said = " ".join(cost_warnings.warnings(found))
    assert "spend_table given has channels that the touchpoints lack: Social (spend 2.50)." in said
    assert "Channels without costs in spend_table given: Direct;" in said


def test_other_days_are_left_out_and_said_with_both_spans(tmp_path: Path) -> None:
    found = matched(tmp_path, PLAIN, days=(MARCH + 1, MARCH + 1))
    assert spend(found) == {"Social": 2.5}
    said = cost_warnings.warnings(found)[1]
    assert said == (
        "spend_table given has costs from 2024-03-01 to 2024-03-02, the touchpoints are from "
        "2024-03-02 to 2024-03-02: the spend of 1 other day, 15.00, was left out."
    )


def test_days_of_touchpoints_without_costs_are_said(tmp_path: Path) -> None:
    said = cost_warnings.warnings(matched(tmp_path, PLAIN))
    assert "8 days of touchpoints have no costs" in said[0]


def test_no_day_in_common_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        DataError,
        match="from 2024-03-01 to 2024-03-02, the touchpoints are from 2024-03-11 to 2024",
    ):
        matched(tmp_path, PLAIN, days=(MARCH + 10, MARCH + 20))


def test_no_channel_in_common_is_an_error(tmp_path: Path) -> None:
    told = "it has 'Email', 'Social', they have 'a', 'b', 'c', 'd', 'e' and 2 more"
    with pytest.raises(DataError, match=told):
        matched(tmp_path, PLAIN, tuple("abcdefg"))


def test_negative_spend_and_incomplete_rows_are_said(tmp_path: Path) -> None:
    text = f"{PLAIN}2024-03-02,Social,-1\n,Social,7\n2024-03-01,,8\n"
    found = matched(tmp_path, text)
    assert spend(found) == {"Email": 15, "Social": 1.5}
    said = " ".join(cost_warnings.warnings(found))
    assert "2 rows without day or channel, spend 15.00, dropped" in said
    assert "1 rows have a negative spend, -1.00 in all" in said


def test_a_table_without_rows_is_said(tmp_path: Path) -> None:
    found = matched(tmp_path, "day,channel,spend\n")
    assert cost_warnings.warnings(found) == [
        "spend_table given has no rows: the report has no costs."
    ]
    assert found.by_channel.empty


def test_costs_that_are_not_known_stay_empty(tmp_path: Path) -> None:
    text = "day,channel,spend,clicks\n2024-03-01,Email,,3\n2024-03-01,Social,0,\n"
    by_channel = matched(tmp_path, text).by_channel
    assert np.isnan(by_channel.loc["Email", "spend"]) and by_channel.loc["Email", "clicks"] == 3
    assert by_channel.loc["Social", "spend"] == 0 and pd.isna(by_channel.loc["Social", "clicks"])
