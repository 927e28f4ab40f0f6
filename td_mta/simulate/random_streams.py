"""Random numbers that are a pure function of a seed and of keys: a counter-based generator.

`RandomStreams.of_seed(seed).fold_in(user).fold_in(day).fold_in("trial")` is the stream of one
decision, and `uniform()` its number. A user's numbers depend neither on who else is simulated nor
on what else was drawn. So blocks of any size, a split over partners and a world without a channel
use the same uniform draws (common random numbers).

The mixing function is that of SplitMix64 (Steele, Lea and Flood 2014), applied once per key.
"""

from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from td_mta.journeys.touchpoints import Flags, Floats, Ints

Words = npt.NDArray[np.uint64]

GOLDEN_GAMMA = np.uint64(0x9E3779B97F4A7C15)  # SplitMix64's increment: 2**64 over the golden ratio
SMALLEST_UNIFORM = 2.0**-54  # half a step of `uniform()`, in place of a 0 that has no quantile


@dataclass(frozen=True)
class RandomStreams:
    """Independent random streams, one for each entry of `state`, whose shape is that of the keys.

    The keys are part of a seed's meaning: another word for a purpose gives other data.
    """

    state: Words

    @staticmethod
    def of_seed(seed: int) -> "RandomStreams":
        """The root of a seed, shape `(1,)`; any integer will do, negative or beyond 64 bits."""
        root = RandomStreams(np.zeros(1, np.uint64))
        return root.fold_in(seed % (1 << 63))

    def fold_in(self, key: Ints | int | str) -> "RandomStreams":
        """The streams below these, one for every key; shapes broadcast. A word is a key too.

        >>> streams = RandomStreams.of_seed(18).fold_in(np.arange(3)[:, None]).fold_in(np.arange(4))
        >>> streams.state.shape
        (3, 4)
        >>> one = RandomStreams.of_seed(18).fold_in(2).fold_in(1)
        >>> bool(streams.state[2, 1] == one.state[0])
        True
        """
        if isinstance(key, str):
            key = crc32(key.encode())
        word = np.atleast_1d(np.asarray(key, np.int64)).view(np.uint64)
        # key + 1, since a key of 0 would leave the state as it was
        step = (word + np.uint64(1)) * GOLDEN_GAMMA
        return RandomStreams(_splitmix64(self.state + step))

    def take(self, index: Ints | Flags) -> "RandomStreams":
        """The streams of these numbers along the first axis."""
        return RandomStreams(self.state[index])

    def uniform(self) -> Floats:
        """One number in [0, 1) per stream; always the same one."""
        return (self.state >> np.uint64(11)) * 2.0**-53

    def integers(self, high: Ints | int) -> Ints:
        """One integer of `0 .. high - 1` per stream, each with the same probability."""
        return (self.uniform() * high).astype(np.int64)

    def normal(self) -> Floats:
        """One standard normal number per stream: the quantile of its uniform number."""
        quantiles: Floats = ndtri(np.maximum(self.uniform(), SMALLEST_UNIFORM))
        return quantiles


def _splitmix64(word: Words) -> Words:
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))
