"""`python -m benchmarks.truth [--world NAME]... [--seeds N] [--peers PYTHON]`: errors of credit.

Every model of ours, and those of other packages where `--peers` names a Python that has them
(`peers.py`), on simulated worlds whose Shapley credit is known: a table of means over the seeds for
each world, at the end one of means over the worlds (`truth_errors.py`). A run has the defaults of
`config/params.yml` but for the window and `conversion_row_is_touch`; `--set KEY=VALUE` changes
others, `--set WORLD:KEY=VALUE` those of one world. `--experiment CHANNEL` gives the run a simulated
experiment on that channel, and prints the errors of its credit with and without it.

Credit is compared with that of the conversions which the run credited: those since the day
`first_credited_day` of its `shapley_run_info`, or all.

Expect five to six minutes of one core and 1.2 GiB per world and seed; with `--peers` more.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.truth_errors import BASELINE, Judged, errors_of, means_table, world_table
from td_mta.baselines.methods import RULES
from td_mta.config import attribution as configuration
from td_mta.dataset.build import models_of
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.settings import TableSettings
from td_mta.journeys.paths import Paths, conversion_paths, null_paths
from td_mta.journeys.runs import positions
from td_mta.journeys.windows import look_back
from td_mta.simulate import WORLDS
from td_mta.simulate.output.facts import Facts, from_date
from td_mta.warehouse.local import LocalWarehouse

NOT_JUDGED = {"demo"}  # small: to try things out
ROUNDING = 1e-12  # of log losses: a network that learned nothing predicts what its linear rung does


def main() -> None:
    """Print a table of all models' errors as Markdown for each world, then one of their means."""
    options = _options()
    seeds = range(options.seed, options.seed + options.seeds)
    worlds = options.world or [name for name in WORLDS if name not in NOT_JUDGED]
    judged = {world: _judge_world(world, seeds, options) for world in worlds}
    print("\nmeans over all worlds, then errors of channel shares by world")
    print(means_table(judged))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth", description=__doc__)
    parser.add_argument("--world", action="append", choices=list(WORLDS), help="default: most")
    parser.add_argument("--moment", choices=("day_end", "any_time"), help="default: the world's")
    parser.add_argument("--users", type=int, default=150_000)
    parser.add_argument("--seed", type=int, default=18, help="of the world, the first one")
    parser.add_argument("--seeds", type=int, default=1, help="how many worlds of each kind")
    parser.add_argument("--peers", help="a Python that has the other packages")
    parser.add_argument("--keep", type=Path, help="folder to leave the worlds and runs in")
    parser.add_argument("--experiment", metavar="CHANNEL", help="simulate one on it, and use it")
    parser.add_argument("--set", action="append", default=[], metavar="[WORLD:]KEY=VALUE")
    return parser.parse_args()


def _judge_world(world: str, seeds: Iterable[int], options: argparse.Namespace) -> list[Judged]:
    """The errors of all models on each seed of a world; prints their means."""
    judged = []
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as temporary:
            folder = options.keep / f"{world}_{seed}" if options.keep else Path(temporary)
            _simulate(world, seed, folder, options)
            truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
            judged.append(_judge(truth, folder, options))
    print(world_table(judged, len(truth["channels"])), flush=True)
    return judged


def _simulate(world: str, seed: int, folder: Path, options: argparse.Namespace) -> None:
    arguments = ["--world", world, "--users", str(options.users), "--seed", str(seed)]
    arguments += ["--moment", options.moment] if options.moment else []
    arguments += ["--experiment", options.experiment] if options.experiment else []
    _python("td_mta.simulate", "--out", str(folder), "--tables", "touchpoints", *arguments)


def _judge(truth: Facts, folder: Path, options: argparse.Namespace) -> Judged:
    """Run on the simulated world of the folder; the errors of all models, after notes on them."""
    settings, out = _settings(truth, options.set), folder / "out"
    if options.experiment:
        settings["experiments_table"] = "experiments"
    seconds = _run(folder, settings)
    print(f"\n{truth['world']}, seed {truth['seed']}, {truth['moment']}: {truth['about']}")
    print(f"{truth['users']:,} users, {truth['conversions']:,} conversions; {seconds:.0f} s a run")
    first_day = _day(truth["first_day"])
    first_credited = _first_credited(out, default=first_day)
    truth = from_date(truth, first_credited - first_day)
    credits, by_day = _credits(out), _credit_by_day(folder, settings, first_credited)
    notes = [_period(truth, credits["shapley"], first_credited - first_day)]
    if options.peers:
        no_touch = credits["last_touch"][BASELINE]
        peer_credits, peer_notes = _peers(options.peers, folder / "paths.csv", no_touch)
        credits |= peer_credits
        notes += peer_notes
    if options.experiment:
        notes.append(_with_experiment(truth, credits, options.experiment, out))
    print("\n".join([*notes, _held_out(out)]))
    if truth["predicted"]:
        print(_against_a_perfect_predictor(truth, credits["shapley"], by_day["shapley"]))
    return {name: errors_of(truth, credit, by_day.get(name)) for name, credit in credits.items()}


