"""Fit the model to counted patterns, and score it beside baseline models on held-out examples."""

import logging
import math
import time
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from td_mta import progress
from td_mta.journeys.examples import Examples
from td_mta.journeys.patterns import Grid
from td_mta.journeys.touchpoints import Floats
from td_mta.metrics import Quality, last_as_good, quality
from td_mta.model import optimization, sampling
from td_mta.model.counted_patterns import CountedPatterns, of_group, training_group
from td_mta.model.holdout import BASE_RATE, LOGISTIC, LSTM, HeldOut
from td_mta.model.logistic import Logistic, logistic
from td_mta.model.network import Calibration, Predictor, add_linear, build
from td_mta.model.recalibration import recalibrate
from td_mta.model.settings import TrainingSettings
from td_mta.shapley import score

log = logging.getLogger(__name__)

MOST_SCORED = 100_000  # patterns that a metric of an epoch is computed from


class Epoch(NamedTuple):
    """How well the model predicts after an epoch, by the examples that it is scored on."""

    train: Quality
    held_out: Quality


class Fitted(NamedTuple):
    """A trained model and what is known of it."""

    predictor: Predictor  # with the weights of the best epoch
    logistic: Logistic  # what training started from
    epochs: list[Epoch]
    weights: list[list[Floats]]  # of the network after each epoch
    best_epoch: int  # from 0, by early stopping
    held_out: HeldOut  # all held-out patterns, scored by the LSTM and its baseline models
    prevalence: float  # positives among the training examples: the base rate
    ratio: float  # predicted over observed conversions before the intercept was refitted
    refitted: bool  # whether the intercept was


def fit(examples: Examples, grid: Grid, settings: TrainingSettings) -> Fitted:
    """Train on the first group of examples; the second one's log loss chooses the best epoch.

    The network starts at logistic regression, so that it is as good where nothing interacts.
    Raises `DataError` where a class has no training example.
    """
    train, held_out = training_group(examples, 0), of_group(examples, 1)
    rng = optimization.seeded(settings.seed)
    start = logistic(train.patterns, train.negatives, train.positives, grid.cells)
    predictor = _untrained(start, train.prior, grid, settings)
    scored = _Scored(_subsample(train, rng), _subsample(held_out, rng))
    history = _run_epochs(predictor, train, scored, grid, settings, rng)
    best_epoch = _stop_early(predictor.network, history, scored.held_out)
    predictor, ratio, refitted = recalibrate(predictor, scored.train, grid)
    return Fitted(
        predictor=predictor,
        logistic=start,
        epochs=history.epochs,
        weights=history.weights,
        best_epoch=best_epoch,
        held_out=_score_held_out(predictor, start, train.prevalence, held_out, grid),
        prevalence=train.prevalence,
        ratio=ratio,
        refitted=refitted,
    )


def replay(fitted: Fitted) -> list[Predictor]:
    """The predictor as it was after each epoch."""
    network = keras.models.clone_model(fitted.predictor.network)
    predictor = Predictor(network, fitted.predictor.calibration)
    return [predictor.with_weights(weights) for weights in fitted.weights]


class _Scored(NamedTuple):
    """The patterns that metrics of an epoch are computed from."""

    train: CountedPatterns
    held_out: CountedPatterns


class _History(NamedTuple):
    """What each epoch led to, one element an epoch."""

    epochs: list[Epoch]
    weights: list[list[Floats]]
    probabilities: list[Floats]  # for the held-out patterns that are scored


def _run_epochs(
    predictor: Predictor,
    train: CountedPatterns,
    scored: _Scored,
    grid: Grid,
    settings: TrainingSettings,
    rng: np.random.Generator,
) -> _History:
    """Train the predictor's network for all epochs; it ends with the last one's weights."""
    history, network = _History([], [], []), predictor.network
    steps = sampling.steps_per_epoch(train, grid, settings) * settings.epochs
    optimization.compile_network(network, steps, train.positives.sum(), settings)
    for number in range(settings.epochs):
        started = time.monotonic()
        rows = sampling.sample_epoch(train, grid, settings, rng)
        optimization.train(network, rows, train.patterns, grid, settings.batch_size)
        probabilities = score(scored.held_out.patterns, grid, predictor)
        epoch = _evaluate(predictor, scored, probabilities, grid)
        history.epochs.append(epoch)
        history.weights.append(network.get_weights())
        history.probabilities.append(probabilities)
        seconds = time.monotonic() - started
        _log_epoch(number, epoch, seconds, settings.epochs)
    return history


