"""All that a run takes from a table is the same, counted by the workflow's SQL or by Python."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from td_mta.config import placeholders
from td_mta.config.attribution import Config
from td_mta.dataset import warehouse_counts
from td_mta.dataset.build import extract, folders_of
from td_mta.errors import DataError
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.settings import TableSettings
from td_mta.warehouse.local import LocalWarehouse
from tests.dataset.same_counts import differing
from tests.queries.odd_tables import READINGS
from tests.queries.test_counting_sql import WAYS, config_of, table_of

ROOT = Path(__file__).parents[2]


def tasks() -> list[tuple[str, str]]:
    """The tables that the workflow makes and their queries, in its order."""
    text = (ROOT / "workflows" / "counting_tasks.dig").read_text(encoding="utf-8")
    of_tables = yaml.safe_load(text)["+tables"]["_do"].values()
    return [(task["create_table"], task["td>"]) for task in of_tables if "create_table" in task]


def count(warehouse: LocalWarehouse, config: Config) -> None:
    for table, query in tasks():
        name = placeholders.fill(table, config, "workflow")
        warehouse.create_table(name, placeholders.statement(ROOT / query, config))


def test_every_query_has_its_task() -> None:
    queries = {path.stem for path in ROOT.glob("queries/counting/*.sql")} - {"size"}
    assert [f"${{counts_table}}_{Path(query).stem}" for _, query in tasks()] == [
        table for table, _ in tasks()
    ]
    assert {Path(query).stem for _, query in tasks()} == queries


def test_every_table_is_dropped_at_the_end() -> None:
    drops = [ROOT / "workflows" / name for name in ("mta_tasks.dig", "drop_counts.dig")]
    dropped = [
        name
        for file in drops
        for name in re.findall(r'"(\$\{counts_table\}_\w+)"', file.read_text(encoding="utf-8"))
    ]
    assert sorted(dropped) == sorted(table for table, _ in tasks())


@pytest.mark.slow
@pytest.mark.parametrize("case", [*WAYS, *READINGS])
def test_counts_of_the_workflow_are_those_of_the_rows(case: str, tmp_path: Path) -> None:
    row_is_touch = ("true", "false")[len(case) % 2]
    config = config_of(
        (WAYS | READINGS)[case] | {"conversion_row_is_touch": row_is_touch}, tmp_path
    )
    warehouse = LocalWarehouse(None, tmp_path, now=0)
    warehouse.write(config.table, table_of(len(case), config), "overwrite")
    count(warehouse, config)
    found = warehouse_counts.read(config, warehouse, folders_of(config))
    table = TouchpointTable(TableSettings.of(config), warehouse, tmp_path)
    extracted = extract(table, config, folders_of(config))
    assert differing(found.table, table, found.extracted, extracted) == []


def rows(**columns: object) -> pd.DataFrame:
    usual = {"canonical_id": "u1", "time": 1_772_000_000, "channels": "Email", "conversion": 0}
    frame = pd.DataFrame([usual | {"value": 1.5, "ab_rnd": 0.5}] * 3)
    return frame.assign(**columns)


REFUSED: dict[str, tuple[pd.DataFrame, dict[str, str]]] = {
    "no rows": (rows().head(0), {}),
    "no user": (rows(canonical_id=""), {}),
    "no conversion": (rows(), {}),
    "refunds alone": (rows(conversion=1, value=-1.0), {}),
    "no touch": (rows(conversion=1, channels=""), {}),
    "a channel of the baseline's name": (rows(conversion=1, channels="(baseline)"), {}),
    "history alone": (rows(conversion=1), {"history_days": "3"}),
    "one day to hold out": (rows(conversion=1), {"holdout": "forward"}),
    "nobody within the limits": (
        rows(conversion=1, channels=["a", "b", "c"]),
        {"max_conversions_per_user": "1"},
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_python_refuses_is_refused_in_the_same_words(case: str, tmp_path: Path) -> None:
    frame, parameters = REFUSED[case]
    config = config_of(parameters, tmp_path)
    warehouse = LocalWarehouse(None, tmp_path, now=0)
    warehouse.write(config.table, frame, "overwrite")
    with pytest.raises(DataError) as by_python:
        extract(
            TouchpointTable(TableSettings.of(config), warehouse, tmp_path),
            config,
            folders_of(config),
        )
    count(warehouse, config)
    with pytest.raises(DataError) as by_warehouse:
        warehouse_counts.read(config, warehouse, folders_of(config))
    assert str(by_warehouse.value) == str(by_python.value)
