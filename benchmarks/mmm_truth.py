"""`python -m benchmarks.mmm_truth [--what PART]... [--sets N]`: media mix against known truth.

Parts: `recovery` (errors and coverage of the shop, beside a fit of all curves by L-BFGS-B from one
start on raw units, which is given the true base and season), `broken` (the same of worlds that the
model does not know), `experiments` (hidden demand, with a test of the driven channel), `saturated`
(a test of a saturated channel), `budget` (sales lost by the chosen split), `privacy` (the shop's
sales with the noise of a private release, by epsilon) and `size` (time and memory of larger
tables).

Errors are of root mean square in percent of the truth, coverage is that of 90 % intervals; columns
are in the channels' order. Expect a second of one core per data set.
"""

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from benchmarks import mmm_experiments
from benchmarks.mmm_errors import BUDGET, halves, rms
from td_mta.mmm import draws, effects
from td_mta.mmm.checks.known_truth import data_of, sales_lost
from td_mta.mmm.checks.known_truth import errors as errors_of
from td_mta.mmm.controls import season_names, seasons, trend
from td_mta.mmm.effects import Answers
from td_mta.mmm.fit import Fit, fit
from td_mta.mmm.media import MediaData, media_data
from td_mta.mmm.model import Model
from td_mta.mmm.transforms import Floats
from td_mta.privacy.bounding import bounded_sums
from td_mta.privacy.noise import SeededForTests, add_noise
from td_mta.simulate.media_mix.world import ChannelLaw, MediaWorld
from td_mta.simulate.media_mix.worlds import BASE, MEDIA_WORLDS, SEASON, SHOP

FIRST_SEED = 1000
BROKEN = ("logistic", "flighted", "falling", "collinear", "few_weeks", "demand_a", "demand_b")
USERS, ORDER = (60_000, 20_000, 5_000), 60  # and what each of their orders is worth
MAX_WEEKS, CAP = 4, 500  # of a user: weeks that count, and revenue in each
SIZES = ((3, 104), (20, 156), (50, 300))


Worlds = list[str] | None


class Judged(NamedTuple):
    """One data set."""

    errors: Floats  # relative, of contributions then of marginal ROIs
    covered: Floats
    fit: Fit


def main() -> None:
    """Print the parts that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mmm_truth", description=__doc__)
    parser.add_argument("--what", action="append", choices=list(PARTS), help="default: all")
    parser.add_argument("--sets", type=int, default=20, help="data sets of each world")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED, help="of the data sets")
    parser.add_argument(
        "--world",
        action="append",
        choices=sorted({*BROKEN, *mmm_experiments.TESTED}),
        help="of the parts broken and experiments; default: all",
    )
    options = parser.parse_args()
    for part in options.what or list(PARTS):
        PARTS[part](range(options.first_seed, options.first_seed + options.sets), options.world)


def recovery(seeds: range, _: Worlds) -> None:
    """The shop as it is, and another fit of it."""
    worlds = [MEDIA_WORLDS["shop"](seed) for seed in seeds]
    _print_judged("shop", [_judged(world) for world in worlds])
    other = [errors_of(_raw_fit(world), world) for world in worlds]
    print(f"  L-BFGS-B on raw units, base and season given: {rms(other)}", flush=True)


def broken(seeds: range, chosen: Worlds) -> None:
    """Worlds with something that the model does not know of."""
    for name in [world for world in BROKEN if not chosen or world in chosen]:
        _print_judged(name, [_judged(MEDIA_WORLDS[name](seed)) for seed in seeds])


def budget_(seeds: range, _: Worlds) -> None:
    """Sales lost by the split of the fitted model."""
    lost = []
    for seed in seeds:
        world = MEDIA_WORLDS["shop"](seed)
        fitted = fit(Model(data=data_of(world)), np.random.default_rng(seed))
        lost.append(sales_lost(fitted, world, BUDGET))
    print(f"budget: {np.mean(lost):.2%} of sales lost on average, at most {np.max(lost):.2%}")


def privacy(seeds: range, _: Worlds) -> None:
    """Errors and lost sales where weekly sales have noise, by epsilon; simulated, nobody's data."""
    # Here, so that `size` measures the core alone.
    from td_mta.pipelines.media_mix import privacy_utility

    for epsilon in privacy_utility.EPSILONS:
        noise = privacy_utility.Noise(epsilon, MAX_WEEKS, CAP * 100)
        found = [privacy_utility.fitted_with(noise, "shop", seed, BUDGET) for seed in seeds]
        name = f"epsilon {float(epsilon):g}" if epsilon else "without noise"
        lost, errors = np.mean([one.sales_lost for one in found]), [one.errors for one in found]
        print(f"{name}, {len(seeds)} sets: {rms(errors)}; regret {lost:.2%}", flush=True)
    for users in USERS:
        errors = []
        for seed in seeds:
            world = MEDIA_WORLDS["shop"](seed)
            seen = replace(world, sales=_released(world, seed, users))
            fitted = fit(Model(data=data_of(seen)), np.random.default_rng(seed), starts=2)
            errors.append(errors_of(effects.answers(fitted.model, fitted.p), world))
        print(
            f"epsilon 1 from orders of {users:,} users, {len(seeds)} sets: {rms(errors)}",
            flush=True,
        )


