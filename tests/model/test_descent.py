"""Training beside offsets: which patterns a step sees, and what the network learns of them."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.special import expit, logit

from td_mta.journeys.patterns import Grid, dense
from td_mta.model import counted, descent, layers
from td_mta.model.descent import Folded, Schedule
from td_mta.model.predictor import Network
from td_mta.model.settings import TrainingSettings
from tests.model.small_world import GRID, all_patterns, draw

SIZES = arrays.arrays(np.float64, st.integers(1, 40), elements=st.floats(0.01, 1e4))


@given(SIZES, st.integers(1, 40))
def test_so_many_are_drawn_as_asked_for(sizes: np.ndarray, count: int) -> None:
    probability = descent.inclusion(sizes, count)
    assert probability.sum() == pytest.approx(min(count, len(sizes)))
    assert probability.max() <= 1
    drawn = descent.draw(probability, np.random.default_rng(0))
    assert len(drawn) == min(count, len(sizes)) == len(np.unique(drawn))


def test_a_row_is_drawn_as_often_as_its_probability_says() -> None:
    probability = descent.inclusion(np.array([8.0, 4, 2, 1, 1]), 2)
    rng = np.random.default_rng(0)
    drawn = np.concatenate([descent.draw(probability, rng) for _ in range(4000)])
    np.testing.assert_allclose(np.bincount(drawn) / 4000, probability, atol=0.03)


def test_a_sample_counts_for_all() -> None:
    n = 64
    rng = np.random.default_rng(0)
    folded = Folded(all_patterns(), rng.uniform(1, 90, n), rng.uniform(0, 9, n), np.full(n, -2.0))
    samples = [folded.sample(20, np.random.default_rng(seed)) for seed in range(300)]
    assert {len(sample.offset) for sample in samples} == {20}
    mean = np.mean([sample.positives.sum() for sample in samples])
    assert mean == pytest.approx(folded.positives.sum(), rel=0.02)


def test_the_offset_of_a_pattern_is_that_of_its_mean_probability() -> None:
    train = counted.training(draw(np.random.default_rng(0), each=2).examples)
    probability = np.where(train.stratum == 0, 0.1, 0.4)
    folded = descent.fold(train, probability, np.arange(40) >= 6)
    np.testing.assert_allclose(folded.offset, logit(0.3))  # one season of three at 0.1
    chosen = train.rows.group >= 6
    examples = train.rows.negatives[chosen].sum() + train.rows.positives[chosen].sum()
    assert folded.weight.sum() == examples


def test_a_product_that_the_offsets_lack_is_learned() -> None:
    keras.utils.set_random_seed(0)
    world = draw(np.random.default_rng(0), each=60, product=2.0, seasons=False)
    train = counted.training(world.examples)
    touched = dense(train.patterns, GRID).reshape(-1, 6)
    f = world.f - 2.0 * touched[:, 0] * touched[:, 1]
    groups = np.arange(40) < descent.STOPPING_GROUPS
    stopping = descent.fold(train, expit(f)[train.pattern], groups)
    fitted = descent.fold(train, expit(f)[train.pattern], ~groups)
    model = layers.mlp(GRID, dropout=0.1)
    network = Network(model, layers.log_odds_of(model))
    schedule = Schedule(epochs=4, steps=40, batch=64, scored=64)
    epoch = descent.train(network, fitted, stopping, GRID, schedule, np.random.default_rng(0))
    assert epoch > 0
    added = network.log_odds(dense(train.patterns, GRID))
    both = (touched[:, 0] * touched[:, 1]).astype(bool)
    assert added[both].mean() == pytest.approx(2.0, abs=0.2)
    assert added[~both].mean() == pytest.approx(0.0, abs=0.1)


def test_a_network_that_only_adds_noise_stays_out() -> None:
    """Offsets that are the truth, and few examples: before the first step is as good as any."""
    keras.utils.set_random_seed(0)
    world = draw(np.random.default_rng(1), each=1, seasons=False)
    train = counted.training(world.examples)
    groups = np.arange(40) < descent.STOPPING_GROUPS
    probability = expit(world.f)[train.pattern]
    stopping = descent.fold(train, probability, groups)
    fitted = descent.fold(train, probability, ~groups)
    model = layers.mlp(GRID, dropout=0.1)
    network = Network(model, layers.log_odds_of(model))
    schedule = Schedule(epochs=3, steps=30, batch=64, scored=64)
    epoch = descent.train(network, fitted, stopping, GRID, schedule, np.random.default_rng(0))
    after = stopping.loss(network.log_odds(dense(stopping.patterns, GRID)))
    assert after <= stopping.loss(np.zeros(len(stopping.offset)))
    if epoch == 0:
        assert after == stopping.loss(np.zeros(len(stopping.offset)))


def test_without_a_conversion_to_stop_by_the_network_stays_out() -> None:
    train = counted.training(draw(np.random.default_rng(0), each=1, seasons=False).examples)
    probability = np.full(len(train.weight), 0.1)
    whole = descent.fold(train, probability, np.ones(40, np.bool_))
    nobody = descent.fold(train, probability, np.zeros(40, np.bool_))
    model = layers.mlp(GRID, dropout=0.1)
    network = Network(model, layers.log_odds_of(model))
    schedule = Schedule(epochs=1, steps=2, batch=64, scored=64)
    for fitted, stopping in ((whole, nobody), (nobody, whole)):
        rng = np.random.default_rng(0)
        assert descent.train(network, fitted, stopping, GRID, schedule, rng) == 0


def test_longer_windows_take_fewer_at_a_time() -> None:
    settings = TrainingSettings(
        network="lstm", width=8, dropout=0.5, epochs=3, batch_size=1000, seed=18
    )
    batches = [descent.lstm_schedule(Grid(days, 8), settings).batch for days in (3, 7, 90)]
    assert batches == [1000, 439, 250]
