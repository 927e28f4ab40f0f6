"""Texts with quotes in them, through SQL and Python: `Men's` is a name like any other."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from local_runner.__main__ import main
from td_mta.config import mmm
from td_mta.config.attribution import PARAMETERS

ROOT = Path(__file__).parents[2]
FREE = {
    "direct_channel": "Men's",
    "null_words": "n'a, 'none'",
    "conversion_value_is": "it's sold",
    "conversion_form_ids": "o'neill",
    "conversion_url_pattern": "/it's-done",
}
SETTINGS = {
    "union_query": "union_touchpoints",
    "touchpoints_conversion_column": "event",
    "network": "logistic",
    "interval_draws": "0",
    "rules_in_sql": "true",
    "count_in": "warehouse",
}


def touches(folder: Path) -> Path:
    """Journeys Women's, Men's, conversion; some rows have a channel that is none."""
    lines = ["user_id,time,channel,event"]
    for user in range(60):
        time = 1_767_225_600 + 4000 * user
        first = "Women's" if user % 2 else "n'a"
        lines.append(f"u{user},{time},{first},see")
        lines.append(f"u{user},{time + 60},Men's,see")
        if user % 3 == 0:
            lines.append(f"u{user},{time + 120},,it's sold")
    file = folder / "touchpoints.csv"
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return file


@pytest.mark.slow
def test_quotes_go_through_a_whole_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (tmp_path / "data").mkdir()
    touches(tmp_path / "data")
    where = ["--data", str(tmp_path / "data"), "--out", str(tmp_path), "--session", "2026-01-15"]
    chosen = [part for pair in (SETTINGS | FREE).items() for part in ("--set", "=".join(pair))]
    assert main(["run", "mta.dig", *where, *chosen]) == 0
    rules = pd.read_csv(tmp_path / "shapley_rules.csv")
    credit = rules.pivot(index="model", columns="channel", values="conversions")
    assert list(credit) == ["(baseline)", "Men's", "Women's"]
    # Ten converting users saw Women's first, ten a channel that is none; all saw Men's last.
    assert list(credit.loc["last_touch"]) == [0, 20, 0]
    assert list(credit.loc["last_non_direct"]) == [0, 10, 10]
    models = pd.read_csv(tmp_path / "shapley_models.csv")
    own = models[models["model"] == "last_non_direct"].set_index("channel")["conversions"]
    assert (own["Men's"], own["Women's"]) == (10, 10)


def templates(pattern: str) -> set[str]:
    """What stands in ${...} in queries, those of media mix apart."""
    paths = [path for path in ROOT.glob(pattern) if "mmm" in pattern or path.parent.name != "mmm"]
    return set(re.findall(r"\$\{(.*?)\}", "".join(path.read_text("utf-8") for path in paths)))


def names_in(templates: set[str]) -> set[str]:
    """Words of templates, texts within them left out."""
    others = " ".join(re.sub(r"'[^']*'", "", text) for text in templates)
    return set(re.findall(r"[a-z]\w+", others))


def listed(file: str) -> set[str]:
    """The parameters that a workflow refuses with a quote in them."""
    refused = yaml.safe_load((ROOT / "workflows" / file).read_text("utf-8"))
    return set(re.findall(r"\['(\w+)', \1\]", refused["+quotes"]["_export"]["quoted"]))


def test_every_parameter_of_the_queries_is_free_of_quotes_or_has_them_doubled() -> None:
    used = templates("queries/**/*.sql")
    doubled = {f"[{name}].join('').replace(/'/g, '$&$&')" for name in FREE}
    numbers_and_names = {name for name in PARAMETERS if name.endswith("_days")} | {
        *("conversion_row_is_touch", "augment_last_day", "markov_nulls", "seed"),
        *("validation_fraction", "position_first", "position_last"),
        *("union_table", "rand_shuffle", "channel_stats", "shapley_table", "counts_table"),
    }
    assert doubled <= used
    assert names_in(used - doubled) & {*PARAMETERS} <= listed("check_names.dig") | numbers_and_names


def test_every_parameter_of_the_media_mix_queries_is_free_of_quotes() -> None:
    used = names_in(templates("queries/mmm/*.sql")) & {*mmm.PARAMETERS}
    assert used == (listed("mmm_check_names.dig") | {"media_table"})  # of letters, digits and _
