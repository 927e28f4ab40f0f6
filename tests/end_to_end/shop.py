"""Input tables of a small shop for the whole runs, with values that Treasure Data could change.

User ids look like numbers, some orders have no value, a channel's costs have no clicks.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from td_mta.simulate import WORLDS, simulate
from td_mta.simulate.output.files import web_events
from td_mta.simulate.output.shop import form_fills, page_views

DATABASE = "mta"
SESSION = "2026-01-31 00:00:00"
USERS = 300
CHANNELS = ("Email", "Paid Search", "Display", "Affiliates")

# A linear model, which takes no time: networks read the same examples from any warehouse
# (tests/pipelines). Values and costs, so that every column of the report is filled.
SETTINGS = {
    "conversion_row_is_touch": "false",
    "formfills_value_column": "order_value",
    "value_column": "value",
    "spend_table": "costs",
    "users_per_tfrecord": "100",
    "network": "pairs",
}
MADE_BY_PYTHON = (
    "metrics",
    "shapley",
    "shapley_channel",
    "shapley_detail",
    "shapley_models",
    "shapley_intervals",
    "shapley_report",
    "shapley_run_info",
)
OUTPUTS = (*MADE_BY_PYTHON, "channel_source_stats", "mta_user_rnd")


def tables(*, users: int = USERS, seed: int = 18) -> dict[str, pa.Table]:
    """The input tables by name."""
    rng = np.random.default_rng(seed)
    world = simulate(WORLDS["demo"], seed=seed, users=range(users))
    visits = page_views(world.rows, world.plan.channels, seed=seed)
    frames = {
        "enriched_pageviews": web_events(visits).to_pandas(),
        "enriched_formfills": web_events(form_fills(world.rows), form="order").to_pandas(),
    }
    for frame in frames.values():
        frame["canonical_id"] = frame["canonical_id"].astype(str).str.removeprefix("u")
    fills = frames["enriched_formfills"]
    value = np.round(rng.gamma(2.0, 30.0, len(fills)), 2)
    frames["enriched_formfills"] = fills.assign(order_value=np.where(value < 10, np.nan, value))
    tables = {name: pa.Table.from_pandas(f, preserve_index=False) for name, f in frames.items()}
    plain = {name: table.replace_schema_metadata(None) for name, table in tables.items()}
    return plain | {"costs": _costs()}


def _costs() -> pa.Table:
    """Daily costs of January, of some channels."""
    days = pd.date_range("2026-01-01", "2026-01-30").strftime("%Y-%m-%d")
    rows = [
        (day, channel, 1.25 * n + 0.01 * number, 1000 * n, None if channel == "Affiliates" else 7)
        for number, day in enumerate(days)
        for n, channel in enumerate(CHANNELS, start=1)
    ]
    names = ("day", "channel", "spend", "impressions", "clicks")
    types = (pa.string(), pa.string(), pa.float64(), pa.int64(), pa.int64())
    columns = [pa.array(c, t) for c, t in zip(zip(*rows, strict=True), types, strict=True)]
    return pa.table(dict(zip(names, columns, strict=True)))


def write(folder: Path, tables: dict[str, pa.Table]) -> None:
    """The tables as Parquet files, which keep their types."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
