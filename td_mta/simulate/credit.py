"""The true Shapley credit of conversions whose value function is known.

The value function is a world's hazard, which makes the conversions, or the one that a perfect
predictor of the world would learn. `credits` sums over all coalitions; `product_credits` needs no
coalitions where v(S) is a product of the cells' risks.
"""

from collections.abc import Iterator, Sequence
from math import factorial, prod
from typing import NamedTuple, Protocol

import numpy as np

from td_mta.journeys.touchpoints import Flags, Floats, Ints
from td_mta.simulate.hazard import Cells
from td_mta.simulate.rows import UnfitWorldError

LARGEST_PATTERN = 16  # cells: 2**16 coalitions of each pattern
COALITIONS_AT_ONCE = 1 << 17
CONVERSIONS_AT_ONCE = 1 << 12


class ValueFunction(Protocol):
    """v(S): probability of a conversion `(n,)` with just the cells `(n, window, channels)`."""

    def __call__(self, cells: Cells, factor: Floats | float = 1.0, /) -> Floats:
        """`factor` is of the user and the day, the same for all S of a conversion."""


class TrueCredit(NamedTuple):
    """What conversions owe to cells and to the baseline, in conversions or another amount."""

    cells: Floats  # (window, channels), first the day of the conversion
    baseline: float

    @property
    def total(self) -> float:
        """All that is owed."""
        return self.baseline + float(self.cells.sum())

    @staticmethod
    def sum(parts: Sequence["TrueCredit"]) -> "TrueCredit":
        """That of all parts, of which there is one at least."""
        cells = np.sum([part.cells for part in parts], axis=0)
        return TrueCredit(cells, sum(part.baseline for part in parts))


def credit(
    value_function: ValueFunction, patterns: Cells, amounts: Floats | None = None
) -> TrueCredit:
    """The Shapley credit of conversions that saw the cells `patterns` `(n, window, channels)`.

    It sums to n, or to the sum of `amounts` `(n,)`, such as the conversions' values.
    """
    n = len(patterns)
    one_amount = np.ones(n) if amounts is None else amounts
    return credits(value_function, patterns, np.ones(n), one_amount[:, None])[0]


def credits(
    value_function: ValueFunction, patterns: Cells, factors: Floats, amounts: Floats
) -> list[TrueCredit]:
    """The Shapley credit of several amounts `(n, k)` of the same conversions, k results.

    `factors` `(n,)` are held fixed in every v(S). Each conversion gives v(∅)/v(N) to the baseline
    and φ/v(N) to its cells, times its amount: they sum to the amounts. Exact over all coalitions.
    Raises ValueError for a pattern of more than 16 cells.
    """
    shape = patterns.shape[1:]
    first, amount = _distinct(patterns, factors, amounts)
    flat, factor = patterns[first].reshape(len(first), prod(shape)), factors[first]
    sizes = np.count_nonzero(flat, axis=1)
    _check_largest(sizes.max(initial=0))
    cells = np.zeros((amount.shape[1], flat.shape[1]))
    baseline = np.zeros(amount.shape[1])
    for size, batch in _batches_of_one_size(sizes):
        _, touched = np.nonzero(flat[batch])
        players = touched.reshape(len(batch), size)
        values = _coalition_values(value_function, flat[batch], factor[batch], players, shape)
        value_empty, value_full = values[:, 0], values[:, -1]
        shares = np.zeros((len(batch), flat.shape[1]))
        np.put_along_axis(shares, players, values @ _shapley_weights(size), axis=1)
        cells += amount[batch].T @ (shares / value_full[:, None])
        baseline += amount[batch].T @ (value_empty / value_full)
    return _as_credits(cells, baseline, shape)


