"""Predictors: a linear sum and a network, in numbers and as files that plain Keras loads."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from td_mta.errors import DataError
from td_mta.journeys.patterns import dense
from td_mta.model import layers, terms
from td_mta.model.predictor import Calibration, Linear, Network, Predictor
from tests.model.small_world import GRID, WEIGHTS, all_patterns

PATTERNS = all_patterns()
CELLS = dense(PATTERNS, GRID)
N = len(CELLS)


def with_products() -> Linear:
    found = terms.with_products(PATTERNS, np.full(N, 100.0), np.zeros(N), GRID)
    return Linear(found, np.random.default_rng(0).normal(size=len(found.first)))


def with_network(linear: Linear, network: keras.Model) -> Predictor:
    """The network with an output layer that is no longer zero."""
    layer = network.layers[-1]
    layer.set_weights([np.random.default_rng(1).normal(size=layer.get_weights()[0].shape)])
    return Predictor(linear, Network(network, layers.log_odds_of(network)), Calibration(0.0, 0.25))


def predictors() -> dict[str, Predictor]:
    simple = Linear(terms.cells_only(GRID), WEIGHTS)
    lstm = layers.lstm(GRID, width=4, dropout=0.5)
    return {
        "logistic": Predictor(simple),
        "pairs": Predictor(with_products(), None, Calibration(controls={"season": [0.5, -1.0]})),
        "mlp": with_network(with_products(), layers.mlp(GRID, dropout=0.1)),
        "lstm": with_network(simple, lstm),
    }


def test_a_sum_of_weights_is_what_it_says() -> None:
    cells = np.zeros((3, 2, 3), np.float32)
    cells[1, 0, 1] = 1  # day 0, the second channel
    cells[2, :, 0] = 1  # both days, the first
    found = predictors()["logistic"]
    np.testing.assert_allclose(found.log_odds(cells), [-2.0, -1.5, -0.4])
    np.testing.assert_allclose(found(cells[:1]), 1 / (1 + np.exp(2.0)))
    np.testing.assert_allclose(found.shifted(0.5).shifted(0.5).log_odds(cells)[0], -1.0)
    assert found.log_odds(cells[:0]).shape == (0,)


@pytest.mark.parametrize("rung", ["logistic", "pairs", "mlp", "lstm"])
def test_a_saved_predictor_loads_with_the_same_numbers(rung: str, tmp_path: Path) -> None:
    predictor = predictors()[rung]
    predictor.save(tmp_path)
    loaded = Predictor.load(tmp_path)
    np.testing.assert_allclose(loaded.log_odds(CELLS), predictor.log_odds(CELLS), atol=1e-4)
    assert loaded.calibration == predictor.calibration


def test_the_file_is_plain_keras_with_the_oldest_day_first(tmp_path: Path) -> None:
    predictor = predictors()["mlp"]
    predictor.save(tmp_path)
    raw = keras.models.load_model(tmp_path / "model.keras")(CELLS[:, ::-1]).numpy()[:, 0]
    facts = json.loads((tmp_path / "calibration.json").read_text(encoding="utf-8"))
    np.testing.assert_allclose(
        raw + facts["prior"] + facts["intercept"], predictor.log_odds(CELLS), atol=1e-4
    )


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must hold a trained model, got no file model\.keras"):
        Predictor.load(tmp_path)
