"""Adstock and saturation with their derivatives.

Adstock spreads a period's spend over that period and later ones, by weights that sum to 1: spend
held at x becomes x. Saturation is a rising function of it, 0 at 0 and 1 in the limit. Parameters
are free numbers: a logit of a decay, a logarithm of what is positive.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal, Protocol

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter
from scipy.special import expit

Floats = npt.NDArray[np.float64]
AdstockName = Literal["geometric", "delayed"]
SaturationName = Literal["hill", "logistic"]

LONGEST_DELAYED = 13  # periods over which a delayed effect ends
LATEST_PEAK = 6.0  # periods after the spend
TANH_HALF = np.arctanh(0.5)  # where tanh reaches a half


class Adstock(Protocol):
    """Carries spend over to later periods."""

    names: ClassVar[tuple[str, ...]]

    def carried(self, spend: Floats, p: Floats, before: float = 0.0) -> Floats:
        """Spend `(n,)` after carry-over; `before` was spent in every earlier period."""
        ...

    def derivatives(self, spend: Floats, p: Floats, before: float = 0.0) -> Floats:
        """Of `carried` by each parameter, `(len(names), n)`."""
        ...

    def shown(self, p: Floats) -> Floats:
        """The parameters in the units that people read."""
        ...

    def length(self, p: Floats) -> int:
        """Periods after which less than a millionth of an effect is left."""
        ...


class Geometric:
    """What is left of an effect shrinks by the factor `decay` per period.

    >>> Geometric().carried(np.array([8.0, 0, 0]), np.array([0.0]))  # decay 0.5
    array([4., 2., 1.])
    """

    names: ClassVar[tuple[str, ...]] = ("decay",)

    def carried(self, spend: Floats, p: Floats, before: float = 0.0) -> Floats:
        """A_t = (1 - θ) x_t + θ A_{t-1}."""
        theta = expit(p[0])
        return np.asarray(
            lfilter([1 - theta], [1, -theta], spend, zi=[theta * before])[0], np.float64
        )

    def derivatives(self, spend: Floats, p: Floats, before: float = 0.0) -> Floats:
        """dA_t = θ dA_{t-1} + (A_{t-1} - x_t) dθ, and dθ = θ (1 - θ) dp."""
        theta = expit(p[0])
        carried = self.carried(spend, p, before)
        previous = np.concatenate([[before], carried[:-1]])
        by_theta = lfilter([1.0], [1, -theta], previous - spend)
        return np.asarray(theta * (1 - theta) * by_theta, np.float64)[None, :]

    def shown(self, p: Floats) -> Floats:
        """The decay."""
        return expit(p)

    def length(self, p: Floats) -> int:
        """Of the decay's powers."""
        return int(np.ceil(np.log(1e-6) / np.log(min(expit(p[0]), 0.98)))) + 1


class Delayed:
    """The effect peaks `peak` periods after the spend: weights θ^((l - δ)²), l = 0 … 12.

    Jin et al. (2017), "Bayesian methods for media mix modeling with carryover and shape effects".
    """

    names: ClassVar[tuple[str, ...]] = ("decay", "peak")

    def carried(self, spend: Floats, p: Floats, before: float = 0.0) -> Floats:
        """Weights convolved with the spend."""
        return _convolved(self._weights(p)[0], spend, before)

    def derivatives(self, spend: Floats, p: Floats, before: float = 0.0) -> Floats:
        """Of normalised weights w: dw = w (g - Σ w g), g the derivative of log weights."""
        weights, by_p = self._weights(p)
        changes = weights * (by_p - (by_p @ weights)[:, None])
        return np.stack([_convolved(change, spend, before) for change in changes])

    def shown(self, p: Floats) -> Floats:
        """Decay and peak."""
        return np.stack([expit(p[0]), LATEST_PEAK * expit(p[1])])

    def length(self, p: Floats) -> int:
        """All weights."""
        return LONGEST_DELAYED

    @staticmethod
    def _weights(p: Floats) -> tuple[Floats, Floats]:
        theta, delta = expit(p[0]), LATEST_PEAK * expit(p[1])
        distance = np.arange(LONGEST_DELAYED) - delta
        logs = distance**2 * np.log(theta)
        weights = np.exp(logs - logs.max())
        by_theta = distance**2 * (1 - theta)
        by_delta = -2 * distance * np.log(theta) * delta * (1 - delta / LATEST_PEAK)
        return weights / weights.sum(), np.stack([by_theta, by_delta])