def _released(world: MediaWorld, seed: int, number: int) -> Floats:
    """Weekly revenue as `private-release` makes it of orders that sum to the world's sales."""
    from td_mta.pipelines.media_mix.private_release import CENTS, OF_COUNTS, OF_SUMS

    source, rng, weeks = SeededForTests(seed), np.random.default_rng(seed), len(world.sales)
    orders = np.rint(world.sales / ORDER).astype(int)
    week = np.repeat(np.arange(weeks), orders)
    users = [str(user) for user in rng.integers(0, number, len(week))]
    cents = np.full(len(week), ORDER * CENTS)
    bounded = bounded_sums(
        users,
        week,
        cents,
        periods=weeks,
        most=MAX_WEEKS,
        cap=CAP * CENTS,
        secret=seed.to_bytes(32, "big"),
    )
    sums = add_noise(bounded.sums.tolist(), MAX_WEEKS * CAP * CENTS, OF_SUMS, source)
    kept = add_noise([bounded.kept], MAX_WEEKS, OF_COUNTS, source)[0]
    pairs = add_noise([bounded.pairs], weeks, OF_COUNTS, source)[0]
    return np.array(sums) / CENTS * (pairs / kept)


def size(_: range, __: Worlds) -> None:
    """Time and memory of a fit and its intervals, for tables of several sizes."""
    for channels, weeks in SIZES:
        data = _random_data(channels, weeks)
        started = time.process_time()
        rng = np.random.default_rng(1)
        fitted = fit(Model(data=data), rng, starts=8 if channels < 10 else 3)
        middle = time.process_time()
        effects.answers(fitted.model, draws.laplace(fitted, rng, 300))
        ended = time.process_time()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{channels} channels, {weeks} weeks: fit {middle - started:.1f} s, intervals "
            f"{ended - middle:.1f} s of one core, {memory:.0f} MB, {fitted.agreeing:.0%} agree",
            flush=True,
        )


def _judged(world: MediaWorld) -> Judged:
    rng = np.random.default_rng(7)
    fitted = fit(Model(data=data_of(world)), rng, starts=4)
    best = effects.answers(fitted.model, fitted.p)
    many = effects.answers(fitted.model, draws.laplace(fitted, rng, 200))
    truth = {"contribution": world.contribution(), "marginal_roi": world.marginal_roi()}
    covered = [
        effects.covers(effects.interval(getattr(best, name), getattr(many, name)), true)
        for name, true in truth.items()
    ]
    return Judged(errors_of(best, world), np.concatenate(covered).astype(float), fitted)


def _print_judged(name: str, judged: list[Judged]) -> None:
    covered = np.mean([one.covered for one in judged], axis=0)
    bias = np.mean([one.errors for one in judged], axis=0)
    print(f"{name}, {len(judged)} sets: {rms([one.errors for one in judged])}")
    print(f"  bias: {halves(bias, '+.0%')}")
    print(f"  coverage: {halves(covered, '.2f')}", flush=True)


def _raw_fit(world: MediaWorld) -> Answers:
    """Least squares over decay, slope, half and height of each curve, and promotions."""
    weeks = np.arange(1, len(world.sales) + 1)
    given = BASE + SEASON * np.sin(2 * np.pi * weeks / 52)
    promoted = world.controls["promotions"]

    def laws(p: Floats) -> list[ChannelLaw]:
        return [ChannelLaw(law.name, *p[4 * c : 4 * c + 4]) for c, law in enumerate(SHOP)]

    def squares(p: Floats) -> float:
        media = sum(law.of_spend(world.spend[:, c]) for c, law in enumerate(laws(p)))
        return float(((world.sales - given - promoted * p[-1] - media) ** 2).sum())

    bounds = [(0, 0.9), (1, 5), (5000, 50_000), (5000, 50_000)] * len(SHOP) + [(0, 20_000)]
    start = [0.3, 2, 15_000, 20_000] * len(SHOP) + [5000]
    found = minimize(squares, start, bounds=bounds, method="L-BFGS-B").x
    fitted = MediaWorld(**{**vars(world), "laws": laws(found)})
    return Answers(fitted.contribution(), fitted.roi(), fitted.marginal_roi())


def _random_data(channels: int, weeks: int) -> MediaData:
    rng = np.random.default_rng(3)
    spend = rng.gamma(2.0, 5000.0, (weeks, channels))
    laws = [
        ChannelLaw(f"channel {c}", rng.uniform(0, 0.7), rng.uniform(1, 3), 10_000, 10_000)
        for c in range(channels)
    ]
    media = sum(law.of_spend(spend[:, c]) for c, law in enumerate(laws))
    sales = 50_000 + media + rng.normal(0, 3000, weeks)
    controls = np.hstack([trend(weeks), seasons(7.0 * np.arange(weeks), 2, 364.0)])
    names = [law.name for law in laws]
    return media_data(sales, spend, names, controls, ["trend", *season_names(2)])


PARTS: dict[str, Callable[[range, Worlds], None]] = {
    "recovery": recovery,
    "broken": broken,
    "experiments": mmm_experiments.tested,
    "saturated": mmm_experiments.saturated,
    "budget": budget_,
    "privacy": privacy,
    "size": size,
}

if __name__ == "__main__":
    main()
