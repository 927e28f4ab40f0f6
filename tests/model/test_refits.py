"""Refits: the model trained on to bootstrap samples of users, each time from the same start."""

import numpy as np
import pytest

from td_mta.errors import DataError
from td_mta.journeys import patterns
from td_mta.journeys.examples import NEGATIVE, POSITIVE, Examples
from td_mta.journeys.patterns import Grid
from td_mta.model import refitting, training
from td_mta.model.network import Predictor
from td_mta.model.settings import TrainingSettings
from td_mta.model.training import Fitted

pytestmark = pytest.mark.slow
GRID = Grid(2, 2)
SETTINGS = TrainingSettings(
    width=4, dropout=0.5, epochs=2, batch_size=100, epoch_fraction=0.5, seed=18
)
EMAIL, SOCIAL = 0, 1
SETS = [(), (EMAIL,), (SOCIAL,), (EMAIL, SOCIAL)]


def examples(positives: list[list[int]]) -> Examples:
    """Groups of 4 patterns, 1000 negatives each: none, email, social, both."""
    owner = np.repeat(np.arange(4), [len(cells) for cells in SETS])
    cells = np.array([cell for touched in SETS for cell in touched], np.int64)
    sets, which = patterns.distinct(patterns.of_cells(owner, cells, 4, GRID))
    counts = np.zeros((4, 3, len(positives)), np.int64)
    counts[:, NEGATIVE] = 1000
    counts[which, POSITIVE] = np.array(positives).T
    return Examples(sets, counts)


AS_TRAINED = [20, 60, 60, 120]
EMAIL_DOES_IT = [20, 180, 20, 180]
SOCIAL_DOES_IT = [20, 20, 180, 180]


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    return training.fit(examples([AS_TRAINED, AS_TRAINED]), GRID, SETTINGS)


def probabilities(predictor: Predictor) -> np.ndarray:
    """Of a conversion after email alone, then after social alone."""
    cells = np.zeros((2, GRID.days, GRID.channels), np.float32)
    cells[0, 0, EMAIL] = cells[1, 0, SOCIAL] = 1
    return predictor(cells)


def refitted(fitted: Fitted, groups: list[list[int]]) -> list[np.ndarray]:
    refits = refitting.refits(fitted, examples(groups), GRID, SETTINGS)
    return [probabilities(predictor) for predictor in refits]


def test_a_refit_follows_the_weights_of_its_users(fitted: Fitted) -> None:
    (email, social), (email_2, social_2) = refitted(fitted, [EMAIL_DOES_IT, SOCIAL_DOES_IT])
    assert email > 3 * social
    assert social_2 > 3 * email_2


def test_the_same_seed_gives_the_same_refits_and_leaves_the_model_alone(fitted: Fitted) -> None:
    before = probabilities(fitted.predictor)
    one, two = (np.array(refitted(fitted, [AS_TRAINED, EMAIL_DOES_IT])) for _ in range(2))
    assert one.tobytes() == two.tobytes()
    assert probabilities(fitted.predictor).tobytes() == before.tobytes()


def test_refits_to_the_same_users_differ_by_random_training_alone(
    fitted: Fitted,
) -> None:
    one, two = refitted(fitted, [AS_TRAINED, AS_TRAINED])
    assert (one != two).any()
    assert one == pytest.approx(two, rel=0.5)


def test_refits_and_epochs_stay_different_models_in_a_list(fitted: Fitted) -> None:
    groups = examples([EMAIL_DOES_IT, SOCIAL_DOES_IT])
    one, two = list(refitting.refits(fitted, groups, GRID, SETTINGS))
    assert probabilities(one)[EMAIL] > 3 * probabilities(two)[EMAIL]
    first, last = list(training.replay(fitted))
    assert (probabilities(first) != probabilities(last)).all()


def test_a_refit_predicts_as_many_conversions_as_its_users_have(fitted: Fitted) -> None:
    doubled = examples([[2 * count for count in AS_TRAINED]])
    (predictor,) = refitting.refits(fitted, doubled, GRID, SETTINGS)
    weight = doubled.counts[:, :, 0].sum(axis=1)
    probability = predictor(patterns.dense(doubled.patterns, GRID))
    assert weight @ probability == pytest.approx(2 * sum(AS_TRAINED), rel=0.02)


def test_a_bootstrap_sample_in_which_nobody_converts_is_an_error(fitted: Fitted) -> None:
    with pytest.raises(DataError, match="no training user converts"):
        refitted(fitted, [[0, 0, 0, 0]])
