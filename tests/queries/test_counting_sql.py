"""What the warehouse counts is what Python counts, on tables full of ties, gaps and repeats."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from td_mta.config import attribution as configuration
from td_mta.config.attribution import CONTROLS, Config
from td_mta.dataset.build import extract, folders_of
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.settings import TableSettings
from td_mta.ingest.user_hash import user_rnd
from td_mta.warehouse.local import LocalWarehouse
from tests.queries import counting
from tests.queries.counting import Counts
from tests.queries.odd_tables import READINGS, further_columns, touchpoints

ALL_CONTROLS = ", ".join(CONTROLS)
# Each a way in which examples are made.
WAYS: dict[str, dict[str, str]] = {
    "as by default": {},
    "all controls": {"controls": ALL_CONTROLS, "lookback_window_days": "2"},
    "no controls": {"controls": "none", "lookback_window_days": "1"},
    "a long window": {"lookback_window_days": "16"},
    "returning users": {"days_at_risk": "returning", "controls": ALL_CONTROLS},
    "windows kept": {"window_after_conversion": "keep"},
    "held out days": {"holdout": "forward", "validation_fraction": "0.25"},
    "half of the users held out": {"validation_fraction": "0.5", "seed": "5"},
    "history": {"history_days": "4"},
    "touch days": {"examples": "touch_days"},
    "touch days in a long window": {"examples": "touch_days", "lookback_window_days": "20"},
    "augmented": {"examples": "touch_days", "augment_last_day": "true"},
    "a clock put back": {"day_timezone": "America/Sao_Paulo"},
}


def config_of(parameters: dict[str, str], out: Path) -> Config:
    return configuration.from_params({"value_column": "value"} | parameters, "test", out=out)


def table_of(seed: int, config: Config) -> pd.DataFrame:
    rows = touchpoints(seed)
    rows = rows.assign(
        **further_columns(seed, len(rows)), ab_rnd=user_rnd(pa.array(rows["canonical_id"]), 18)
    )
    refunded = rows.sample(40, random_state=seed).index
    rows.loc[refunded, "value"] *= -1
    return rows


def by_python(warehouse: LocalWarehouse, config: Config, spill: Path) -> Counts:
    table = TouchpointTable(TableSettings.of(config), warehouse, spill)
    return counting.of_python(extract(table, config, folders_of(config)))


def by_sql(warehouse: LocalWarehouse, config: Config) -> Counts:
    for name, statement in counting.statements(config).items():
        warehouse.create_table(name, statement)
    return counting.of_sql(lambda name: warehouse.query(f"select * from {name}"))


def check(parameters: dict[str, str], seed: int, folder: Path) -> None:
    config = config_of(parameters, folder)
    warehouse = LocalWarehouse(None, folder, now=0)
    warehouse.write(config.table, table_of(seed, config), "overwrite")
    found, wanted = by_sql(warehouse, config), by_python(warehouse, config, folder)
    assert found.examples == wanted.examples
    assert found.credited == wanted.credited
    assert found.profiles == wanted.profiles


@pytest.mark.parametrize("row_is_touch", ["true", "false"])
@pytest.mark.parametrize("way", WAYS)
def test_examples_and_conversions_are_those_of_python(
    way: str, row_is_touch: str, tmp_path: Path
) -> None:
    check(WAYS[way] | {"conversion_row_is_touch": row_is_touch}, len(way) % 5, tmp_path)


@pytest.mark.parametrize("row_is_touch", ["true", "false"])
@pytest.mark.parametrize("reading", READINGS)
def test_rows_are_read_as_python_reads_them(
    reading: str, row_is_touch: str, tmp_path: Path
) -> None:
    zone = {"day_timezone": ["UTC", "Asia/Tokyo", "America/New_York"][len(reading) % 3]}
    of_reading = READINGS[reading] | {"conversion_row_is_touch": row_is_touch} | zone
    check(of_reading, len(reading) % 7, tmp_path)
