"""The Poisson bootstrap of users (Hanley & MacGibbon 2006).

A bootstrap sample of n users counts each about Poisson(1) times; drawing just that needs neither n
nor the other users. `ConverterProfiles` groups users by what their conversions saw: identical users
are a count.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from td_mta.journeys.hashing import mix
from td_mta.journeys.patterns import Keys
from td_mta.journeys.touchpoints import Floats, Ints

COUNTS_AT_ONCE = 1 << 24  # of users of a profile in a sample, held in memory
PROFILE_SALT = np.uint64(0x5851F42D4C957F2D)


class ConverterProfiles(NamedTuple):
    """Groups of converting users whose conversions saw the same units equally often.

    A unit is a pattern in a stratum.
    """

    keys: Keys  # (n,), one a profile
    users: Ints  # (n,): how many users have it
    conversions: sparse.csr_array  # (n, units): a user's conversions by unit
    units: Keys  # (units,): the distinct ones that columns stand for, ascending


def converter_profiles(user: Ints, which: Ints, units: Keys) -> ConverterProfiles:
    """The profiles of `n` conversions: the `user` `(n,)` of each, and `which` `(n,)` of the
    distinct units it saw.
    """
    units, column = np.unique(units, return_inverse=True)
    which = column[which]
    users, user_row = np.unique(user, return_inverse=True)
    # Hashes are added up, as the order of conversions must not matter and two alike not cancel.
    conversion_hash = mix(units[which] ^ PROFILE_SALT)
    user_key = np.zeros(len(users), np.uint64)
    with np.errstate(over="ignore"):
        np.add.at(user_key, user_row, conversion_hash)
    keys, first_user, profile = np.unique(user_key, return_index=True, return_inverse=True)
    # The first user of a profile shows what all of them saw.
    is_shown = first_user[profile[user_row]] == user_row
    shown = np.flatnonzero(is_shown)
    coordinates = profile[user_row[shown]], which[shown]
    shape = len(keys), len(units)
    conversions = sparse.csr_array((np.ones(len(shown)), coordinates), shape=shape)
    profile_users = np.bincount(profile, minlength=len(keys))
    return ConverterProfiles(keys, profile_users, conversions, units)


def counted_profiles(
    users: Ints, profile: Ints, which: Ints, conversions: Ints, units: Keys
) -> ConverterProfiles:
    """The same profiles of counts: `users` `(n,)` have each of them.

    A row `(rows,)` of the others is a `profile`, a unit by its number `which` among `units`,
    and how many `conversions` each user of that profile had of it.
    """
    units, column = np.unique(units, return_inverse=True)
    which = column[which]
    hashes = mix(units[which] ^ PROFILE_SALT) * conversions.astype(np.uint64)
    keys = np.zeros(len(users), np.uint64)
    np.add.at(keys, profile, hashes)
    coordinates, shape = (profile, which), (len(users), len(units))
    by_unit = sparse.csr_array((conversions.astype(np.float64), coordinates), shape=shape)
    order = np.argsort(keys)
    return ConverterProfiles(keys[order], users[order], by_unit[order], units)


def merge(parts: list[ConverterProfiles]) -> ConverterProfiles:
    """The profiles of all parts, each once; its units are those of all parts together."""
    joined = np.concatenate([part.units for part in parts])
    units, column = np.unique(joined, return_inverse=True)
    part_keys = np.concatenate([part.keys for part in parts])
    part_users = np.concatenate([part.users for part in parts])
    keys, first_row, profile = np.unique(part_keys, return_index=True, return_inverse=True)
    users = np.bincount(profile, part_users).astype(np.int64)
    # One key means one row of conversions, so the first part that has it is as good as any.
    conversions = _stacked(parts, column, len(units))[first_row]
    return ConverterProfiles(keys, users, conversions, units)


def _stacked(parts: list[ConverterProfiles], column: Ints, columns: int) -> sparse.csr_array:
    """The rows of all parts; `column` is where each unit of each part now stands."""
    widths = [len(part.units) for part in parts]
    columns_of_parts = np.split(column, np.cumsum(widths)[:-1])
    rows = []
    for part, new_column in zip(parts, columns_of_parts, strict=True):
        old = part.conversions
        moved = old.data, new_column[old.indices], old.indptr
        rows.append(sparse.csr_array(moved, shape=(len(part.keys), columns)))
    return sparse.csr_array(sparse.vstack(rows, format="csr"))


def resampled_credit(
    profiles: ConverterProfiles, credit: Floats, draws: int, rng: np.random.Generator
) -> Floats:
    """Sums of `credit` over the conversions of bootstrap samples of users, shape `(draws, k)`.

    `credit` `(units, k)` is what one conversion of each of `profiles.units` gives.
    The number of users of a profile in a sample is Poisson with the profile's users as mean, the
    sum of their own Poisson(1) weights.
    """
    user_credit = profiles.conversions @ credit  # (profiles, k)
    step = max(1, COUNTS_AT_ONCE // max(1, len(profiles.users)))
    sums = []
    for first in range(0, draws, step):
        shape = min(step, draws - first), len(profiles.users)
        counts = rng.poisson(profiles.users, shape)  # users of every profile in these samples
        sums.append(counts @ user_credit)
    return np.concatenate(sums)


def moments(profiles: ConverterProfiles, credit: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the sums of `resampled_credit`, `(k,)` each."""
    user_credit = profiles.conversions @ credit  # (profiles, k)
    # A Poisson weight has mean 1 and variance 1, and users' weights are independent.
    mean, variance = profiles.users @ user_credit, profiles.users @ user_credit**2
    return mean, np.sqrt(variance)