def product_credits(log_risks: Floats, amounts: Floats) -> list[TrueCredit]:
    """The same where v(S) is v(∅) times the risks of the cells in S, for any number of cells.

    `log_risks` is `(n, window, channels)`, 0 where untouched. With the risks r, a cell's φ/v(∅) is
    ∫ (r_i - 1) Π_j≠i (1 + t (r_j - 1)) dt over [0, 1] (Owen 1972), a polynomial in t that
    Gauss-Legendre quadrature integrates exactly.
    """
    n, *shape = log_risks.shape
    cells, baseline = np.zeros((amounts.shape[1], prod(shape))), np.zeros(amounts.shape[1])
    for start in range(0, n, CONVERSIONS_AT_ONCE):
        batch = slice(start, start + CONVERSIONS_AT_ONCE)
        risks = np.exp(log_risks[batch].reshape(-1, prod(shape)))
        value_full = risks.prod(axis=1)  # of which v(∅) is 1
        cells += amounts[batch].T @ (_product_shapley(risks) / value_full[:, None])
        baseline += amounts[batch].T @ (1 / value_full)
    return _as_credits(cells, baseline, tuple(shape))


def _product_shapley(risks: Floats) -> Floats:
    """φ/v(∅) of the cells `(n, cells)`."""
    largest = int(np.count_nonzero(risks != 1, axis=1).max(initial=0))
    nodes, weights = np.polynomial.legendre.leggauss(largest // 2 + 1)  # on [-1, 1]
    phi = np.zeros_like(risks)
    for t, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        expected = 1 + t * (risks - 1)  # of a cell that is in S with probability t
        phi += weight * expected.prod(axis=1, keepdims=True) / expected
    return phi * (risks - 1)


def _as_credits(cells: Floats, baseline: Floats, shape: tuple[int, ...]) -> list[TrueCredit]:
    return [
        TrueCredit(of_cells.reshape(shape), float(of_baseline))
        for of_cells, of_baseline in zip(cells, baseline, strict=True)
    ]


def _check_largest(size: int) -> None:
    if size > LARGEST_PATTERN:
        wanted = f"at most {LARGEST_PATTERN} touched cells in a pattern, got {size}"
        raise UnfitWorldError(f"exact credit needs {wanted}: lower the rates or shorten the window")


def _distinct(patterns: Cells, factors: Floats, amounts: Floats) -> tuple[Ints, Floats]:
    """Where each distinct pattern and factor comes first `(m,)`, and its amounts `(m, k)`."""
    flat = patterns.reshape(len(patterns), prod(patterns.shape[1:]))
    bits = np.packbits(np.concatenate([flat > 0, flat > 1], axis=1), axis=1)
    of_factor = np.ascontiguousarray(factors, np.float64)[:, None].view(np.uint8)
    packed = np.concatenate([bits, of_factor], axis=1)
    # one opaque value per row: unique over such values is faster than over rows
    opaque = np.dtype(f"V{packed.shape[1]}")
    as_bytes = np.ascontiguousarray(packed).view(opaque)[:, 0]
    _, first, which = np.unique(as_bytes, return_index=True, return_inverse=True)
    columns = [np.bincount(which, column, len(first)) for column in amounts.T]
    return first, np.stack(columns, axis=1)


def _batches_of_one_size(sizes: Ints) -> Iterator[tuple[int, Ints]]:
    """Numbers of patterns with the same number of cells, few enough for their coalitions."""
    for size in np.unique(sizes).tolist():
        same_size = np.flatnonzero(sizes == size)
        coalitions = len(same_size) << size
        batches = -(-coalitions // COALITIONS_AT_ONCE)  # rounded up
        for batch in np.array_split(same_size, batches):
            yield size, batch


def _coalition_values(
    value_function: ValueFunction,
    flat: Cells,
    factor: Floats,
    players: Ints,
    shape: tuple[int, ...],
) -> Floats:
    """v of every coalition of the players `(n, size)`: `(n, 2**size)`, ∅ first, N last.

    A member brings all of its cell, such as two touches: `flat` is `(n, cells)`.
    """
    n, size = players.shape
    members = _coalitions(size)
    cells = np.zeros((n, len(members), prod(shape)), flat.dtype)
    pattern, coalition, _ = np.ogrid[:n, : len(members), :1]
    brought = np.take_along_axis(flat, players, axis=1)  # (n, size)
    cells[pattern, coalition, players[:, None, :]] = members * brought[:, None, :]
    values = value_function(cells.reshape(-1, *shape), np.repeat(factor, len(members)))
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
