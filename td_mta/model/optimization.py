"""How the network's weights are fitted: learning rate, weight decay and the steps of training."""

import keras
import numpy as np
from tqdm import tqdm

from td_mta.journeys.patterns import Grid, Patterns, dense
from td_mta.model.network import LINEAR, in_order
from td_mta.model.sampling import TrainingRows
from td_mta.model.settings import TrainingSettings

PEAK_RATE = 8e-3
DECAY = 1 / 3  # weight decay of a table with as many conversions as a gate has recurrent weights
MOST_DECAY = 1 / 128  # times the width: with more, little is learned at all


def seeded(seed: int) -> np.random.Generator:
    """NumPy's generator for the seed; Keras, for first weights and dropout, is seeded with it."""
    keras.utils.set_random_seed(seed)
    return np.random.default_rng(seed)


def compile_network(
    network: keras.Model, steps: int, conversions: float, settings: TrainingSettings
) -> None:
    """AdamW for so many `steps` on a table with so many `conversions`.

    The learning rate rises over a twentieth of the steps, then falls to zero along a cosine.
    Without weight decay the network overfits a small table, since that gets no fewer steps; with
    it, the interactions of a large one are lost. So the decay falls with the square of conversions
    per weight.
    """
    schedule = _learning_rates(steps)
    weights_per_conversion = settings.width**2 / max(conversions, 1)
    decay = DECAY * weights_per_conversion**2
    decay = min(MOST_DECAY * settings.width, decay)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=decay, global_clipnorm=1.0)
    # The sum of weights starts at logistic regression, which decay would pull it away from.
    linear = list(network.get_layer(LINEAR).trainable_variables)
    optimizer.exclude_from_weight_decay(linear, var_names=["bias"])
    network.compile(optimizer, loss=keras.losses.BinaryCrossentropy(from_logits=True))


def train(
    network: keras.Model, rows: TrainingRows, patterns: Patterns, grid: Grid, batch_size: int
) -> None:
    """One step for every `batch_size` rows, which are rows of `patterns`, in their order."""
    row_count = len(rows.pattern)
    size = min(batch_size, row_count)
    # A last, smaller batch is left out: TensorFlow would trace the graph anew for its shape.
    starts = range(0, row_count - size + 1, size)
    for first in tqdm(starts, "training", disable=None, leave=False):
        batch = rows.take(slice(first, first + size))
        cells = dense(patterns.take(batch.pattern), grid)  # (size, days, channels)
        label = batch.label[:, None].astype(np.float32)  # (size, 1)
        weight = batch.weight.astype(np.float32)
        network.train_on_batch(in_order(cells), label, sample_weight=weight)


def reset_optimizer(network: keras.Model) -> None:
    """Forget the moments and the step count of earlier training."""
    for variable in network.optimizer.variables:
        variable.assign(np.zeros(variable.shape))


def _learning_rates(steps: int) -> keras.optimizers.schedules.CosineDecay:
    warmup = max(1, steps // 20)
    falling = max(1, steps - warmup)
    return keras.optimizers.schedules.CosineDecay(
        PEAK_RATE / 10, falling, warmup_target=PEAK_RATE, warmup_steps=warmup
    )
