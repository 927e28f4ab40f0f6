"""The counting queries on the real Trino: the counts of Python."""

from pathlib import Path

import pytest

from td_emulator.engines.real_trino import TrinoEngine
from td_mta.warehouse.local import LocalWarehouse
from tests.queries import counting
from tests.queries.odd_tables import READINGS
from tests.queries.test_counting_sql import WAYS, by_python, config_of, table_of
from tests.trino import same_rows

DATABASE = "counting"
CASES = {
    **{way: WAYS[way] for way in ("all controls", "returning users", "windows kept", "augmented")},
    "a long window, held out days": WAYS["a long window"] | WAYS["held out days"],
    "a clock put back": WAYS["a clock put back"],
    "all readings": READINGS["all"],
    "repeats and refunds": READINGS["repeats and refunds"],
    "conversions are no touches": WAYS["all controls"] | {"conversion_row_is_touch": "false"},
    "journeys of one spelling": READINGS["conversions"] | {"channel_letter_case": "join"},
}


@pytest.mark.parametrize("case", CASES)
def test_the_real_trino_counts_what_python_counts(
    case: str, engine: TrinoEngine, tmp_path: Path
) -> None:
    config = config_of(CASES[case], tmp_path)
    warehouse = LocalWarehouse(None, tmp_path, now=0)
    warehouse.write(config.table, table_of(len(case), config), "overwrite")
    same_rows.load(engine, DATABASE, warehouse)
    for name, statement in counting.statements(config).items():
        engine.run(f"create table {name} as {statement}", DATABASE, 0)
    found = counting.of_sql(lambda name: engine.read(DATABASE, name))
    wanted = by_python(warehouse, config, tmp_path)
    assert found == wanted
