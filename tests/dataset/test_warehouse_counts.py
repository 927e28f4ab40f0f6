"""What is read of tables of counts is what Python counts of the rows, array by array."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from td_mta.config import attribution as configuration
from td_mta.config.attribution import Config
from td_mta.dataset import count_tables, warehouse_counts
from td_mta.dataset.build import extract, folders_of
from td_mta.dataset.extracted import Extracted
from td_mta.errors import DataError
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.settings import TableSettings
from td_mta.warehouse.local import LocalWarehouse
from tests.dataset.counted_tables import tables_of
from tests.dataset.same_counts import differing
from tests.dataset.touches import touchpoints


class Made(NamedTuple):
    """A table, what Python counts of it, and tables of counts that say the same."""

    config: Config
    warehouse: LocalWarehouse
    table: TouchpointTable
    extracted: Extracted


def made(folder: Path, **parameters: str) -> Made:
    settings = {"users_per_tfrecord": "50", "value_column": "value", **parameters}
    config = configuration.from_params(settings, "test", out=folder)
    warehouse = LocalWarehouse(None, folder, now=0)
    warehouse.write(config.table, touchpoints(), "overwrite")
    table = TouchpointTable(TableSettings.of(config), warehouse, folder)
    extracted = extract(table, config, folders_of(config))
    for name, frame in tables_of(extracted, table, config).items():
        warehouse.write(name, frame, "overwrite")
    return Made(config, warehouse, table, extracted)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"examples": "touch_days", "augment_last_day": "true"},
        {"conversion_row_is_touch": "false", "controls": "user_activity_past, calendar_day"},
        {"holdout": "forward", "days_at_risk": "returning", "history_days": "2"},
        {"lookback_window_days": "25", "controls": "none"},
        {"markov_order": "2", "markov_nulls": "false", "max_touches_per_user": "15"},
    ],
    ids=lambda parameters: " ".join(parameters) or "defaults",
)
def test_counts_read_from_tables_are_those_of_the_rows(
    parameters: dict[str, str], tmp_path: Path
) -> None:
    given = made(tmp_path, **parameters)
    found = warehouse_counts.read(given.config, given.warehouse, folders_of(given.config))
    assert differing(found.table, given.table, found.extracted, given.extracted) == []


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory.mktemp("counts"))


def told(given: Made, **changed: pd.DataFrame | None) -> str:
    """What reading says where tables of counts are changed, or missing."""
    tables = tables_of(given.extracted, given.table, given.config)
    warehouse = LocalWarehouse(None, given.warehouse.out / "changed", now=0)
    warehouse.write(given.config.table, touchpoints(), "overwrite")
    for name, frame in tables.items():
        warehouse.write(name, frame, "overwrite")
    for name, changed_frame in changed.items():
        if changed_frame is None:
            warehouse.drop_table(name)
        else:
            warehouse.write(name, changed_frame, "overwrite")
    with pytest.raises(DataError) as caught:
        warehouse_counts.read(given.config, warehouse, folders_of(given.config))
    return str(caught.value)


def facts(given: Made) -> pd.DataFrame:
    return tables_of(given.extracted, given.table, given.config)["mta_counts_facts"]


def test_a_missing_table_names_the_task_that_makes_it(given: Made) -> None:
    assert told(given, mta_counts_facts=None) == (
        "table mta_counts_facts does not exist: the workflow's tasks +count make it where count_in "
        "is warehouse; run them, or set count_in: python"
    )
    assert "mta_counts_ngrams" in told(given, mta_counts_ngrams=None)


def test_an_empty_table_is_told(given: Made) -> None:
    empty = tables_of(given.extracted, given.table, given.config)["mta_counts_examples"].head(0)
    assert told(given, mta_counts_examples=empty) == (
        "table mta_counts_examples is empty: run the workflow's tasks +count again"
    )


def test_counts_made_with_other_parameters_are_refused(given: Made) -> None:
    made_with = facts(given)
    made_with.loc[made_with["name"] == "lookback_window_days", "text"] = "7"
    assert told(given, mta_counts_facts=made_with) == (
        "table mta_counts_facts was counted with lookback_window_days: 7, and it is 3 now: run the "
        "workflow's tasks +count again, or set it back"
    )


def test_counts_of_another_state_of_the_table_are_refused(given: Made) -> None:
    of_fewer = facts(given)
    of_fewer.loc[of_fewer["fact"] == "rows", "number"] = 2999
    assert told(given, mta_counts_facts=of_fewer) == (
        "table mta_counts_facts was counted when table mta_user_rnd had 2,999 rows, and it has "
        "3,000 now: run the workflow's tasks +count again"
    )


def test_a_figure_that_is_missing_is_told(given: Made) -> None:
    without = facts(given)
    told_of = told(given, mta_counts_facts=without[without["fact"] != "converters"])
    assert told_of.startswith("table mta_counts_facts has no converters: ")


def test_more_rows_than_memory_holds_stop_with_advice(given: Made) -> None:
    tables = count_tables.CountTables(given.warehouse, "mta_counts", most_rows=100)
    with pytest.raises(DataError, match=r"has more than 100 rows, .* lower lookback_window_days"):
        tables.read("examples")
