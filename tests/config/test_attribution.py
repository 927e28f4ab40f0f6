"""Parameters are checked once; an error names the key, what was wanted and what came."""

import dataclasses
import re
from pathlib import Path

import pytest
import yaml

from td_mta.config import attribution as configuration
from td_mta.config.attribution import Config
from td_mta.errors import ConfigError

COMMITTED = Path(__file__).parents[2] / "config" / "params.yml"

# The contract: the old names with their defaults, from the documents that the product grew from.
OLD_DEFAULTS = {
    "in_db": "mta",
    "enriched_pageviews": "enriched_pageviews",
    "enriched_formfills": "enriched_formfills",
    "union_table": "mta_union_conversions",
    "rand_shuffle": "mta_user_rnd",
    "channel_stats": "channel_source_stats",
    "time_interval": "-30d",
    "unique_id": "canonical_id",
    "source_col": "source",
    "channel_col": "channels",
    "channel_source_col": "channel_source",
    "time_column": "time",
    "conversion_column": "conversion",
    "db": "mta",
    "table": "mta_user_rnd",
    "metrics_table": "metrics",
    "shapley_table": "shapley",
    "if_exists": "overwrite",
    "user_column": "canonical_id",
    "action_column": "channels",
    "user_rnd_column": "ab_rnd",
    "users_per_tfrecord": 20000,
    "lookback_window_days": 3,
    "downsample_epoch_fraction": 0.5,
    "dropout_rate": 0.5,
    "model_width": 128,
    "train_epochs": 3,
    "train_batch_size": 1000,
    "validation_batch_size": 10000,
    "validation_fraction": 0.1,
    "shuffle_buffer_size": 10000,
}
NEW_DEFAULTS = {
    "examples": "person_days",
    "holdout": "users",
    "augment_last_day": False,
    "conversion_row_is_touch": True,
    "day_timezone": "UTC",
    "first_day": None,
    "last_day": None,
    "user_rnd_seed": 18,
    "value_column": None,
    "credit_table": False,
    "spend_table": None,
    "shapley_exact_cells": 12,
    "seed": 18,
}


def written(folder: Path, text: str) -> Path:
    path = folder / "params.yml"
    path.write_text(text, encoding="utf-8")
    return path


def message(folder: Path, text: str) -> str:
    """The error of a params.yml with this text, without its folder."""
    with pytest.raises(ConfigError) as caught:
        configuration.load(written(folder, text))
    return str(caught.value).replace(f"{folder}/", "")


def test_the_committed_file_holds_the_old_names_with_their_defaults() -> None:
    loaded = configuration.load(COMMITTED)
    assert {name: getattr(loaded, name) for name in OLD_DEFAULTS} == OLD_DEFAULTS
    assert {name: getattr(loaded, name) for name in NEW_DEFAULTS} == NEW_DEFAULTS


def test_the_committed_file_has_every_parameter_once_in_the_order_of_the_config() -> None:
    assert tuple(yaml.safe_load(COMMITTED.read_text())) == configuration.PARAMETERS


def test_the_committed_file_says_the_defaults_of_the_config() -> None:
    assert configuration.load(COMMITTED) == Config()


def test_every_parameter_has_a_comment_on_its_line() -> None:
    lines = [line for line in COMMITTED.read_text().splitlines() if line and line[0] != "#"]
    assert [line for line in lines if not re.search(r" # \w", line)] == []


