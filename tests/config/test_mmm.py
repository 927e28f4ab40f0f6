from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from td_mta.config import mmm
from td_mta.config.mmm import MediaMixConfig
from td_mta.errors import ConfigError

FILE = Path(__file__).parent.parent.parent / "config" / "mmm.yml"


def test_the_file_holds_every_parameter_with_its_default() -> None:
    assert list(yaml.safe_load(FILE.read_text("utf-8"))) == [f.name for f in fields(MediaMixConfig)]
    assert mmm.load(FILE) == MediaMixConfig()


def test_two_plans_at_once_are_refused() -> None:
    with pytest.raises(ConfigError, match="set one of them"):
        mmm.load(FILE, {"budget": "10", "sales_goal": "5"})


@pytest.mark.parametrize("text", ["TV", "TV=x", "TV=-1", "=3"])
def test_amounts_of_channels_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ConfigError, match="least_spend must be like TV=2000, Radio=500, got"):
        mmm.amounts(text, "least_spend")


@pytest.mark.parametrize("text", ["Christmas", "2-30", "2023-02-29", "13-1", "A=", "25.12."])
def test_holidays_that_are_no_dates(text: str) -> None:
    with pytest.raises(ConfigError, match=f"holidays must be dates such as .* got {text}"):
        mmm.load(FILE, {"holidays": f"12-25, {text}"})


def test_yaml_may_have_read_a_holiday_as_a_date(tmp_path: Path) -> None:
    file = tmp_path / "mmm.yml"
    file.write_text("holidays: 2024-12-25", "utf-8")
    assert mmm.load(file).holidays == "2024-12-25"


def test_a_workflow_reads_the_tables_that_its_sql_made_whatever_the_columns_of_its_inputs() -> None:
    given = {"media_table": "brand", "sales_amount_column": "amount", "date_column": "at"}
    config = mmm.from_workflow({**given, "roi_prior_spread": "0.5", "budget": ""}, "m", out=Path())
    assert (config.media_table, config.revenue_table) == ("brand", "brand_sales")
    assert (config.date_column, config.kpi_column) == ("week", "amount")
    assert (config.roi_prior_spread, config.budget) == (0.5, None)
    with pytest.raises(ConfigError, match=r"mmm\.yml: draws must be from 20 to 10000, got 1"):
        mmm.from_workflow({"draws": 1}, "mmm.yml", out=Path())
