"""The model learns what there is to learn, and does not overfit noise."""

from dataclasses import replace

import numpy as np
import pytest

from td_mta.journeys import patterns
from td_mta.journeys.examples import NEGATIVE, POSITIVE, Examples
from td_mta.journeys.patterns import Grid
from td_mta.model import training
from td_mta.model.holdout import BASE_RATE, LOGISTIC, LSTM
from td_mta.model.settings import TrainingSettings

pytestmark = pytest.mark.slow
GRID = Grid(3, 4)
SETTINGS = TrainingSettings(
    width=64, dropout=0.5, epochs=3, batch_size=100, epoch_fraction=0.5, seed=18
)
LONG = replace(SETTINGS, epochs=6)
PATTERNS = 600


def simulated(probability: np.ndarray, trials: int) -> Examples:
    """Two groups with `trials` user-days of each pattern; `probability` is by number of cells."""
    rng = np.random.default_rng(7)
    touched = np.unique(rng.random((2 * PATTERNS, GRID.cells)) < 0.3, axis=0)[:PATTERNS]
    owner, cells = np.nonzero(touched)
    sets, which = patterns.distinct(patterns.of_cells(owner, cells, len(touched), GRID))
    counts = np.zeros((len(touched), 3, 2), np.int64)
    of_pattern = probability[touched.sum(axis=1)][:, None]
    counts[which, POSITIVE] = rng.binomial(trials, of_pattern, (len(touched), 2))
    counts[:, NEGATIVE] = trials - counts[:, POSITIVE]
    return Examples(sets, counts)


def test_noise_is_not_overfitted() -> None:
    """The sum of weights has noise of its own; without weight decay the LSTM adds to it."""
    fitted = training.fit(simulated(np.full(GRID.cells + 1, 0.05), 10), GRID, LONG)
    probabilities = fitted.held_out.probabilities
    off = probabilities[LSTM] / probabilities[LOGISTIC] - 1
    assert np.sqrt((off**2).mean()) < 0.1


def test_what_there_is_to_learn_is_learned() -> None:
    fitted = training.fit(simulated(0.02 + 0.02 * np.arange(GRID.cells + 1), 100), GRID, SETTINGS)
    difference = fitted.held_out.difference_to(BASE_RATE)
    assert difference.mean < -5 * difference.error
