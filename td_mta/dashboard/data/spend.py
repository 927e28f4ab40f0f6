"""What channels cost, typed or from a table, beside what each model credits them with."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.ingest.beside import costs
from td_mta.reporting import frames
from td_mta.tables import BASELINE
from td_mta.warehouse.local import LocalWarehouse

By = Literal["CPC", "Spend", "CPM"]
CHANNEL, CLICKS, CPC, SPEND, IMPRESSIONS, CPM = (
    *("Channel", "Clicks", "CPC", "Spend", "Impressions", "CPM"),
)
EDITABLE: dict[By, tuple[str, ...]] = {
    "CPC": (CPC,),
    "Spend": (SPEND,),
    "CPM": (IMPRESSIONS, CPM),
}


def table_of(
    channels: Sequence[str], clicks: Sequence[float], given: dict[str, dict[str, float]]
) -> pd.DataFrame:
    """The table to edit; `given` has spend and impressions by channel, where they are known."""
    frame = pd.DataFrame({CHANNEL: list(channels), CLICKS: list(clicks)})
    spend = [given.get(name, {}).get("spend", np.nan) for name in channels]
    shown = [given.get(name, {}).get("impressions", np.nan) for name in channels]
    frame[SPEND], frame[IMPRESSIONS] = np.array(spend, float), np.array(shown, float)
    frame[CPC] = (frame[SPEND] / frame[CLICKS].replace(0, np.nan)).round(4)
    frame[CPM] = (1000 * frame[SPEND] / frame[IMPRESSIONS].replace(0, np.nan)).round(4)
    return frame


def errors(table: pd.DataFrame, by: By) -> list[str]:
    """Amounts that cannot be, a sentence each."""
    found = []
    for column in EDITABLE[by]:
        for name, amount in zip(table[CHANNEL], table[column], strict=True):
            if amount is not None and amount < 0:
                found.append(f"{column} of {name} must not be negative, it is {amount:g}.")
    return found


def spend_of(table: pd.DataFrame, by: By) -> pd.Series:
    """Each channel's spend: CPC x clicks, the spend itself, or CPM x impressions / 1000."""
    numbers = {name: pd.to_numeric(table[name], errors="coerce") for name in table.columns[1:]}
    if by == "CPC":
        spend = numbers[CPC] * numbers[CLICKS]
    elif by == "Spend":
        spend = numbers[SPEND]
    else:
        spend = numbers[CPM] * numbers[IMPRESSIONS] / 1000
    return pd.Series(spend.to_numpy(float), index=table[CHANNEL].to_numpy())


def compared(models: pd.DataFrame, table: pd.DataFrame, by: By) -> pd.DataFrame:
    """Every model and channel: conversions, value, rate, spend, CPA, ROAS and ROMS."""
    of_channels = models[models["channel"] != BASELINE].reset_index(drop=True)
    by_channel = table.set_index(CHANNEL)
    channel = of_channels["channel"]
    clicks = channel.map(by_channel[CLICKS]).astype(float)
    frame = of_channels[["model", "channel", "conversions", "value", "share"]].assign(
        clicks=clicks,
        conversion_rate=of_channels["conversions"] / clicks.replace(0, np.nan),
        spend=channel.map(spend_of(table, by)).astype(float),
        impressions=channel.map(by_channel[IMPRESSIONS]).astype(float),
    )
    return frames.with_ratios(frame)[
        [
            *("model", "channel", "conversions", "value", "share", "clicks", "conversion_rate"),
            *("spend", "cpc", "cpa", "roas", "roms"),
        ]
    ]


def read(file: Path, channels: Sequence[str], days: tuple[int, int] | None) -> dict[str, dict]:
    """Spend and impressions by channel of a file: one row per day and channel, or per channel.

    Raises `DataError` or `ConfigError`, naming the column.
    """
    table = file.name.split(".")[0]
    warehouse = LocalWarehouse(file.parent, file.parent / "out", now=0)
    config = replace(Config(), spend_table=table)
    try:
        given = costs.read(config, warehouse)
        assert given is not None
        span = days or (int(given.rows["day"].min()), int(given.rows["day"].max()))
        rows = costs.of_channels(given, channels, span).by_channel
    except DataError as error:
        if "spend_day_column" not in str(error):
            raise
        rows = _without_days(warehouse, table, channels)
    known = rows.loc[rows.index.isin(channels)]
    return {
        str(name): {key: float(row[key]) for key in ("spend", "impressions") if pd.notna(row[key])}
        for name, row in known.iterrows()
    }


def _without_days(warehouse: LocalWarehouse, table: str, channels: Sequence[str]) -> pd.DataFrame:
    """Sums by channel of a table that has no days."""
    names = warehouse.columns(table)
    lower = {name.lower(): name for name in names}
    found = {
        role: next((lower[usual] for usual in costs.USUAL[role] if usual in lower), None)
        for role in ("channel", "spend", "impressions")
    }
    if not (found["channel"] and found["spend"]):
        raise DataError(
            f"the table of costs needs columns channel and spend, it has {', '.join(names)}"
        )
    columns = [name for name in found.values() if name]
    batches = [batch.to_pandas() for batch in warehouse.read(table, columns)]
    rows = pd.concat(batches)
    frame = pd.DataFrame({"channel": rows[found["channel"]].astype(str).str.strip()})
    for amount in ("spend", "impressions"):
        column = found[amount]
        frame[amount] = pd.to_numeric(rows[column], errors="coerce") if column else np.nan
    sums = frame.groupby("channel")[["spend", "impressions"]].sum(min_count=1)
    if not sums.index.isin(channels).any():
        raise DataError(
            f"none of the channels of the costs is one of the data's: they are "
            f"{', '.join(sums.index[:5])}, those of the data {', '.join(channels[:5])}"
        )
    return sums
