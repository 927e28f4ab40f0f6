"""Which patterns an epoch of training computes, and with which weights.

Patterns are drawn in proportion to their weight, both classes equally often. A draw repeats few
patterns many times, so a pattern drawn n times is computed ceil(n / k) times with weights up to k:
the same expected gradient with fewer rows, each with its own dropout mask. Counts are split, never
clipped.
"""

from typing import NamedTuple

import numpy as np

from td_mta.config.attribution import Config
from td_mta.journeys.patterns import Grid, Patterns
from td_mta.journeys.touchpoints import Floats, Ints

DAY_ROWS = 1_200_000  # rows of an epoch times days of the window, at most: what an epoch may cost
PATTERN_ROWS = 20  # rows of an epoch for every distinct pattern, at most
FEWEST_STEPS = 60  # of an epoch: a small table would not be learned in few epochs otherwise


class Counted(NamedTuple):
    """Patterns with counts of each class `(n,)`; `drawn` are the negatives that training draws."""

    sets: Patterns
    negatives: Floats
    positives: Floats
    drawn: Floats

    def take(self, rows: Ints) -> "Counted":
        return Counted(
            self.sets.take(rows), self.negatives[rows], self.positives[rows], self.drawn[rows]
        )


class Draw(NamedTuple):
    """Rows of an epoch: which pattern, the share of positives in it, its weight."""

    pattern: Ints
    label: Floats
    weight: Floats


def epoch_steps(train: Counted, grid: Grid, config: Config) -> int:
    """Training steps of an epoch, each of `train_batch_size` rows."""
    rows = min(_draws(train, config), _most_rows(train, grid, config))
    return max(1, rows // config.train_batch_size)


def draw(train: Counted, grid: Grid, config: Config, rng: np.random.Generator) -> Draw:
    """One epoch's rows, shuffled."""
    chance = np.stack([train.drawn / train.drawn.sum(), train.positives / train.positives.sum()])
    counts = rng.multinomial(_draws(train, config), chance.ravel() / 2).reshape(chance.shape)
    total = counts.sum(axis=0)
    pieces = -(-total // _largest_piece(total, _most_rows(train, grid, config)))
    row = np.repeat(np.arange(len(total)), pieces)
    weight = (total / np.maximum(pieces, 1))[row]
    label = (counts[1] / np.maximum(total, 1))[row]
    order = rng.permutation(len(row))
    return Draw(row[order], label[order], (weight / weight.mean())[order])


def draw_steps(
    train: Counted, steps: int, grid: Grid, config: Config, rng: np.random.Generator
) -> Draw:
    """The rows of so many steps, from as many epochs as they take."""
    rows, parts = steps * config.train_batch_size, [draw(train, grid, config, rng)]
    while sum(len(part.pattern) for part in parts) < rows:
        parts.append(draw(train, grid, config, rng))
    return Draw(
        np.concatenate([part.pattern for part in parts])[:rows],
        np.concatenate([part.label for part in parts])[:rows],
        np.concatenate([part.weight for part in parts])[:rows],
    )


def _draws(train: Counted, config: Config) -> int:
    weight = (train.drawn + train.positives).sum() * config.downsample_epoch_fraction
    return int(max(weight, FEWEST_STEPS * config.train_batch_size))


def _most_rows(train: Counted, grid: Grid, config: Config) -> int:
    most = min(DAY_ROWS // grid.days, PATTERN_ROWS * len(train.sets.keys))
    return max(most, FEWEST_STEPS * config.train_batch_size)


def _largest_piece(total: Ints, rows: int) -> int:
    """The smallest k for which splitting counts into pieces of up to k makes at most `rows` rows.

    >>> _largest_piece(np.array([10, 3]), 5)
    3
    """
    low, high = 1, int(total.max())
    while low < high:
        k = (low + high) // 2
        low, high = (low, k) if (-(-total // k)).sum() <= rows else (k + 1, high)
    return low
