"""`python -m benchmarks.truth [--world NAME]... [--peers PYTHON]`: errors of credit, by model.

Every model of ours, and those of other packages where `--peers` names a Python that has them
(`peers.py`), on simulated worlds whose Shapley credit is known. A run has the defaults of
`config/params.yml` but for the window and `conversion_row_is_touch`; `--set` changes others.

Shares of channels and of days are of all channel credit, the baseline's is of all conversions;
errors are mean absolute ones. Only the models that split a conversion over its touches have days.

Expect five to six minutes of one core and 1.2 GiB per world of 150,000 users; with `--peers` more.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from td_mta.baselines.methods import RULES
from td_mta.config import attribution as configuration
from td_mta.dataset.build import models_of
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.settings import TableSettings
from td_mta.journeys.paths import Paths, conversion_paths, null_paths
from td_mta.journeys.runs import positions
from td_mta.journeys.windows import look_back
from td_mta.simulate.output.facts import Facts
from td_mta.warehouse.local import LocalWarehouse

WORLDS = ("independent", "interactions", "harmful", "confounded")
BASELINE = "(baseline)"


class Errors(NamedTuple):
    """How far a model's credit is from the truth."""

    channels: float  # mean absolute error of the shares of channel credit
    days: float  # the same by day before the conversion; NaN of a model without days
    baseline: float  # the baseline's share of all conversions, less the true one
    swapped: int  # pairs of channels in the wrong order


def main() -> None:
    """Print, for each world, a table of all models' errors as Markdown."""
    options = _options()
    for world in options.world or WORLDS:
        with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as temporary:
            folder = options.keep / world if options.keep else Path(temporary)
            _simulate(world, folder, options)
            _judge(folder, options.set, options.peers)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth", description=__doc__)
    parser.add_argument("--world", action="append", help="a name in td_mta/simulate/worlds.py")
    parser.add_argument("--moment", choices=("day_end", "any_time"), help="default: the world's")
    parser.add_argument("--users", type=int, default=150_000)
    parser.add_argument("--seed", type=int, default=18, help="of the world")
    parser.add_argument("--peers", help="a Python that has the other packages")
    parser.add_argument("--keep", type=Path, help="folder to leave the worlds and runs in")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    return parser.parse_args()


def _simulate(world: str, folder: Path, options: argparse.Namespace) -> None:
    arguments = ["--world", world, "--users", str(options.users), "--seed", str(options.seed)]
    arguments += ["--moment", options.moment] if options.moment else []
    _python("td_mta.simulate", "--out", str(folder), "--tables", "touchpoints", *arguments)


