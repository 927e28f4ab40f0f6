"""Parameters beyond reason: one sentence with the file and the name, before anything is read."""

import itertools
from pathlib import Path

import pytest

from td_mta import main
from td_mta.config import attribution as configuration
from td_mta.errors import ConfigError
from td_mta.pipelines import attribution
from tests.hostile import touchpoints

DEEP = "[" * 5000 + "]" * 5000
BOMB = "\n".join(
    ["a: &a [x, x]", *(f"{new}: &{new} [*{old}, *{old}]" for old, new in itertools.pairwise("abc"))]
)
MERGED = "x: &a {b: 1}\ny: &c {<<: [*a, *a]}\n"
FILES = {
    "cfg_deep": (f"table: {DEEP}", "params.yml: values lie too deep in one another"),
    "cfg_flow_deep": ("{a: " * 5000, "params.yml: values lie too deep in one another"),
    "cfg_huge_int": (
        f"seed: {'9' * 5000}",
        "params.yml: a value cannot be read: Exceeds the limit",
    ),
    "cfg_huge_hex": (f"seed: 0x{'f' * 5000}", "seed must be a whole number, got a longer number"),
    "cfg_huge_text": (f"seed: '{'9' * 5000}'", "seed must be a whole number, got 9999"),
    "cfg_long_float": ("dropout_rate: 1e400", "dropout_rate must be a number, got '1e400'"),
    "cfg_date": ("table: 2024-99-99", "params.yml: a value cannot be read: month must be in 1..12"),
    "cfg_seed_1e30": (f"seed: {10**30}", "seed must be from 0 to 4294967295, got 1000"),
    "full_seed64": (
        f"seed: {2**64}",
        "seed must be from 0 to 4294967295, got 18446744073709551616",
    ),
    "seed32": (f"seed: {2**32}", "seed must be from 0 to 4294967295, got 4294967296"),
    "seed63": (f"user_rnd_seed: {2**63}", "user_rnd_seed must be from -4294967295 to 4294967295"),
    "full_surrogate": ('metrics_table: "a\\ud800"', "metrics_table must be text without control"),
    "full_table_nul": ('metrics_table: "a\\0b"', "metrics_table must be text without control char"),
    "table_line": ('metrics_table: "a\\nb"', "metrics_table must be a table name of up to 240 ch"),
    "table_hidden": ("metrics_table: .m", "metrics_table must be a table name of up to 240 chara"),
    "table_long": (f"metrics_table: {'m' * 241}", "of up to 240 characters, no point first, got"),
    "cfg_bomb": (BOMB, "an alias (*name) may repeat a single value only"),
    "cfg_bomb_merged": (MERGED, "an alias (*name) may repeat a single value only"),
    "cfg_nested": ("controls: [[a], b]", "controls must be one value, got a list"),
    "cfg_mapping": ("metrics_table: {a: b}", "metrics_table must be one value, got a dict"),
    "cfg_long_value": (f"direct_channel: {'d' * 10_001}", "direct_channel must be at most 10,000"),
    "cfg_large": ("#" * 1_048_577, "params.yml: a file of parameters has at most 1,048,576 bytes"),
    "epochs": (
        f"train_epochs: {10**12}",
        "train_epochs must be from 1 to 10000, got 10",
    ),
    "records_mixed": (
        "positive_tfrecords_dir: d\nnegative_tfrecords_dir: ./d",
        "negative_tfrecords_dir must differ from positive_tfrecords_dir, got d for both",
    ),
    "template_pattern": (
        "metrics_table: \"${in_db.replace(/(/, 'x')}\"",
        "must hold the name of a paramete",
    ),
    "template_deep": (
        f'metrics_table: "${{{"(" * 5000}in_db}}"',
        "must hold the name of a parameter alone",
    ),
}


@pytest.mark.parametrize(("text", "says"), FILES.values(), ids=FILES)
def test_a_parameter_beyond_reason_is_one_sentence(
    text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "params.yml").write_text(text)
    options = ["--config", str(tmp_path / "params.yml"), "--out", str(tmp_path / "out")]
    assert main.main([str(touchpoints.csv(tmp_path)), *options]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ") and says in lines[0]
    assert len(lines[0]) < 600


def test_an_alias_of_one_value_is_read(tmp_path: Path) -> None:
    (tmp_path / "params.yml").write_text("in_db: &name shop\nmetrics_table: *name\n")
    assert configuration.load(tmp_path / "params.yml").metrics_table == "shop"


def test_templates_that_double_end_at_a_length() -> None:
    """Each parameter repeats the one before it ten times: 10 to the power of 6."""
    names = ("in_db", "union_table", "rand_shuffle", "unique_id", "source_col", "channel_col")
    chain = {"in_db": "abcdefghij"}
    chain |= {name: f"${{{before}}}" * 10 for before, name in itertools.pairwise(names)}
    with pytest.raises(ConfigError, match=r"test: rand_shuffle must be a table name of up to 240"):
        configuration.from_params(chain, "test")
    texts = {"conversion_form_ids": "0123456789" * 200}
    texts["conversion_url_pattern"] = "${conversion_form_ids}" * 6
    with pytest.raises(ConfigError, match=r"pattern must be at most 10,000 characters, got 0123"):
        configuration.from_params(texts, "test")


def test_a_pattern_that_backtracks_for_ever_ends() -> None:
    pattern = "${in_db.replace(/(a+)+b/, 'x')}"
    config = configuration.from_params({"in_db": "a" * 200, "union_table": pattern}, "test")
    assert config.union_table == "a" * 200


@pytest.mark.parametrize("fraction", ["1e-300", "0.001"], ids=["full_vf_tiny", "full_n_vf001"])
def test_that_nobody_is_held_out_is_said_before_training(
    fraction: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def train(*_: object, **__: object) -> None:
        raise ConfigError("training begins")

    monkeypatch.setattr(attribution, "_train", train)
    file = touchpoints.csv(tmp_path)
    assert touchpoints.run(file, "--set", f"validation_fraction={fraction}") == 2
    assert "No users could be held out of so few: how well the model predicts" in caplog.text
