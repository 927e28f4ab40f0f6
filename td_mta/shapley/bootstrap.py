"""The Poisson bootstrap of users (Hanley & MacGibbon 2006): a weight per user and draw.

Weights are a pure function of the user's hash, so pages need not know each other.
`ConverterProfiles` groups users by what their conversions saw: identical users are a count.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.stats import poisson

from td_mta.journeys import patterns
from td_mta.journeys.patterns import Keys, Patterns, mix
from td_mta.journeys.touchpoints import Floats, Ints

DRAWS_AT_ONCE = 1 << 24
_STEPS = poisson.cdf(np.arange(16), 1.0)


def poisson_weights(user_hash: Keys, draws: int, seed: int) -> Ints:
    """Each user's weight in every draw, mean 1, shape `(users, draws)`."""
    salt = mix(np.arange(1, draws + 1, dtype=np.uint64) ^ mix(np.array([seed + 2], np.uint64)))
    number = mix(user_hash[:, None] ^ salt) >> np.uint64(11)
    return np.searchsorted(_STEPS, number.astype(np.float64) / 2.0**53, side="right")


class ConverterProfiles(NamedTuple):
    """Kinds of users who convert: how many `users` `(n,)`, and what a kind's conversions saw.

    `conversions` `(n, patterns)` counts them by pattern of `patterns`; `keys` tell kinds apart.
    """

    keys: Keys
    users: Ints
    conversions: sparse.csr_array
    patterns: Patterns


def converter_profiles(user: Ints, which: Ints, sets: Patterns) -> ConverterProfiles:
    """Of conversions: their user, and which of the distinct `sets` each saw."""
    kind, at = np.unique(user, return_inverse=True)
    with np.errstate(over="ignore"):
        keys = np.zeros(len(kind), np.uint64)
        np.add.at(keys, at, mix(sets.keys[which] ^ np.uint64(0x5851F42D4C957F2D)))
    keys, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    own = np.flatnonzero(first[inverse[at]] == at)
    places = (inverse[at[own]], which[own])
    seen = sparse.csr_array((np.ones(len(own)), places), shape=(len(keys), len(sets.keys)))
    return ConverterProfiles(keys, np.bincount(inverse, minlength=len(keys)), seen, sets)


def merge(parts: list[ConverterProfiles]) -> ConverterProfiles:
    """Those of all pages, each kind once; the patterns become those of all parts together."""
    sets, column = patterns.distinct(patterns.join([part.patterns for part in parts]))
    keys = np.concatenate([part.keys for part in parts])
    keys, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    users = np.bincount(inverse, np.concatenate([part.users for part in parts]))
    rows, columns, counts, row0, column0 = [], [], [], 0, 0
    for part in parts:
        found = part.conversions.tocoo()
        rows.append(found.row + row0)
        columns.append(column[found.col + column0])
        counts.append(found.data)
        row0, column0 = row0 + len(part.keys), column0 + len(part.patterns.keys)
    row, new = np.concatenate(rows), np.full(len(inverse), -1)
    new[first] = np.arange(len(keys))
    kept = new[row] >= 0
    places = (new[row[kept]], np.concatenate(columns)[kept])
    seen = sparse.csr_array(
        (np.concatenate(counts)[kept], places), shape=(len(keys), len(sets.keys))
    )
    return ConverterProfiles(keys, users.astype(np.int64), seen, sets)


def resampled_credit(
    found: ConverterProfiles, credit: Floats, draws: int, rng: np.random.Generator
) -> Floats:
    """Sums of `credit` over the conversions of bootstrap samples of users, shape `(draws, k)`.

    `credit` `(patterns, k)` is what one conversion of each pattern of `found.patterns` gives. How
    many users of a profile a sample has is Poisson with their number as mean.
    """
    of_kind = found.conversions @ credit
    step = max(1, DRAWS_AT_ONCE // max(1, len(found.users)))
    parts = [
        rng.poisson(found.users, (min(step, draws - at), len(found.users))) @ of_kind
        for at in range(0, draws, step)
    ]
    return np.concatenate(parts)
