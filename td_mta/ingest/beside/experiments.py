"""Experiments on channels: what each brought on some days, from a table as people have it.

`read` takes the table as it is, before the touchpoints are known; `of_record` sets it against their
channels and days. An experiment says how many conversions a channel brought (`incremental`), or
that number as a share of those that there would have been without the channel (`lift`), with its
standard error or a confidence interval.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import norm

from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.ingest import coercion
from td_mta.ingest.beside import tables
from td_mta.ingest.beside.tables import SideTable, date, listed, usual_channels
from td_mta.ingest.beside.tables import joined as joined_names
from td_mta.ingest.settings import words
from td_mta.ingest.values.amounts import amounts
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.warehouse import Warehouse

log = logging.getLogger(__name__)

USUAL = {
    "channel": tables.CHANNELS,
    "first_day": (
        *("first_day", "start", "start_date", "date_start", "start_day", "first_date", "from"),
        *("from_date", "begin", "begin_date", "date_from", "beginn", "von", "inicio", "debut"),
        *("开始日期", "開始日", "시작일", "начало"),
    ),
    "last_day": (
        *("last_day", "end", "end_date", "date_end", "end_day", "last_date", "to", "to_date"),
        *("until", "date_to", "ende", "bis", "fin", "结束日期", "終了日", "종료일", "конец"),
    ),
    "incremental": (
        *("incremental_conversions", "incremental", "incremental_orders", "incrementals"),
        *("incremental_purchases", "incremental_sales", "additional_conversions", "conversions"),
        *("inkrementelle_conversions", "conversions_incrementales"),
    ),
    "lift": ("lift", "relative_lift", "conversion_lift", "uplift", "lift_percent", "percent_lift"),
    "error": (
        *("standard_error", "std_error", "std_err", "stderr", "se", "s_e", "error"),
        *("standard_deviation", "std", "standardfehler", "标准误", "標準誤差", "표준오차"),
    ),
    "lower": (
        *("lower", "lower_bound", "ci_lower", "lower_ci", "ci_low", "conf_low", "low"),
        *("lower_limit", "ci_lower_bound", "confidence_interval_lower", "lower_confidence_bound"),
    ),
    "upper": (
        *("upper", "upper_bound", "ci_upper", "upper_ci", "ci_high", "conf_high", "high"),
        *("upper_limit", "ci_upper_bound", "confidence_interval_upper", "upper_confidence_bound"),
    ),
}
PARAMETERS = {role: f"experiments_{role}_column" for role in USUAL}
OPTIONAL = ("incremental", "lift", "error", "lower", "upper")
NUMBERS = OPTIONAL


class GivenExperiments(NamedTuple):
    """The rows of a table of experiments, `m` of them."""

    table: str
    columns: Mapping[str, str]  # of each role that the table has
    channel: Sequence[str]
    first_day: Ints  # since 1970, (m,)
    last_day: Ints
    effect: Floats  # conversions or lift, (m,)
    error: Floats  # standard errors of it, above 0
    is_lift: bool


class RecordExperiments(NamedTuple):
    """Experiments on channels and days of the touchpoints, `m` of them."""

    table: str
    columns: Mapping[str, str]
    joined: Mapping[str, str]  # channels of the table -> of the touchpoints, where they differ
    channel: Ints  # index of the channel, (m,)
    first_day: Ints  # since 1970, (m,)
    last_day: Ints
    effect: Floats
    error: Floats
    is_lift: bool


def read(config: Config, warehouse: Warehouse) -> GivenExperiments | None:
    """The table `experiments_table`; None where none is named.

    Raises `DataError` for a missing table, column or cell, and for what cannot be read.
    """
    if config.experiments_table is None:
        return None
    table = config.experiments_table
    side = SideTable("experiments_table", config, warehouse)
    usual = USUAL | {"channel": usual_channels(config.action_column)}
    columns = side.found(usual, PARAMETERS, OPTIONAL, config)
    columns = _needed(columns, side.names, f"experiments_table {table}")
    rows = side.rows(list(columns.values()))
    location = {role: f"table {table}, column {name}" for role, name in columns.items()}
    channel = coercion.names(rows[columns["channel"]], words(config.null_words))
    frame = pd.DataFrame({"channel": np.array(channel.names, object)[channel.codes]})
    for role in ("first_day", "last_day"):
        day, missing = tables.days(rows[columns[role]], location[role], config)
        frame[role] = np.where(missing, np.nan, day)
    for role in (role for role in NUMBERS if role in columns):
        frame[role] = _numbers(rows[columns[role]], location[role], config)
    frame = frame.dropna(how="all")
    log.info("experiments of table %s: %s", table, describe(columns))
    return _given(table, columns, frame, config.experiments_level)


def of_record(
    given: GivenExperiments, channels: Sequence[str], days: tuple[int, int], first_credited: int
) -> RecordExperiments:
    """The experiments on the touchpoints' `channels` on their days, the first and the last of them.

    Raises `DataError` for another channel, and for days that the touchpoints do not have or that
    are only looked back on.
    """
    location = f"experiments_table {given.table}"
    joined = joined_names(sorted(set(given.channel)), channels)
    unknown = sorted(set(given.channel) - set(joined))
    if unknown:
        raise DataError(
            f"{location}, column {given.columns['channel']}: the touchpoints have no channel "
            f"{listed(unknown)}, they have {listed(channels)}; name it as they do, or name the "
            "column that does in experiments_channel_column"
        )
    for channel, first, last in zip(given.channel, given.first_day, given.last_day, strict=True):
        what = f"{location}: the experiment on {channel} from {date(first)} to {date(last)}"
        if first < days[0] or last > days[1]:
            raise DataError(
                f"{what} has days that the touchpoints lack, which are from {date(days[0])} to "
                f"{date(days[1])}; leave it out, or take touchpoints of all its days"
            )
        if last < first_credited:
            raise DataError(
                f"{what} ends before {date(first_credited)}, from which on conversions are "
                "credited; leave it out, lower history_days, or take more days"
            )
    index = {name: number for number, name in enumerate(channels)}
    return RecordExperiments(
        table=given.table,
        columns=given.columns,
        joined={name: to for name, to in joined.items() if name != to},
        channel=np.array([index[joined[name]] for name in given.channel], np.int64),
        first_day=given.first_day,
        last_day=given.last_day,
        effect=given.effect,
        error=given.error,
        is_lift=given.is_lift,
    )


def describe(columns: Mapping[str, str]) -> str:
    """Which column is what, in words."""
    return ", ".join(f"{role.replace('_', ' ')} is column {name}" for role, name in columns.items())


def _needed(columns: dict[str, str], names: Sequence[str], location: str) -> dict[str, str]:
    """Conversions rather than lift, a standard error rather than bounds, where it has both."""
    has = f"it has {', '.join(sorted(names))}"
    if "incremental" in columns:
        columns.pop("lift", None)
    elif "lift" not in columns:
        raise DataError(
            f"{location} has no column for what a channel brought: {has}; name it in "
            "experiments_incremental_column, or its lift in experiments_lift_column"
        )
    if "error" in columns:
        return {role: name for role, name in columns.items() if role not in ("lower", "upper")}
    if not {"lower", "upper"} <= set(columns):
        raise DataError(
            f"{location} has no column for the standard error: {has}; name it in "
            "experiments_error_column, or the bounds of an interval in experiments_lower_column "
            "and experiments_upper_column"
        )
    return columns


def _given(
    table: str, columns: Mapping[str, str], frame: pd.DataFrame, level: float
) -> GivenExperiments:
    location = f"experiments_table {table}"
    for role, column in columns.items():
        empty = np.flatnonzero(frame[role].isna())
        if len(empty):
            raise DataError(
                f"{location}, column {column}: row {frame.index[empty[0]] + 1} is empty"
            )
    first, last = (frame[role].to_numpy(np.int64) for role in ("first_day", "last_day"))
    error = _errors(frame, level)
    for number in range(len(frame)):
        what = f"{location}: the experiment on {frame['channel'].iloc[number]}"
        if last[number] < first[number]:
            raise DataError(f"{what} ends on {date(last[number])}, before {date(first[number])}")
        if not error[number] > 0:
            raise DataError(f"{what} must have a standard error above 0, got {error[number]:g}")
    effect = frame["lift" if "lift" in columns else "incremental"].to_numpy(np.float64)
    is_lift = "lift" in columns
    if is_lift and (effect <= -1).any():
        raise DataError(
            f"{location}, column {columns['lift']}: a lift is above -1, got {effect.min():g}"
        )
    return GivenExperiments(
        table, columns, list(frame["channel"]), first, last, effect, error, is_lift
    )


def _errors(frame: pd.DataFrame, level: float) -> Floats:
    """Standard errors, where they are bounds of a normal interval from its width."""
    if "error" in frame:
        return frame["error"].to_numpy(np.float64)
    width = (frame["upper"] - frame["lower"]).to_numpy(np.float64)
    errors: Floats = width / (2 * norm.ppf((1 + level) / 2))
    return errors


def _numbers(column: pa.Array, location: str, config: Config) -> Floats:
    """Numbers; texts such as `12 %` are hundredths."""
    if not pa.types.is_string(column.type):
        return amounts(column, location, config.decimal_mark)
    is_percent = pc.fill_null(pc.ends_with(pc.utf8_trim_whitespace(column), "%"), False)
    digits = pc.utf8_trim_whitespace(pc.replace_substring(column, "%", ""))
    scale = np.where(is_percent.to_numpy(zero_copy_only=False), 0.01, 1.0)
    return amounts(digits, location, config.decimal_mark) * scale
