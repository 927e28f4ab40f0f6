"""Strata of user-days: combinations of levels of the controls, as one number each.

A control is learned and never credited. Its levels enter the model through a basis, a row of
numbers for every level.
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from td_mta.journeys.touchpoints import Floats, Ints


def doublings(first: int, steps: Literal[2, 4], count: int) -> Ints:
    """The least whole numbers at or above `first` times 2^(k / steps), k from 1 on, `(count,)`.

    Found without a logarithm, so that SQL's thresholds are the same to the last bit.

    >>> doublings(40, 2, 4).tolist()
    [57, 80, 114, 160]
    """
    thresholds = []
    for k in range(1, count + 1):
        below = math.isqrt(first**steps * 2**k - 1)  # square root of the number before the power
        thresholds.append((below if steps == 2 else math.isqrt(below)) + 1)
    return np.array(thresholds, np.int64)


def reached(thresholds: Ints | Floats, number: Ints | Floats) -> Ints:
    """How many of the ascending thresholds each number reaches, `(n,)`."""
    return np.searchsorted(thresholds, number, side="right")


class Basis(NamedTuple):
    """What the levels of a control are in the model."""

    rows: Floats  # (levels, columns): dummies and the like
    precision: Floats  # (columns,): ridge penalty, the precision of a Gaussian prior of mean 0


@dataclass(frozen=True)
class Compact:
    """Codes as small numbers, which go back to what they were."""

    codes: Ints | None  # by small number; None where the codes are small themselves
    stratum: Ints  # (n,)
    size: int  # how many there can be

    @classmethod
    def of(cls, code: Ints, others: int) -> "Compact":
        """Of codes `(n,)` that are to be one number together with one of `others`."""
        size = int(code.max(initial=0)) + 1
        if size < np.iinfo(np.int64).max // max(others, 1):
            return cls(None, code, size)
        codes, stratum = np.unique(code, return_inverse=True)
        return cls(codes, stratum, len(codes))

    def code(self, stratum: Ints) -> Ints:
        """The codes of small numbers."""
        return stratum if self.codes is None else self.codes[stratum]


@dataclass(frozen=True)
class Strata:
    """The controls by name; a stratum's code is a number with a digit for each control's level."""

    names: tuple[str, ...] = ()
    bases: tuple[Basis, ...] = ()

    @property
    def count(self) -> int:
        """How many strata there can be; 1 without controls."""
        return int(np.prod([len(basis.rows) for basis in self.bases], dtype=np.int64))

    @property
    def columns(self) -> int:
        """How many columns the design has."""
        return sum(len(basis.precision) for basis in self.bases)

    def columns_of(self, name: str) -> int:
        """How many of them the control of that name has."""
        return len(self.bases[self.names.index(name)].precision)

    @property
    def precision(self) -> Floats:
        """Ridge penalties of the design's columns, `(columns,)`."""
        return np.concatenate([np.empty(0), *(basis.precision for basis in self.bases)])

    def code(self, levels: list[Ints], n: int) -> Ints:
        """Codes of `n` strata, `(n,)`; `levels` has an array `(n,)` for every control.

        >>> two = Basis(np.eye(2), np.ones(2))
        >>> Strata(("a", "b"), (two, two)).code([np.array([1, 0]), np.array([0, 1])], 2).tolist()
        [2, 1]
        """
        code = np.zeros(n, np.int64)
        for basis, level in zip(self.bases, levels, strict=True):
            code = code * len(basis.rows) + level
        return code

    def levels(self, code: Ints) -> list[Ints]:
        """The levels of every control, each `(n,)`, of codes `(n,)`."""
        levels = []
        for basis in reversed(self.bases):
            code, level = np.divmod(code, len(basis.rows))
            levels.append(level)
        return levels[::-1]

    def design(self, code: Ints) -> Floats:
        """The rows of all bases side by side, `(n, columns)`, of codes `(n,)`."""
        rows = [
            basis.rows[level] for basis, level in zip(self.bases, self.levels(code), strict=True)
        ]
        return np.concatenate([np.empty((len(code), 0)), *rows], axis=1)

    def without(self, name: str) -> "Strata":
        """The same codes, whose control of that name has no columns."""
        at = self.names.index(name)
        basis = self.bases[at]
        empty = Basis(np.empty((len(basis.rows), 0)), np.empty(0))
        return Strata(self.names, (*self.bases[:at], empty, *self.bases[at + 1 :]))
