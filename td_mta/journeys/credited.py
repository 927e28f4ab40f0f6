"""What credit is given for: the conversions of the period by what they saw, pattern and stratum."""

from typing import NamedTuple

import numpy as np

from td_mta.journeys.examples import DayRules, see
from td_mta.journeys.hashing import Hashes, mix
from td_mta.journeys.patterns import Patterns, numbered
from td_mta.journeys.strata import Compact
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.journeys.windows import Journeys


class Credited(NamedTuple):
    """Conversions and their value, by the `u` units of a pattern and a stratum that they saw."""

    patterns: Patterns  # the distinct ones, by ascending key
    pattern: Ints  # which of them, (u,)
    stratum: Ints  # its code, (u,)
    amounts: Floats  # conversions and value, (2, u)
    returning: Floats  # of the conversions, those of users who had converted before, (u,)

    @property
    def keys(self) -> Hashes:
        """A key for every unit, `(u,)`, by which units of several parts are told apart."""
        stratum = mix(self.stratum.astype(np.uint64))
        return mix(self.patterns.keys[self.pattern] ^ stratum)

    @property
    def by_pattern(self) -> Floats:
        """Conversions and value by pattern, `(2, patterns)`."""
        patterns = len(self.patterns.keys)
        sums = [np.bincount(self.pattern, amount, patterns) for amount in self.amounts]
        return np.array(sums, np.float64)


class Credits(NamedTuple):
    """The conversions of some users, and the units that they saw."""

    credited: Credited
    user: Ints  # of every conversion of the period, (n,)
    unit: Ints  # which unit each of them saw, (n,)


def credits_of(journeys: Journeys, rules: DayRules) -> Credits:
    """The conversions of the period; a conversion without a value adds 0 to it."""
    rows = np.flatnonzero(journeys.conversions.day >= rules.period.first_day)
    seen = see(journeys, journeys.conversion_windows.take(rows), rules)
    user = journeys.conversions.user
    has_converted = np.diff(user, prepend=-1) == 0
    amounts = np.stack([np.ones(len(rows)), journeys.values[rows], has_converted[rows]])
    credited, unit = _summed(seen.patterns, seen.which, seen.stratum, amounts)
    return Credits(credited, user[rows], unit)


def merge(parts: list[Credited]) -> Credited:
    """The units of all parts, each once, their amounts added."""
    patterns, which = numbered([part.patterns for part in parts])
    pattern = [of_part[part.pattern] for of_part, part in zip(which, parts, strict=True)]
    credited, _ = _summed(
        patterns,
        np.concatenate(pattern),
        np.concatenate([part.stratum for part in parts]),
        np.concatenate([[*part.amounts, part.returning] for part in parts], axis=1),
    )
    return credited


def _summed(
    patterns: Patterns, pattern: Ints, stratum: Ints, amounts: Floats
) -> tuple[Credited, Ints]:
    """Rows of one pattern and stratum as one, and which of these each row is.

    `amounts` `(3, n)` are conversions, value and returning conversions.
    """
    small = Compact.of(stratum, len(patterns.keys))
    units, which = np.unique(pattern * small.size + small.stratum, return_inverse=True)
    sums = [np.bincount(which, amount, len(units)) for amount in amounts]
    pattern, stratum = np.divmod(units, small.size)
    stratum = small.code(stratum)
    *amounts_of_units, returning = np.array(sums, np.float64)
    return Credited(patterns, pattern, stratum, np.array(amounts_of_units), returning), which
