"""Input tables of mmm.dig for the whole runs: a simulated world by day, as a warehouse has it.

Days of spend are texts, those of sales unix seconds, the last week is not whole, and a channel has
another name as a column of Treasure Data.
"""

import tempfile
from pathlib import Path

import pandas as pd
import pyarrow as pa

from td_mta.reporting.media_mix.frames import MEDIA_MIX_TABLES
from td_mta.simulate.media_mix import output

RENAMED = {"TikTok": "Tik Tok 7"}
NOON = 43_200  # seconds of a day
# Small where it costs time; an experiment and true values, so that every table is made.
SETTINGS = {
    "sales_day_column": "ordered_at",
    "sales_amount_column": "amount",
    "sales_table": "orders",
    "spend_table": "costs",
    "control_columns": "promotions",
    "experiments_table": "experiments",
    "truth_table": "truth",
    "spend_before": "zero",
    "adstock": "geometric",
    "saturation": "hill",
    "starts": "2",
    "draws": "40",
    "coverage_datasets": "2",
}
OF_MODEL = (
    *("control_columns", "experiments_table", "truth_table", "spend_before", "adstock"),
    *("saturation", "starts", "draws", "coverage_datasets"),
)
MADE_BY_SQL = ("media", "media_sales")
OUTPUTS = (*MADE_BY_SQL, *MEDIA_MIX_TABLES)


def tables() -> dict[str, pa.Table]:
    """The input tables by name; of each day's sales two orders."""
    with tempfile.TemporaryDirectory() as name:
        output.write("shop", Path(name), seed=42, experiments=["TikTok=0"], is_long=True)
        files = ("spend", "sales", "media_truth", "media_experiments")
        spend, sales, truth, experiments = (pd.read_csv(f"{name}/{file}.csv") for file in files)
    days = (pd.to_datetime(sales["day"]) - pd.Timestamp(0)) // pd.Timedelta(seconds=1)
    orders = pd.DataFrame(
        {
            "ordered_at": days + NOON,
            "amount": (sales["revenue"] / 2).round(2),
            "promotions": sales["promotions"],
        }
    ).iloc[:-2]
    later = orders.assign(ordered_at=orders["ordered_at"] + 1, amount=orders["amount"] + 0.01)
    frames = {
        "costs": spend.assign(impressions=1000, clicks=7),
        "orders": pd.concat([later, orders]),
        "truth": truth,
        "experiments": experiments,
    }
    return {
        name: pa.Table.from_pandas(
            frame.replace({"channel": RENAMED}), preserve_index=False
        ).replace_schema_metadata(None)
        for name, frame in frames.items()
    }
