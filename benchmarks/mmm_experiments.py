"""Experiments on worlds of known truth: `tested` where hidden demand drives a channel's spend, and
in the same shop without it; `saturated` on a channel that is near its most.

A test lasts for all weeks. It switches the channel off, with a standard error of 10 % (15 % for
`saturated`), or raises its spend by half, with one of 3 % of the effect of switching off.
"""

from typing import NamedTuple

import numpy as np

from benchmarks.mmm_errors import BUDGET
from td_mta.mmm import draws, effects, experiments
from td_mta.mmm.checks.known_truth import data_of, sales_lost
from td_mta.mmm.effects import Answers, Interval
from td_mta.mmm.experiments import Calibrated, Experiment
from td_mta.mmm.fit import Fit, fit
from td_mta.mmm.model import Model
from td_mta.simulate.media_mix.world import MediaWorld
from td_mta.simulate.media_mix.worlds import MEDIA_WORLDS, META, SHOPIFY, TIKTOK

TESTED = {
    **{"demand_a": TIKTOK, "demand_b": TIKTOK, "demand_n": TIKTOK, "demand_s": SHOPIFY},
    **{"demand_m": META, "shop": TIKTOK},
}
RAISED = ("demand_s", "demand_m")  # where spend is raised by half
ERROR, ERROR_OF_RAISE, ERROR_OF_SATURATED = 0.1, 0.03, 0.15
BEYOND, DOUBTFUL = 1.96, 0.05


class Found(NamedTuple):
    """One data set: flags as 0 or 1, ROI then marginal ROI of the tested channel."""

    conflict: float
    next_spend: float
    together: float
    covered: float
    covered_marginal: float
    error: float
    error_marginal: float
    error_before: float
    error_marginal_before: float
    width: float
    width_marginal: float
    lost: float
    lost_before: float


def tested(seeds: range, chosen: list[str] | None) -> None:
    """What a test finds, and what it repairs."""
    for name, channel in TESTED.items():
        if not chosen or name in chosen:
            rows = np.array([_found(name, seed, channel) for seed in seeds])
            mean, size = Found(*rows.mean(axis=0)), Found(*np.sqrt((rows**2).mean(axis=0)))
            print(
                f"{name}, {len(rows)} sets, spend times {_multiplier(name):g}: conflict in "
                f"{mean.conflict:.2f} of sets, next spend in {mean.next_spend:.2f}, both together "
                f"in {mean.together:.2f}\n"
                f"  ROI: coverage {mean.covered:.2f}, width {mean.width:.2f}, bias "
                f"{mean.error:+.1%}, error {size.error:.1%} (without {mean.error_before:+.1%}, "
                f"{size.error_before:.1%})\n"
                f"  marginal ROI: coverage {mean.covered_marginal:.2f}, width "
                f"{mean.width_marginal:.2f}, bias {mean.error_marginal:+.1%}, error "
                f"{size.error_marginal:.1%} (without {mean.error_marginal_before:+.1%}, "
                f"{size.error_marginal_before:.1%})\n"
                f"  split loses {mean.lost:.2%} (without {mean.lost_before:.2%})",
                flush=True,
            )


def saturated(seeds: range, _: list[str] | None) -> None:
    """Contribution of the shop's Meta before and after a test, the truth being 1."""
    rows = []
    for seed in seeds:
        world, rng = MEDIA_WORLDS["shop"](seed), np.random.default_rng(seed)
        plain = fit(Model(data=data_of(world)), rng, starts=2)
        test = switched_off(world, META, ERROR_OF_SATURATED, rng)
        after = _interval(experiments.calibrate(plain, [test], rng), "contribution", META, rng)
        before = effects.interval(
            _of(plain, "contribution", META),
            effects.answers(plain.model, draws.laplace(plain, rng)).contribution[:, META],
        )
        true = float(world.contribution()[META])
        for one in (before, after):
            width = float(one.upper - one.lower) / true
            rows.append(
                [float(one.value) / true - 1, width, float(effects.covers(one, np.asarray(true)))]
            )
    for name, part in (("before", rows[::2]), ("after", rows[1::2])):
        error, width, covered = np.array(part).T
        print(
            f"saturated channel {name} a test of {ERROR_OF_SATURATED:.0%}, {len(part)} sets: error "
            f"of contribution {np.sqrt((error**2).mean()):.1%}, width {width.mean():.2f}, coverage "
            f"{covered.mean():.2f}",
            flush=True,
        )