class Saturation(Protocol):
    """A curve of carried spend that levels off; spend is in units of a channel's usual spend."""

    names: ClassVar[tuple[str, ...]]

    def value(self, carried: Floats, p: Floats) -> Floats:
        """The curve at `carried`, any shape."""
        ...

    def slope(self, carried: Floats, p: Floats) -> Floats:
        """Its derivative by `carried`."""
        ...

    def derivatives(self, carried: Floats, p: Floats) -> Floats:
        """Its derivative by each parameter, `(len(names), *carried.shape)`."""
        ...

    def shown(self, p: Floats) -> Floats:
        """The parameters in the units that people read."""
        ...


class Hill:
    """A^a / (k^a + A^a): half at k, S-shaped where the slope a is above 1.

    >>> Hill().value(np.array([0.0, 2.0, 1e9]), np.log([2.0, 2.0]))
    array([0. , 0.5, 1. ])
    """

    names: ClassVar[tuple[str, ...]] = ("slope", "half_at")

    def value(self, carried: Floats, p: Floats) -> Floats:
        """A logistic function of log A."""
        return self._parts(carried, p)[0]

    def slope(self, carried: Floats, p: Floats) -> Floats:
        """a h (1 - h) / A; at 0 it is given as 0."""
        value, _, positive = self._parts(carried, p)
        return np.asarray(
            np.exp(p[0]) * value * (1 - value) / np.where(positive, carried, 1.0), np.float64
        )

    def derivatives(self, carried: Floats, p: Floats) -> Floats:
        """By log a and log k."""
        value, distance, _ = self._parts(carried, p)
        steep = np.exp(p[0]) * value * (1 - value)
        return np.stack([steep * distance, -steep])

    def shown(self, p: Floats) -> Floats:
        """a and k."""
        return np.exp(p)

    @staticmethod
    def _parts(carried: Floats, p: Floats) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
        positive = carried > 0
        distance = np.where(positive, np.log(np.where(positive, carried, 1.0)) - p[1], 0.0)
        value = np.where(positive, expit(np.exp(p[0]) * distance), 0.0)
        return value, distance, positive


class Logistic:
    """(1 - e^(-λA)) / (1 + e^(-λA)): concave, half at k = 2 atanh(½) / λ.

    >>> Logistic().value(np.array([0.0, 3.0]), np.log([3.0]))
    array([0. , 0.5])
    """

    names: ClassVar[tuple[str, ...]] = ("half_at",)

    def value(self, carried: Floats, p: Floats) -> Floats:
        """tanh(λ A / 2)."""
        return np.asarray(np.tanh(TANH_HALF * carried / np.exp(p[0])), np.float64)

    def slope(self, carried: Floats, p: Floats) -> Floats:
        """By A."""
        scale = TANH_HALF / np.exp(p[0])
        return np.asarray(scale * (1 - np.tanh(scale * carried) ** 2), np.float64)

    def derivatives(self, carried: Floats, p: Floats) -> Floats:
        """By log k."""
        return -(carried * self.slope(carried, p))[None]

    def shown(self, p: Floats) -> Floats:
        """k."""
        return np.exp(p)


ADSTOCKS: Mapping[AdstockName, Adstock] = {"geometric": Geometric(), "delayed": Delayed()}
SATURATIONS: Mapping[SaturationName, Saturation] = {"hill": Hill(), "logistic": Logistic()}


def _convolved(weights: Floats, spend: Floats, before: float) -> Floats:
    history = np.full(len(weights) - 1, before)
    return np.convolve(np.concatenate([history, spend]), weights, mode="valid")
