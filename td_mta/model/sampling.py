"""Which patterns an epoch of training computes, and with which weights.

Examples are sampled by pattern, in proportion to a pattern's count, both classes equally often. Few
patterns are sampled many times each, so a pattern sampled n times is computed ceil(n / k) times
with weights up to k: the same expected gradient with fewer rows, each with its own dropout mask.
Counts are split, never clipped.
"""

from typing import NamedTuple

import numpy as np

from td_mta.journeys.patterns import Grid
from td_mta.journeys.runs import owners
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.model.counted_patterns import CountedPatterns
from td_mta.model.settings import TrainingSettings

MOST_DAY_ROWS = 1_200_000  # rows of an epoch times days of the window: what an epoch may cost
MOST_PATTERN_ROWS = 20  # rows of an epoch for each distinct pattern
FEWEST_STEPS = 60  # of an epoch: with fewer a small table is not learned in a few epochs


class TrainingRows(NamedTuple):
    """Rows to train on, in their order."""

    pattern: Ints  # which of the counted patterns, (rows,)
    label: Floats  # share of positives, (rows,)
    weight: Floats  # mean 1 over an epoch, (rows,)

    def take(self, rows: slice | Ints) -> "TrainingRows":
        """Some of them, in that order."""
        return TrainingRows(self.pattern[rows], self.label[rows], self.weight[rows])

    @staticmethod
    def join(parts: "list[TrainingRows]") -> "TrainingRows":
        """One part after the other."""
        columns = zip(*parts, strict=True)
        return TrainingRows(*(np.concatenate(pieces) for pieces in columns))


def steps_per_epoch(train: CountedPatterns, grid: Grid, settings: TrainingSettings) -> int:
    """Training steps of an epoch, each of `batch_size` rows."""
    rows = min(_samples(train, settings), _most_rows(train, grid, settings))
    return max(1, rows // settings.batch_size)


def sample_epoch(
    train: CountedPatterns, grid: Grid, settings: TrainingSettings, rng: np.random.Generator
) -> TrainingRows:
    """One epoch's rows, shuffled."""
    negative = train.sampled_negatives / train.sampled_negatives.sum()
    positive = train.positives / train.positives.sum()
    probability = np.stack([negative, positive])  # each row sums to 1, (2, patterns)
    each_half = probability.ravel() / 2  # both classes equally often
    samples = rng.multinomial(_samples(train, settings), each_half)
    counts = samples.reshape(probability.shape)  # (2, patterns)
    total = counts.sum(axis=0)  # (patterns,)
    most_rows = _most_rows(train, grid, settings)
    largest_piece = _largest_piece(total, most_rows)
    pieces = -(-total // largest_piece)  # rounded up, (patterns,)
    pattern = owners(pieces)  # (rows,)
    weight = (total / np.maximum(pieces, 1))[pattern]
    label = (counts[1] / np.maximum(total, 1))[pattern]
    rows = TrainingRows(pattern, label, weight / weight.mean())
    order = rng.permutation(len(pattern))
    return rows.take(order)


def sample_steps(
    train: CountedPatterns,
    steps: int,
    grid: Grid,
    settings: TrainingSettings,
    rng: np.random.Generator,
) -> TrainingRows:
    """The rows of so many steps, from as many epochs as they take."""
    rows = steps * settings.batch_size
    parts = [sample_epoch(train, grid, settings, rng)]
    while sum(len(part.pattern) for part in parts) < rows:
        parts.append(sample_epoch(train, grid, settings, rng))
    return TrainingRows.join(parts).take(slice(rows))


def _samples(train: CountedPatterns, settings: TrainingSettings) -> int:
    """How many examples an epoch samples."""
    examples = (train.sampled_negatives + train.positives).sum()
    fewest = FEWEST_STEPS * settings.batch_size
    return int(max(examples * settings.epoch_fraction, fewest))


def _most_rows(train: CountedPatterns, grid: Grid, settings: TrainingSettings) -> int:
    by_window = MOST_DAY_ROWS // grid.days
    by_pattern = MOST_PATTERN_ROWS * len(train.patterns.keys)
    fewest = FEWEST_STEPS * settings.batch_size
    return max(min(by_window, by_pattern), fewest)


def _largest_piece(total: Ints, rows: int) -> int:
    """The smallest k for which splitting counts into pieces of up to k makes at most `rows` rows.

    >>> _largest_piece(np.array([10, 3]), 5)
    3
    """
    low, high = 1, int(total.max())
    while low < high:  # bisection: the number of rows falls as k rises
        k = (low + high) // 2
        pieces = -(-total // k)
        if pieces.sum() <= rows:
            high = k
        else:
            low = k + 1
    return low
