"""A table whose rows mean much, and whether the figures that SQL counted of it are Python's."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from td_mta.config import attribution as configuration
from td_mta.config.attribution import Config
from td_mta.dataset.build import extract, folders_of
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.settings import TableSettings
from td_mta.ingest.user_hash import user_rnd
from td_mta.warehouse.local import LocalWarehouse
from tests.dataset.counted_tables import tables_of
from tests.queries import counting
from tests.queries.odd_tables import further_columns, touchpoints

TABLES = (  # in the order in which they are made
    *("read", "channels", "rows", "period", "scan", "conversions", "readings", "journeys"),
    *("purchases", "returns", "ngrams", "rules", "facts"),
)


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
    return counting.statements(config, TABLES)


def check(
    config: Config, rows: pd.DataFrame, folder: Path, read: Callable[[str], pd.DataFrame]
) -> None:
    """Compare the tables that `read` gives by their names with what Python counts of the rows."""
    local = LocalWarehouse(None, folder, now=0)
    local.write(config.table, rows, "overwrite")
    table = TouchpointTable(TableSettings.of(config), local, folder)
    table.arrival = 0  # a warehouse keeps no order of rows
    wanted = tables_of(extract(table, config, folders_of(config)), table, config)
    same = {"facts": same_facts, "ngrams": same_ngrams, "rules": same_rules}
    for name, same_rows in same.items():
        of_name = f"{config.counts_table}_{name}"
        same_rows(read(of_name), wanted[of_name])


def same_facts(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    """Amounts are quarters, whose sums are exact."""
    assert facts(found) == facts(wanted)


def facts(rows: pd.DataFrame) -> dict[str, dict[tuple[int, str], object]]:
    """Number, amount or text by position and name, of every fact but the parameters."""
    by_fact: dict[str, dict[tuple[int, str], object]] = {}
    for fact, position, number, amount, name, text in rows.itertuples(index=False):
        figure = next((x for x in (number, amount, text) if not pd.isna(x)), None)
        at = 0 if fact == "channel_rows" else int(position)  # Python's in order of appearance
        if fact == "ties":  # that there are several is enough
            figure = number > 1
        if fact != "parameter" and not (fact.startswith("returns_") and figure == 0):
            by_fact.setdefault(fact, {})[at, "" if pd.isna(name) else name] = figure
    return by_fact


def same_ngrams(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    keys = ["held_out", "ngram"]
    one, other = (rows.groupby(keys).sum().sort_index() for rows in (found, wanted))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def same_rules(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    one, other = (rows[rows["model"] != "time_decay"] for rows in (found, wanted))
    keys = ["model", "channel", "share"]
    one, other = (
        rows[rows["conversions"] > 0].set_index(keys).sort_index() for rows in (one, other)
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    pd.testing.assert_frame_equal(decay_credit(found), decay_credit(wanted), rtol=1e-9)


def decay_credit(rows: pd.DataFrame) -> pd.DataFrame:
    """Conversions and value by channel, of touches that nearly all have a share of their own."""
    of_rule = rows[rows["model"] == "time_decay"]
    credit = of_rule[["conversions", "value"]].mul(of_rule["share"], axis=0)
    by_channel = credit.groupby(of_rule["channel"]).sum()
    return by_channel[by_channel["conversions"] > 0]
