"""Figures, returns, n-grams and rules that the real Trino counts are those of Python."""

from pathlib import Path

import pyarrow as pa
import pytest

from td_emulator.engines.real_trino import TrinoEngine
from tests.queries import counted_facts
from tests.queries.odd_tables import READINGS

DATABASE = "counting"
CASES = {
    "as by default": {},
    "joined": {"channel_letter_case": "join", "null_words": "u3, search, NA"},
    "order 1": {"markov_order": "1", "markov_nulls": "false", "direct_channel": "email, Social"},
    "clocks": {"day_timezone": "America/New_York", "rules_window_days": "30"},
    "limits": {"max_touches_per_user": "9", "max_conversions_per_user": "4"},
    "orders and refunds": READINGS["orders and refunds"],
    "all": READINGS["all"],
}


@pytest.mark.parametrize("case", CASES)
def test_figures_ngrams_and_rules_are_those_of_python(
    case: str, empty: TrinoEngine, tmp_path: Path
) -> None:
    row_is_touch = {"conversion_row_is_touch": str(len(case) % 2 == 0).lower()}
    config = counted_facts.config_of(CASES[case] | row_is_touch, tmp_path)
    rows = counted_facts.table_of(len(case) % 5)
    empty.create_database(DATABASE)
    empty.write(DATABASE, config.table, pa.Table.from_pandas(rows, preserve_index=False))
    for name, statement in counted_facts.statements(config).items():
        empty.run(f"create table {name} as {statement}", DATABASE, 0)
    counted_facts.check(config, rows, tmp_path, lambda name: empty.read(DATABASE, name).to_pandas())
