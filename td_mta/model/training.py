"""Fit the model to counted patterns, and rate it beside what it must beat on the same examples."""

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
from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.journeys import patterns
from td_mta.journeys.examples import AUGMENTED, NEGATIVE, POSITIVE, Examples
from td_mta.journeys.patterns import Grid, Patterns
from td_mta.journeys.touchpoints import Floats
from td_mta.metrics import Quality, last_as_good, quality
from td_mta.model import logistic as rivals
from td_mta.model import sampling
from td_mta.model.holdout import BASE_RATE, LOGISTIC, LSTM, HeldOut
from td_mta.model.network import Calibration, Predictor, add_linear, build, in_order, linear_weights
from td_mta.model.sampling import Counted, Draw

log = logging.getLogger(__name__)

MOST_SCORED = 100_000  # patterns that a metric is computed from; beyond, a draw by weight
PEAK_RATE = 8e-3
STRICT = 1 / 3  # weight decay of a table with as many conversions as a gate has recurrent weights
MOST_STRICT = 1 / 128  # the most of it, times the width: beyond, little is learned at all
REFIT_SHARE = 10  # a refit takes so much less than a fit
TOLERANCE = 0.02  # of predicted against observed conversions


class Epoch(NamedTuple):
    train: Quality
    held_out: Quality


class Fitted(NamedTuple):
    """The predictor of the epoch that is kept, the regression that it started at, every epoch's
    quality and weights, and what it and its rivals make of all that was held out.

    `prevalence` is the share of positives among the training users' examples, which the base rate
    is; `ratio` is predicted over observed conversions before the intercept was refitted, if it was.
    """

    predictor: Predictor
    logistic: rivals.Logistic
    epochs: list[Epoch]
    weights: list[list[Floats]]
    best: int
    held_out: HeldOut
    prevalence: float
    ratio: float
    refitted: bool


def fit(examples: Examples, grid: Grid, config: Config) -> Fitted:
    """Train on the first group of examples; the second one's log loss says which epoch is kept.

    The network starts at logistic regression, so that it is as good where nothing interacts.
    """
    train, held_out = _split(examples)
    _check(train)
    keras.utils.set_random_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    prior, logistic = _prior(train), _logistic(train, grid)
    network = _network(grid, config)
    predictor = Predictor(network, Calibration(prior))
    add_linear(network, logistic.weights.reshape(grid), logistic.intercept - prior)
    scored = _sample(train, rng), _sample(held_out, rng)
    epochs, weights, chances = [], [], []
    steps = sampling.epoch_steps(train, grid, config)
    _compile(network, steps * config.train_epochs, train, config)
    for number in range(config.train_epochs):
        started = time.monotonic()
        _train(network, sampling.draw(train, grid, config, rng), train.sets, grid, config)
        chances.append(_chances(predictor, scored[1].sets, grid))
        epochs.append(Epoch(_quality(predictor, scored[0], grid), _rated(chances[-1], scored[1])))
        weights.append(network.get_weights())
        seconds = time.monotonic() - started
        _report(number, epochs[-1], seconds, config)
    best = last_as_good(chances, scored[1].negatives, scored[1].positives)
    network.set_weights(weights[best])
    predictor, ratio, refitted = _calibrated(predictor, scored[0], grid)
    base = float(train.positives.sum() / (train.positives + train.negatives).sum())
    return Fitted(
        predictor=predictor,
        logistic=logistic,
        epochs=epochs,
        weights=weights,
        best=best,
        held_out=_judged(predictor, logistic, base, held_out, grid),
        prevalence=base,
        ratio=ratio,
        refitted=refitted,
    )


