"""The benchmark of truth itself: errors by hand, and its notes where a package is missing."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import truth, truth_errors
from benchmarks.truth_errors import Errors, errors_of

KNOWN = {
    "channels": ["Email", "Search", "Social"],
    "channel_share": {"Email": 0.5, "Search": 0.3, "Social": 0.2},
    "conversions_by_day_and_channel": [[40.0, 30.0, 10.0], [10.0, 0.0, 10.0]],
    "baseline_share": 0.5,
}
PEERS = Path(truth.__file__).with_name("peers.py")


def credit(email: float, search: float, social: float, baseline: float) -> pd.Series:
    return pd.Series(
        {"Search": search, "Email": email, "Social": social, "(baseline)": baseline}, dtype=float
    )


def test_the_truth_itself_has_no_error() -> None:
    errors = errors_of(KNOWN, credit(50, 30, 20, 100), pd.Series([80.0, 20.0]))
    assert errors == pytest.approx((0, 0, 0, 0))


def test_errors_by_hand() -> None:
    errors = errors_of(KNOWN, credit(30, 50, 20, 25), pd.Series([60.0, 40.0]))
    assert errors == pytest.approx(((0.2 + 0.2 + 0) / 3, 0.2, 0.2 - 0.5, 1))


def test_a_model_without_days_or_one_of_the_channels_is_rated_too() -> None:
    errors = errors_of(KNOWN, credit(50, 30, 20, 100).drop("Social"), None)
    assert np.isnan(errors.days)
    assert errors.channels == pytest.approx((0.125 + 0.075 + 0.2) / 3)


def test_the_best_model_stands_first() -> None:
    judged = {
        "last_touch": errors_of(KNOWN, credit(30, 50, 20, 25), None),
        "shapley": errors_of(KNOWN, credit(50, 30, 20, 100), pd.Series([80.0, 20.0])),
    }
    table = truth_errors.world_table([judged], 3).splitlines()
    assert (
        table[0] == "| model | channel share | day share | baseline share | swapped, of 3 pairs |"
    )
    assert table[2] == "| shapley | 0.0000 | 0.0000 | +0.0000 | 0 |"
    assert table[3] == "| last touch | 0.1333 |  | -0.3000 | 1 |"


def test_several_seeds_have_a_mean_and_their_worst() -> None:
    seeds = [{"shapley": Errors(0.01, 0.02, -0.03, 1)}, {"shapley": Errors(0.03, 0.04, 0.01, 0)}]
    row = truth_errors.world_table(seeds, 3).splitlines()[2]
    assert row == "| shapley | 0.0200 | 0.0300 | -0.0100 | 0.5 | 0.0300 | -0.0300 |"


def test_means_over_worlds_weigh_each_world_alike_and_take_the_size_of_baselines() -> None:
    nothing = np.nan
    worlds = {
        "one": [{"a": Errors(0.01, nothing, -0.03, 1), "b": Errors(0.05, nothing, 0.0, 0)}] * 3,
        "other": [{"a": Errors(0.03, nothing, 0.01, 0)}],
    }
    table = truth_errors.means_table(worlds).splitlines()
    assert table[0] == "| model | channel share | baseline share | one | other |"
    assert table[2] == "| a | 0.0200 | 0.0200 | 0.0100 | 0.0300 |"
    assert table[3] == "| b |  |  | 0.0500 |  |"


def test_parameters_of_one_world_are_for_that_world_alone() -> None:
    of_season = {"world": "season", "window": 5, "conversion_row_is_touch": False}
    overrides = ["seed=3", "season:days_at_risk=returning", "rare:days_at_risk=all"]
    assert truth._settings(of_season, overrides) == {
        "lookback_window_days": "5",
        "conversion_row_is_touch": "false",
        "seed": "3",
        "days_at_risk": "returning",
    }


def test_credit_is_compared_with_that_of_the_credited_period(tmp_path: Path) -> None:
    info = tmp_path / "shapley_run_info.csv"
    info.write_text("section,name,value\nspan,first_day,1970-01-03\n")
    assert truth._first_credited(tmp_path, default=2) == 2
    info.write_text("section,name,value\nspan,first_credited_day,1970-01-05\n")
    assert truth._first_credited(tmp_path, default=2) == 4


def test_the_held_out_loss_is_that_of_the_used_model(tmp_path: Path) -> None:
    facts = {
        ("model", "network"): "pairs",
        ("holdout", "pairs_log_loss"): 0.25,
        ("holdout", "base_rate_log_loss"): 0.5,
        ("comparison", "pairs_minus_lstm"): 0.0,
        ("comparison", "pairs_minus_lstm_error"): 0.0,
        ("comparison", "pairs_minus_base_rate"): -0.25,
        ("comparison", "pairs_minus_base_rate_error"): 0.1,
    }
    lines = [f"{section},{name},{value}" for (section, name), value in facts.items()]
    info = "\n".join(["section,name,value", *lines, ""])
    (tmp_path / "shapley_run_info.csv").write_text(info)
    assert truth._held_out(tmp_path) == (
        "used: pairs; held-out log loss 0.250000: +0.000000 to lstm (+0.0 standard errors), "
        "-0.250000 to base rate (-2.5 standard errors)"
    )


def test_packages_that_are_not_installed_have_a_note(tmp_path: Path) -> None:
    paths = tmp_path / "paths.csv"
    paths.write_text("path,conversions,value,nulls\nEmail > Social,1,2.5,3\n")
    run = subprocess.run(
        [sys.executable, "-c", _WITHOUT_PACKAGES, str(PEERS), str(paths)],
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(run.stdout.splitlines()[-1])
    assert answer["credits"] == {}
    assert answer["notes"][0] == "channelattribution: not installed, left out"
    assert len(answer["notes"]) == 4


_WITHOUT_PACKAGES = """
import importlib.metadata as m, runpy, sys
def version(name):
    raise m.PackageNotFoundError(name)
m.version = version
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_errors_with_and_without_an_experiment_are_told_in_conversions(tmp_path: Path) -> None:
    world = {
        "channel_conversions": {"Email": 50.0, "Search": 30.0, "Social": 20.0},
        "baseline_conversions": 100.0,
    }
    credits = {
        "shapley_without_experiments": credit(40, 60, 20, 80),
        "shapley": credit(40, 33, 20, 107),
    }
    names = ["Email", "Search", "Social", "(baseline)"]
    bounds = {
        "kind": "full",
        "channel": names,
        "lower": [0, 28, 21, 90],
        "upper": [60, 38, 30, 120],
    }
    pd.DataFrame(bounds).to_csv(tmp_path / "shapley_intervals.csv")
    told = truth._with_experiment(world, credits, "Search", tmp_path)
    assert told.splitlines() == [
        "experiment on Search: off by 30.0 of 30.0 conversions without, by 3.0 with it; the truth "
        "is in its interval of 28.0 to 38.0, and 3 of all 4 are in theirs",
        "other channels, in all: off by 10.0 without, by 10.0 with it, the baseline by 20.0 and "
        "7.0",
    ]
