"""The benchmark of truth itself: errors by hand, and its notes where a package is missing."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import truth

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
    errors = truth._errors(KNOWN, credit(50, 30, 20, 100), pd.Series([80.0, 20.0]))
    assert errors == pytest.approx((0, 0, 0, 0))


def test_errors_by_hand() -> None:
    errors = truth._errors(KNOWN, credit(30, 50, 20, 25), pd.Series([60.0, 40.0]))
    assert errors == pytest.approx(((0.2 + 0.2 + 0) / 3, 0.2, 0.2 - 0.5, 1))


def test_a_model_without_days_or_one_of_the_channels_is_rated_too() -> None:
    errors = truth._errors(KNOWN, credit(50, 30, 20, 100).drop("Social"), None)
    assert np.isnan(errors.days)
    assert errors.channels == pytest.approx((0.125 + 0.075 + 0.2) / 3)


def test_the_best_model_stands_first() -> None:
    credits = {"last_touch": credit(30, 50, 20, 25), "shapley": credit(50, 30, 20, 100)}
    table = truth._table(KNOWN, credits, {"shapley": pd.Series([80.0, 20.0])}).splitlines()
    assert table[2] == "| shapley | 0.0000 | 0.0000 | +0.0000 | 0 |"
    assert table[3] == "| last touch | 0.1333 |  | -0.3000 | 1 |"


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
