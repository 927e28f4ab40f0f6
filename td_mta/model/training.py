"""Fit the model to counted patterns, and score it beside baseline models on held-out examples."""

import logging
import math
import time
from collections.abc import Iterator
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from td_mta import progress
from td_mta.errors import DataError
from td_mta.journeys.examples import AUGMENTED, NEGATIVE, POSITIVE, Examples
from td_mta.journeys.patterns import Grid
from td_mta.journeys.touchpoints import Floats
from td_mta.metrics import Quality, last_as_good, quality
from td_mta.model import optimization, sampling
from td_mta.model.holdout import BASE_RATE, LOGISTIC, LSTM, HeldOut
from td_mta.model.logistic import Logistic, logistic
from td_mta.model.network import Calibration, Predictor, add_linear, build
from td_mta.model.sampling import CountedPatterns
from td_mta.model.settings import TrainingSettings
from td_mta.shapley import score

log = logging.getLogger(__name__)

MOST_SCORED = 100_000  # patterns that a metric of an epoch is computed from
REFIT_SHARE = 10  # a refit takes so many times fewer steps than a fit
TOLERANCE = 0.02  # of predicted against observed conversions
NEWTON_STEPS = 50


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
    train, held_out = _group(examples, 0), _group(examples, 1)
    _check_classes(train)
    keras.utils.set_random_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    start = _logistic(train, grid)
    predictor = _untrained(start, _prior(train), grid, settings)
    scored = _Scored(_subsample(train, rng), _subsample(held_out, rng))
    history = _run_epochs(predictor, train, scored, grid, settings, rng)
    best_epoch = last_as_good(
        history.probabilities, scored.held_out.negatives, scored.held_out.positives
    )
    predictor.network.set_weights(history.weights[best_epoch])
    predictor, ratio, refitted = _recalibrated(predictor, scored.train, grid)
    prevalence = float(train.positives.sum() / train.weight.sum())
    return Fitted(
        predictor=predictor,
        logistic=start,
        epochs=history.epochs,
        weights=history.weights,
        best_epoch=best_epoch,
        held_out=_score_held_out(predictor, start, prevalence, held_out, grid),
        prevalence=prevalence,
        ratio=ratio,
        refitted=refitted,
    )


