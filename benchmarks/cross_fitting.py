"""`python -m benchmarks.cross_fitting [--users N]... [--world NAME]...`: models that saw the user.

Conversions are credited by a model that their users took part in fitting. Here it is also fitted to
all users but a fold, in turn, and credits the fold's conversions; these shares are compared with
those of the one model of all, and both with the truth. Both linear rungs, every control, nobody
held out; the half width is that of the run's own 90 % interval.

Expect 90 seconds of one core and 1.5 GiB with the defaults.
"""

import argparse
import dataclasses
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from benchmarks.coverage import true_credit
from td_mta.config import attribution as configuration
from td_mta.config.attribution import Config
from td_mta.dataset.build import extract, folders_of
from td_mta.dataset.extracted import Extracted
from td_mta.journeys.credited import Credited
from td_mta.journeys.examples import GROUPS, POSITIVE
from td_mta.journeys.touchpoints import Flags, Floats
from td_mta.model import ladder
from td_mta.model.ladder import Fitted
from td_mta.model.settings import TrainingSettings
from td_mta.pipelines import given_table
from td_mta.pipelines.crediting import Crediting, Played
from td_mta.shapley.delta import Units, delta_intervals, gradient
from td_mta.simulate import WORLDS, simulate
from td_mta.simulate.output.files import touchpoints
from td_mta.tables import BASELINE
from td_mta.warehouse.local import LocalWarehouse

WINDOW = 3
FOLDS = 5
PLAIN = ("interactions", "forty_channels")
USERS = (2_000, 10_000, 150_000)


class Row(NamedTuple):
    """Differences of shares of the conversions: those cross-fitted minus those of one model."""

    world: str
    users: int
    seed: int
    rung: str
    conversions: float
    mean_change: float  # of the channels and the baseline, in absolute value
    mean_half_width: float
    ratio: float  # of these two
    largest_ratio: float  # of one share
    baseline_change: float
    one_error: float  # of shares against the truth, mean in absolute value
    crossed_error: float
    one_baseline: float  # its error
    crossed_baseline: float


def main() -> None:
    """Print a row for each world, number of users, seed and rung, then ratios over the seeds."""
    options = _options()
    logging.disable(logging.WARNING)
    rows = []
    for world in options.world or PLAIN:
        for users in options.users or USERS:
            for seed in range(1, options.seeds + 1):
                for row in compared(world, users, seed, options.folds):
                    rows.append(row)
                    print(*row[:4], *(f"{value:.5f}" for value in row[4:]), flush=True)
    table = pd.DataFrame(rows)
    print(table.groupby(["world", "users", "rung"], sort=False).mean().round(5).to_string())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cross_fitting", description=__doc__)
    parser.add_argument("--world", action="append", choices=list(WORLDS), help=f"default: {PLAIN}")
    parser.add_argument("--users", action="append", type=int, help=f"default: {USERS}")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--folds", type=int, default=FOLDS)
    return parser.parse_args()


def compared(world: str, users: int, seed: int, folds: int) -> Iterator[Row]:
    """A row for each linear rung."""
    config, extracted, truth = _extracted(world, users, seed)
    for rung in ("logistic", "pairs"):
        settings = replace(TrainingSettings.of(config), network=rung)
        conversions, one, crossed, half = _shares(extracted, config, settings, folds)
        change = crossed - one
        yield Row(
            world,
            users,
            seed,
            rung,
            conversions,
            float(np.abs(change).mean()),
            float(half.mean()),
            float(np.abs(change).mean() / half.mean()),
            float((np.abs(change) / half).max()),
            float(change[-1]),
            float(np.abs(one - truth).mean()),
            float(np.abs(crossed - truth).mean()),
            float(one[-1] - truth[-1]),
            float(crossed[-1] - truth[-1]),
        )


