"""`python -m benchmarks.coverage [--datasets N] [--world NAME]...`: do intervals cover the truth?

Each data set is a world of its own (`--world`, `--users`), simulated, run with the defaults of
`config/params.yml` (`--set KEY=VALUE` changes them) and compared with its own true credit, that of
the conversions which the run credited, by channel and for the baseline. The worlds take turns;
their window is cut to 3 days. Printed too: how often the intervals cover the expectation of the
truth, estimated by its mean over data sets.

Expect 15 seconds of one core per data set and 1.1 GiB with the defaults: 25 minutes for 100 of
them. With `--set network=pairs`, which trains no network, a few seconds each.
"""

import argparse
import contextlib
import dataclasses
import logging
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from td_mta.config import attribution as configuration
from td_mta.pipelines import attribution
from td_mta.simulate import WORLDS, World, simulate
from td_mta.simulate.credit import TrueCredit
from td_mta.simulate.output.files import touchpoints
from td_mta.simulate.rows import START
from td_mta.warehouse.local import LocalWarehouse

WINDOW = 3
PLAIN = ("independent", "interactions", "harmful")


def main() -> None:
    """Print a line per data set, then a table by world and channel, and the coverage of all."""
    options = _options()
    logging.disable(logging.WARNING)
    worlds, parts, started = options.world or PLAIN, [], time.monotonic()
    settings = {"interval_level": options.level}
    settings |= dict(pair.split("=", 1) for pair in options.set)
    for seed in range(options.first, options.first + options.datasets):
        world, run_started = worlds[seed % len(worlds)], time.monotonic()
        intervals = _intervals(world, seed, options.users, settings)
        parts.append(intervals)
        covered = intervals.groupby("kind")["covered"].mean()
        print(
            f"{seed} {world}: full {covered['full']:.2f}, sampling {covered['sampling']:.2f}; "
            f"{time.monotonic() - run_started:.0f} s",
            flush=True,
        )
    _report(pd.concat(parts), options.level)
    print(f"{options.datasets} data sets, {time.monotonic() - started:.0f} s")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--datasets", type=int, default=100)
    parser.add_argument("--first", type=int, default=1, help="seed of the first data set")
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--level", type=float, default=0.9)
    parser.add_argument("--world", action="append", choices=list(WORLDS), help=f"default: {PLAIN}")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    return parser.parse_args()


def _intervals(world: str, seed: int, users: int, settings: dict[str, object]) -> pd.DataFrame:
    """The intervals of one data set, a row per kind and channel, with the truth of each."""
    plan = WORLDS[world]
    hazard = dataclasses.replace(plan.hazard, window=min(WINDOW, plan.hazard.window))
    simulated = simulate(dataclasses.replace(plan, users=users, hazard=hazard), seed=seed)
    params = {
        "conversion_row_is_touch": False,
        "lookback_window_days": hazard.window,
        "seed": seed,
    }
    intervals, first_credited = _run(simulated, params | settings)
    intervals["truth"] = intervals["channel"].map(true_credit(simulated, first_credited))
    intervals["covered"] = intervals["truth"].between(intervals["lower"], intervals["upper"])
    return intervals.assign(world=world, dataset=seed)


def _run(world: World, params: dict[str, object]) -> tuple[pd.DataFrame, np.datetime64]:
    """The table of intervals of a run on the world's touchpoints; the first day that it credits."""
    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as folder:
        data = Path(folder)
        table = touchpoints(world.rows, world.plan.channels)
        pq.write_table(table, data / "mta_user_rnd.parquet")
        config = configuration.from_params(params, "coverage", out=data / "out")
        with contextlib.redirect_stdout(None):
            attribution.run(config, LocalWarehouse(data, data / "out", now=0), None)
        info = pd.read_csv(data / "out" / "shapley_run_info.csv").set_index(["section", "name"])
        first_credited = np.datetime64(info.loc[("span", "first_credited_day"), "value"], "D")
        return pd.read_csv(data / "out" / "shapley_intervals.csv"), first_credited


def true_credit(world: World, first_credited: np.datetime64) -> dict[str, float]:
    """Conversions by channel, and of the baseline, since the first credited day."""
    first = int((first_credited - np.datetime64(START, "s").astype("datetime64[D]")).astype(int))
    credit = TrueCredit.sum(world.truth.by_date[first:])
    by_channel = dict(zip(world.plan.channels, credit.cells.sum(axis=0).tolist(), strict=True))
    return by_channel | {"(baseline)": credit.baseline}


def _report(intervals: pd.DataFrame, level: float) -> None:
    by = ["world", "channel"]
    intervals["error"] = intervals["conversions"] - intervals["truth"]
    intervals["half"] = (intervals["upper"] - intervals["lower"]) / 2
    mean_truth = intervals.groupby(by)["truth"].transform("mean")
    intervals["expected"] = mean_truth.between(intervals["lower"], intervals["upper"])
    full, sampling = (intervals[intervals["kind"] == kind] for kind in ("full", "sampling"))
    full_by, sampling_by = full.groupby(by), sampling.groupby(by)
    rows = pd.DataFrame(
        {
            "truth": full_by["truth"].mean(),
            "error": full_by["error"].apply(lambda error: np.sqrt((error**2).mean())),
            "bias": full_by["error"].mean(),
            "full": full_by["covered"].mean(),
            "half": full_by["half"].mean(),
            "sampling": sampling_by["covered"].mean(),
            "half ": sampling_by["half"].mean(),
        }
    )
    print(rows.round(2).to_string())
    for kind, of_kind in (("full", full), ("sampling", sampling)):
        _report_coverage(f"{kind} intervals of {level:.0%}", of_kind)


def _report_coverage(intervals_name: str, intervals: pd.DataFrame) -> None:
    estimands = {"covered": "the truth", "expected": "its expectation over data sets"}
    for column, estimand in estimands.items():
        # intervals of one data set are not independent of each other, data sets are
        coverage = intervals.groupby("dataset")[column].mean()
        error = coverage.std() / np.sqrt(len(coverage))
        print(
            f"{intervals_name} cover {estimand} in {coverage.mean():.1%} of cases, "
            f"standard error {error:.1%}"
        )


if __name__ == "__main__":
    main()
