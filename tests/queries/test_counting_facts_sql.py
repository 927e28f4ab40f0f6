"""Figures, returns, n-grams and rules that the warehouse counts are those of Python."""

import re
from pathlib import Path

import pytest

from td_mta.config import placeholders
from td_mta.config.attribution import Config
from td_mta.warehouse.local import LocalWarehouse
from tests.queries import counted_facts, counting
from tests.queries.odd_tables import READINGS

# Each a parameter or a table of which a figure depends.
WAYS: dict[str, dict[str, str]] = {
    "as by default": {},
    "few pages": {"users_per_tfrecord": "7"},
    "order 1 without nulls": {"markov_order": "1", "markov_nulls": "false"},
    "order 3": {"markov_order": "3", "validation_fraction": "0.5", "seed": "5"},
    "one day of rules": {"rules_window_days": "1"},
    "a week of windows": {"rules_window_days": "30", "lookback_window_days": "9"},
    "windows of a day": {"lookback_window_days": "1"},
    "direct by name": {"direct_channel": "email, Social"},
    "positions": {"position_first": "0.15", "position_last": "0.35"},
    "words": {"null_words": "u3, search, NA"},
    "joined": {"channel_letter_case": "join", "null_words": "none"},
    "a clock put back": {"day_timezone": "America/New_York"},
    "held out days": {"holdout": "forward"},
    "repeats, orders and a limit": {
        "order_id": "order",
        "repeat_orders_within": "2d",
        "max_conversions_per_user": "2",
    },
    "refunds of users with nothing else": {
        "refunds": "subtract",
        "max_touches_per_user": "12",
        "users_per_tfrecord": "5",
    },
}


@pytest.mark.parametrize("way", [*WAYS, *READINGS])
def test_figures_ngrams_and_rules_are_those_of_python(way: str, tmp_path: Path) -> None:
    row_is_touch = {"conversion_row_is_touch": str(len(way) % 2 == 0).lower()}
    config = counted_facts.config_of((WAYS | READINGS)[way] | row_is_touch, tmp_path)
    rows = counted_facts.table_of(len(way) % 5)
    warehouse = LocalWarehouse(None, tmp_path / "sql", now=0)
    warehouse.write(config.table, rows, "overwrite")
    for name, statement in counted_facts.statements(config).items():
        warehouse.create_table(name, statement)
    counted_facts.check(
        config, rows, tmp_path, lambda name: warehouse.query(f"select * from {name}").to_pandas()
    )


def test_every_parameter_of_the_queries_is_among_the_facts(tmp_path: Path) -> None:
    queries = sorted(counting.FOLDER.glob("*.sql"))
    templates = re.findall(r"\${(.*?)}", "".join(path.read_text() for path in queries))
    words = re.findall(r"[a-z]\w+", re.sub("'[^']*'", "", " ".join(templates)))
    config = counted_facts.config_of({}, tmp_path)
    facts = placeholders.statement(counting.FOLDER / "facts.sql", config)
    told = set(re.findall(r"^ {8}\('(\w+)', ", facts, re.M))
    assert told == {word for word in words if word in vars(Config())} - {"counts_table"}
