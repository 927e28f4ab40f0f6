"""64-bit hashes, and uniform numbers that are a pure function of them.

Nothing is drawn in turn: a user's numbers depend on that user and a salt alone, so neither pages
nor the order of users matter.
"""

import numpy as np
import numpy.typing as npt

from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.xxhash64 import of_pairs

Hashes = npt.NDArray[np.uint64]

DIGITS = 53  # bits: as many as a float64 holds exactly


def mix(numbers: Hashes) -> Hashes:
    """A well-mixed 64-bit hash of 64-bit numbers, of any shape.

    Source: SplitMix64 (Steele, Lea & Flood 2014).
    """
    with np.errstate(over="ignore"):  # the arithmetic is meant modulo 2**64
        z = numbers + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Hashes = z ^ (z >> np.uint64(31))
    return mixed


def uniform(hashes: Hashes, salt: Hashes) -> Floats:
    """One number in [0, 1) for every pair of a hash and a salt; their shapes broadcast."""
    number: Floats = whole(hashes, salt) / 2.0**DIGITS
    return number


def whole(hashes: Hashes, salt: Hashes) -> Ints:
    """The same as whole numbers below 2^53.

    A hash that Trino has, unlike `mix`: its products that wrap around are errors there.
    """
    lower: Hashes = of_pairs(hashes, salt) & np.uint64(2**DIGITS - 1)
    return lower.astype(np.int64)
