"""The parameters of the attribution, which `config/params.yml` explains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from td_mta.config import checks, parameters, placeholders
from td_mta.config.parameters import FOLDER, Setting, follows, parameter
from td_mta.errors import ConfigError
from td_mta.warehouse.td_address import DEFAULT_SERVER

TIME_FORMATS = (
    *("seconds", "milliseconds", "microseconds", "nanoseconds", "yyyymmdd", "excel"),
    *("iso", "day_first", "month_first"),
)
CONTROLS = ("calendar_day", "user_activity", "user_activity_past", "since_conversion")
# As in config/params.yml, where Digdag computes it: an interval in days, and those before it that
# are only looked back on. JavaScript adds numbers that may be text by taking off negative ones.
READ_INTERVAL = (
    "${examples == 'touch_days' ? time_interval "
    ": time_interval.replace(/^-[0-9]+d/, '') == time_interval ? time_interval "
    ": '-' + (time_interval.replace(/^-([0-9]+)d.*$/, '$1') "
    "- (history_days == 'none' ? 1 - lookback_window_days : 0 - history_days)) "
    "+ time_interval.replace(/^-[0-9]+/, '')}"
)
SECONDS_OF = {"s": 1, "": 60, "m": 60, "h": 3600, "d": 86_400}
LARGEST_SEED = 2**32 - 1  # that Keras and NumPy take
MOST_COLUMNS = 6  # so that combinations of levels have a number each
NULL_WORDS = "na, n/a, null, none, nan, nil, undefined, (null), (not set), (not provided)"


@dataclass(frozen=True, kw_only=True)
class Config:
    """All parameters under the names that they have in `config/params.yml`, which explains them."""

    in_db: str = parameter("mta", checks.table)
    union_query: Literal["union", "union_touchpoints"] = parameter(
        "union", checks.choice("union", "union_touchpoints")
    )
    enriched_pageviews: str = parameter("enriched_pageviews", checks.table)
    enriched_formfills: str | None = parameter("enriched_formfills", checks.table_or_none)
    time_interval: str = parameter("-30d", checks.interval)
    input_user_column: str = parameter("canonical_id", checks.column)
    pageviews_channel_column: str | None = parameter(None, checks.column_or_none)
    pageviews_source_column: str | None = parameter(None, checks.column_or_none)
    formfills_value_column: str | None = parameter(None, checks.column_or_none)
    conversion_form_ids: str | None = parameter("*", checks.text_or_none)
    conversion_url_pattern: str | None = parameter(None, checks.text_or_none)
    own_domains: str | None = parameter(None, checks.unquoted_or_none)

    touchpoints_table: str = parameter("touchpoints", checks.table)
    touchpoints_user_column: str = parameter("user_id", checks.column)
    touchpoints_time_column: str = parameter("time", checks.column)
    touchpoints_channel_column: str = parameter("channel", checks.column)
    touchpoints_source_column: str | None = parameter(None, checks.column_or_none)
    touchpoints_campaign_column: str | None = parameter(None, checks.column_or_none)
    touchpoints_conversion_column: str = parameter("conversion", checks.column)
    touchpoints_value_column: str | None = parameter(None, checks.column_or_none)

    orders_table: str | None = parameter(None, checks.table_or_none)
    orders_user_column: str | None = parameter(None, checks.column_or_none)
    orders_time_column: str | None = parameter(None, checks.column_or_none)
    orders_value_column: str | None = parameter(None, checks.column_or_none)

    time_format: str | None = parameter(None, checks.optional(checks.choice(*TIME_FORMATS)))
    decimal_mark: Literal["point", "comma"] | None = parameter(
        None, checks.optional(checks.choice("point", "comma"))
    )
    null_words: str | None = parameter(NULL_WORDS, checks.text_or_none)
    conversion_value_is: str | None = parameter(None, checks.text_or_none)
    conversion_flag: Literal["row", "journey"] = parameter("row", checks.choice("row", "journey"))
    conversion_id: str | None = parameter(None, checks.column_or_none)
    order_id: str | None = parameter(None, checks.column_or_none)
    tie_column: str | None = parameter(None, checks.column_or_none)
    channel_letter_case: Literal["keep", "join"] = parameter("keep", checks.choice("keep", "join"))
    refunds: Literal["leave_out", "subtract"] = parameter(
        "leave_out", checks.choice("leave_out", "subtract")
    )
    repeat_orders_within: str | None = parameter(None, checks.optional(checks.duration))
    max_touches_per_user: int | None = parameter(None, checks.optional(checks.integer(at_least=1)))
    max_conversions_per_user: int | None = parameter(
        None, checks.optional(checks.integer(at_least=1))
    )
    path_separator: str | None = parameter(None, checks.text_or_none)
    null_paths_column: str | None = parameter(None, checks.column_or_none)

    file_separator: str | None = parameter(None, checks.optional(checks.separator))
    file_encoding: str | None = parameter(None, checks.optional(checks.encoding))
    file_header_line: int | None = parameter(None, checks.optional(checks.integer(at_least=1)))
    file_sheet: str | None = parameter(None, checks.text_or_none)

    union_table: str = parameter("mta_union_conversions", checks.table)
    rand_shuffle: str = parameter("mta_user_rnd", checks.table)
    channel_stats: str | None = parameter("channel_source_stats", checks.table_or_none)
    unique_id: str = parameter("canonical_id", checks.column)
    source_col: str = parameter("source", checks.column)
    channel_col: str = parameter("channels", checks.column)
    channel_source_col: str = parameter("channel_source", checks.column)
    time_column: str = parameter("time", checks.column)
    conversion_column: str = parameter("conversion", checks.column)

    db: str = follows("in_db", checks.table)
    table: str = follows("rand_shuffle", checks.table)
    user_column: str = follows("unique_id", checks.column)
    action_column: str = follows("channel_col", checks.column)
    user_rnd_column: str = parameter("ab_rnd", checks.column)
    user_rnd_seed: int = parameter(18, checks.integer(at_least=-LARGEST_SEED, at_most=LARGEST_SEED))
    value_column: str | None = parameter(None, checks.column_or_none)
    metrics_table: str = parameter("metrics", checks.table)
    shapley_table: str = parameter("shapley", checks.table)
    credit_table: bool = parameter(False, checks.flag)
    if_exists: Literal["overwrite", "append", "error"] = parameter(
        "overwrite", checks.choice("overwrite", "append", "error")
    )
    spend_table: str | None = parameter(None, checks.table_or_none)
    spend_day_column: str | None = parameter(None, checks.column_or_none)
    spend_channel_column: str | None = parameter(None, checks.column_or_none)
    spend_column: str | None = parameter(None, checks.column_or_none)
    spend_impressions_column: str | None = parameter(None, checks.column_or_none)
    spend_clicks_column: str | None = parameter(None, checks.column_or_none)

    experiments_table: str | None = parameter(None, checks.table_or_none)
    experiments_channel_column: str | None = parameter(None, checks.column_or_none)
    experiments_first_day_column: str | None = parameter(None, checks.column_or_none)
    experiments_last_day_column: str | None = parameter(None, checks.column_or_none)
    experiments_incremental_column: str | None = parameter(None, checks.column_or_none)
    experiments_lift_column: str | None = parameter(None, checks.column_or_none)
    experiments_error_column: str | None = parameter(None, checks.column_or_none)
    experiments_lower_column: str | None = parameter(None, checks.column_or_none)
    experiments_upper_column: str | None = parameter(None, checks.column_or_none)
    experiments_level: float = parameter(0.9, checks.fraction)

    examples: Literal["person_days", "touch_days"] = parameter(
        "person_days", checks.choice("person_days", "touch_days")
    )
    lookback_window_days: int = parameter(3, checks.integer(at_least=1))
    controls: str | None = parameter(
        "calendar_day, user_activity, since_conversion", checks.optional(checks.words(*CONTROLS))
    )
    control_columns: str | None = parameter(None, checks.optional(checks.columns(MOST_COLUMNS)))
    days_at_risk: Literal["all", "returning"] = parameter("all", checks.choice("all", "returning"))
    window_after_conversion: Literal["cut", "keep"] = parameter("cut", checks.choice("cut", "keep"))
    history_days: int | None = parameter(None, checks.optional(checks.integer(at_least=0)))
    read_interval: str = parameter("", checks.optional(checks.interval))
    day_timezone: str = parameter("UTC", checks.time_zone)
    first_day: str | None = parameter(None, checks.optional(checks.day))
    last_day: str | None = parameter(None, checks.optional(checks.day))
    conversion_row_is_touch: bool = parameter(True, checks.flag)
    augment_last_day: bool = parameter(False, checks.flag)
    users_per_tfrecord: int = parameter(20000, checks.integer(at_least=1))
    positive_tfrecords_dir: Path = field(default=Path("out/positive_tfrecords"), metadata=FOLDER)
    negative_tfrecords_dir: Path = field(default=Path("out/negative_tfrecords"), metadata=FOLDER)

    count_in: Literal["auto", "warehouse", "python"] = parameter(
        "auto", checks.choice("auto", "warehouse", "python")
    )
    count_above: int = parameter(100_000_000, checks.integer(at_least=0))
    counts_table: str = parameter("mta_counts", checks.table)

    model_dir: Path = field(default=Path("out/model"), metadata=FOLDER)
    network: Literal["auto", "logistic", "pairs", "mlp", "lstm"] = parameter(
        "auto", checks.choice("auto", "logistic", "pairs", "mlp", "lstm")
    )
    model_width: int = parameter(128, checks.integer(at_least=1))
    dropout_rate: float = parameter(
        0.5, checks.number("at least 0 and below 1", lambda x: 0 <= x < 1)
    )

    train_epochs: int = parameter(3, checks.integer(at_least=1, at_most=10_000))
    train_batch_size: int = parameter(1000, checks.integer(at_least=1))
    # accepted, without effect, as are shuffle_buffer_size and interval_refits below
    downsample_epoch_fraction: float = parameter(
        0.5, checks.number("above 0 and at most 1", lambda x: 0 < x <= 1)
    )
    validation_batch_size: int = parameter(10000, checks.integer(at_least=1))
    validation_fraction: float = parameter(0.1, checks.fraction)
    holdout: Literal["users", "forward"] = parameter("users", checks.choice("users", "forward"))
    shuffle_buffer_size: int = parameter(10000, checks.integer(at_least=1))
    seed: int = parameter(18, checks.integer(at_least=0, at_most=LARGEST_SEED))

    shapley_exact_cells: int = parameter(12, checks.integer(at_least=1, at_most=20))
    shapley_permutations: int = parameter(200, checks.integer(at_least=2))
    shapley_budget: int = parameter(2_000_000, checks.integer(at_least=1))

    direct_channel: str = parameter("Direct", checks.text)
    rules_window_days: int = parameter(30, checks.integer(at_least=1))
    position_first: float = parameter(0.4, checks.share)
    position_last: float = parameter(0.4, checks.share)
    time_decay_half_life_days: float = parameter(7.0, checks.number("above 0", lambda x: x > 0))
    markov_order: int | None = parameter(
        None, checks.optional(checks.integer(at_least=1, at_most=4))
    )
    markov_nulls: bool = parameter(True, checks.flag)
    rules_in_sql: bool = parameter(False, checks.flag)

    interval_level: float = parameter(0.9, checks.fraction)
    interval_refits: int = parameter(0, checks.integer(at_least=0, at_most=200))
    interval_draws: int = parameter(1000, checks.integer(at_least=0))

    memory_gb: float | None = parameter(
        None, checks.optional(checks.number("above 0", lambda x: x > 0))
    )
    run_model: bool = parameter(True, checks.flag)
    docker_image: str = parameter("treasuredata/customscript-python:3.12.11-td0", checks.unquoted)
    td_api_server: str = parameter(DEFAULT_SERVER, checks.address)

    def __post_init__(self) -> None:
        parameters.fill_followers(self)
        if not self.read_interval:
            read = placeholders.fill(READ_INTERVAL, vars(self), "read_interval")
            object.__setattr__(self, "read_interval", read)

    @property
    def control_names(self) -> tuple[str, ...]:
        """The controls of person_days, columns last; touch_days have none."""
        if self.examples == "touch_days":
            return ()
        own = tuple(self.controls.split(", ")) if self.controls else ()
        return own + self.attribute_names

    @property
    def repeat_seconds(self) -> int | None:
        """The seconds after a conversion in which the user's next one is part of it."""
        if self.repeat_orders_within is None:
            return None
        number = self.repeat_orders_within.rstrip("smhd")
        unit = self.repeat_orders_within.removeprefix(number)
        return int(number) * SECONDS_OF[unit]

    @property
    def needs_rows(self) -> list[str]:
        """The parameters that need every row, which counts of the warehouse do not have."""
        needs = {
            "control_columns": self.control_columns,
            "credit_table": self.credit_table,
            "orders_table": self.orders_table if self.table != self.rand_shuffle else None,
        }
        return [name for name, is_set in needs.items() if is_set]

    @property
    def attribute_names(self) -> tuple[str, ...]:
        """The columns of the touchpoint table that are controls."""
        if not self.control_columns or self.examples == "touch_days":
            return ()
        return tuple(self.control_columns.split(", "))


