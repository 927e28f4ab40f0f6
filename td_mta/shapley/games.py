"""Games: a pattern whose cells play, at an offset of the log-odds that nobody is credited for.

v(S) = sigmoid(f(S) + offset), where f are the log-odds of the cells in S and the offset those of
the stratum (calendar day, activity, ...), held fixed. Conversions of one pattern in many strata
share a game where their offsets round to the same one.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from td_mta.journeys.patterns import Cells, Patterns
from td_mta.journeys.runs import offsets_of, owners, positions
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.shapley import LogOdds, blocks

STEPS = 16  # of offsets, in a unit of log-odds


class Games(NamedTuple):
    """`n` distinct games, by pattern and then by offset."""

    patterns: Patterns  # the distinct ones, by ascending key
    pattern: Ints  # (n,): which of the patterns
    offset: Floats  # (n,): log-odds, a multiple of 1 / STEPS

    @property
    def sizes(self) -> Ints:
        """Number of players of every game, `(n,)`."""
        return self.patterns.sizes[self.pattern]

    @property
    def starts(self) -> Ints:
        """Where each game's players begin among those of all, `(n + 1,)`."""
        return offsets_of(self.sizes)

    @property
    def owner(self) -> Ints:
        """The game of each player, `(players,)`."""
        return owners(self.sizes)

    @property
    def entry(self) -> Ints:
        """Where each player stands in `patterns.cells`, `(players,)`."""
        return positions(self.patterns.offsets[self.pattern], self.sizes)

    @property
    def cells(self) -> Cells:
        """The cell of each player, `(players,)`."""
        return self.patterns.cells[self.entry]


class Worth(NamedTuple):
    """v of coalitions; the empty one comes first wherever coalitions are an array's last axis."""

    log_odds: LogOdds
    empty_is_zero: bool  # v(0) = 0: nobody converts without a touch
    lowest: float  # f is at least this, so that no phi / v(N) explodes

    def values(self, f: Floats, offset: Floats) -> Floats:
        """v of the coalitions of `n` games, `(n, ..., coalitions)`; `offset` is `(n,)`."""
        shape = len(offset), *[1] * (f.ndim - 1)
        v: Floats = expit(np.maximum(f, self.lowest) + offset.reshape(shape))
        if self.empty_is_zero:
            v[..., 0] = 0
        return v

    def slopes(self, f: Floats, offset: Floats) -> tuple[Floats, Floats]:
        """The derivatives of `values` in the offset and in f, each of the shape of `f`."""
        v = self.values(f, offset)
        in_offset = v * (1 - v)  # 0 where v(0) = 0
        return in_offset, np.where(f > self.lowest, in_offset, 0.0)

    def empty(self, f: float, offset: Floats) -> Floats:
        """v(0) of `n` games, `(n,)`; `f` is that of the empty set."""
        return self.values(np.full((len(offset), 1), f), offset)[:, 0]

    def full(self, f: Floats, offset: Floats) -> Floats:
        """v(N) of `n` games with players, `(n,)`."""
        v: Floats = expit(np.maximum(f, self.lowest) + offset)
        return v


class PatternBlock(NamedTuple):
    """Some games of one size: several may be of one pattern, which is looked up once."""

    games: Ints  # (rows,)
    patterns: Ints  # (distinct patterns,), ascending
    which: Ints  # (rows,): the pattern of each of the games, as an index into `patterns`


def games_of(patterns: Patterns, pattern: Ints, offset: Floats) -> tuple[Games, Ints]:
    """The distinct games of `u` units, and which of them each unit plays, `(u,)`.

    `pattern` `(u,)` is which of the distinct `patterns` a unit has, `offset` `(u,)` its log-odds,
    which are rounded here.

    >>> games, which = games_of(Patterns.empty(), np.array([0, 0, 0]), np.array([0.5, 0.0, 0.51]))
    >>> games.offset.tolist(), which.tolist()
    ([0.0, 0.5], [1, 0, 1])
    """
    step = np.rint(offset * STEPS).astype(np.int64)
    lowest = step.min(initial=0)
    span = step.max(initial=0) - lowest + 1
    pairs, which = np.unique(pattern * span + (step - lowest), return_inverse=True)
    game_pattern, game_step = np.divmod(pairs, span)
    return Games(patterns, game_pattern, (game_step + lowest) / STEPS), which


def without_offsets(patterns: Patterns) -> Games:
    """One game of each of the distinct patterns, in their order."""
    n = len(patterns.keys)
    return Games(patterns, np.arange(n), np.zeros(n))


def blocks_of_size(games: Games, size: int, width: int) -> Iterator[PatternBlock]:
    """The games of that many players, in blocks of `width` numbers a game."""
    of_size = np.flatnonzero(games.sizes == size)
    for block in blocks(len(of_size), width):
        yield block_of(games, of_size[block])


def block_of(games: Games, rows: Ints) -> PatternBlock:
    """Those games as a block."""
    patterns, which = np.unique(games.pattern[rows], return_inverse=True)
    return PatternBlock(rows, patterns, which)