def _evaluate(predictor: Predictor, scored: _Scored, held_out: Floats, grid: Grid) -> Epoch:
    """The predictor's figures; `held_out` has its probabilities for the held-out patterns."""
    train = score(scored.train.patterns, grid, predictor)  # (n,)
    return Epoch(_quality(train, scored.train), _quality(held_out, scored.held_out))


def _stop_early(network: keras.Model, history: _History, held_out: CountedPatterns) -> int:
    """Give the network the weights of the best epoch, whose number, from 0, is returned."""
    best_epoch = last_as_good(history.probabilities, held_out.negatives, held_out.positives)
    network.set_weights(history.weights[best_epoch])
    return best_epoch


def _untrained(start: Logistic, prior: float, grid: Grid, settings: TrainingSettings) -> Predictor:
    """A new network that predicts what logistic regression does."""
    network = _network(grid, settings)
    # Training balances the classes, which changes log-odds by the prior.
    add_linear(network, start.weights.reshape(grid), start.intercept - prior)
    return Predictor(network, Calibration(prior))


def _network(grid: Grid, settings: TrainingSettings) -> keras.Model:
    """On several GPUs a copy on each, with gradients averaged."""
    if len(tf.config.list_logical_devices("GPU")) <= 1:
        return build(grid, width=settings.width, dropout=settings.dropout)
    with tf.distribute.MirroredStrategy().scope():
        return build(grid, width=settings.width, dropout=settings.dropout)


def _subsample(counted: CountedPatterns, rng: np.random.Generator) -> CountedPatterns:
    """At most `MOST_SCORED` patterns; of more, a sample in proportion to their counts."""
    present = np.flatnonzero(counted.weight)
    if len(present) <= MOST_SCORED:
        return counted.take(present)
    log.info(
        "metrics of epochs use a sample of the %d patterns of %d examples",
        len(present),
        counted.weight.sum(),
    )
    negatives = _resampled(counted.negatives, rng)
    positives = _resampled(counted.positives, rng)
    sampled = CountedPatterns(counted.patterns, negatives, positives, negatives)
    return sampled.take(np.flatnonzero(sampled.weight))


def _resampled(counts: Floats, rng: np.random.Generator) -> Floats:
    """`MOST_SCORED` draws in proportion to the counts, scaled to the same sum, `(n,)`."""
    total = counts.sum()
    draws = rng.multinomial(MOST_SCORED, counts / total)
    return draws * total / MOST_SCORED


def _quality(probabilities: Floats, counted: CountedPatterns) -> Quality:
    if not len(probabilities):
        return Quality(*[math.nan] * len(Quality._fields))
    return quality(probabilities, counted.negatives, counted.positives)


def _score_held_out(
    predictor: Predictor,
    start: Logistic,
    prevalence: float,
    held_out: CountedPatterns,
    grid: Grid,
) -> HeldOut:
    """All held-out patterns, not a sample of them, by the predictor and its baseline models."""
    present = held_out.take(np.flatnonzero(held_out.weight))
    patterns = present.patterns
    n = len(patterns.keys)
    by_lstm = score(patterns, grid, predictor)  # (n,)
    by_logistic = start(patterns) if n else np.empty(0)  # scikit-learn refuses no rows
    by_base_rate = np.full(n, prevalence)
    probabilities = {LSTM: by_lstm, LOGISTIC: by_logistic, BASE_RATE: by_base_rate}
    return HeldOut(patterns, present.negatives, present.positives, probabilities)


def _log_epoch(number: int, epoch: Epoch, seconds: float, epochs: int) -> None:
    quality = {
        "loss": (epoch.train.log_loss, 5),
        "val_loss": (epoch.held_out.log_loss, 5),
        "val_auc": (epoch.held_out.auc, 4),
    }
    measured = [
        f"{name} {value:.{digits}f}" for name, (value, digits) in quality.items() if value == value
    ]
    log.info("epoch %d of %d: %s (%.0f s)", number + 1, epochs, ", ".join(measured), seconds)
    progress.log_time_left("training", seconds * (epochs - number - 1))
