"""Costs of channels by day, from a table whose columns are found by their names.

`read` takes the table as it is, before the touchpoints are known; `of_channels` sets its channels
and days against theirs: names that differ by letter case and blanks alone are joined, days outside
of the touchpoints' are left out. What does not match is kept for the run's warnings.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.ingest import coercion, usual_names
from td_mta.ingest.beside import tables
from td_mta.ingest.beside.tables import SideTable, date, listed, usual_channels
from td_mta.ingest.beside.tables import days as days_of
from td_mta.ingest.beside.tables import joined as joined_names
from td_mta.ingest.settings import words
from td_mta.ingest.values.amounts import amounts
from td_mta.warehouse import Warehouse

log = logging.getLogger(__name__)

AMOUNTS = ("spend", "impressions", "clicks")
OPTIONAL = ("impressions", "clicks")
USUAL = {
    "day": (
        *(
            "day",
            "date",
            "spend_date",
            "cost_date",
            "report_date",
            "reporting_date",
            "segments_date",
        ),
        *("reporting_starts", "date_start", "day_date", "dt", "datum", "tag", "fecha", "data"),
        *("日期", "日付", "날짜", "дата"),
    ),
    "channel": tables.CHANNELS,
    "spend": (
        *("spend", "cost", "costs", "amount", "amount_spent", "ad_spend", "adspend", "ad_cost"),
        *("media_spend", "marketing_spend", "total_spend", "total_cost", "cost_micros"),
        *("metrics_cost_micros", "kosten", "ausgaben", "coste", "gasto", "inversion", "cout"),
        *("depense", "depenses", "costo", "spesa", "custo", "koszt", "花费", "消耗", "费用"),
        *("成本", "費用", "コスト", "広告費", "비용", "광고비", "расход", "расходы"),
    ),
    "impressions": (
        *("impressions", "impr", "impression", "impression_count", "imps", "impressionen"),
        *("展现量", "曝光量", "表示回数", "노출수", "показы"),
    ),
    "clicks": (
        *("clicks", "click", "link_clicks", "click_count", "klicks", "clics"),
        *("点击量", "点击数", "クリック数", "클릭수", "клики"),
    ),
}
PARAMETERS = {
    "day": "spend_day_column",
    "channel": "spend_channel_column",
    "spend": "spend_column",
    "impressions": "spend_impressions_column",
    "clicks": "spend_clicks_column",
}


class Costs(NamedTuple):
    """A table of costs."""

    table: str
    columns: Mapping[str, str]  # of day, channel and each amount that the table has
    rows: pd.DataFrame  # day (since 1970), channel and AMOUNTS, NaN where a cell is empty
    incomplete: pd.DataFrame  # rows without a day or a channel: AMOUNTS


class ChannelCosts(NamedTuple):
    """Costs by channel on the days of the touchpoints, and what does not match them."""

    table: str
    columns: Mapping[str, str]
    by_channel: pd.DataFrame  # AMOUNTS, one row per channel by name
    joined: Mapping[str, str]  # channels of the costs -> of the touchpoints, where they differ
    unknown: Mapping[str, float]  # spend of channels that the touchpoints lack
    without: Sequence[str]  # channels of the touchpoints without costs
    days: tuple[int, int] | None  # first and last day of the costs, None where there are no rows
    touchpoint_days: tuple[int, int]
    outside: tuple[int, float]  # days that the touchpoints do not have, and their spend
    incomplete: tuple[int, float]  # rows without day or channel, and their spend
    negative: tuple[int, float]  # rows of negative spend, and their sum


def read(config: Config, warehouse: Warehouse) -> Costs | None:
    """The table `spend_table`; None where none is named.

    Raises `DataError` for a missing table or column, and for days and amounts that cannot be read.
    """
    if config.spend_table is None:
        return None
    table, given = config.spend_table, SideTable("spend_table", config, warehouse)
    usual = USUAL | {"channel": usual_channels(config.action_column)}
    columns = given.found(usual, PARAMETERS, OPTIONAL, config)
    rows = given.rows(list(columns.values()))
    location = {role: f"table {table}, column {name}" for role, name in columns.items()}
    day, no_day = days_of(rows[columns["day"]], location["day"], config)
    channel = coercion.names(rows[columns["channel"]], words(config.null_words))
    frame = pd.DataFrame({"day": day, "channel": np.array(channel.names, object)[channel.codes]})
    for amount in AMOUNTS:
        frame[amount] = np.nan
        if amount in columns:
            values = amounts(rows[columns[amount]], location[amount], config.decimal_mark)
            frame[amount] = values * unit(columns[amount])
    complete = ~no_day & frame["channel"].notna().to_numpy()
    log.info("costs of table %s: %s", table, describe(columns))
    return Costs(table, columns, frame[complete], frame.loc[~complete, list(AMOUNTS)])


def of_channels(costs: Costs, channels: Sequence[str], days: tuple[int, int]) -> ChannelCosts:
    """The costs of the touchpoints' `channels` on their days, the first and the last of them.

    Raises `DataError` where no day or no channel of the costs is one of theirs.
    """
    rows = costs.rows
    own_days = (int(rows["day"].min()), int(rows["day"].max())) if len(rows) else None
    inside = rows["day"].between(*days)
    if own_days and not inside.any():
        raise DataError(
            f"spend_table {costs.table} has costs from {date(own_days[0])} to {date(own_days[1])}, "
            f"the touchpoints are from {date(days[0])} to {date(days[1])}: no day in common; check "
            f"spend_day_column ({costs.columns['day']}), or set spend_table: none"
        )
    joined = joined_names(sorted(set(rows["channel"])), channels)
    named = rows[inside].assign(channel=rows["channel"].map(lambda name: joined.get(name, name)))
    by_channel = named.groupby("channel")[list(AMOUNTS)].sum(min_count=1)
    unknown = by_channel.loc[~by_channel.index.isin(channels), "spend"]
    if len(rows) and len(unknown) == len(by_channel):
        raise DataError(
            f"spend_table {costs.table}, column {costs.columns['channel']}: none of its channels "
            f"is one of the touchpoints': it has {listed(by_channel.index)}, they have "
            f"{listed(channels)}; name the column that holds them in spend_channel_column, or set "
            "action_column to the column of the touchpoints that has the names of the costs"
        )
    outside = rows[~inside]
    negative = rows["spend"] < 0
    return ChannelCosts(
        table=costs.table,
        columns=costs.columns,
        by_channel=by_channel,
        joined={name: to for name, to in joined.items() if name != to},
        unknown={str(name): float(spend) for name, spend in unknown.fillna(0.0).items()},
        without=[name for name in channels if name not in by_channel.index],
        days=own_days,
        touchpoint_days=days,
        outside=(outside["day"].nunique(), float(outside["spend"].sum())),
        incomplete=(len(costs.incomplete), float(costs.incomplete["spend"].sum())),
        negative=(int(negative.sum()), float(rows.loc[negative, "spend"].sum())),
    )


def describe(columns: Mapping[str, str]) -> str:
    """Which column is what, in words."""
    known = ", ".join(f"{role} is column {name}" for role, name in columns.items())
    absent = " or ".join(role for role in OPTIONAL if role not in columns)
    return f"{known}, without {absent}" if absent else known


def unit(column: str) -> float:
    """What a number of the column is in units of money: Google's API has millionths."""
    return 1e-6 if usual_names.without_unit(column).endswith("micros") else 1.0
