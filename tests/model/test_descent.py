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
from td_mta.model.choice import STOPPING_GROUPS
from td_mta.model.descent import Schedule
from td_mta.model.predictor import Network
from td_mta.model.settings import TrainingSettings
from tests.model.small_world import GRID, draw

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
    train = counted.training(draw(np.random.default_rng(0), each=3).examples)
    stopping = descent.stopping_part(train, np.full(len(train.weight), 0.1))
    samples = [stopping.sample(20, np.random.default_rng(seed)) for seed in range(300)]
    assert {len(sample.folded.offset) for sample in samples} == {20}
    losses = [sample.losses(np.full(20, 0.5)) for sample in samples]
    whole = stopping.losses(np.full(len(stopping.folded.offset), 0.5))
    np.testing.assert_allclose(np.mean(losses, axis=0), whole, rtol=0.05)


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
    groups = np.arange(40) < STOPPING_GROUPS
    stopping = descent.stopping_part(train, expit(f)[train.pattern])
    fitted = descent.fold(train, expit(f)[train.pattern], ~groups)
    model = layers.mlp(GRID, dropout=0.1)
    network = Network(model, layers.log_odds_of(model))
    schedule = Schedule(epochs=4, steps=40, batch=64, scored=64)
    trained = descent.train(network, fitted, stopping, GRID, schedule, np.random.default_rng(0))
    assert trained.epoch > 0
    assert trained.changes.shape == (STOPPING_GROUPS,)
    assert (trained.changes < 0).all()
    added = network.log_odds(dense(train.patterns, GRID))
    both = (touched[:, 0] * touched[:, 1]).astype(bool)
    assert added[both].mean() == pytest.approx(2.0, abs=0.2)
    assert added[~both].mean() == pytest.approx(0.0, abs=0.1)


def test_a_network_that_only_adds_noise_stays_out() -> None:
    """Offsets that are the truth, and few examples: before the first step is as good as any."""
    keras.utils.set_random_seed(0)
    world = draw(np.random.default_rng(1), each=1, seasons=False)
    train = counted.training(world.examples)
    groups = np.arange(40) < STOPPING_GROUPS
    probability = expit(world.f)[train.pattern]
    stopping = descent.stopping_part(train, probability)
    fitted = descent.fold(train, probability, ~groups)
    model = layers.mlp(GRID, dropout=0.1)
    network = Network(model, layers.log_odds_of(model))
    schedule = Schedule(epochs=3, steps=30, batch=64, scored=64)
    trained = descent.train(network, fitted, stopping, GRID, schedule, np.random.default_rng(0))
    before = stopping.losses(np.zeros(len(stopping.folded.offset))).sum()
    after = stopping.losses(network.log_odds(dense(stopping.folded.patterns, GRID))).sum()
    assert after <= before
    if trained.epoch == 0:
        assert after == before
    # measured by groups that did not choose the epoch, noise is no gain
    assert trained.changes.sum() >= after - before


def test_without_a_conversion_to_stop_by_the_network_stays_out() -> None:
    train = counted.training(draw(np.random.default_rng(0), each=1, seasons=False).examples)
    probability = np.full(len(train.weight), 0.1)
    whole = descent.fold(train, probability, np.ones(40, np.bool_))
    nobody = descent.fold(train, probability, np.zeros(40, np.bool_))
    stopping = descent.stopping_part(train, probability)
    never = stopping._replace(positives=0 * stopping.positives)
    model = layers.mlp(GRID, dropout=0.1)
    network = Network(model, layers.log_odds_of(model))
    schedule = Schedule(epochs=1, steps=2, batch=64, scored=64)
    for fitted, stops in ((whole, never), (nobody, stopping)):
        rng = np.random.default_rng(0)
        trained = descent.train(network, fitted, stops, GRID, schedule, rng)
        assert trained.epoch == 0
        assert not trained.changes.any()


def test_the_losses_of_the_groups_that_stop_are_those_of_their_examples() -> None:
    world = draw(np.random.default_rng(0), each=3)
    train = counted.training(world.examples)
    stopping = descent.stopping_part(train, np.full(len(train.weight), 0.1))
    patterns = stopping.folded.patterns
    added = np.linspace(-1, 1, len(patterns.keys))
    examples = world.examples
    for group in range(STOPPING_GROUPS):
        own = examples.group == group
        position = np.searchsorted(patterns.keys, examples.patterns.keys[examples.pattern[own]])
        log_odds = logit(0.1) + added[position]
        negatives, positives = examples.counts[own, 0], examples.counts[own, 1]
        loss = negatives @ np.logaddexp(0, log_odds) + positives @ np.logaddexp(0, -log_odds)
        assert stopping.losses(added)[group] == pytest.approx(loss)


def test_longer_windows_take_fewer_at_a_time() -> None:
    settings = TrainingSettings(
        network="lstm", width=8, dropout=0.5, epochs=3, batch_size=1000, seed=18
    )
    batches = [descent.lstm_schedule(Grid(days, 8), settings).batch for days in (3, 7, 90)]
    assert batches == [1000, 439, 250]
