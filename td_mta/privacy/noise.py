"""Discrete Laplace noise on integers, exact: whole numbers and fractions, no floating point.

Noise from floating point numbers leaks in its low bits (Mironov 2012). The sampler is that of
Canonne, Kamath and Steinke (2020), "The discrete Gaussian for differential privacy", algorithm 2,
on random integers of the operating system.
"""

import random
import secrets
from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol


class RandomIntegers(Protocol):
    """Where random integers come from."""

    is_private: bool

    def below(self, bound: int) -> int:
        """A uniform integer from 0 to `bound` - 1."""
        ...


class SystemRandom:
    """The operating system's randomness; the only one that protects anybody."""

    is_private = True

    def below(self, bound: int) -> int:
        """From `secrets`."""
        return secrets.randbelow(bound)


class SeededForTests:
    """Repeatable, so that it protects nobody: whoever knows the seed subtracts the noise."""

    is_private = False

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # no noise that protects  # nosec B311

    def below(self, bound: int) -> int:
        """From a seeded generator."""
        return self._random.randrange(bound)


def add_noise(
    values: Sequence[int], l1_bound: int, epsilon: Fraction, source: RandomIntegers
) -> list[int]:
    """Integers with noise: pure `epsilon`-differential privacy of all of them together.

    `l1_bound` is the most that one user changes the sum of their absolute differences by. Results
    may be negative, and are not clipped: that would be a bias.
    """
    if l1_bound < 1 or epsilon <= 0:
        raise ValueError("the bound must be at least 1 and epsilon above 0")
    scale = Fraction(l1_bound) / epsilon
    return [value + discrete_laplace(scale, source) for value in values]


def discrete_laplace(scale: Fraction, source: RandomIntegers) -> int:
    """An integer x with probability proportional to exp(-|x| / scale)."""
    s, t = scale.denominator, scale.numerator
    while True:
        u = source.below(t)
        if not _bernoulli_exp(Fraction(u, t), source):
            continue
        v = 0
        while _bernoulli_exp(Fraction(1), source):
            v += 1
        magnitude = (u + t * v) // s
        is_negative = source.below(2) == 1
        if not (is_negative and magnitude == 0):  # else 0 would count twice
            return -magnitude if is_negative else magnitude


def _bernoulli_exp(x: Fraction, source: RandomIntegers) -> bool:
    """True with probability exp(-x), for x from 0 to 1."""
    k = 1
    while source.below(x.denominator * k) < x.numerator:
        k += 1
    return k % 2 == 1