def switched_off(
    world: MediaWorld, channel: int, error: float, rng: np.random.Generator
) -> Experiment:
    """A test of a channel for all weeks, off by `error` of the logarithm."""
    seen = float(world.contribution()[channel] * np.exp(error * rng.standard_normal()))
    return Experiment(channel, 0, len(world.sales) - 1, 0.0, seen, error * seen)


def raised(
    world: MediaWorld, channel: int, multiplier: float, rng: np.random.Generator
) -> Experiment:
    """The same of more spend, off by a share of what switching off would change."""
    spend = world.spend.copy()
    spend[:, channel] *= multiplier
    off = float(world.contribution()[channel])
    error = ERROR_OF_RAISE * off
    more = float(world.effects(spend)[:, channel].sum()) - off
    seen = more + error * float(rng.standard_normal())
    return Experiment(channel, 0, len(world.sales) - 1, multiplier, seen, error)


def _multiplier(name: str) -> float:
    return 1.5 if name in RAISED else 0.0


def _found(name: str, seed: int, channel: int) -> Found:
    world, rng = MEDIA_WORLDS[name](seed), np.random.default_rng(seed)
    plain = fit(Model(data=data_of(world)), rng, starts=2)
    times = _multiplier(name)
    test = raised(world, channel, times, rng) if times else switched_off(world, channel, ERROR, rng)
    found = experiments.calibrate(plain, [test], rng)
    conflict, later = float(found.conflicts[0]), float(experiments.next_spend(plain)[channel])
    roi, marginal = (_answer(found, name, channel, world, seed) for name in ("roi", "marginal_roi"))
    return Found(
        conflict=float(abs(conflict) > BEYOND),
        next_spend=float(abs(later) > BEYOND),
        together=float(experiments.doubt(conflict, later) < DOUBTFUL),
        covered=roi.covered,
        covered_marginal=marginal.covered,
        error=roi.error,
        error_marginal=marginal.error,
        error_before=roi.error_before,
        error_marginal_before=marginal.error_before,
        width=roi.width,
        width_marginal=marginal.width,
        lost=sales_lost(found.additive, world, BUDGET),
        lost_before=sales_lost(plain, world, BUDGET),
    )


class _Answer(NamedTuple):
    """ROI or marginal ROI, in units of its truth."""

    covered: float
    error: float
    error_before: float
    width: float


def _answer(found: Calibrated, name: str, channel: int, world: MediaWorld, seed: int) -> _Answer:
    truth = float(getattr(world, name)()[channel])
    one = _interval(found, name, channel, np.random.default_rng(seed))
    return _Answer(
        float(effects.covers(one, np.asarray(truth))),
        float(one.value) / truth - 1,
        float(_of(found.plain, name, channel)) / truth - 1,
        float(one.upper - one.lower) / truth,
    )


def _of(fitted: Fit, name: str, channel: int) -> np.ndarray:
    return np.asarray(getattr(effects.answers(fitted.model, fitted.p), name)[channel])


def _interval(found: Calibrated, name: str, channel: int, rng: np.random.Generator) -> Interval:
    pooled: list[Answers] = [effects.answers(d.model, d.p) for d in found.draws(rng)]
    return effects.interval(
        _of(found.additive, name, channel),
        np.concatenate([getattr(part, name)[:, channel] for part in pooled]),
    )