def refits(fitted: Fitted, redrawn: Examples, grid: Grid, config: Config) -> Iterator[Predictor]:
    """The model trained on, once for every group of examples, each time from where it was.

    Its sum of weights moves as logistic regression does. Then it takes a tenth of a fit's steps, at
    a fit's learning rates: fast enough to leave the minimum that it comes from, so that refits
    differ by the luck of training as well as by their users.
    """
    keras.utils.set_random_seed(config.seed + 1)
    rng = np.random.default_rng(config.seed + 1)
    network = keras.models.clone_model(fitted.predictor.network)
    weights = fitted.predictor.network.get_weights()
    start = fitted.predictor.calibration
    predictor = Predictor(network, start)
    first = _group(redrawn, 0)
    steps = max(1, sampling.epoch_steps(first, grid, config) * config.train_epochs // REFIT_SHARE)
    _compile(network, steps, first, config)
    network.optimizer.build(network.trainable_variables)
    for group in tqdm(range(redrawn.counts.shape[2]), "refits", disable=None, leave=False):
        train = _group(redrawn, group)
        _check(train)
        prior, logistic = _prior(train), _logistic(train, grid)
        network.set_weights(weights)
        moved = logistic.weights - fitted.logistic.weights
        intercept = logistic.intercept - fitted.logistic.intercept
        add_linear(network, moved.reshape(grid), intercept - prior + start.prior)
        for variable in network.optimizer.variables:
            variable.assign(np.zeros(variable.shape))
        _train(
            network, sampling.draw_steps(train, steps, grid, config, rng), train.sets, grid, config
        )
        refitted = _calibrated(predictor.calibrated(Calibration(prior)), train, grid)[0]
        yield refitted.with_weights(network.get_weights())


def replay(fitted: Fitted) -> list[Predictor]:
    """The predictor as it was after each epoch."""
    network = keras.models.clone_model(fitted.predictor.network)
    predictor = Predictor(network, fitted.predictor.calibration)
    return [predictor.with_weights(weights) for weights in fitted.weights]


def _split(examples: Examples) -> tuple[Counted, Counted]:
    return _group(examples, 0), _group(examples, 1)


def _group(examples: Examples, group: int) -> Counted:
    counts = examples.counts[:, :, group].astype(np.float64)
    drawn = counts[:, NEGATIVE] + counts[:, AUGMENTED]
    some = np.flatnonzero(drawn + counts[:, POSITIVE])
    counts, drawn = counts[some], drawn[some]
    return Counted(examples.patterns.take(some), counts[:, NEGATIVE], counts[:, POSITIVE], drawn)


def _check(train: Counted) -> None:
    if not train.positives.sum():
        raise DataError("no training user converts after a touch: there is nothing to learn from")
    if not train.negatives.sum():
        raise DataError(
            "every example converts: a model needs user-days, or users, without a conversion too"
        )


def _prior(train: Counted) -> float:
    return float(np.log(train.positives.sum() / train.negatives.sum()))


def _logistic(train: Counted, grid: Grid) -> rivals.Logistic:
    return rivals.logistic(train.sets, train.negatives, train.positives, grid.cells)


def _network(grid: Grid, config: Config) -> keras.Model:
    """On several GPUs a copy on each, with gradients averaged."""
    devices = tf.config.list_logical_devices("GPU")
    strategy = tf.distribute.MirroredStrategy() if len(devices) > 1 else None
    if strategy is None:
        return build(grid, width=config.model_width, dropout=config.dropout_rate)
    with strategy.scope():
        return build(grid, width=config.model_width, dropout=config.dropout_rate)


def _compile(network: keras.Model, steps: int, train: Counted, config: Config) -> None:
    """AdamW; the rate rises over a twentieth of the steps, then falls to nothing along a cosine.

    Without weight decay a small table is learned by heart, since it gets no fewer steps; with it a
    large one loses its interactions. So it falls with the square of conversions per weight.
    """
    warm = max(1, steps // 20)
    schedule = keras.optimizers.schedules.CosineDecay(
        PEAK_RATE / 10, max(1, steps - warm), warmup_target=PEAK_RATE, warmup_steps=warm
    )
    width, conversions = config.model_width, max(train.positives.sum(), 1)
    decay = min(MOST_STRICT * width, STRICT * (width**2 / conversions) ** 2)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=decay, global_clipnorm=1.0)
    optimizer.exclude_from_weight_decay(linear_weights(network), var_names=["bias"])
    network.compile(optimizer, loss=keras.losses.BinaryCrossentropy(from_logits=True))


def _train(network: keras.Model, draw: Draw, sets: Patterns, grid: Grid, config: Config) -> None:
    size = min(config.train_batch_size, len(draw.pattern))
    whole = range(0, len(draw.pattern) - size + 1, size)  # a last smaller one would be traced anew
    for at in tqdm(whole, "training", disable=None, leave=False):
        rows = slice(at, at + size)
        cells = in_order(patterns.dense(sets.take(draw.pattern[rows]), grid))
        network.train_on_batch(
            cells,
            draw.label[rows, None].astype(np.float32),
            sample_weight=draw.weight[rows].astype(np.float32),
        )


def _sample(counted: Counted, rng: np.random.Generator) -> Counted:
    """At most `MOST_SCORED` patterns; of more, a draw by weight stands for all."""
    rows = np.flatnonzero(counted.negatives + counted.positives)
    if len(rows) <= MOST_SCORED:
        return counted.take(rows)
    counts = np.stack([counted.negatives, counted.positives])
    total = counts.sum()
    drawn = [
        rng.multinomial(MOST_SCORED, each / each.sum()) * each.sum() / MOST_SCORED
        for each in counts
    ]
    log.info("metrics from a draw of patterns: %d of weight %d", len(rows), total)
    some = np.flatnonzero(drawn[0] + drawn[1])
    sets = counted.sets.take(some)
    return Counted(sets, drawn[0][some], drawn[1][some], drawn[0][some])


def _rated(chance: Floats, counted: Counted) -> Quality:
    if not len(chance):
        return Quality(*[math.nan] * len(Quality._fields))
    return quality(chance, counted.negatives, counted.positives)


def _chances(predictor: Predictor, sets: Patterns, grid: Grid) -> Floats:
    from td_mta.shapley import score

    return score(sets, grid, predictor)


def _quality(predictor: Predictor, counted: Counted, grid: Grid) -> Quality:
    return _rated(_chances(predictor, counted.sets, grid), counted)


def _judged(
    predictor: Predictor, logistic: rivals.Logistic, base: float, held_out: Counted, grid: Grid
) -> HeldOut:
    """All held-out patterns by the predictor and its rivals, none of them drawn."""
    seen = held_out.take(np.flatnonzero(held_out.negatives + held_out.positives))
    none = np.empty(0)
    chances = {
        LSTM: _chances(predictor, seen.sets, grid),
        LOGISTIC: logistic(seen.sets) if len(seen.sets.keys) else none,
        BASE_RATE: np.full(len(seen.sets.keys), base),
    }
    return HeldOut(seen.sets, seen.negatives, seen.positives, chances)


def _report(number: int, epoch: Epoch, seconds: float, config: Config) -> None:
    log.info(
        "epoch %d of %d: loss %.5f, val_loss %.5f, val_auc %.4f (%.0f s)",
        number + 1,
        config.train_epochs,
        epoch.train.log_loss,
        epoch.held_out.log_loss,
        epoch.held_out.auc,
        seconds,
    )
    progress.log_time_left("training", seconds * (config.train_epochs - number - 1))


def _calibrated(predictor: Predictor, train: Counted, grid: Grid) -> tuple[Predictor, float, bool]:
    """Move the intercept until as many conversions are predicted as observed, if they differ."""
    weight, observed = train.negatives + train.positives, train.positives.sum()
    odds = np.log(_chances(predictor, train.sets, grid))
    chance = np.exp(odds)
    ratio = float(weight @ chance / observed)
    if abs(ratio - 1) <= TOLERANCE:
        return predictor, ratio, False
    log_odds, shift = odds - np.log1p(-chance), 0.0
    for _ in range(50):
        chance = 1 / (1 + np.exp(-log_odds - shift))
        shift += (observed - weight @ chance) / (weight @ (chance * (1 - chance)))
    calibration = Calibration(predictor.calibration.prior, float(shift))
    return predictor.calibrated(calibration), ratio, True
