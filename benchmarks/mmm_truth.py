"""`python -m benchmarks.mmm_truth [--what PART]... [--sets N]`: media mix against known truth.

Parts: `recovery` (errors and coverage of the shop, beside a fit of all curves by L-BFGS-B from one
start on raw units, which is given the true base and season), `broken` (the same of worlds that the
model does not know), `experiments` (hidden demand, with a test of the driven channel), `budget`
(sales lost by the chosen split), `privacy` (the shop's sales with the noise of a private release,
by epsilon) and `size` (time and memory of larger tables).

Errors are of root mean square in percent of the truth, coverage is that of 90 % intervals; columns
are in the channels' order. Expect two seconds of one core per data set, six with experiments.
"""

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from td_mta.mmm import draws, effects, experiments
from td_mta.mmm.checks.known_truth import data_of, sales_lost
from td_mta.mmm.checks.known_truth import errors as errors_of
from td_mta.mmm.controls import season_names, seasons, trend
from td_mta.mmm.effects import Answers
from td_mta.mmm.experiments import Experiment
from td_mta.mmm.fit import Fit, fit
from td_mta.mmm.media import MediaData, media_data
from td_mta.mmm.model import Model
from td_mta.mmm.transforms import Floats
from td_mta.privacy.bounding import bounded_sums
from td_mta.privacy.noise import SeededForTests, add_noise
from td_mta.simulate.media_mix.world import ChannelLaw, MediaWorld
from td_mta.simulate.media_mix.worlds import BASE, MEDIA_WORLDS, SEASON, SHOP

FIRST_SEED = 1000
BUDGET = 33_000.0  # per week
BROKEN = ("logistic", "flighted", "falling", "collinear", "few_weeks", "demand_a", "demand_b")
DRIVEN = {"demand_a": 1, "demand_b": 1, "demand_n": 1, "demand_s": 0, "demand_m": 2}
ERROR = 0.1  # standard error of the log effect of a channel that is switched off
SATURATED = ("demand_s", "demand_m")  # where spend is raised by half instead
ERROR_OF_CHANGE = 0.03  # its standard error, as a share of the effect of switching off
CONFLICT = 1.96
USERS, ORDER = 60_000, 60  # and what each of their orders is worth
MAX_WEEKS, CAP = 4, 500  # of a user: weeks that count, and revenue in each
SIZES = ((3, 104), (20, 156), (50, 300))


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
    options = parser.parse_args()
    for part in options.what or list(PARTS):
        PARTS[part](options.sets)


def recovery(sets: int) -> None:
    """The shop as it is, and another fit of it."""
    worlds = [MEDIA_WORLDS["shop"](FIRST_SEED + seed) for seed in range(sets)]
    _print_judged("shop", [_judged(world) for world in worlds])
    other = [errors_of(_raw_fit(world), world) for world in worlds]
    print(f"  L-BFGS-B on raw units, base and season given: {_rms(other)}", flush=True)


def broken(sets: int) -> None:
    """Worlds with something that the model does not know of."""
    for name in BROKEN:
        seeds = range(FIRST_SEED, FIRST_SEED + sets)
        _print_judged(name, [_judged(MEDIA_WORLDS[name](seed)) for seed in seeds])


def experiments_(sets: int) -> None:
    """A test of the driven channel for all weeks, beside the same without hidden demand."""
    seeds = range(FIRST_SEED, FIRST_SEED + sets)
    for name, channel in {**DRIVEN, "shop": 1}.items():
        multiplier = 1.5 if name in SATURATED else 0.0
        rows = [_calibrated(name, seed, channel, multiplier) for seed in seeds]
        means = np.mean(rows, axis=0)
        print(
            f"{name}, spend times {multiplier:g}: conflict in {means[0]:.2f} of sets, next spend "
            f"in {means[1]:.2f}; tested channel: coverage ROI {means[2]:.2f}, marginal ROI "
            f"{means[3]:.2f}; bias ROI {means[4]:+.1%}, marginal ROI {means[5]:+.1%} (without "
            f"{means[6]:+.1%}, {means[7]:+.1%}); width ROI {means[8]:.2f}, marginal ROI "
            f"{means[9]:.2f}; regret {means[10]:.2%} (without {means[11]:.2%})",
            flush=True,
        )


def budget_(sets: int) -> None:
    """Sales lost by the split of the fitted model."""
    lost = []
    for seed in range(FIRST_SEED, FIRST_SEED + sets):
        world = MEDIA_WORLDS["shop"](seed)
        lost.append(
            sales_lost(fit(Model(data=data_of(world)), np.random.default_rng(seed)), world, BUDGET)
        )
    print(f"budget: {np.mean(lost):.2%} of sales lost on average, at most {np.max(lost):.2%}")


