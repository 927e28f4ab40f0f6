"""The message of an empty table names the days of its input and a session that sees them."""

from pathlib import Path

import pytest

from td_mta.config.attribution import Config
from td_mta.ingest.preflight import explain_empty_table
from td_mta.warehouse.local import LocalWarehouse


def explanation(data: Path, config: Config, **tables: str) -> str:
    for name, text in tables.items():
        (data / f"{name}.csv").write_text(text)
    return explain_empty_table(config, LocalWarehouse(data, data / "out", now=0))


@pytest.mark.parametrize(
    "times",
    [
        "1530403200\n1532995199\n",
        "1530403200000\n1532995199999\n",
        "2018-07-01T00:00:00Z\n2018-07-30T23:59:59Z\n",
        "2018-07-01 00:00:00\n2018-07-30 23:59:59\n",
        "1530403200000000\n1532995199999999\n",
        "1530403200000000000\n1532995199999999999\n",
        "20180701\n20180730\n",
        "43282.0\n43311.99\n",
        "1.5304032E9\n1.532995199E9\n",
        "1/7/2018 0:00\n30/7/2018 23:59\n2/7/2018 0:00\n",
        "30 Jul 2018 23:59\n1 Jul 2018 00:00\n",
        "1530403200\n1532995199000\n",
    ],
    ids=[
        *("seconds", "milliseconds", "ISO", "ISO with a space", "microseconds", "nanoseconds"),
        *("YYYYMMDD", "Excel", "doubles", "day first", "month names", "two units"),
    ],
)
def test_the_days_of_a_touchpoint_table_and_the_session_after_them_are_named(
    tmp_path: Path, times: str
) -> None:
    assert explanation(
        tmp_path, Config(union_query="union_touchpoints"), touchpoints="time\n" + times
    ) == (
        "table mta_user_rnd has no rows: the input has none in time_interval -30d. Input rows: "
        "touchpoints from 2018-07-01 to 2018-07-30. "
        "Run with --session 2018-07-31, or set a longer time_interval"
    )


def test_days_are_cut_in_the_time_zone_of_the_parameters(tmp_path: Path) -> None:
    config = Config(union_query="union_touchpoints", day_timezone="Asia/Tokyo")
    assert "from 2018-07-01 to 2018-07-31." in explanation(
        tmp_path, config, touchpoints="time\n1530403200\n1532995199\n"
    )


def test_page_views_and_form_fills_are_named_each(tmp_path: Path) -> None:
    message = explanation(
        tmp_path,
        Config(),
        enriched_pageviews="time\n1530403200\n1532995199\n",
        enriched_formfills="time\n1530403200\n",
    )
    assert "enriched_pageviews from 2018-07-01 to 2018-07-30, " in message
    assert (
        "enriched_formfills from 2018-07-01 to 2018-07-01. Run with --session 2018-07-31" in message
    )


@pytest.mark.parametrize("config", [Config(table="mine"), Config()], ids=["own table", "no input"])
def test_without_an_input_the_table_has_no_rows(tmp_path: Path, config: Config) -> None:
    assert explanation(tmp_path, config) == f"table {config.table} has no rows"
