"""The trained model fitted anew to bootstrap samples of the users, each time from itself."""

from collections.abc import Iterator

import keras
from tqdm import tqdm

from td_mta.journeys.examples import Examples
from td_mta.journeys.patterns import Grid
from td_mta.model import optimization, sampling
from td_mta.model.counted_patterns import CountedPatterns, of_group, training_group
from td_mta.model.logistic import logistic
from td_mta.model.network import Calibration, Predictor, add_linear
from td_mta.model.recalibration import recalibrate
from td_mta.model.settings import TrainingSettings
from td_mta.model.training import Fitted

REFIT_SHARE = 10  # a refit takes so many times fewer steps than a fit


def refits(
    fitted: Fitted, bootstrap_examples: Examples, grid: Grid, settings: TrainingSettings
) -> Iterator[Predictor]:
    """The model trained on to each group of examples, a bootstrap sample of users, in turn.

    Its sum of weights moves as logistic regression does. Then it takes a tenth of a fit's steps, at
    a fit's learning rates: fast enough to leave the minimum that it starts in, so that refits
    differ by the randomness of training as well as by their users.
    """
    rng = optimization.seeded(settings.seed + 1)
    network = keras.models.clone_model(fitted.predictor.network)
    predictor = Predictor(network, fitted.predictor.calibration)
    first = of_group(bootstrap_examples, 0)
    steps = _steps(first, grid, settings)
    optimization.compile_network(network, steps, first.positives.sum(), settings)
    network.optimizer.build(network.trainable_variables)
    groups = range(bootstrap_examples.counts.shape[2])
    for group in tqdm(groups, "refits", disable=None, leave=False):
        train = training_group(bootstrap_examples, group)
        _restart(network, fitted, train, grid)
        rows = sampling.sample_steps(train, steps, grid, settings, rng)
        optimization.train(network, rows, train.patterns, grid, settings.batch_size)
        refitted = predictor.calibrated(Calibration(train.prior))
        recalibrated = recalibrate(refitted, train, grid).predictor
        yield recalibrated.with_weights(network.get_weights())


def _steps(train: CountedPatterns, grid: Grid, settings: TrainingSettings) -> int:
    steps_of_fit = sampling.steps_per_epoch(train, grid, settings) * settings.epochs
    return max(1, steps_of_fit // REFIT_SHARE)


def _restart(network: keras.Model, fitted: Fitted, train: CountedPatterns, grid: Grid) -> None:
    """The fitted weights, with their sum of weights moved as logistic regression moved."""
    start = logistic(train.patterns, train.negatives, train.positives, grid.cells)
    network.set_weights(fitted.predictor.network.get_weights())
    weights = start.weights - fitted.logistic.weights  # (days * channels,)
    intercept = start.intercept - fitted.logistic.intercept
    # The network's own log-odds lack the prior, which differs between samples of users.
    intercept = intercept - train.prior + fitted.predictor.calibration.prior
    add_linear(network, weights.reshape(grid), intercept)
    optimization.reset_optimizer(network)