PARAMETERS = parameters.names_of(Config)


def load(
    path: Path, overrides: Mapping[str, str] | None = None, *, out: Path = Path("out")
) -> Config:
    """The parameters of a file, some of them overridden by `--set`.

    Folders that nobody sets lie below `out`. Raises `ConfigError`, which names the file (or
    `--set`), the parameter, what was wanted and what came.
    """
    in_file: Mapping[str, object] = parameters.read_file(path)
    return _build({str(path): in_file, parameters.COMMAND_LINE: overrides or {}}, out)


def from_params(params: Mapping[str, object], source: str, *, out: Path = Path("out")) -> Config:
    """The same from a mapping, such as Digdag's parameters; `source` is what errors call it."""
    return _build({source: params}, out)


def _build(layers: Mapping[str, Mapping[str, object]], out: Path) -> Config:
    settings = parameters.merge(Config, layers)
    config = parameters.build(Config, settings, out)
    _check_together(config, settings)
    return config


def _check_together(config: Config, settings: Mapping[str, Setting]) -> None:
    """What no check of a single value can see."""
    _check_control_columns(config, settings)
    if config.first_day and config.last_day and config.first_day > config.last_day:
        raise ConfigError(
            f"{parameters.location('first_day', settings)} must not be after last_day, got "
            f"{config.first_day} with last_day {config.last_day}"
        )
    if config.positive_tfrecords_dir == config.negative_tfrecords_dir:
        raise ConfigError(
            f"{parameters.location('negative_tfrecords_dir', settings)} must differ from "
            f"positive_tfrecords_dir, got {config.negative_tfrecords_dir} for both: each describes "
            "its records in a file records.json"
        )
    first, last = config.position_first, config.position_last
    if first + last > 1 or not last:
        raise ConfigError(
            f"{parameters.location('position_last', settings)} must be above 0 and at most 1 "
            f"together with position_first, got {last:g} with position_first {first:g}"
        )
    if config.holdout == "forward" and config.examples == "touch_days":
        raise ConfigError(
            f"{parameters.location('holdout', settings)} must be users where examples is "
            "touch_days, got forward: touch_days take their negatives from users who never "
            "convert, later days included; set examples: person_days"
        )
    if config.count_in == "warehouse" and config.needs_rows:
        raise ConfigError(
            f"{parameters.location('count_in', settings)} must be python or auto together with "
            f"{' and '.join(config.needs_rows)}, which need every row, got warehouse"
        )


def _check_control_columns(config: Config, settings: Mapping[str, Setting]) -> None:
    """A column that is read for something else would tell of it, or hide a control."""
    read = (
        *(config.user_column, config.time_column, config.action_column, config.value_column),
        *(config.conversion_column, config.user_rnd_column, config.order_id, config.conversion_id),
        config.tie_column,
    )
    taken = {name.lower() for name in (*CONTROLS, *read) if name}
    names = config.control_columns.split(", ") if config.control_columns else []
    for name in names:
        if name.lower() in taken:
            raise ConfigError(
                f"{parameters.location('control_columns', settings)} must name columns that "
                f"describe users or days, got {name}, which is a control or a column of its own "
                "already; leave it out"
            )
