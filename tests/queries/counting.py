"""The workflow's counting, and whether what was counted is what Python counts of the rows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import yaml

from td_mta.config import attribution as configuration
from td_mta.config import placeholders
from td_mta.config.attribution import Config
from td_mta.dataset import warehouse_counts
from td_mta.dataset.build import extract, folders_of
from td_mta.dataset.extracted import Extracted
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.settings import TableSettings
from td_mta.ingest.user_hash import user_rnd
from td_mta.journeys.controls import CONTROLS
from td_mta.journeys.examples import Examples
from td_mta.journeys.strata import Strata
from td_mta.warehouse.local import LocalWarehouse
from tests.dataset import same_counts
from tests.queries.odd_tables import further_columns, touchpoints

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "queries" / "counting"


def config_of(parameters: Mapping[str, str], out: Path) -> Config:
    given = {"value_column": "value", "time_decay_half_life_days": "1.5", **parameters}
    return configuration.from_params(given, "test", out=out)


def table_of(seed: int, users: int = 60) -> pd.DataFrame:
    """Rows that repeat, channels of several spellings, users who have a refund alone, gaps."""
    rows = touchpoints(seed, users=users)
    rows = rows.assign(**further_columns(seed, len(rows)))
    rng = np.random.default_rng(seed)
    spelled = rows["channels"].eq("Email") & (rng.random(len(rows)) < 0.4)
    rows.loc[spelled, "channels"] = rng.choice(
        np.array(["email", "E_MAIL", "e-mail"]), spelled.sum()
    )
    rows.loc[rows.sample(40, random_state=seed).index, "value"] *= -1
    refund = {"canonical_id": "u9999", "channels": "Email", "conversion": 1, "value": -3.25}
    late = rows.sample(150, random_state=seed).assign(time=lambda some: some["time"] + 17 * 86_400)
    alone = pd.DataFrame([refund]).assign(time=rows["time"].iloc[0] + 5)
    missing = rows.sample(20, random_state=seed + 1).assign(canonical_id=None)
    rows = pd.concat([rows, late, rows.sample(30, random_state=seed + 2), alone, missing])
    rows["time"] = rows["time"] + np.where(rng.random(len(rows)) < 0.3, 1_200, 0)
    return rows.assign(ab_rnd=user_rnd(pa.array(rows["canonical_id"], pa.string()), 18))


def tasks() -> list[tuple[str, str]]:
    """The tables that the workflow makes and their queries, in its order."""
    text = (ROOT / "workflows" / "counting_tasks.dig").read_text(encoding="utf-8")
    of_tables = yaml.safe_load(text)["+tables"]["_do"].values()
    return [(task["create_table"], task["td>"]) for task in of_tables if "create_table" in task]


def statements(config: Config) -> dict[str, str]:
    """The query of each table, by the table's name."""
    return {
        placeholders.fill(table, config, "workflow"): placeholders.statement(ROOT / query, config)
        for table, query in tasks()
    }


def count(warehouse: LocalWarehouse, config: Config, left_out: Iterable[str] = ()) -> None:
    """Make the tables of counts, but for some."""
    names = {f"{config.counts_table}_{name}" for name in left_out}
    for name, statement in statements(config).items():
        if name not in names:
            warehouse.create_table(name, statement)


def by_python(config: Config, warehouse: LocalWarehouse) -> tuple[TouchpointTable, Extracted]:
    """The table, and what its pages of rows add up to."""
    table = TouchpointTable(TableSettings.of(config), warehouse, warehouse.out)
    table.arrival = 0  # a warehouse keeps no order of rows
    return table, extract(table, config, folders_of(config))


def differing(config: Config, warehouse: LocalWarehouse) -> list[str]:
    """A line for each figure of the counts that is not that of the rows."""
    found = warehouse_counts.read(config, warehouse, folders_of(config))
    table, extracted = by_python(config, warehouse)
    return same_counts.differing(found.table, table, found.extracted, extracted)


def examples_of(examples: Examples, strata: Strata) -> Counter:
    """The number of examples by cells, levels of the controls, group of users and kind."""
    patterns = examples.patterns
    cells = [
        frozenset(patterns.cells[start:stop].tolist())
        for start, stop in zip(patterns.offsets[:-1], patterns.offsets[1:], strict=True)
    ]
    by_name = dict(zip(strata.names, strata.levels(examples.stratum), strict=True))
    none = np.zeros(len(examples.stratum), np.int64)
    levels = np.stack([by_name.get(name, none) for name in CONTROLS], axis=1).tolist()
    keys = zip(examples.pattern, levels, examples.group.tolist(), strict=True)
    found: Counter = Counter()
    for (pattern, of_row, group), numbers in zip(keys, examples.counts, strict=True):
        for kind in np.flatnonzero(numbers).tolist():
            found[cells[pattern], tuple(of_row), group, kind] += int(numbers[kind])
    return found
