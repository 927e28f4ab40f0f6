"""The parameters of media mix modelling, which `config/mmm.yml` explains."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

from td_mta.config import checks, parameters
from td_mta.config.attribution import TIME_FORMATS
from td_mta.config.parameters import parameter
from td_mta.errors import ConfigError
from td_mta.warehouse.td_address import DEFAULT_SERVER

NULL_WORDS = "na, n/a, null, none, nan, nil"
LEAP_YEAR = 2000


@dataclass(frozen=True, kw_only=True)
class MediaMixConfig:
    """All parameters under the names that they have in `config/mmm.yml`, which explains them."""

    media_table: str = parameter("media", checks.table)
    date_column: str | None = parameter(None, checks.column_or_none)
    kpi_column: str | None = parameter(None, checks.column_or_none)
    spend_columns: str | None = parameter(None, checks.text_or_none)
    channel_column: str | None = parameter(None, checks.column_or_none)
    spend_column: str | None = parameter(None, checks.column_or_none)
    revenue_table: str | None = parameter(None, checks.table_or_none)
    control_columns: str | None = parameter(None, checks.text_or_none)
    holidays: str | None = parameter(None, checks.optional(str))  # YAML reads one date as a date
    period: Literal["day", "week", "month"] | None = parameter(
        None, checks.optional(checks.choice("day", "week", "month"))
    )
    time_format: str | None = parameter(None, checks.optional(checks.choice(*TIME_FORMATS)))
    decimal_mark: Literal["point", "comma"] | None = parameter(
        None, checks.optional(checks.choice("point", "comma"))
    )
    null_words: str | None = parameter(NULL_WORDS, checks.text_or_none)
    empty_spend: Literal["refuse", "zero"] = parameter("refuse", checks.choice("refuse", "zero"))
    file_separator: str | None = parameter(None, checks.optional(checks.separator))
    file_encoding: str | None = parameter(None, checks.optional(checks.encoding))
    file_header_line: int | None = parameter(None, checks.optional(checks.integer(at_least=1)))
    file_sheet: str | None = parameter(None, checks.text_or_none)
    truth_table: str | None = parameter(None, checks.table_or_none)
    experiments_table: str | None = parameter(None, checks.table_or_none)
    adstock: Literal["choose", "geometric", "delayed"] = parameter(
        "choose", checks.choice("choose", "geometric", "delayed")
    )
    saturation: Literal["choose", "hill", "logistic"] = parameter(
        "choose", checks.choice("choose", "hill", "logistic")
    )
    trend: bool = parameter(True, checks.flag)
    season_waves: int = parameter(2, checks.integer(0, 6))
    spend_before: Literal["steady", "zero"] = parameter("steady", checks.choice("steady", "zero"))
    roi_prior: float | None = parameter(
        None, checks.optional(checks.number("above 0", lambda x: x > 0))
    )
    roi_prior_spread: float = parameter(0.7, checks.number("above 0", lambda x: x > 0))
    starts: int = parameter(8, checks.integer(1, 100))
    intervals: Literal["laplace", "randomised_map"] = parameter(
        "laplace", checks.choice("laplace", "randomised_map")
    )
    draws: int = parameter(400, checks.integer(20, 10_000))
    coverage_datasets: int = parameter(20, checks.integer(0, 1000))
    seed: int = parameter(18, checks.integer(0, 2**32 - 1))
    ridge_decay: float = parameter(0.5, checks.number("from 0 to below 1", lambda x: 0 <= x < 1))
    ridge_half_at: float = parameter(1.0, checks.number("above 0", lambda x: x > 0))
    ridge_slope: float = parameter(1.0, checks.number("above 0", lambda x: x > 0))
    ridge_penalty: float = parameter(1.0, checks.number("at least 0", lambda x: x >= 0))
    budget: float | None = parameter(
        None, checks.optional(checks.number("above 0", lambda x: x > 0))
    )
    least_spend: str | None = parameter(None, checks.text_or_none)
    most_spend: str | None = parameter(None, checks.text_or_none)
    frozen_channels: str | None = parameter(None, checks.text_or_none)
    target_marginal_roi: float | None = parameter(
        None, checks.optional(checks.number("above 0", lambda x: x > 0))
    )
    sales_goal: float | None = parameter(
        None, checks.optional(checks.number("above 0", lambda x: x > 0))
    )
    db: str = parameter("mta", checks.table)
    spend_table: str = parameter("spend", checks.table)
    spend_day_column: str = parameter("day", checks.column)
    spend_channel_column: str = parameter("channel", checks.column)
    spend_amount_column: str = parameter("spend", checks.column)
    sales_table: str = parameter("sales", checks.table)
    sales_day_column: str = parameter("day", checks.column)
    sales_amount_column: str = parameter("revenue", checks.column)
    day_timezone: str = parameter("UTC", checks.time_zone)
    docker_image: str = parameter("treasuredata/customscript-python:3.12.11-td0", checks.unquoted)
    td_api_server: str = parameter(DEFAULT_SERVER, checks.address)


PARAMETERS = parameters.names_of(MediaMixConfig)


def load(
    path: Path | None, overrides: Mapping[str, str] | None = None, *, out: Path = Path("out")
) -> MediaMixConfig:
    """The parameters of a file, or the defaults, some of them overridden by `--set`.

    Raises `ConfigError`, which names the file (or `--set`), the parameter, what was wanted and what
    came.
    """
    in_file = {} if path is None else parameters.read_file(path)
    return _built({str(path): in_file, parameters.COMMAND_LINE: overrides or {}}, out)


def from_workflow(params: Mapping[str, object], source: str, *, out: Path) -> MediaMixConfig:
    """The parameters of mmm.dig, for the tables that its SQL makes of spend and sales.

    Raises `ConfigError`, as `load` does; `source` is what it calls the parameters' file.
    """
    config = _built({source: params}, out)
    return replace(
        config,
        revenue_table=f"{config.media_table}_sales",
        date_column="week",
        channel_column="channel",
        spend_column="spend",
        kpi_column=config.sales_amount_column,
        spend_columns=None,
    )


def _built(layers: Mapping[str, Mapping[str, object]], out: Path) -> MediaMixConfig:
    settings = parameters.merge(MediaMixConfig, layers)
    config = parameters.build(MediaMixConfig, settings, out)
    goals = [config.budget, config.target_marginal_roi, config.sales_goal]
    if sum(goal is not None for goal in goals) > 1:
        raise ConfigError(
            "budget, target_marginal_roi and sales_goal ask for different plans: set one of them"
        )
    holidays(config.holidays)
    return config


def listed(text: str | None) -> list[str]:
    """Names separated by commas.

    >>> listed("TV, Radio"), listed(None)
    (['TV', 'Radio'], [])
    """
    return [name.strip() for name in (text or "").split(",") if name.strip()]


class Holiday(NamedTuple):
    """A date, or where `year` is None that of every year."""

    year: int | None
    month: int
    day: int


def holidays(text: str | None) -> dict[str, list[Holiday]]:
    """Dates by name, those without one under `holidays`; raises `ConfigError`.

    >>> holidays("12-25, Black Friday=2024-11-29")["Black Friday"]
    [Holiday(year=2024, month=11, day=29)]
    """
    found: dict[str, list[Holiday]] = {}
    for part in listed(text):
        name, _, date = part.rpartition("=")
        numbers = re.fullmatch(r"(?:(\d{4})-)?(\d\d?)-(\d\d?)", date.strip(), re.ASCII)
        year, month, day = (
            (int(number or 0) for number in numbers.groups()) if numbers else (0,) * 3
        )
        try:
            datetime.date(year or LEAP_YEAR, month, day)
        except ValueError:
            raise ConfigError(
                "holidays must be dates such as 2024-11-29, 12-25 for that of every year, or "
                f"Christmas=12-25, with commas between, got {part}"
            ) from None
        found.setdefault(name.strip() or "holidays", []).append(Holiday(year or None, month, day))
    return found


def amounts(text: str | None, name: str) -> dict[str, float]:
    """Amounts of channels, such as `TV=2000, Radio=500`; `name` is the parameter's.

    >>> amounts("TV=2000, Radio = 500", "least_spend")
    {'TV': 2000.0, 'Radio': 500.0}
    """
    found = {}
    for part in listed(text):
        channel, _, amount = part.rpartition("=")
        try:
            found[channel.strip()] = float(amount)
        except ValueError:
            found[""] = 0.0
        if "" in found or found[channel.strip()] < 0:
            raise ConfigError(f"{name} must be like TV=2000, Radio=500, got {part}")
    return found