def _extracted(world: str, users: int, seed: int) -> tuple[Config, Extracted, Floats]:
    """With nobody held out, and the true shares."""
    plan = WORLDS[world]
    hazard = replace(plan.hazard, window=min(WINDOW, plan.hazard.window))
    simulated = simulate(dataclasses.replace(plan, users=users, hazard=hazard), seed=seed)
    params: dict[str, object] = {
        "conversion_row_is_touch": False,
        "lookback_window_days": hazard.window,
        "seed": seed,
    }
    params["validation_fraction"] = 1e-9
    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as folder:
        data = Path(folder)
        table = touchpoints(simulated.rows, simulated.plan.channels)
        pq.write_table(table, data / "mta_user_rnd.parquet")
        config = configuration.from_params(params, "cross_fitting", out=data / "out")
        read = given_table.read(config, LocalWarehouse(data, data / "out", now=0), data)
        extracted = extract(read, config, folders_of(config))
        first = np.datetime64(extracted.period.first_day, "D")
        by_name = true_credit(simulated, first)
        truth = np.array([by_name[name] for name in (*read.channels, BASELINE)])
        return config, extracted, truth / truth.sum()


def _shares(
    extracted: Extracted, config: Config, settings: TrainingSettings, folds: int
) -> tuple[float, Floats, Floats, Floats]:
    """Conversions; shares by one model, by models of other users; half widths of the interval."""
    group = extracted.examples.group
    training = group < GROUPS
    whole = _fit(extracted, training, settings)
    played, crediting = _credit(extracted, whole, training, config)
    crossed = np.zeros_like(_by_channel(played))
    for fold in range(folds):
        own = training & (group % folds == fold)
        fitted = _fit(extracted, training & ~own, settings)
        crossed += _by_channel(_credit(extracted, fitted, own, config)[0])
    half = _half_width(played, whole, crediting, config)
    conversions = float(extracted.credited.amounts[0].sum())
    one, crossed = (
        _with_untouched(credit, conversions) for credit in (_by_channel(played), crossed)
    )
    return conversions, one / conversions, crossed / conversions, half / conversions


def _with_untouched(credit: Floats, conversions: float) -> Floats:
    """Also the conversions that are no example, since no touch came before: the baseline's."""
    return np.append(credit[:-1], conversions - credit[:-1].sum())


def _fit(extracted: Extracted, rows: Flags, settings: TrainingSettings) -> Fitted:
    examples = extracted.examples
    some = examples._replace(
        pattern=examples.pattern[rows],
        stratum=examples.stratum[rows],
        group=examples.group[rows],
        counts=examples.counts[rows],
    )
    return ladder.climb(some, extracted.strata, extracted.schema.grid, settings)


def _credit(
    extracted: Extracted, fitted: Fitted, rows: Flags, config: Config
) -> tuple[Played, Crediting]:
    """Credit of the conversions of some rows of examples."""
    examples = extracted.examples
    converting = np.flatnonzero(rows & (examples.counts[:, POSITIVE] > 0))
    positives = examples.counts[converting, POSITIVE].astype(float)
    amounts = np.stack([positives, 0 * positives])
    pattern, stratum = examples.pattern[converting], examples.stratum[converting]
    crediting = replace(
        Crediting.of(extracted, config, visits=False),
        credited=Credited(examples.patterns, pattern, stratum, amounts, 0 * positives),
    )
    return crediting.credit(fitted.predictor.log_odds, fitted.offsets), crediting


def _by_channel(played: Played) -> Floats:
    """Conversions by channel, the baseline last."""
    return np.append(played.credit.cells[0].sum(axis=0), played.credit.baseline[0])


def _half_width(played: Played, fitted: Fitted, crediting: Crediting, config: Config) -> Floats:
    units, linear = crediting.credited, fitted.linear
    codes, stratum = np.unique(units.stratum, return_inverse=True)
    slopes = gradient(
        played.values,
        crediting.grid,
        Units(played.game, stratum, units.amounts[0], fitted.strata.design(codes)),
        linear.terms.features,
        rng=np.random.default_rng(config.seed),
    )
    full = delta_intervals(
        played.credit, slopes, linear.covariance, crediting.grid, level=config.interval_level
    )
    return (full.channels.upper - full.channels.lower) / 2


if __name__ == "__main__":
    main()