def refits(
    fitted: Fitted, bootstrap_examples: Examples, grid: Grid, settings: TrainingSettings
) -> Iterator[Predictor]:
    """The model trained on to each group of examples, a bootstrap sample of users, in turn.

    Its sum of weights moves as logistic regression does. Then it takes a tenth of a fit's steps, at
    a fit's learning rates: fast enough to leave the minimum that it starts in, so that refits
    differ by the randomness of training as well as by their users.
    """
    keras.utils.set_random_seed(settings.seed + 1)
    rng = np.random.default_rng(settings.seed + 1)
    network = keras.models.clone_model(fitted.predictor.network)
    predictor = Predictor(network, fitted.predictor.calibration)
    first = _group(bootstrap_examples, 0)
    steps_of_fit = sampling.steps_per_epoch(first, grid, settings) * settings.epochs
    steps = max(1, steps_of_fit // REFIT_SHARE)
    optimization.compile_network(network, steps, first.positives.sum(), settings)
    network.optimizer.build(network.trainable_variables)
    groups = range(bootstrap_examples.counts.shape[2])
    for group in tqdm(groups, "refits", disable=None, leave=False):
        train = _group(bootstrap_examples, group)
        _check_classes(train)
        prior = _prior(train)
        _restart(network, fitted, _logistic(train, grid), prior, grid)
        rows = sampling.sample_steps(train, steps, grid, settings, rng)
        optimization.train(network, rows, train.patterns, grid, settings.batch_size)
        refitted, _, _ = _recalibrated(predictor.calibrated(Calibration(prior)), train, grid)
        yield refitted.with_weights(network.get_weights())


def replay(fitted: Fitted) -> list[Predictor]:
    """The predictor as it was after each epoch."""
    network = keras.models.clone_model(fitted.predictor.network)
    predictor = Predictor(network, fitted.predictor.calibration)
    return [predictor.with_weights(weights) for weights in fitted.weights]


def _restart(
    network: keras.Model, fitted: Fitted, start: Logistic, prior: float, grid: Grid
) -> None:
    """The fitted weights, with their sum of weights moved as logistic regression moved."""
    network.set_weights(fitted.predictor.network.get_weights())
    weights = start.weights - fitted.logistic.weights  # (days * channels,)
    intercept = start.intercept - fitted.logistic.intercept
    fitted_prior = fitted.predictor.calibration.prior
    add_linear(network, weights.reshape(grid), intercept - prior + fitted_prior)
    optimization.reset_optimizer(network)


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
    history = _History([], [], [])
    network = predictor.network
    steps = sampling.steps_per_epoch(train, grid, settings) * settings.epochs
    optimization.compile_network(network, steps, train.positives.sum(), settings)
    for number in range(settings.epochs):
        started = time.monotonic()
        rows = sampling.sample_epoch(train, grid, settings, rng)
        optimization.train(network, rows, train.patterns, grid, settings.batch_size)
        probabilities = score(scored.held_out.patterns, grid, predictor)
        epoch = Epoch(
            train=_quality(score(scored.train.patterns, grid, predictor), scored.train),
            held_out=_quality(probabilities, scored.held_out),
        )
        history.epochs.append(epoch)
        history.weights.append(network.get_weights())
        history.probabilities.append(probabilities)
        _log_epoch(number, epoch, time.monotonic() - started, settings.epochs)
    return history


def _group(examples: Examples, group: int) -> CountedPatterns:
    """One group of the examples, without the patterns that it does not have."""
    counts = examples.counts[:, :, group].astype(np.float64)  # (patterns, 3)
    sampled = counts[:, NEGATIVE] + counts[:, AUGMENTED]
    present = np.flatnonzero(sampled + counts[:, POSITIVE])
    everything = CountedPatterns(
        examples.patterns, counts[:, NEGATIVE], counts[:, POSITIVE], sampled
    )
    return everything.take(present)


def _check_classes(train: CountedPatterns) -> None:
    if not train.positives.sum():
        raise DataError(
            "no training user converts after a touch, so there is nothing to learn from: use more "
            "users or a longer time_interval"
        )
    if not train.negatives.sum():
        raise DataError(
            "every training example converts: the model needs user-days, or users, without a "
            "conversion too"
        )


def _prior(train: CountedPatterns) -> float:
    return float(np.log(train.positives.sum() / train.negatives.sum()))


def _logistic(train: CountedPatterns, grid: Grid) -> Logistic:
    return logistic(train.patterns, train.negatives, train.positives, grid.cells)


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
    return rng.multinomial(MOST_SCORED, counts / total) * total / MOST_SCORED


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
    probabilities = {
        LSTM: score(patterns, grid, predictor),
        LOGISTIC: start(patterns) if n else np.empty(0),  # scikit-learn refuses no rows
        BASE_RATE: np.full(n, prevalence),
    }
    return HeldOut(patterns, present.negatives, present.positives, probabilities)


def _log_epoch(number: int, epoch: Epoch, seconds: float, epochs: int) -> None:
    log.info(
        "epoch %d of %d: loss %.5f, val_loss %.5f, val_auc %.4f (%.0f s)",
        number + 1,
        epochs,
        epoch.train.log_loss,
        epoch.held_out.log_loss,
        epoch.held_out.auc,
        seconds,
    )
    progress.log_time_left("training", seconds * (epochs - number - 1))


def _recalibrated(
    predictor: Predictor, train: CountedPatterns, grid: Grid
) -> tuple[Predictor, float, bool]:
    """Move the intercept until as many conversions are predicted as observed, if they differ.

    Also returns predicted over observed conversions before, and whether the intercept moved.
    """
    weight, observed = train.weight, train.positives.sum()
    log_probability = np.log(score(train.patterns, grid, predictor))  # (n,)
    probability = np.exp(log_probability)
    ratio = float(weight @ probability / observed)
    if abs(ratio - 1) <= TOLERANCE:
        return predictor, ratio, False
    log_odds = log_probability - np.log1p(-probability)
    calibration = Calibration(
        predictor.calibration.prior, _matching_shift(log_odds, weight, observed)
    )
    return predictor.calibrated(calibration), ratio, True


def _matching_shift(log_odds: Floats, weight: Floats, observed: float) -> float:
    """The shift of all log-odds `(n,)` by which `observed` conversions are predicted (Newton)."""
    shift = 0.0
    for _ in range(NEWTON_STEPS):
        probability = 1 / (1 + np.exp(-log_odds - shift))
        slope = weight @ (probability * (1 - probability))
        shift += float((observed - weight @ probability) / slope)
    return shift
