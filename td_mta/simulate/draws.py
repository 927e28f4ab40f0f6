"""Random numbers that are a function of what they are drawn for: a seed and a row of keys.

`Draws.of(seed).at(user).at(day).at("trial")` names a place; `uniform()` is the number there. A
user's numbers depend neither on who else is simulated nor on what else was drawn, so blocks of any
size, a split over partners and a world without a channel see the same luck (common random numbers).
The mixing is that of SplitMix64 (Steele, Lea and Flood 2014), once for every key.
"""

from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Draws:
    """Places of random numbers, shape as the keys broadcast; at first one place, shape `(1,)`."""

    state: Words

    @staticmethod
    def of(seed: int) -> "Draws":
        """The root: any integer is a seed, negative ones and those past 64 bits too."""
        return Draws(np.zeros(1, np.uint64)).at(seed % (1 << 63))

    def at(self, key: Integers | int | str) -> "Draws":
        """The places below these, one for every key; shapes broadcast. A word is a key too.

        >>> place = Draws.of(18).at(np.arange(3)[:, None]).at(np.arange(4))
        >>> place.state.shape
        (3, 4)
        >>> bool(place.state[2, 1] == Draws.of(18).at(2).at(1).state[0])
        True
        """
        if isinstance(key, str):
            key = crc32(key.encode())
        word = np.atleast_1d(np.asarray(key, np.int64)).view(np.uint64)
        return Draws(_mixed(self.state + (word + np.uint64(1)) * GOLDEN))

    def uniform(self) -> Floats:
        """One number in [0, 1) for every place; another key gives another, independent one."""
        return (self.state >> np.uint64(11)) * 2.0**-53

    def below(self, limit: Integers | int) -> Integers:
        """One integer in `0 .. limit - 1` for every place, each alike."""
        return (self.uniform() * limit).astype(np.int64)


def _mixed(word: Words) -> Words:
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))
