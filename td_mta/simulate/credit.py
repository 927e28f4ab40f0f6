"""The Shapley credit of conversions whose worth is known: exact, over every coalition of cells.

`Game` is anything with a worth: the hazard that makes the conversions, or what a perfect predictor
of it would learn.
"""

from math import factorial
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from td_mta.simulate.draws import Floats, Integers

Bools = npt.NDArray[np.bool_]

LARGEST_PATTERN = 16
COALITIONS_AT_ONCE = 1 << 17


class Game(Protocol):
    """Chance of a conversion `(n,)` with the cells `(n, window, channels)`, and only they."""

    def worth(self, cells: Bools) -> Floats: ...


class Credit(NamedTuple):
    """What conversions owe to cells `(window, channels)` and to the baseline, in conversions."""

    cells: Floats
    baseline: float

    @property
    def total(self) -> float:
        """All that is owed."""
        return self.baseline + float(self.cells.sum())


def credit(game: Game, patterns: Bools, amounts: Floats | None = None) -> Credit:
    """The Shapley credit of conversions that saw `patterns` `(n, window, channels)`.

    Each conversion gives v(∅)/v(N) to the baseline and φ/v(N) to its cells: they sum to n, or to
    the sum of `amounts` `(n,)`, as the conversions' values. Exact over all coalitions. Raises
    ValueError for a pattern of more than 16 cells.
    """
    shape = patterns.shape[1:]
    distinct, amount = _distinct(patterns.reshape(len(patterns), -1), amounts)
    sizes = distinct.sum(axis=1)
    if sizes.max(initial=0) > LARGEST_PATTERN:
        wanted = f"at most {LARGEST_PATTERN} touched cells in a pattern, got {sizes.max()}"
        raise ValueError(f"exact credit needs {wanted}: touch less or shorten the window")
    cells, baseline = np.zeros(distinct.shape[1]), 0.0
    for size in np.unique(sizes):
        chosen = np.flatnonzero(sizes == size)
        for block in np.array_split(chosen, -(-(len(chosen) << size) // COALITIONS_AT_ONCE)):
            players = np.nonzero(distinct[block])[1].reshape(len(block), size)
            worth = _worth_of_coalitions(game, players, shape)
            owed = (amount[block] / worth[:, -1])[:, None]
            np.add.at(cells, players, owed * (worth @ _shapley_weights(size)))
            baseline += float((owed[:, 0] * worth[:, 0]).sum())
    return Credit(cells.reshape(shape), baseline)


def _distinct(rows: Bools, amounts: Floats | None) -> tuple[Bools, Floats]:
    """The distinct rows `(m, cells)` and the sum of their amounts `(m,)`."""
    packed = np.packbits(rows, axis=1)
    whole = np.ascontiguousarray(packed).view(f"V{packed.shape[1]}")[:, 0]
    _, first, which = np.unique(whole, return_index=True, return_inverse=True)
    return rows[first], np.bincount(which, amounts, len(first)).astype(np.float64)


def _worth_of_coalitions(game: Game, players: Integers, shape: tuple[int, ...]) -> Floats:
    """v of every coalition of the players `(n, size)`: `(n, 2**size)`, ∅ first, N last."""
    n, size = players.shape
    members = _coalitions(size)
    cells = np.zeros((n, len(members), int(np.prod(shape))), bool)
    pattern, coalition = np.ogrid[:n, : len(members)]
    cells[pattern[..., None], coalition[..., None], players[:, None, :]] = members
    return game.worth(cells.reshape(-1, *shape)).reshape(n, -1)


def _shapley_weights(size: int) -> Floats:
    """W `(2**size, size)` with φ = v @ W: how a coalition's worth enters each player's φ."""
    members = _coalitions(size)
    others = members.sum(axis=1, keepdims=True) - members  # |S| without the player
    share = [factorial(s) * factorial(size - s - 1) / factorial(size) for s in range(size)]
    return np.where(members, 1.0, -1.0) * np.array([*share, 0.0])[others]


def _coalitions(size: int) -> Bools:
    return (np.arange(1 << size)[:, None] >> np.arange(size) & 1).astype(bool)
