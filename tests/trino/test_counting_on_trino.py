"""The workflow's counting on the real Trino: what Python counts of the rows."""

from pathlib import Path

import pytest

from td_emulator.engines.real_trino import TrinoEngine
from td_mta.dataset.count_tables import COLUMNS
from td_mta.warehouse.local import LocalWarehouse
from tests.queries import counting
from tests.queries.odd_tables import READINGS, parameters
from tests.queries.option_sets import pairwise
from tests.queries.test_counting import COUNTED
from tests.trino import same_rows

DATABASE = "counting"
OPTIONS = READINGS | COUNTED
# Every value of every option.
SETS = [
    {name: values[number % len(values)] for name, values in OPTIONS.items()} for number in range(3)
]
SETS += [pairwise(OPTIONS)[0]]


@pytest.mark.parametrize("number", range(len(SETS)))
def test_the_real_trino_counts_what_python_counts(
    number: int, engine: TrinoEngine, tmp_path: Path
) -> None:
    config = counting.config_of(parameters(SETS[number]), tmp_path)
    warehouse = LocalWarehouse(None, tmp_path, now=0)
    warehouse.write(config.table, counting.table_of(number), "overwrite")
    same_rows.load(engine, DATABASE, warehouse)
    for name, statement in counting.statements(config).items():
        engine.run(f"create table {name} as {statement}", DATABASE, 0)
    for name in COLUMNS:
        counted = f"{config.counts_table}_{name}"
        warehouse.write(counted, engine.read(DATABASE, counted).to_pandas(), "overwrite")
    assert counting.differing(config, warehouse) == []
