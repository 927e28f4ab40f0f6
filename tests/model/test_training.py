"""What there is to learn is learned, and what is chance is not learned by heart."""

from dataclasses import replace

import numpy as np
import pytest

from td_mta.config.attribution import Config
from td_mta.journeys import patterns
from td_mta.journeys.examples import NEGATIVE, POSITIVE, Examples
from td_mta.journeys.patterns import Grid
from td_mta.model import training
from td_mta.model.holdout import BASE_RATE, LOGISTIC, LSTM

pytestmark = pytest.mark.slow
GRID = Grid(3, 4)
CONFIG = Config(model_width=64, train_batch_size=100)
LONG = replace(CONFIG, train_epochs=6)
PATTERNS = 600


def drawn(chance: np.ndarray, trials: int) -> Examples:
    """Two groups of user-days with these chances by cell count, so many of each pattern."""
    rng = np.random.default_rng(7)
    touched = np.unique(rng.random((2 * PATTERNS, GRID.cells)) < 0.3, axis=0)[:PATTERNS]
    owner, cells = np.nonzero(touched)
    sets, which = patterns.distinct(patterns.of_cells(owner, cells, len(touched), GRID))
    counts = np.zeros((len(touched), 3, 2), np.int64)
    of_each = chance[touched.sum(axis=1)][:, None]
    counts[which, POSITIVE] = rng.binomial(trials, of_each, (len(touched), 2))
    counts[:, NEGATIVE] = trials - counts[:, POSITIVE]
    return Examples(sets, counts)


def test_chance_is_not_learned_by_heart() -> None:
    """The sum of weights has noise of its own; without weight decay the LSTM adds to it."""
    fitted = training.fit(drawn(np.full(GRID.cells + 1, 0.05), 10), GRID, LONG)
    chances = fitted.held_out.chances
    off = chances[LSTM] / chances[LOGISTIC] - 1
    assert np.sqrt((off**2).mean()) < 0.1


def test_what_there_is_to_learn_is_learned() -> None:
    fitted = training.fit(drawn(0.02 + 0.02 * np.arange(GRID.cells + 1), 100), GRID, CONFIG)
    more = fitted.held_out.beyond(BASE_RATE)
    assert more.mean < -5 * more.error
