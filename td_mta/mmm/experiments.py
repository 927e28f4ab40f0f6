"""Experiments on channels as data of the model, and how far they and the plain answer differ.

Where demand that nobody records drives spend and sales, the regression is sure and wrong, and an
experiment that is one more row among many changes little. So each tested channel has a discrepancy:
the regression sees its curve and something that the experiment does not see. Three forms of it are
fitted: two additive ones, g (x - mean x) with g of ROI's size, and multiplicative, e^d times the
curve. Demand that lasts drives spend in the periods before and after too, so the best guess of it
from spend needs them; what spend causes comes after it alone. So one additive form has the mean
spend of both neighbours beside x: without it the curve takes the part of demand that last period's
spend tells. The other takes demand to be brief. Intervals pool draws of all, as many of each unless
the data are strongly against it; curves and budgets are those of the first one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from td_mta.mmm import draws
from td_mta.mmm.fit import STARTS, Extra, Fit, fit
from td_mta.mmm.model import Model
from td_mta.mmm.transforms import Floats

STRONG = np.log(20)  # of log evidence (Kass and Raftery 1995, "Bayes factors")
LEAST_SHARE = 0.05  # of the draws, of a form with strong evidence against it

Sampler = Callable[[Fit, np.random.Generator, int], Floats]


class Experiment(NamedTuple):
    """What another spend of a channel on some periods changed, by an experiment.

    `effect` is sales with the higher spend less sales with the lower one, carry-over included.
    """

    channel: int
    first: int  # period
    last: int
    multiplier: float  # of spend: 0 off, 1.5 half more
    effect: float
    error: float  # standard error of `effect`, above 0


class Draws(NamedTuple):
    """Parameters of one model, `(number, size)`."""

    model: Model
    p: Floats


@dataclass(frozen=True)
class Calibrated:
    """The model with experiments in it, beside the one without."""

    plain: Fit
    additive: Fit
    brief: Fit  # the additive one for demand that does not last
    multiplicative: Fit
    conflicts: Floats  # plain model less experiment over its standard error, one per experiment

    @property
    def fits(self) -> tuple[Fit, ...]:
        """Those with a discrepancy."""
        return self.additive, self.brief, self.multiplicative

    @property
    def shares(self) -> Floats:
        """Of the draws, by fit: equal, but small where the evidence is strongly against a form."""
        evidence = np.array([one.log_evidence for one in self.fits])
        is_likely = evidence > evidence.max() - STRONG
        rest = LEAST_SHARE * (~is_likely).sum()
        return np.where(is_likely, (1 - rest) / is_likely.sum(), LEAST_SHARE)

    def draws(
        self,
        rng: np.random.Generator,
        number: int = draws.LAPLACE,
        sample: Sampler = draws.laplace,
    ) -> list[Draws]:
        """Draws of each fit."""
        ends = np.rint(number * np.cumsum(self.shares)).astype(int)
        sizes = np.diff(ends, prepend=0)
        return [
            Draws(one.model, sample(one, rng, int(size)))
            for one, size in zip(self.fits, sizes, strict=True)
        ]


def calibrate(plain: Fit, tests: Sequence[Experiment], rng: np.random.Generator) -> Calibrated:
    """All discrepant models, each begun where the plain one ended."""
    tested = tuple(sorted({test.channel for test in tests}))
    models = [
        replace(plain.model, additive=tested),
        replace(plain.model, additive=tested, lasting=False),
        replace(plain.model, multiplicative=tested),
    ]
    additive, brief, multiplicative = [
        fit(
            model,
            rng,
            starts=STARTS // 2,
            extra=rows(model, tests),
            first=_first(plain, model),
        )
        for model in models
    ]
    found = conflicts(plain, tests, rng)
    return Calibrated(plain, additive, brief, multiplicative, found)


def _first(plain: Fit, model: Model) -> Floats:
    """The plain model's parameters in the places of another one, whose own are 0."""
    media = plain.model.media_size
    times, columns = len(model.multiplicative), model.columns.shape[1]
    of_columns = plain.model.columns.shape[1]
    parts = (plain.p[:media], np.zeros(times), plain.p[media:], np.zeros(columns - of_columns))
    return np.concatenate(parts)


