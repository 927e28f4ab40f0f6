"""Parameters: `config/params.yml`, or what Digdag passes, to one frozen, checked `Config`.

A field says its default and the check that its value must pass, whatever the type it came in:
Digdag writes `0.5` as text and null as "". Whoever holds a `Config` need not check again.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml

from td_mta.config import checks, placeholders
from td_mta.errors import ConfigError
from td_mta.warehouse.td_address import DEFAULT_SERVER

T = TypeVar("T")


def _param(default: T, check: checks.Check) -> T:
    made: T = field(default=default, metadata={"check": check})
    return made


def _follows(other: str, check: checks.Check) -> Any:
    """A parameter that takes another one's value where it has none."""
    return field(default="", metadata={"check": checks.optional(check), "follows": other})


_FOLDER = {"check": checks.optional(checks.folder)}


@dataclass(frozen=True, kw_only=True)
class Config:
    """All parameters under the names that they have in `config/params.yml`, which explains them."""

    in_db: str = _param("mta", checks.table)
    union_query: Literal["union", "union_touchpoints"] = _param(
        "union", checks.choice("union", "union_touchpoints")
    )
    enriched_pageviews: str = _param("enriched_pageviews", checks.table)
    enriched_formfills: str = _param("enriched_formfills", checks.table)
    time_interval: str = _param("-30d", checks.interval)
    input_user_column: str = _param("canonical_id", checks.column)
    pageviews_channel_column: str | None = _param(None, checks.optional(checks.column))
    pageviews_source_column: str | None = _param(None, checks.optional(checks.column))
    formfills_value_column: str | None = _param(None, checks.optional(checks.column))
    conversion_form_ids: str | None = _param("*", checks.optional(checks.text))
    conversion_url_pattern: str | None = _param(None, checks.optional(checks.text))

    touchpoints_table: str = _param("touchpoints", checks.table)
    touchpoints_user_column: str = _param("user_id", checks.column)
    touchpoints_time_column: str = _param("time", checks.column)
    touchpoints_channel_column: str = _param("channel", checks.column)
    touchpoints_source_column: str | None = _param(None, checks.optional(checks.column))
    touchpoints_campaign_column: str | None = _param(None, checks.optional(checks.column))
    touchpoints_conversion_column: str = _param("conversion", checks.column)
    touchpoints_value_column: str | None = _param(None, checks.optional(checks.column))

    union_table: str = _param("mta_union_conversions", checks.table)
    rand_shuffle: str = _param("mta_user_rnd", checks.table)
    channel_stats: str | None = _param("channel_source_stats", checks.optional(checks.table))
    unique_id: str = _param("canonical_id", checks.column)
    source_col: str = _param("source", checks.column)
    channel_col: str = _param("channels", checks.column)
    channel_source_col: str = _param("channel_source", checks.column)
    time_column: str = _param("time", checks.column)
    conversion_column: str = _param("conversion", checks.column)

    db: str = _follows("in_db", checks.table)
    table: str = _follows("rand_shuffle", checks.table)
    user_column: str = _follows("unique_id", checks.column)
    action_column: str = _follows("channel_col", checks.column)
    user_rnd_column: str = _param("ab_rnd", checks.column)
    user_rnd_seed: int = _param(18, checks.whole())
    value_column: str | None = _param(None, checks.optional(checks.column))
    metrics_table: str = _param("metrics", checks.table)
    shapley_table: str = _param("shapley", checks.table)
    if_exists: Literal["overwrite", "append", "error"] = _param(
        "overwrite", checks.choice("overwrite", "append", "error")
    )
    spend_table: str | None = _param(None, checks.optional(checks.table))

    examples: Literal["person_days", "touch_days"] = _param(
        "person_days", checks.choice("person_days", "touch_days")
    )
    lookback_window_days: int = _param(3, checks.whole(at_least=1))
    day_timezone: str = _param("UTC", checks.time_zone)
    conversion_row_is_touch: bool = _param(True, checks.flag)
    augment_last_day: bool = _param(False, checks.flag)
    users_per_tfrecord: int = _param(20000, checks.whole(at_least=1))
    positive_tfrecords_dir: Path = field(default=Path("out/positive_tfrecords"), metadata=_FOLDER)
    negative_tfrecords_dir: Path = field(default=Path("out/negative_tfrecords"), metadata=_FOLDER)

    model_dir: Path = field(default=Path("out/model"), metadata=_FOLDER)
    model_width: int = _param(128, checks.whole(at_least=1))
    dropout_rate: float = _param(
        0.5, checks.fraction("at least 0 and below 1", lambda x: 0 <= x < 1)
    )

    train_epochs: int = _param(3, checks.whole(at_least=1))
    downsample_epoch_fraction: float = _param(
        0.5, checks.fraction("above 0 and at most 1", lambda x: 0 < x <= 1)
    )
    train_batch_size: int = _param(1000, checks.whole(at_least=1))
    # accepted, without effect, as is shuffle_buffer_size below
    validation_batch_size: int = _param(10000, checks.whole(at_least=1))
    validation_fraction: float = _param(
        0.1, checks.fraction("above 0 and below 1", lambda x: 0 < x < 1)
    )
    holdout: Literal["users", "forward"] = _param("users", checks.choice("users", "forward"))
    shuffle_buffer_size: int = _param(10000, checks.whole(at_least=1))
    seed: int = _param(18, checks.whole(at_least=0))

    shapley_exact_cells: int = _param(12, checks.whole(at_least=1, at_most=20))
    shapley_permutations: int = _param(200, checks.whole(at_least=2))
    shapley_budget: int = _param(2_000_000, checks.whole(at_least=1))

    direct_channel: str = _param("Direct", checks.text)
    position_first: float = _param(0.4, checks.fraction("from 0 to 1", lambda x: 0 <= x <= 1))
    position_last: float = _param(0.4, checks.fraction("from 0 to 1", lambda x: 0 <= x <= 1))
    time_decay_half_life_days: float = _param(7.0, checks.fraction("above 0", lambda x: x > 0))
    markov_order: int | None = _param(None, checks.optional(checks.whole(at_least=1, at_most=4)))
    markov_nulls: bool = _param(True, checks.flag)
    rules_in_sql: bool = _param(False, checks.flag)

    interval_level: float = _param(0.9, checks.fraction("above 0 and below 1", lambda x: 0 < x < 1))
    interval_refits: int = _param(0, checks.whole(at_least=0, at_most=200))
    interval_draws: int = _param(1000, checks.whole(at_least=0))

    run_model: bool = _param(True, checks.flag)
    docker_image: str = _param("treasuredata/customscript-python:3.12.11-td0", checks.text)
    td_api_server: str = _param(DEFAULT_SERVER, checks.address)

    def __post_init__(self) -> None:
        for parameter in fields(self):
            followed = parameter.metadata.get("follows")
            if followed and not getattr(self, parameter.name):
                object.__setattr__(self, parameter.name, getattr(self, followed))


