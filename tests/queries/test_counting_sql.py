"""What the warehouse counts is what Python counts, on tables full of ties, gaps and repeats."""

import re
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from td_mta.config import attribution as configuration
from td_mta.config.attribution import CONTROLS, Config
from td_mta.dataset.build import MOST_DAYS, day_rules, extract, folders_of
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.settings import TableSettings
from td_mta.ingest.user_hash import user_rnd
from td_mta.journeys.controls import LONGER_TIMES, MORE_TOUCHES, RATES
from td_mta.journeys.examples import CutTimes, groups_of, person_days
from td_mta.journeys.hashing import uniform
from td_mta.journeys.patterns import Grid
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


THRESHOLDS = {  # of what the controls count, as doubles
    "activity": MORE_TOUCHES,
    "rates": RATES,
    "days since a conversion": LONGER_TIMES,
}
FEW = 300  # user-days, of which all are drawn; see `drawn`


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


def by_sql(warehouse: LocalWarehouse, statements: Mapping[str, str]) -> Counts:
    for name, statement in statements.items():
        warehouse.create_table(name, statement)
    return counting.of_sql(partial(table, warehouse))


def table(warehouse: LocalWarehouse, name: str) -> pa.Table:
    return warehouse.query(f"select * from {name}")


def check(parameters: dict[str, str], seed: int, folder: Path) -> None:
    config = config_of(parameters, folder)
    warehouse = LocalWarehouse(None, folder, now=0)
    warehouse.write(config.table, table_of(seed, config), "overwrite")
    found = by_sql(warehouse, counting.statements(config))
    wanted = by_python(warehouse, config, folder)
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


@pytest.mark.parametrize("way", ["all controls", "returning users", "windows kept"])
def test_where_days_are_many_one_in_so_many_is_drawn_alike(way: str, tmp_path: Path) -> None:
    config = config_of(WAYS[way], tmp_path)
    warehouse = LocalWarehouse(None, tmp_path, now=0)
    warehouse.write(config.table, table_of(3, config), "overwrite")
    statements = counting.statements(config)
    period = statements[f"{counting.PREFIX}_period"]
    assert str(MOST_DAYS) in period
    statements[f"{counting.PREFIX}_period"] = period.replace(str(MOST_DAYS), str(FEW))
    found = by_sql(warehouse, statements).examples
    [row] = table(warehouse, f"{counting.PREFIX}_period").to_pylist()
    assert row["one_in"] > 1
    wanted = drawn(warehouse, config, row["one_in"], tmp_path)
    assert found == wanted


def drawn(warehouse: LocalWarehouse, config: Config, one_in: int, spill: Path) -> Counter:
    """The examples where one day without a conversion in so many stands for the others."""
    touchpoints = TouchpointTable(TableSettings.of(config), warehouse, spill)
    grid = Grid(config.lookback_window_days, len(touchpoints.channels))
    rules = day_rules(touchpoints, config, grid)._replace(one_in=one_in)
    seconds = table(warehouse, f"{counting.PREFIX}_times_of_day").sort_by("place")["second"]
    found: Counter = Counter()
    for page in touchpoints.pages("test"):
        held_out = uniform(page.user_hash, np.array([config.seed + 1], np.uint64))
        group = groups_of(page.user_hash, held_out < config.validation_fraction)
        cut = CutTimes(seconds.to_numpy() if len(seconds) else None, page.user_hash)
        examples = person_days(page.journeys, group, rules, cut)
        found += counting.examples_of(examples, rules.strata)
    return found


@pytest.mark.parametrize("control", THRESHOLDS)
def test_levels_of_controls_begin_where_pythons_do(control: str) -> None:
    text = (counting.FOLDER / "windows.sql").read_text(encoding="utf-8")
    lists = re.findall(r"array\[([^]]*)\]", text)
    found = [[float(number) for number in of_list.split(",")] for of_list in lists]
    assert THRESHOLDS[control].tolist() in found
    assert len(found) == len(THRESHOLDS)