def _judge(folder: Path, overrides: list[str], peers: str | None) -> None:
    """Run on the simulated world of the folder and print the errors."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    settings = {
        "lookback_window_days": str(truth["window"]),
        "conversion_row_is_touch": str(truth["conversion_row_is_touch"]).lower(),
        **dict(override.split("=", 1) for override in overrides),
    }
    seconds = _run(folder, settings)
    credits, by_day = _credits(folder / "out"), _credit_by_day(folder, settings)
    notes: list[str] = []
    if peers:
        no_touch = credits["last_touch"][BASELINE]
        peer_credits, notes = _peers(peers, folder / "paths.csv", no_touch)
        credits |= peer_credits
    print(f"\n{truth['world']}, {truth['moment']}: {truth['about']}")
    print(f"{truth['users']:,} users, {truth['conversions']:,} conversions; {seconds:.0f} s a run")
    print("\n".join([_table(truth, credits, by_day), *notes, _held_out(folder / "out")]))
    if truth["predicted"]:
        print(_against_a_perfect_predictor(truth, credits["shapley"], by_day["shapley"]))
    sys.stdout.flush()


def _run(folder: Path, settings: Mapping[str, str]) -> float:
    """Write a run's tables to the folder's `out`; its seconds."""
    arguments = ["--data", str(folder), "--out", str(folder / "out")]
    for key, value in settings.items():
        arguments += ["--set", f"{key}={value}"]
    started = time.monotonic()
    _python("td_mta.main", *arguments)
    return time.monotonic() - started


def _credits(out: Path) -> dict[str, pd.Series]:
    """Conversions by channel of each of our models, the baseline among them."""
    models = pd.read_csv(out / "shapley_models.csv")
    return {
        str(model): rows.set_index("channel")["conversions"]
        for model, rows in models.groupby("model", sort=False)
    }


def _credit_by_day(folder: Path, settings: Mapping[str, str]) -> dict[str, pd.Series]:
    """Conversions by day of the models that split them over touches; writes `paths.csv`."""
    config = configuration.from_params(settings, "benchmark", out=folder / "out")
    days, parts = config.lookback_window_days, []
    by_day = {name: np.zeros(days) for name in RULES}
    with tempfile.TemporaryDirectory() as spill:
        touchpoints = TouchpointTable(
            TableSettings.of(config), LocalWarehouse(folder, folder / "out", now=0), Path(spill)
        )
        rule_settings = models_of(touchpoints.channels, config).settings
        for page in touchpoints.pages("paths"):
            journeys = page.journeys
            paths = conversion_paths(journeys, days)
            windows = look_back(journeys, journeys.conversion_windows, days)
            touches = positions(windows.start, paths.sizes)
            anchor = np.repeat(windows.anchor, paths.sizes)
            days_before = anchor - journeys.touches.day[touches]
            for name, rule in RULES.items():
                by_day[name] += np.bincount(days_before, rule(paths, rule_settings), days)
            parts.append(Paths.join([paths, null_paths(journeys, days)]))
    _write_paths(folder / "paths.csv", Paths.join(parts), touchpoints.channels)
    detail = pd.read_csv(folder / "out" / "shapley_detail.csv")
    shapley = detail.groupby("days_before_conversion")["conversions"].sum()
    return {"shapley": shapley, **{name: pd.Series(sums) for name, sums in by_day.items()}}


def _write_paths(path: Path, paths: Paths, channels: list[str]) -> None:
    """The distinct paths with a touch and their conversions, as `peers.py` reads them."""
    names = np.array(channels, object)[paths.channel]
    rows = pd.DataFrame(
        {
            "path": [" > ".join(touches) for touches in np.split(names, paths.offsets[1:-1])],
            "conversions": paths.conversions,
            "value": paths.value,
            "nulls": paths.nulls,
        }
    )
    rows = rows[rows["path"] != ""].groupby("path", as_index=False).sum()
    rows.to_csv(path, index=False)


def _peers(python: str, paths: Path, no_touch: float) -> tuple[dict[str, pd.Series], list[str]]:
    """Other packages' conversions by channel, and a note on each package.

    They see no conversion without a touch; `no_touch` is how many there are.
    """
    run = subprocess.run(
        [python, Path(__file__).with_name("peers.py"), paths], capture_output=True, text=True
    )
    if run.returncode:
        return {}, [f"peers: {run.stderr.strip().splitlines()[-1]}"]
    answer = json.loads(run.stdout.splitlines()[-1])
    credits = {
        name: pd.Series({**credit, BASELINE: no_touch})
        for name, credit in answer["credits"].items()
    }
    return credits, answer["notes"]


def _table(truth: Facts, credits: Mapping[str, pd.Series], by_day: Mapping[str, pd.Series]) -> str:
    """A row per model as Markdown, the one with the smallest error of channel shares first."""
    errors_by_model = {
        name: _errors(truth, credit, by_day.get(name)) for name, credit in credits.items()
    }
    channels = len(truth["channels"])
    pairs = channels * (channels - 1) // 2
    lines = [
        f"| model | channel share | day share | baseline share | swapped, of {pairs} pairs |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, errors in sorted(errors_by_model.items(), key=lambda item: item[1].channels):
        title = name.replace("_", " ")
        days = "" if np.isnan(errors.days) else f"{errors.days:.4f}"
        lines.append(
            f"| {title} | {errors.channels:.4f} | {days} | {errors.baseline:+.4f} | "
            f"{errors.swapped} |"
        )
    return "\n".join(lines)


def _errors(truth: Facts, credit: pd.Series, days: pd.Series | None) -> Errors:
    true_shares = pd.Series(truth["channel_share"])
    channels = credit.reindex(true_shares.index).fillna(0.0)
    shares = channels / channels.sum()
    return Errors(
        channels=float((shares - true_shares).abs().mean()),
        days=np.nan if days is None else _error_of_days(truth, days),
        baseline=float(credit[BASELINE] / credit.sum() - truth["baseline_share"]),
        swapped=_swapped(true_shares.to_numpy(), shares.to_numpy()),
    )


def _error_of_days(truth: Facts, days: pd.Series) -> float:
    true_days = np.array(truth["conversions_by_day_and_channel"]).sum(axis=1)
    errors = days / days.sum() - true_days / true_days.sum()
    return float(np.abs(errors).mean())


def _swapped(truth: np.ndarray, shares: np.ndarray) -> int:
    """Pairs of channels in the wrong order.

    >>> _swapped(np.array([1, 2, 3]), np.array([1, 3, 2]))
    1
    """
    true_order = np.sign(truth[:, None] - truth)  # (channels, channels)
    order = np.sign(shares[:, None] - shares)
    return int(np.count_nonzero(np.triu(true_order * order < 0)))


def _held_out(out: Path) -> str:
    """Held-out log loss of the model and of the logistic regression, as a sentence."""
    info = pd.read_csv(out / "shapley_run_info.csv").set_index(["section", "name"])["value"]
    lstm = float(info["holdout", "lstm_log_loss"])
    logistic = float(info["holdout", "logistic_log_loss"])
    difference = float(info["comparison", "lstm_minus_logistic"])
    error = float(info["comparison", "lstm_minus_logistic_error"])
    return (
        f"held-out log loss {lstm:.6f}, logistic regression {logistic:.6f}: "
        f"{difference:+.6f}, standard error {error:.6f} ({difference / error:+.1f})"
    )


def _against_a_perfect_predictor(truth: Facts, credit: pd.Series, days: pd.Series) -> str:
    """Errors against the credit that a perfect predictor would find, as a sentence."""
    errors = _errors({**truth, **truth["predicted"]}, credit, days)
    return (
        "compared with a perfect predictor, which like any table does not see the intent: channel "
        f"shares off by {errors.channels:.4f}, day shares by {errors.days:.4f}, the baseline by "
        f"{errors.baseline:+.4f}"
    )


def _python(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


if __name__ == "__main__":
    main()
