"""`python -m benchmarks.coverage [--datasets N] [--refits K]`: how often intervals hold the truth.

Each data set is a world of its own (`--world`, `--users`), simulated, run and compared with its own
true credit, by channel and for the baseline. The worlds take turns; their window is cut to 3 days
and the model is 16 wide, so that a fit takes seconds. Beside it: how often they hold the mean of
the truth over data sets.
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
from td_mta.simulate import WORLDS, simulate
from td_mta.simulate.output.files import touchpoints
from td_mta.warehouse.local import LocalWarehouse

WINDOW = 3
PLAIN = ("independent", "interactions", "harmful")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--datasets", type=int, default=100)
    parser.add_argument("--first", type=int, default=1, help="seed of the first data set")
    parser.add_argument("--refits", type=int, default=10)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--level", type=float, default=0.9)
    parser.add_argument("--world", action="append", choices=list(WORLDS), help=f"default: {PLAIN}")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    chosen = parser.parse_args()
    logging.disable(logging.WARNING)
    worlds, parts, started = chosen.world or PLAIN, [], time.monotonic()
    settings = {"interval_level": chosen.level, "interval_refits": chosen.refits}
    settings |= dict(pair.split("=", 1) for pair in chosen.set)
    for seed in range(chosen.first, chosen.first + chosen.datasets):
        began = time.monotonic()
        parts.append(_one(worlds[seed % len(worlds)], seed, chosen.users, settings))
        held = parts[-1].groupby("kind")["held"].mean()
        print(
            f"{seed} {worlds[seed % len(worlds)]}: full {held['full']:.2f}, "
            f"sampling {held['sampling']:.2f}; {time.monotonic() - began:.0f} s",
            flush=True,
        )
    _tell(pd.concat(parts), chosen.level, time.monotonic() - started)


def _one(world: str, seed: int, users: int, settings: dict[str, object]) -> pd.DataFrame:
    """The intervals of one data set, a row per kind and channel, beside the truth."""
    plan = WORLDS[world]
    hazard = dataclasses.replace(plan.hazard, window=min(WINDOW, plan.hazard.window))
    made = simulate(dataclasses.replace(plan, users=users, hazard=hazard), seed=seed)
    owed = made.truth.conversions
    truth = dict(zip(plan.channels, owed.cells.sum(axis=0), strict=True))
    truth["(baseline)"] = owed.baseline
    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as folder:
        data = Path(folder)
        pq.write_table(touchpoints(made.rows, plan.channels), data / "mta_user_rnd.parquet")
        params = {
            "conversion_row_is_touch": False,
            "lookback_window_days": hazard.window,
            "model_width": 16,
            "users_per_tfrecord": users,
            "seed": seed,
        }
        config = configuration.from_params(params | settings, "coverage", out=data / "out")
        with contextlib.redirect_stdout(None):
            attribution.run(config, LocalWarehouse(data, data / "out", now=0), None)
        found = pd.read_csv(data / "out" / "shapley_intervals.csv")
    found["truth"] = found["channel"].map(truth)
    found["held"] = found["truth"].between(found["lower"], found["upper"])
    return found.assign(world=world, dataset=seed)


def _tell(found: pd.DataFrame, level: float, seconds: float) -> None:
    by = ["world", "channel"]
    found["error"] = found["conversions"] - found["truth"]
    found["half"] = (found["upper"] - found["lower"]) / 2
    mean = found.groupby(by)["truth"].transform("mean")
    found["expected"] = mean.between(found["lower"], found["upper"])
    full, sampling = (found[found["kind"] == kind] for kind in ("full", "sampling"))
    grouped = full.groupby(by)
    rows = pd.DataFrame(
        {
            "truth": grouped["truth"].mean(),
            "error": grouped["error"].apply(lambda e: np.sqrt((e**2).mean())),
            "bias": grouped["error"].mean(),
            "full": grouped["held"].mean(),
            "half": grouped["half"].mean(),
            "sampling": sampling.groupby(by)["held"].mean(),
            "half ": sampling.groupby(by)["half"].mean(),
        }
    )
    print(rows.round(2).to_string())
    for kind, of_kind in (("full", full), ("sampling", sampling)):
        for estimand in ("held", "expected"):
            each = of_kind.groupby("dataset")[estimand].mean()
            error = each.std() / np.sqrt(len(each))
            name = "the truth" if estimand == "held" else "its expectation over data sets"
            print(
                f"{kind} intervals of {level:.0%} hold {name} in {each.mean():.1%} of cases, "
                f"standard error {error:.1%}"
            )
    print(f"{found['dataset'].nunique()} data sets, {seconds:.0f} s")


if __name__ == "__main__":
    main()
