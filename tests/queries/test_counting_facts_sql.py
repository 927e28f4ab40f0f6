"""Figures, returns, n-grams and rules that the warehouse counts are those of Python."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from td_mta.config import attribution as configuration
from td_mta.config import placeholders
from td_mta.config.attribution import Config
from td_mta.dataset.build import extract, folders_of
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.settings import TableSettings
from td_mta.ingest.user_hash import user_rnd
from td_mta.warehouse.local import LocalWarehouse
from tests.dataset.counted_tables import tables_of
from tests.queries.odd_tables import READINGS, further_columns, touchpoints

FOLDER = Path(__file__).parents[2] / "queries" / "counting"
TABLES = (  # in the order in which they are made
    *("read", "channels", "rows", "period", "scan", "conversions", "readings", "journeys"),
    *("returns", "ngrams", "rules", "facts"),
)
COUNTED = ("facts", "ngrams", "rules")
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


def config_of(parameters: dict[str, str], out: Path) -> Config:
    given = {"value_column": "value", "time_decay_half_life_days": "1.5"} | parameters
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


def statements(config: Config) -> dict[str, str]:
    """The query of each table, by the table's name."""
    return {
        f"{config.counts_table}_{name}": placeholders.statement(FOLDER / f"{name}.sql", config)
        for name in TABLES
    }


def check(
    config: Config, rows: pd.DataFrame, folder: Path, read: Callable[[str], pd.DataFrame]
) -> None:
    """Compare the tables that `read` gives by their names with what Python counts of the rows."""
    local = LocalWarehouse(None, folder, now=0)
    local.write(config.table, rows, "overwrite")
    table = TouchpointTable(TableSettings.of(config), local, folder)
    table.arrival = 0  # a warehouse keeps no order of rows
    wanted = tables_of(extract(table, config, folders_of(config)), table, config)
    for name in COUNTED:
        same = {"facts": same_facts, "ngrams": same_ngrams, "rules": same_rules}[name]
        of_name = f"{config.counts_table}_{name}"
        same(read(of_name), wanted[of_name])


def same_facts(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    one, other = facts(found), facts(wanted)
    assert one.keys() == other.keys()
    for fact, figures in other.items():
        assert one[fact] == pytest.approx(figures, rel=1e-12, nan_ok=True), fact


def facts(rows: pd.DataFrame) -> dict[str, dict[tuple[int, str], object]]:
    """Number, amount or text by position and name, of every fact but the parameters."""
    by_fact: dict[str, dict[tuple[int, str], object]] = {}
    for fact, position, number, amount, name, text in rows.itertuples(index=False):
        figure = next((x for x in (number, amount, text) if not pd.isna(x)), None)
        at = 0 if fact == "channel_rows" else int(position)  # Python's in order of appearance
        if fact == "ties":
            figure = figure > 1
        if fact != "parameter" and not (fact.startswith("returns_") and figure == 0):
            by_fact.setdefault(fact, {})[at, "" if pd.isna(name) else name] = figure
    return by_fact


def same_ngrams(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    keys = ["held_out", "ngram"]
    one, other = (rows.groupby(keys).sum().sort_index() for rows in (found, wanted))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def same_rules(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    keys = ["model", "channel", "share"]
    one, other = (
        rows[rows["conversions"] > 0].set_index(keys).sort_index() for rows in (found, wanted)
    )
    assert list(one.index) == list(other.index)
    is_summed = other.index.get_level_values("model") == "time_decay"
    pd.testing.assert_frame_equal(one[~is_summed], other[~is_summed], check_exact=True)
    pd.testing.assert_frame_equal(one[is_summed], other[is_summed], rtol=1e-9)


def check_local(parameters: dict[str, str], seed: int, folder: Path) -> None:
    config, rows = config_of(parameters, folder), table_of(seed)
    warehouse = LocalWarehouse(None, folder / "sql", now=0)
    warehouse.write(config.table, rows, "overwrite")
    for name, statement in statements(config).items():
        warehouse.create_table(name, statement)
    check(config, rows, folder, lambda name: warehouse.query(f"select * from {name}").to_pandas())


@pytest.mark.parametrize("row_is_touch", ["true", "false"])
@pytest.mark.parametrize("way", WAYS)
def test_figures_ngrams_and_rules_are_those_of_python(
    way: str, row_is_touch: str, tmp_path: Path
) -> None:
    check_local(WAYS[way] | {"conversion_row_is_touch": row_is_touch}, len(way) % 5, tmp_path)


@pytest.mark.parametrize("row_is_touch", ["true", "false"])
@pytest.mark.parametrize("reading", READINGS)
def test_what_reading_changed_is_counted_as_python_counts_it(
    reading: str, row_is_touch: str, tmp_path: Path
) -> None:
    of_reading = READINGS[reading] | {"conversion_row_is_touch": row_is_touch}
    check_local(of_reading, len(reading) % 7, tmp_path)


def test_every_parameter_of_the_queries_is_among_the_facts(tmp_path: Path) -> None:
    text = "".join(path.read_text() for path in sorted(FOLDER.glob("*.sql")))
    templates = " ".join(re.sub("'[^']*'", "", found) for found in re.findall(r"\${(.*?)}", text))
    used = {name for name in re.findall(r"[a-z]\w+", templates) if name in vars(Config())}
    facts = placeholders.statement(FOLDER / "facts.sql", config_of({}, tmp_path))
    told = set(re.findall(r"^ {8}\('(\w+)', ", facts, re.M))
    assert told == used - {"counts_table"}
