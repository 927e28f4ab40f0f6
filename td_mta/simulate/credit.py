"""The true Shapley credit of conversions whose value function is known, over all coalitions.

The value function is a world's hazard, which makes the conversions, or the one that a perfect
predictor of the world would learn.
"""

from collections.abc import Callable, Iterator
from math import factorial, prod
from typing import NamedTuple

import numpy as np

from td_mta.journeys.touchpoints import Flags, Floats, Ints
from td_mta.simulate.rows import UnfitWorldError

LARGEST_PATTERN = 16  # cells: 2**16 coalitions of each pattern
COALITIONS_AT_ONCE = 1 << 17

# v(S): probability of a conversion (n,) with just the cells (n, window, channels) touched
ValueFunction = Callable[[Flags], Floats]


class TrueCredit(NamedTuple):
    """What conversions owe to cells and to the baseline, in conversions or another amount."""

    cells: Floats  # (window, channels), first the day of the conversion
    baseline: float

    @property
    def total(self) -> float:
        """All that is owed."""
        return self.baseline + float(self.cells.sum())


def credit(
    value_function: ValueFunction, patterns: Flags, amounts: Floats | None = None
) -> TrueCredit:
    """The Shapley credit of conversions that saw the cells `patterns` `(n, window, channels)`.

    Each conversion gives v(∅)/v(N) to the baseline and φ/v(N) to its cells: they sum to n, or to
    the sum of `amounts` `(n,)`, such as the conversions' values. Exact over all coalitions. Raises
    ValueError for a pattern of more than 16 cells.
    """
    shape = patterns.shape[1:]
    distinct, amount = _distinct(patterns.reshape(len(patterns), -1), amounts)
    sizes = distinct.sum(axis=1)
    _check_largest(sizes.max(initial=0))
    cells, baseline = np.zeros(distinct.shape[1]), 0.0
    for size, batch in _batches_of_one_size(sizes):
        _, touched = np.nonzero(distinct[batch])
        players = touched.reshape(len(batch), size)
        values = _coalition_values(value_function, players, shape)  # (batch, 2**size)
        value_empty = values[:, 0]
        value_full = values[:, -1]
        per_value = amount[batch] / value_full  # (batch,)
        phi = values @ _shapley_weights(size)  # (batch, size)
        np.add.at(cells, players, per_value[:, None] * phi)
        baseline += float((per_value * value_empty).sum())
    return TrueCredit(cells.reshape(shape), baseline)


def _check_largest(size: int) -> None:
    if size > LARGEST_PATTERN:
        wanted = f"at most {LARGEST_PATTERN} touched cells in a pattern, got {size}"
        raise UnfitWorldError(f"exact credit needs {wanted}: lower the rates or shorten the window")


def _distinct(patterns: Flags, amounts: Floats | None) -> tuple[Flags, Floats]:
    """The distinct patterns `(m, cells)` and the sum of their amounts (or their number) `(m,)`."""
    packed = np.packbits(patterns, axis=1)
    # one opaque value per row: unique over such values is faster than over rows
    opaque = np.dtype(f"V{packed.shape[1]}")
    as_bytes = np.ascontiguousarray(packed).view(opaque)[:, 0]
    _, first, which = np.unique(as_bytes, return_index=True, return_inverse=True)
    amount = np.bincount(which, amounts, len(first))
    return patterns[first], amount.astype(np.float64)


def _batches_of_one_size(sizes: Ints) -> Iterator[tuple[int, Ints]]:
    """Numbers of patterns with the same number of cells, few enough for their coalitions."""
    for size in np.unique(sizes).tolist():
        same_size = np.flatnonzero(sizes == size)
        coalitions = len(same_size) << size
        batches = -(-coalitions // COALITIONS_AT_ONCE)  # rounded up
        for batch in np.array_split(same_size, batches):
            yield size, batch


def _coalition_values(
    value_function: ValueFunction, players: Ints, shape: tuple[int, ...]
) -> Floats:
    """v of every coalition of the players `(n, size)`: `(n, 2**size)`, ∅ first, N last."""
    n, size = players.shape
    members = _coalitions(size)
    cells = np.zeros((n, len(members), prod(shape)), bool)
    pattern, coalition, _ = np.ogrid[:n, : len(members), :1]
    cells[pattern, coalition, players[:, None, :]] = members
    values = value_function(cells.reshape(-1, *shape))
    return values.reshape(n, -1)


def _shapley_weights(size: int) -> Floats:
    """W `(2**size, size)` with φ = v @ W: the weight of a coalition's value in each player's φ.

    With s = |S| members besides the player, it is s! (size - s - 1)! / size!, positive for the
    coalition with the player and negative for the one without (Shapley 1953).
    """
    members = _coalitions(size)
    others = members.sum(axis=1, keepdims=True) - members  # (2**size, size)
    weights = np.array([_weight(s, size) for s in range(size)])
    sign = np.where(members, 1.0, -1.0)
    return sign * weights[others]


def _weight(s: int, size: int) -> float:
    orders = factorial(s) * factorial(size - s - 1)
    return orders / factorial(size)


def _coalitions(size: int) -> Flags:
    """All subsets `(2**size, size)` of the players, in binary order: ∅ first, N last."""
    number = np.arange(1 << size)[:, None]
    bits = number >> np.arange(size) & 1
    return bits.astype(bool)
