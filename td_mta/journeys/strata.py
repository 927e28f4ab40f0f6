"""Strata: combinations of levels of the controls, learned beside the touches, never credited.

A stratum's code counts the combinations with the last control's level moving fastest.
"""

from typing import NamedTuple

import numpy as np

from td_mta.journeys.touchpoints import Floats, Ints


class Basis(NamedTuple):
    """What a control adds to the design: a row for each of its levels."""

    rows: Floats  # (levels, columns): dummies and the like
    precision: Floats  # (columns,): ridge penalty, the precision of a Gaussian prior with mean 0


class Strata(NamedTuple):
    """The controls; without any, the only code is 0 and the design has no columns."""

    names: tuple[str, ...]
    bases: tuple[Basis, ...]

    def design(self, code: Ints) -> Floats:
        """The bases' rows side by side, `(n, columns)`."""
        levels = np.unravel_index(code, [len(basis.rows) for basis in self.bases] or [1])
        parts = [basis.rows[level] for basis, level in zip(self.bases, levels, strict=False)]
        return np.concatenate([np.zeros((len(code), 0)), *parts], axis=1)

    @property
    def precision(self) -> Floats:
        """Of every column of the design, `(columns,)`."""
        return np.concatenate([np.zeros(0), *(basis.precision for basis in self.bases)])