def test_no_parameter_has_a_name_that_an_operator_of_digdag_reads() -> None:
    reserved = {"database", "engine", "query", "priority", "create_table", "insert_into", "preview"}
    reserved |= {"result_url", "timezone", "schedule", "docker", "python", "td", "download_file"}
    reserved |= {"py", "error", "store_last_results", "job_retry", "pool_name", "engine_version"}
    reserved |= {"presto_pool_name", "result_connection", "result_settings", "drop_tables"}
    assert reserved.isdisjoint(configuration.PARAMETERS)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (
            "lookback_days: 3",
            "unknown parameter 'lookback_days'; did you mean 'lookback_window_days'?",
        ),
        ("Table: x", "unknown parameter 'Table'; did you mean 'table'?"),
        ("zzz: 1", "unknown parameter 'zzz'"),
        ("lookback_window_days: 0", "lookback_window_days must be at least 1, got 0"),
        ("lookback_window_days: '0'", "lookback_window_days must be at least 1, got 0"),
        ("lookback_window_days: 2.5", "lookback_window_days must be a whole number, got 2.5"),
        ("lookback_window_days: three", "lookback_window_days must be a whole number, got 'three'"),
        ("lookback_window_days: true", "lookback_window_days must be a whole number, got True"),
        ("lookback_window_days: [3]", "lookback_window_days must be a whole number, got [3]"),
        ("lookback_window_days:", "lookback_window_days must be a whole number, got no value"),
        ("seed: .inf", "seed must be a whole number, got inf"),
        ("shapley_exact_cells: 21", "shapley_exact_cells must be from 1 to 20, got 21"),
        ("dropout_rate: 1", "dropout_rate must be at least 0 and below 1, got 1"),
        ("dropout_rate: .nan", "dropout_rate must be a number, got nan"),
        ("run_model: later", "run_model must be true or false, got 'later'"),
        (
            "td_api_server: api.treasuredata.com",
            "td_api_server must be an address such as https://api.treasuredata.com, "
            "got 'api.treasuredata.com'",
        ),
        ("dropout_rate: half", "dropout_rate must be a number, got 'half'"),
        (
            "downsample_epoch_fraction: 0",
            "downsample_epoch_fraction must be above 0 and at most 1, got 0",
        ),
        ("validation_fraction: 1.0", "validation_fraction must be above 0 and below 1, got 1.0"),
        ("holdout: time", "holdout must be one of users, forward, got 'time'"),
        (
            "holdout: forward\nexamples: touch_days",
            "holdout must be users where examples is touch_days, got forward: touch_days take "
            "their negatives from users who never convert, later days included; set examples: "
            "person_days",
        ),
        (
            "if_exists: replace",
            "if_exists must be one of overwrite, append, error, got 'replace'",
        ),
        ("examples: days", "examples must be one of person_days, touch_days, got 'days'"),
        (
            "conversion_row_is_touch: maybe",
            "conversion_row_is_touch must be true or false, got 'maybe'",
        ),
        ("augment_last_day: 1", "augment_last_day must be true or false, got 1"),
        ("first_day: '2026-02-30'", "first_day must be a day such as 2026-01-31, got '2026-02-30'"),
        ("last_day: 31.1.2026", "last_day must be a day such as 2026-01-31, got 31.1.2026"),
        (
            "{first_day: 2026-02-01, last_day: 2026-01-31}",
            "first_day must not be after last_day, got 2026-02-01 with last_day 2026-01-31",
        ),
        (
            "day_timezone: Mars/Olympus",
            "day_timezone must be a time zone such as UTC or Europe/Berlin, got 'Mars/Olympus'",
        ),
        (
            "day_timezone: ../../etc/passwd",
            "day_timezone must be a time zone such as UTC or Europe/Berlin, got '../../etc/passwd'",
        ),
        ("time_interval: 30", "time_interval must be an interval such as -30d, got 30"),
        (
            "table: ../x",
            "table must be a table name without quotes, slashes or semicolons, got '../x'",
        ),
        (
            "channel_col: none",
            "channel_col must be a column name without quotes or semicolons, got 'none'",
        ),
        (
            """channel_col: 'a"b'""",
            "channel_col must be a column name without quotes or semicolons, got 'a\"b'",
        ),
        (
            """own_domains: "it's" """,
            'own_domains must be text without single quotes, got "it\'s"',
        ),
        (
            "position_first: 0.7\nposition_last: 0.4",
            "position_last must be above 0 and at most 1 together with position_first, got 0.4 "
            "with position_first 0.7",
        ),
        (
            "position_first: 0.5\nposition_last: 0",
            "position_last must be above 0 and at most 1 together with position_first, got 0 "
            "with position_first 0.5",
        ),
        ("db: ${indb}", "db: ${indb} is not the name of a parameter"),
        ("db: ${in_db * 2}", "db: ${} must hold the name of a parameter alone, got ${in_db * 2}"),
    ],
)
def test_a_wrong_value_is_reported_with_file_key_wanted_and_got(
    tmp_path: Path, line: str, wanted: str
) -> None:
    assert message(tmp_path, line) == f"params.yml: {wanted}"


def test_a_key_that_stands_twice_is_reported_with_its_line(tmp_path: Path) -> None:
    error = message(tmp_path, "table: a\nseed: 1\ntable: b\n")
    assert error.startswith("params.yml: not valid YAML: table is set twice") and "line 1" in error


def test_broken_yaml_is_reported_with_its_line(tmp_path: Path) -> None:
    error = message(tmp_path, "table: a\nseed: [1\n")
    assert error.startswith("params.yml: not valid YAML: ") and "line" in error


@pytest.mark.parametrize(
    ("text", "got"), [("", "an empty file"), ("- a", "a list"), ("table", "a single value")]
)
def test_a_file_without_lines_of_name_and_value_is_refused(
    tmp_path: Path, text: str, got: str
) -> None:
    wanted = "params.yml must hold lines of the form name: value"
    assert message(tmp_path, text) == f"{wanted}, got {got}"


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.yml: the file cannot be read \(No such file"):
        configuration.load(tmp_path / "no.yml")


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("lookback_window_days", "0", "--set lookback_window_days must be at least 1, got 0"),
        ("tabel", "x", "--set: unknown parameter 'tabel'; did you mean 'table'?"),
        ("in_db", "", "--set in_db must be a table name without quotes, slashes or "
         "semicolons, got no value"),
    ],
)  # fmt: skip
def test_a_wrong_override_is_reported_with_its_option(key: str, value: str, wanted: str) -> None:
    with pytest.raises(ConfigError) as caught:
        configuration.load(COMMITTED, {key: value})
    assert str(caught.value) == wanted


