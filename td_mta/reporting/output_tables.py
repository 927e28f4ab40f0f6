"""Which output tables a run writes, their names and their columns: known before anything is read.

Keys are those of `OUTPUTS`; the long tables' names start with the parameter `shapley_table`.
"""

import itertools
from collections.abc import Sequence

from td_mta import tables
from td_mta.warehouse.names import wide_columns

OUTPUTS = {
    "metrics": tables.METRICS,
    "shapley": tables.SHAPLEY,
    "channel": tables.CHANNEL,
    "detail": tables.DETAIL,
    "models": tables.MODELS,
    "intervals": tables.INTERVALS,
    "report": tables.REPORT,
    "credit": tables.CREDIT,
    "run_info": tables.RUN_INFO,
}
NEWEST_ONLY = ("report",)
"""Tables of the newest run alone: replaced where the others are appended to."""
RUN_ID = "run_id"
"""The column that distinguishes runs where `if_exists` is append."""
OTHER_COLUMNS = (tables.DAYS_BEFORE_CONVERSION, RUN_ID, "time")  # beside those of channels


def names(metrics_table: str, shapley_table: str) -> dict[str, str]:
    """The name of every output table by its key.

    >>> names("metrics", "credit")["detail"]
    'credit_detail'
    """
    own = {"metrics": metrics_table, "shapley": shapley_table}
    return own | {key: f"{shapley_table}_{key}" for key in OUTPUTS if key not in own}


def columns(channels: Sequence[str] | None, *, run_id: bool) -> dict[str, list[str] | None]:
    """The columns of every output table by its key; `run_id` adds that column to all but the
    tables of the newest run alone.

    Where a table has a column per channel and the channels are not known yet (None), its columns
    are None.
    """
    extra = {key: [RUN_ID] for key in OUTPUTS if run_id and key not in NEWEST_ONLY}
    return {key: _columns_of(table, channels, extra.get(key, [])) for key, table in OUTPUTS.items()}


def channel_columns(channels: Sequence[str]) -> list[str]:
    """The column of each channel where a table has one per channel; some of them are numbered."""
    return wide_columns(channels, OTHER_COLUMNS)


def numbered_columns(channels: Sequence[str]) -> dict[str, str]:
    """The channel of each column that is not called as its channel.

    >>> numbered_columns(["Email", "抖音"])
    {'channel_1': '抖音'}
    """
    by_column = zip(channel_columns(channels), channels, strict=True)
    return {column: channel for column, channel in by_column if column != channel}


def _columns_of(
    table: tables.Table, channels: Sequence[str] | None, extra: list[str]
) -> list[str] | None:
    if tables.CHANNELS not in table.columns:
        return [*table.columns, *extra]
    if channels is None:
        return None
    of_channels = channel_columns(channels)
    parts = (of_channels if name == tables.CHANNELS else [name] for name in table.columns)
    return [*itertools.chain.from_iterable(parts), *extra]