def privacy(sets: int) -> None:
    """Errors and lost sales where weekly sales have noise, by epsilon; simulated, nobody's data."""
    # Here, so that `size` measures the core alone.
    from td_mta.pipelines.media_mix import privacy_utility

    seeds = range(FIRST_SEED, FIRST_SEED + sets)
    for epsilon in privacy_utility.EPSILONS:
        at = privacy_utility.Noise(epsilon, MAX_WEEKS, CAP * 100)
        sets_at = [privacy_utility.fitted_with(at, "shop", seed, BUDGET) for seed in seeds]
        name = f"epsilon {float(epsilon):g}" if epsilon else "without noise"
        lost = np.mean([one.sales_lost for one in sets_at])
        print(f"{name}, {sets} sets: {_rms([one.errors for one in sets_at])}; regret {lost:.2%}")
    errors = []
    for seed in range(FIRST_SEED, FIRST_SEED + sets):
        world = MEDIA_WORLDS["shop"](seed)
        seen = replace(world, sales=_released(world, seed))
        fitted = fit(Model(data=data_of(seen)), np.random.default_rng(seed), starts=2)
        errors.append(errors_of(effects.answers(fitted.model, fitted.p), world))
    print(f"epsilon 1 from orders of {USERS:,} users, {sets} sets: {_rms(errors)}", flush=True)


def _released(world: MediaWorld, seed: int) -> Floats:
    """Weekly revenue as `private-release` makes it of orders that sum to the world's sales."""
    from td_mta.pipelines.media_mix.private_release import CENTS, OF_COUNTS, OF_SUMS

    source, rng, weeks = SeededForTests(seed), np.random.default_rng(seed), len(world.sales)
    orders = np.rint(world.sales / ORDER).astype(int)
    week = np.repeat(np.arange(weeks), orders)
    users = [str(user) for user in rng.integers(0, USERS, len(week))]
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


def size(sets: int) -> None:
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
    print(f"{name}, {len(judged)} sets: {_rms([one.errors for one in judged])}")
    print(f"  bias: {_halves(bias, '+.0%')}")
    print(f"  coverage: {_halves(covered, '.2f')}", flush=True)


def _rms(errors: list[Floats]) -> str:
    return _halves(np.sqrt(np.mean(np.square(errors), axis=0)), ".1%")


def _halves(values: Floats, form: str) -> str:
    half = len(values) // 2
    texts = [" / ".join(format(value, form) for value in part) for part in np.split(values, [half])]
    return f"contribution {texts[0]}, marginal ROI {texts[1]}"


def _calibrated(name: str, seed: int, channel: int, multiplier: float) -> list[float]:
    world = MEDIA_WORLDS[name](seed)
    rng = np.random.default_rng(seed)
    plain = fit(Model(data=data_of(world)), rng, starts=2)
    off = float(world.contribution()[channel])
    if multiplier:
        spend = world.spend.copy()
        spend[:, channel] *= multiplier
        error = ERROR_OF_CHANGE * off
        more = float(world.effects(spend)[:, channel].sum()) - off
        observed = more + error * float(rng.standard_normal())
    else:
        observed = off * float(np.exp(ERROR * rng.standard_normal()))
        error = ERROR * observed
    test = Experiment(channel, 0, len(world.sales) - 1, multiplier, observed, error)
    found = experiments.calibrate(plain, [test], rng)
    pooled = [effects.answers(d.model, d.p) for d in found.draws(rng, 200)]
    best = effects.answers(found.additive.model, found.additive.p)
    before = effects.answers(plain.model, plain.p)
    row = [
        float(abs(found.conflicts[0]) > CONFLICT),
        float(abs(experiments.next_spend(plain)[channel]) > CONFLICT),
    ]
    truths = {"roi": world.roi()[channel], "marginal_roi": world.marginal_roi()[channel]}
    bounds = {
        key: effects.interval(
            getattr(best, key)[channel],
            np.concatenate([getattr(part, key)[:, channel] for part in pooled]),
        )
        for key in truths
    }
    row += [float(effects.covers(bounds[key], truth)) for key, truth in truths.items()]
    row += [float(getattr(best, key)[channel] / truth - 1) for key, truth in truths.items()]
    row += [float(getattr(before, key)[channel] / truth - 1) for key, truth in truths.items()]
    row += [float((bounds[k].upper - bounds[k].lower) / truth) for k, truth in truths.items()]
    lost = [sales_lost(one, world, BUDGET) for one in (found.additive, plain)]
    return [*row, *lost]


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


PARTS: dict[str, Callable[[int], None]] = {
    "recovery": recovery,
    "broken": broken,
    "experiments": experiments_,
    "budget": budget_,
    "privacy": privacy,
    "size": size,
}

if __name__ == "__main__":
    main()