PARAMETERS: tuple[str, ...] = tuple(parameter.name for parameter in fields(Config))
_CHECKS: dict[str, checks.Check] = {p.name: p.metadata["check"] for p in fields(Config)}
_FOLDERS = ("positive_tfrecords_dir", "negative_tfrecords_dir", "model_dir")


def load(
    path: Path, overrides: Mapping[str, str] | None = None, *, out: Path = Path("out")
) -> Config:
    """The parameters of a file, some of them overridden by `--set`.

    Folders that nobody names lie below `out`. Raises `ConfigError`, which names the file (or
    `--set`), the parameter, what was wanted and what came.
    """
    layers: dict[str, Mapping[str, object]] = {
        str(path): _read(path),
        "--set": dict(overrides or {}),
    }
    return _build(layers, out)


def from_params(params: Mapping[str, object], source: str, *, out: Path = Path("out")) -> Config:
    """The same from a mapping, such as Digdag's parameters; `source` is what errors call it."""
    return _build({source: params}, out)


def advice(config: Config) -> list[str]:
    """What the parameters let expect, a sentence each; none of it stops a run."""
    found = []
    if not 0.4 <= config.dropout_rate <= 0.6:
        found.append(
            f"dropout_rate is {config.dropout_rate:g}; values from 0.4 to 0.6 have proven best."
        )
    if config.augment_last_day and config.examples == "person_days":
        found.append("augment_last_day has an effect only with examples: touch_days.")
    if config.in_db != config.db and config.table == config.rand_shuffle:
        found.append(
            f"The SQL writes {config.table} to the database {config.in_db}, "
            f"while the model reads it from {config.db}."
        )
    return found