def rows(model: Model, tests: Sequence[Experiment]) -> Extra:
    """A residual per experiment: (effect of the curve - observed effect) / its error."""

    def residuals(p: Floats) -> tuple[Floats, Floats]:
        values, jacobian = np.empty(len(tests)), np.zeros((len(tests), model.size))
        for number, test in enumerate(tests):
            scale = model.data.sales_scale / test.error
            own = np.arange(test.channel, model.media_size, model.channels)
            value, gradient = _effect(model, p, test)
            values[number] = scale * value - test.effect / test.error
            jacobian[number, own] = scale * gradient
        return values, jacobian

    return residuals


def effect(model: Model, p: Floats, test: Experiment) -> float:
    """What an experiment should have seen by the model."""
    return _effect(model, p, test)[0] * model.data.sales_scale


def _effect(model: Model, p: Floats, test: Experiment) -> tuple[float, Floats]:
    path = model.scaled_spend[:, test.channel]
    changed = path.copy()
    changed[test.first : test.last + 1] *= test.multiplier
    sign = 1.0 if test.multiplier > 1 else -1.0
    value = model.effect(p, test.channel, changed) - model.effect(p, test.channel, path)
    by_p = model.effect_gradient(p, test.channel, changed)
    by_p = by_p - model.effect_gradient(p, test.channel, path)
    return sign * float(value.sum()), sign * by_p.sum(axis=1)


def conflicts(plain: Fit, tests: Sequence[Experiment], rng: np.random.Generator) -> Floats:
    """(log model - log experiment) / its standard error; no logarithms where one is not > 0."""
    samples = draws.laplace(plain, rng, 200)
    result = np.empty(len(tests))
    for number, test in enumerate(tests):
        best = effect(plain.model, plain.p, test)
        of_draws = np.array([effect(plain.model, p, test) for p in samples])
        if best > 0 and test.effect > 0 and (of_draws > 0).all():
            spread = np.hypot(np.log(of_draws).std(), test.error / test.effect)
            result[number] = (np.log(best) - np.log(test.effect)) / spread
        else:
            result[number] = (best - test.effect) / np.hypot(of_draws.std(), test.error)
    return result


def doubt(conflict: float, next_spend: float) -> float:
    """The probability of a conflict and a t value of next spend as large where the model is right.

    Hidden demand moves both, chance moves each by itself: their squares add up to a chi-square of
    two degrees of freedom, whose tail is e^(-x/2).

    >>> round(doubt(1.5, 2.0), 3)  # neither is beyond what chance does, both together are
    0.044
    """
    return float(np.exp(-(conflict**2 + next_spend**2) / 2))


def next_spend(plain: Fit) -> Floats:
    """The t value of each channel's spend of the next period, were it in the model, `(c,)`.

    Spend cannot act before it is spent: a large value tells of demand that drives both, if demand
    lasts for longer than a period. A step of Gauss and Newton's method from the best parameters.
    """
    model, sales = plain.model, plain.model.data.sales / plain.model.data.sales_scale
    jacobian = model.jacobian(plain.p, plain.sigma)
    residuals = -model.residuals(plain.p, plain.sigma, sales, model.prior[0])
    basis, _ = np.linalg.qr(jacobian)
    periods, values = len(sales), []
    for c in range(model.channels):
        later = np.append(model.scaled_spend[1:, c], 0.0)
        known = model.data.known * (np.arange(periods) < periods - 1)
        column = np.zeros(len(residuals))
        mean = later[:-1].mean()
        column[:periods] = known * (later - mean) / plain.sigma
        own = column - basis @ (basis.T @ column)
        size = np.sqrt(own @ own)
        values.append(own @ residuals / size if size > 1e-9 else 0.0)
    return np.array(values)
