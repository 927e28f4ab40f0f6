"""All that a run takes from a table is the same, counted by the workflow's SQL or by Python."""

from pathlib import Path

import pytest
import yaml

from td_mta.config import placeholders
from td_mta.config.attribution import Config
from td_mta.dataset import warehouse_counts
from td_mta.dataset.build import extract, folders_of
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