def page_advice(config: Config, users: int) -> list[str]:
    """A sentence when a page is not 2 to 3 % of the users, once they fill more than one page."""
    share = config.users_per_tfrecord / max(users, 1)
    if share >= 1 or 0.02 <= share <= 0.03:
        return []
    return [
        f"users_per_tfrecord is {config.users_per_tfrecord}, {share:.1%} of {users} users; "
        f"2 to 3 % would be {math.ceil(users * 0.02)} to {math.floor(users * 0.03)}."
    ]


def nearest(unknown: str, cutoff: float = 0.6) -> str | None:
    """The parameter whose name is nearest to an unknown one, if any is near."""
    return next(iter(difflib.get_close_matches(unknown, PARAMETERS, 1, cutoff)), None)


def _build(layers: Mapping[str, Mapping[str, object]], out: Path) -> Config:
    """A config from layers of parameters by their source; a later layer beats an earlier one."""
    given: dict[str, tuple[str, object]] = {}
    for source, layer in layers.items():
        for key, value in layer.items():
            _refuse_unknown(key, source)
            given[key] = (source, value.strip() if isinstance(value, str) else value)
    found: dict[str, Any] = {}
    for key in (key for key in PARAMETERS if key in given):
        source, value = given[key]
        found[key] = _checked(key, value, source, vars(Config()) | found)
    for key in _FOLDERS:
        found[key] = Path(found.get(key) or out / key.removesuffix("_dir"))
    config = Config(**found)
    if config.position_first + config.position_last > 1 or not config.position_last:
        raise ConfigError(
            f"{_source('position_last', given)} must be above 0 and at most 1 together with "
            f"position_first, got {config.position_first:g} and {config.position_last:g}"
        )
    if config.holdout == "forward" and config.examples == "touch_days":
        raise ConfigError(
            f"{_source('holdout', given)}: forward needs examples: person_days, since touch_days "
            "take their negatives from users who never convert, later days included"
        )
    return config


def _source(key: str, given: Mapping[str, tuple[str, object]]) -> str:
    """How an error names a parameter and where it came from."""
    source = given.get(key, ("the defaults", None))[0]
    return f"--set {key}" if source == "--set" else f"{source}: {key}"


def _checked(key: str, value: object, source: str, known: Mapping[str, object]) -> object:
    if isinstance(value, str) and "${" in value:
        value = placeholders.fill(value, known, f"{source}: {key}")
    try:
        return _CHECKS[key](value)
    except checks.UnfitError as unfit:
        place = _source(key, {key: (source, value)})
        raise ConfigError(f"{place} must be {unfit}, got {_shown(value)}") from None


def _shown(value: object) -> str:
    """A value as the user wrote it: numbers bare, though they may come as text."""
    if value in (None, ""):
        return "nothing"
    return str(value) if re.fullmatch(r"[-+]?[\d.]+", str(value)) else repr(value)


def _refuse_unknown(key: str, source: str) -> None:
    if key not in _CHECKS:
        near = nearest(key)
        hint = f"; did you mean {near!r}?" if near else ""
        raise ConfigError(f"{source}: unknown parameter {key!r}{hint}")


def _read(path: Path) -> dict[str, object]:
    try:
        given = yaml.load(path.read_text(encoding="utf-8-sig"), _Loader)
    except OSError as error:
        raise ConfigError(f"{path}: the file cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(given, dict):
        raise ConfigError(f"{path}: must hold lines of the form name: value")
    return {str(key): value for key, value in given.items()}


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, as Digdag does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.MarkedYAMLError(
                problem=f"{', '.join(twice)} is given twice", problem_mark=node.start_mark
            )
        return super().construct_mapping(node, deep)
