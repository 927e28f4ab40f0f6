"""`python -m benchmarks.truth [--world NAME]... [--users N] [--peers PYTHON]`: credit beside truth.

Every model of ours, and those of other packages where `--peers` names a Python that has them, on
simulated worlds whose Shapley credit is known. A run has the defaults of `config/params.yml` but
for the window and `conversion_row_is_touch`; `--set` changes others.

Shares of channels and of days are of all channel credit, the baseline's is of all conversions;
errors are mean absolute ones. Only the models that split a conversion over its touches have days.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from td_mta.baselines.methods import RULES
from td_mta.config import attribution as configuration
from td_mta.dataset.build import models_of
from td_mta.ingest.pages import Intake
from td_mta.journeys.paths import Paths, conversion_paths, null_paths
from td_mta.journeys.runs import positions
from td_mta.journeys.windows import look_back
from td_mta.warehouse.local import LocalWarehouse

WORLDS = ("independent", "interactions", "harmful", "confounded")
BASELINE = "(baseline)"
Facts = dict[str, Any]  # JSON


class Errors(NamedTuple):
    """How far a model's credit is from the truth; NaN where the model says nothing of it."""

    channels: float
    days: float
    baseline: float
    swapped: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth", description=__doc__)
    parser.add_argument("--world", action="append", help="a name in td_mta/simulate/worlds.py")
    parser.add_argument("--moment", choices=("day_end", "any_time"), help="default: the world's")
    parser.add_argument("--users", type=int, default=150_000)
    parser.add_argument("--seed", type=int, default=18, help="of the world")
    parser.add_argument("--peers", help="a Python that has the other packages")
    parser.add_argument("--keep", type=Path, help="folder to leave the worlds and runs in")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    chosen = parser.parse_args()
    for world in chosen.world or WORLDS:
        with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as passing:
            folder = chosen.keep / world if chosen.keep else Path(passing)
            options = ["--world", world, "--users", str(chosen.users), "--seed", str(chosen.seed)]
            options += ["--moment", chosen.moment] if chosen.moment else []
            _judge(folder, options, chosen.set, chosen.peers)


def _judge(folder: Path, options: list[str], more: list[str], peers: str | None) -> None:
    _python("td_mta.simulate", "--out", str(folder), "--tables", "touchpoints", *options)
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    settings = {
        "lookback_window_days": str(truth["window"]),
        "conversion_row_is_touch": str(truth["conversion_row_is_touch"]).lower(),
        **dict(each.split("=", 1) for each in more),
    }
    sets = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    started = time.monotonic()
    _python("td_mta.main", "--data", str(folder), "--out", str(folder / "out"), *sets)
    seconds = time.monotonic() - started
    credits, by_day = _credits(folder / "out"), _days(folder, settings)
    told: list[str] = []
    if peers:
        found, told = _peers(peers, folder / "paths.csv", credits["last_touch"][BASELINE])
        credits |= found
    print(f"\n{truth['world']}, {truth['moment']}: {truth['about']}")
    print(f"{truth['users']:,} users, {truth['conversions']:,} conversions; {seconds:.0f} s a run")
    print("\n".join([_table(truth, credits, by_day), *told, _held_out(folder / "out")]))
    if truth["predicted"]:
        _beside_a_perfect_predictor(truth, credits["shapley"], by_day["shapley"])
    sys.stdout.flush()


def _credits(out: Path) -> dict[str, pd.Series]:
    """Conversions by channel of every model of ours, the baseline among them."""
    models = pd.read_csv(out / "shapley_models.csv")
    return {
        str(model): rows.set_index("channel")["conversions"]
        for model, rows in models.groupby("model", sort=False)
    }


