"""Distinct paths with their counts: equal sequences of channels are one row."""

import numpy as np

from td_mta.dashboard.data.kept import Kept
from td_mta.journeys.paths import Paths
from td_mta.journeys.runs import offsets_of, positions
from td_mta.journeys.touchpoints import Floats, Ints

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
AT_ONCE = 1 << 22  # touches whose hashes are computed at a time


def distinct(paths: Kept) -> Paths:
    """One path for each sequence, the most journeys first; touches have no age.

    Sequences are told apart by 64 bits of a hash: of ten million, two are one by mistake once in
    300,000 tables.
    """
    keys = _hashes(paths)
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    columns = (paths.conversions, paths.value, paths.nulls)
    sums: list[Floats] = [
        np.bincount(which, column, len(first)).astype(np.float64) for column in columns
    ]
    conversions, value, nulls = sums
    order = np.lexsort((first, -conversions, -(conversions + nulls)))
    sizes = paths.sizes[first[order]]
    touches = positions(paths.offsets[first[order]], sizes)
    return Paths(
        channel=paths.channel[touches],  # type: ignore[arg-type]  # two bytes each
        offsets=offsets_of(sizes),
        conversions=conversions[order],
        value=value[order],
        nulls=nulls[order],
        age=np.zeros(0),
    )


def _hashes(paths: Kept) -> Ints:
    """A number for each path, of its channels and their places, `(n,)`."""
    rank = np.arange(len(paths.channel)) - np.repeat(paths.offsets[:-1], paths.sizes)
    mixed = np.empty(len(paths.channel), np.uint64)
    for start in range(0, len(mixed), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        mixed[rows] = _mixed((rank[rows].astype(np.uint64) << np.uint64(16)) + paths.channel[rows])
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed, dtype=np.uint64)])
    return (sums[paths.offsets[1:]] - sums[paths.offsets[:-1]]).view(np.int64)


def _mixed(words: "np.ndarray[tuple[int], np.dtype[np.uint64]]") -> "np.ndarray":
    """SplitMix64's output for each word."""
    z = (words + np.uint64(1)) * MULTIPLIER
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