def _settings(truth: Facts, overrides: list[str]) -> dict[str, str]:
    """The parameters of a run on a world: what its truth says, and what `--set` changes."""
    settings = {
        "lookback_window_days": str(truth["window"]),
        "conversion_row_is_touch": str(truth["conversion_row_is_touch"]).lower(),
    }
    for override in overrides:
        name, value = override.split("=", 1)
        world, _, key = name.rpartition(":")
        if world in ("", truth["world"]):
            settings[key] = value
    return settings


def _run(folder: Path, settings: Mapping[str, str]) -> float:
    """Write a run's tables to the folder's `out`; its seconds."""
    arguments = ["--data", str(folder), "--out", str(folder / "out")]
    for key, value in settings.items():
        arguments += ["--set", f"{key}={value}"]
    started = time.monotonic()
    _python("td_mta.main", *arguments)
    return time.monotonic() - started


def _day(date: str) -> int:
    """Days since 1970."""
    return int(np.datetime64(date, "D").astype(np.int64))


def _first_credited(out: Path, default: int) -> int:
    """The day since 1970 from which on the run credits conversions, where it tells one."""
    date = _info(out).get(("span", "first_credited_day"))
    return default if date is None else _day(date)


def _period(truth: Facts, credit: pd.Series, first: int) -> str:
    """How many conversions the run credited, and how many of that period the truth has."""
    return (
        f"credited {credit.sum():,.0f} conversions; since day {first + 1} of the record there are "
        f"{truth['conversions']:,}"
    )


def _credits(out: Path) -> dict[str, pd.Series]:
    """Conversions by channel of each of our models, the baseline among them."""
    models = pd.read_csv(out / "shapley_models.csv")
    return {
        str(model): rows.set_index("channel")["conversions"]
        for model, rows in models.groupby("model", sort=False)
    }


def _credit_by_day(folder: Path, settings: Mapping[str, str], first: int) -> dict[str, pd.Series]:
    """Conversions by day before, of the models that split them over touches; writes `paths.csv`.

    Both are of the conversions since the day `first`, in days since 1970.
    """
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
            windows = look_back(journeys, journeys.conversion_windows, days)
            credited = np.flatnonzero(windows.anchor >= first)
            windows = windows.take(credited)
            paths = conversion_paths(journeys, days, first)
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


def _with_experiment(
    truth: Facts, credits: Mapping[str, pd.Series], channel: str, out: Path
) -> str:
    """Errors in conversions with and without the experiment, and whether intervals hold the truth,
    as sentences.
    """
    true = pd.Series({**truth["channel_conversions"], BASELINE: truth["baseline_conversions"]})
    intervals = pd.read_csv(out / "shapley_intervals.csv")
    full = intervals[intervals["kind"] == "full"].set_index("channel")
    errors = {
        name: (credits[name] - true).abs() for name in ("shapley_without_experiments", "shapley")
    }
    before, after = errors.values()
    others = [name for name in truth["channel_conversions"] if name != channel]
    lower, upper = full.loc[channel, ["lower", "upper"]]
    inside = "is in" if lower <= true[channel] <= upper else "is not in"
    held = int(((full["lower"] <= true[full.index]) & (true[full.index] <= full["upper"])).sum())
    return (
        f"experiment on {channel}: off by {before[channel]:,.1f} of {true[channel]:,.1f} "
        f"conversions without, by {after[channel]:,.1f} with it; the truth {inside} its interval "
        f"of {lower:,.1f} to {upper:,.1f}, and {held} of all {len(true)} are in theirs\n"
        f"other channels, in all: off by {before[others].sum():,.1f} without, by "
        f"{after[others].sum():,.1f} with it, the baseline by {before[BASELINE]:,.1f} and "
        f"{after[BASELINE]:,.1f}"
    )


def _held_out(out: Path) -> str:
    """Held-out log loss of the used model, and how it compares with the others', as a sentence."""
    info = _info(out)
    used = info["model", "network"]
    others = [
        name
        for name in info["comparison"].index
        if name.startswith(f"{used}_minus_") and not name.endswith("_error")
    ]
    compared = []
    for name in others:
        difference, error = (float(info["comparison", key]) for key in (name, f"{name}_error"))
        errors = difference / error if error > ROUNDING else 0.0
        other = name.removeprefix(f"{used}_minus_").replace("_", " ")
        compared.append(
            f"{round(difference, 6) + 0.0:+.6f} to {other} ({errors:+.1f} standard errors)"
        )
    loss = float(info["holdout", f"{used}_log_loss"])
    return f"used: {used}; held-out log loss {loss:.6f}: {', '.join(compared)}"


def _info(out: Path) -> pd.Series:
    """The run's facts by section and name."""
    return pd.read_csv(out / "shapley_run_info.csv").set_index(["section", "name"])["value"]


def _against_a_perfect_predictor(truth: Facts, credit: pd.Series, days: pd.Series) -> str:
    """Errors against the credit that a perfect predictor would find, as a sentence."""
    errors = errors_of({**truth, **truth["predicted"]}, credit, days)
    return (
        "compared with a perfect predictor, which like any table does not see the intent: channel "
        f"shares off by {errors.channels:.4f}, day shares by {errors.days:.4f}, the baseline by "
        f"{errors.baseline:+.4f}"
    )


def _python(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


if __name__ == "__main__":
    main()