def _days(folder: Path, settings: Mapping[str, str]) -> dict[str, pd.Series]:
    """Conversions by day of the models that split them over touches; writes `paths.csv`."""
    config = configuration.from_params(settings, "benchmark", out=folder / "out")
    days, parts = config.lookback_window_days, []
    by_day = {name: np.zeros(days) for name in RULES}
    with tempfile.TemporaryDirectory() as spill:
        intake = Intake(config, LocalWarehouse(folder, folder / "out", now=0), Path(spill))
        of_rules = models_of(intake.channels, config).settings
        for page in intake.pages("paths"):
            journeys = page.journeys
            paths = conversion_paths(journeys, days)
            windows = look_back(journeys, journeys.conversion_windows, days)
            touches = positions(windows.start, paths.sizes)
            ago = np.repeat(windows.anchor, paths.sizes) - journeys.touches.day[touches]
            for name, rule in RULES.items():
                by_day[name] += np.bincount(ago, rule(paths, of_rules), days)
            parts.append(Paths.join([paths, null_paths(journeys, days)]))
    paths = Paths.join(parts)
    names = np.array(intake.channels, object)[paths.channel]
    rows = pd.DataFrame(
        {
            "path": [" > ".join(each) for each in np.split(names, paths.offsets[1:-1])],
            "conversions": paths.conversions,
            "value": paths.value,
            "nulls": paths.nulls,
        }
    )
    rows = rows[rows["path"] != ""].groupby("path", as_index=False).sum()
    rows.to_csv(folder / "paths.csv", index=False)
    detail = pd.read_csv(folder / "out" / "shapley_detail.csv")
    ours = detail.groupby("days_before_conversion")["conversions"].sum()
    return {"shapley": ours, **{name: pd.Series(sums) for name, sums in by_day.items()}}


def _peers(python: str, paths: Path, untouched: float) -> tuple[dict[str, pd.Series], list[str]]:
    """Other packages' conversions by channel, and what is to be said of them."""
    run = subprocess.run(
        [python, Path(__file__).with_name("peers.py"), paths], capture_output=True, text=True
    )
    if run.returncode:
        return {}, [f"peers: {run.stderr.strip().splitlines()[-1]}"]
    answer = json.loads(run.stdout.splitlines()[-1])
    found = {
        name: pd.Series({**credit, BASELINE: untouched})
        for name, credit in answer["credits"].items()
    }
    return found, answer["told"]


def _table(truth: Facts, credits: Mapping[str, pd.Series], by_day: Mapping[str, pd.Series]) -> str:
    """A row a model, the one with the smallest error of channel shares first, as Markdown."""
    found = {name: _errors(truth, credit, by_day.get(name)) for name, credit in credits.items()}
    pairs = len(truth["channels"]) * (len(truth["channels"]) - 1) // 2
    lines = [
        f"| model | channel share | day share | baseline share | swapped, of {pairs} pairs |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, errors in sorted(found.items(), key=lambda item: item[1].channels):
        days = "" if np.isnan(errors.days) else f"{errors.days:.4f}"
        lines.append(
            f"| {name.replace('_', ' ')} | {errors.channels:.4f} | {days} | "
            f"{errors.baseline:+.4f} | {errors.swapped} |"
        )
    return "\n".join(lines)


def _errors(truth: Facts, credit: pd.Series, days: pd.Series | None) -> Errors:
    wanted = pd.Series(truth["channel_share"])
    channels = credit.reindex(wanted.index).fillna(0.0)
    shares = channels / channels.sum()
    by_day = np.array(truth["conversions_by_day_and_channel"]).sum(axis=1)
    off = np.nan if days is None else np.abs(days / days.sum() - by_day / by_day.sum()).mean()
    return Errors(
        channels=float((shares - wanted).abs().mean()),
        days=float(off),
        baseline=float(credit[BASELINE] / credit.sum() - truth["baseline_share"]),
        swapped=_swapped(wanted.to_numpy(), shares.to_numpy()),
    )


def _swapped(wanted: np.ndarray, found: np.ndarray) -> int:
    """Pairs of channels in the wrong order.

    >>> _swapped(np.array([1, 2, 3]), np.array([1, 3, 2]))
    1
    """
    signs = (np.sign(each[:, None] - each) for each in (wanted, found))
    return int(np.count_nonzero(np.triu(np.multiply(*signs) < 0)))


def _held_out(out: Path) -> str:
    info = pd.read_csv(out / "shapley_run_info.csv").set_index(["section", "name"])["value"]
    ours, logistic = (float(info["holdout", f"{name}_log_loss"]) for name in ("lstm", "logistic"))
    more, error = (
        float(info["comparison", f"lstm_minus_logistic{what}"]) for what in ("", "_error")
    )
    return (
        f"held-out log loss {ours:.6f}, logistic regression {logistic:.6f}: "
        f"{more:+.6f}, standard error {error:.6f} ({more / error:+.1f})"
    )


def _beside_a_perfect_predictor(truth: Facts, credit: pd.Series, days: pd.Series) -> None:
    errors = _errors({**truth, **truth["predicted"]}, credit, days)
    print(
        "beside a perfect predictor that sees no intent, as no table does: channel shares off by "
        f"{errors.channels:.4f}, day shares by {errors.days:.4f}, the baseline by "
        f"{errors.baseline:+.4f}"
    )


def _python(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


if __name__ == "__main__":
    main()