def test_an_override_mends_what_is_wrong_in_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "lookback_window_days: 0")
    assert configuration.load(path, {"lookback_window_days": "7"}).lookback_window_days == 7


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("dropout_rate: '0.5'", "dropout_rate", 0.5),  # Digdag: a decimal below one is text
        ("train_batch_size: 1e3", "train_batch_size", 1000),  # a float there, text in PyYAML
        ("train_batch_size: '1000'", "train_batch_size", 1000),
        ("train_batch_size: 1000.0", "train_batch_size", 1000),
        ("train_batch_size: ' 1000 '", "train_batch_size", 1000),
        ("dropout_rate: 0", "dropout_rate", 0.0),
        ("conversion_row_is_touch: 'false'", "conversion_row_is_touch", False),
        ("conversion_row_is_touch: FALSE", "conversion_row_is_touch", False),
        ("value_column: none", "value_column", None),
        ("value_column: ''", "value_column", None),
        ("value_column: ' '", "value_column", None),
        ("value_column: null", "value_column", None),
        ("value_column:", "value_column", None),
        ("value_column: '  Order Value '", "value_column", "Order Value"),
        ("user_column: Übernutzer", "user_column", "Übernutzer"),
        ("conversion_form_ids: 42", "conversion_form_ids", "42"),
        ("conversion_url_pattern: '/thanks$'", "conversion_url_pattern", "/thanks$"),
        ("seed: 010", "seed", 8),  # YAML's octal, in Digdag too
        ("model_dir: models/a", "model_dir", Path("models/a")),
        ("run_model: 'false'", "run_model", False),
        (
            "td_api_server: https://api.treasuredata.co.jp",
            "td_api_server",
            "https://api.treasuredata.co.jp",
        ),
    ],
)
def test_values_are_taken_as_they_are_meant(
    tmp_path: Path, text: str, name: str, value: object
) -> None:
    loaded = getattr(configuration.load(written(tmp_path, text)), name)
    assert (loaded, type(loaded)) == (value, type(value)) or isinstance(value, Path)
    assert loaded == value


def test_some_parameters_follow_others_unless_they_are_given(tmp_path: Path) -> None:
    names = {"in_db": "d", "rand_shuffle": "t", "unique_id": "u", "channel_col": "c"}
    for loaded in (
        configuration.load(COMMITTED, names),
        configuration.from_params(names, "params"),
    ):
        assert (loaded.db, loaded.table) == ("d", "t")
        assert (loaded.user_column, loaded.action_column) == ("u", "c")
    assert configuration.load(COMMITTED, names | {"table": "mine"}).table == "mine"
    assert configuration.load(COMMITTED, names | {"table": "none"}).table == "t"
    assert Config(rand_shuffle="x").table == "x"


def test_a_value_may_repeat_another_parameter(tmp_path: Path) -> None:
    loaded = configuration.load(written(tmp_path, "shapley_table: ${in_db}_shapley\nin_db: shop"))
    assert loaded.shapley_table == "shop_shapley"


def test_folders_lie_below_out_unless_they_are_given(tmp_path: Path) -> None:
    loaded = configuration.load(COMMITTED, {"model_dir": "elsewhere"}, out=Path("o"))
    assert loaded.positive_tfrecords_dir == Path("o/positive_tfrecords")
    assert loaded.negative_tfrecords_dir == Path("o/negative_tfrecords")
    assert loaded.model_dir == Path("elsewhere")


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().seed = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("settings", "read"),
    [
        ({}, "-32d"),
        ({"lookback_window_days": "1"}, "-30d"),
        ({"lookback_window_days": "7", "time_interval": "-90d"}, "-96d"),
        ({"history_days": "60"}, "-90d"),
        ({"history_days": "0"}, "-30d"),
        ({"time_interval": "-30d/2026-01-01"}, "-32d/2026-01-01"),
        ({"time_interval": "-4w"}, "-4w"),
        ({"examples": "touch_days"}, "-30d"),
        ({"read_interval": "-2M"}, "-2M"),
    ],
)
def test_the_days_of_history_are_read_before_an_interval_in_days(
    settings: dict[str, str], read: str
) -> None:
    assert configuration.load(COMMITTED, settings).read_interval == read
    assert configuration.from_params(settings, "digdag").read_interval == read


def test_digdag_computes_the_interval_as_the_run_does() -> None:
    in_file = yaml.safe_load(COMMITTED.read_text(encoding="utf-8"))
    assert in_file["read_interval"] == configuration.READ_INTERVAL


@pytest.mark.parametrize(
    ("text", "seconds"), [("none", None), (90, 5400), ("90", 5400), ("45s", 45), ("1d", 86_400)]
)
def test_a_time_for_repeat_orders_is_in_minutes_or_has_a_unit(
    text: str | int, seconds: int | None
) -> None:
    config = configuration.from_params({"repeat_orders_within": text}, "test")
    assert config.repeat_seconds == seconds
