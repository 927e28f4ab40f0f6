"""A network trained beside a linear rung, on distinct patterns at natural prevalence.

Strata are folded in: a pattern's offset is the logit of its mean probability over its strata by the
linear rung, and the network learns what is to be added. A step sees a sample of patterns, drawn in
proportion to their conversions, expected and observed, and weighted back: those that matter most
are in every step with their whole weight, and the expected gradient is that of all.
"""

from typing import NamedTuple

import keras
import numpy as np
from scipy.special import expit, logit

from td_mta.journeys.examples import GROUPS
from td_mta.journeys.patterns import Grid, Patterns, dense
from td_mta.journeys.touchpoints import Flags, Floats, Ints
from td_mta.model import layers
from td_mta.model.choice import STOPPING_GROUPS
from td_mta.model.counted import Counted, sums
from td_mta.model.predictor import Network
from td_mta.model.settings import TrainingSettings

PEAK_RATE = 5e-3
DECAY = 2.0  # of weights, times the learning rate, at a step
LSTM_DAYS = 40_000  # of the windows of an epoch, which bounds its time: a second or two on 2 cores
LSTM_STEPS = 13  # of an epoch
FEWEST_WINDOWS = 250  # of a step


class Folded(NamedTuple):
    """Distinct patterns, their examples in some groups of users, and their offsets."""

    patterns: Patterns  # n of them
    negatives: Floats  # (n,)
    positives: Floats  # (n,)
    offset: Floats  # log-odds by the linear rung, (n,)

    @property
    def weight(self) -> Floats:
        """Examples of both classes, `(n,)`."""
        return self.negatives + self.positives

    @property
    def conversions(self) -> Floats:
        """Expected and observed ones, `(n,)`: what a pattern can teach."""
        return self.weight * expit(self.offset) + self.positives

    def take(self, rows: Ints) -> "Folded":
        """Those of some rows, in that order."""
        return Folded(self.patterns.take(rows), *(column[rows] for column in self[1:]))


class Stopping(NamedTuple):
    """Examples that choose the epoch, and of which group of users they are."""

    folded: Folded  # n patterns
    pattern: Ints  # which of them, (rows,)
    group: Ints  # from 0, (rows,)
    negatives: Floats  # (rows,)
    positives: Floats  # (rows,)

    def sample(self, size: int, rng: np.random.Generator) -> "Stopping":
        """At most `size` of the patterns, whose examples count for those not drawn."""
        n = len(self.folded.offset)
        probability = inclusion(self.folded.conversions, size)
        drawn = draw(probability, rng) if n > size else np.arange(n)
        position = np.full(n, -1)
        position[drawn] = np.arange(len(drawn))
        rows = np.flatnonzero(position[self.pattern] >= 0)
        old = self.pattern[rows]
        scale = 1 / probability[old]
        return Stopping(
            self.folded.take(drawn),
            position[old],
            self.group[rows],
            self.negatives[rows] * scale,
            self.positives[rows] * scale,
        )

    def losses(self, added: Floats) -> Floats:
        """Negative log likelihood of each group, with log-odds `(n,)` beside the offsets."""
        log_odds = (self.folded.offset + added)[self.pattern]
        weight = self.negatives + self.positives
        of_rows = weight * np.logaddexp(0, log_odds) - self.positives * log_odds
        return sums(self.group, of_rows, STOPPING_GROUPS)


class Trained(NamedTuple):
    """The epoch at which training ended, and what the network gains on users who chose it not."""

    epoch: int
    changes: Floats  # of each stopping group's loss, at the epoch that the others would choose


class Schedule(NamedTuple):
    """How long a network is trained, and on how much at a time."""

    epochs: int
    steps: int  # of an epoch
    batch: int  # patterns of a step
    scored: int  # patterns that the loss after an epoch is of


def fold(counted: Counted, probability: Floats, groups: Flags) -> Folded:
    """The examples of some groups, given the probabilities of the table's cells `(cells,)`."""
    rows = counted.rows
    cell, weight = counted.pattern[rows.cell], groups[rows.group]
    n = len(counted.patterns.keys)
    mean = counted.by_pattern(counted.weight * probability) / counted.by_pattern(counted.weight)
    folded = Folded(
        counted.patterns,
        sums(cell, rows.negatives * weight, n),
        sums(cell, rows.positives * weight, n),
        logit(mean),
    )
    return folded.take(np.flatnonzero(folded.weight))


def stopping_part(counted: Counted, probability: Floats) -> Stopping:
    """The examples of the groups that choose the epoch, as `fold` has them."""
    rows = counted.rows
    folded = fold(counted, probability, np.arange(GROUPS) < STOPPING_GROUPS)
    own = np.flatnonzero(rows.group < STOPPING_GROUPS)
    _, pattern = np.unique(counted.pattern[rows.cell[own]], return_inverse=True)
    return Stopping(folded, pattern, rows.group[own], rows.negatives[own], rows.positives[own])


def train(
    network: Network,
    fitted: Folded,
    stopping: Stopping,
    grid: Grid,
    schedule: Schedule,
    rng: np.random.Generator,
) -> Trained:
    """Train in place, to the epoch of the least loss on `stopping`.

    Epoch 0 is before the first step, where the network adds nothing; so it stays where either part
    of the users has no conversion.
    """
    if not fitted.positives.sum() or not stopping.positives.sum():
        return Trained(0, np.zeros(STOPPING_GROUPS))
    model = _compiled(network.model, grid, schedule)
    stopping = stopping.sample(schedule.scored, rng)
    cells = dense(stopping.folded.patterns, grid)
    best, by_group = network.model.get_weights(), [stopping.losses(np.zeros(len(cells)))]
    losses = [by_group[0].sum()]
    probability = inclusion(fitted.conversions, schedule.batch)
    for _ in range(schedule.epochs):
        for _ in range(schedule.steps):
            _step(model, fitted, probability, grid, rng)
        by_group.append(stopping.losses(network.log_odds(cells)))
        losses.append(by_group[-1].sum())
        if losses[-1] <= min(losses):
            best = network.model.get_weights()
    network.model.set_weights(best)
    return Trained(int(np.argmin(losses)), changes_unseen(np.array(by_group)))


def changes_unseen(losses: Floats) -> Floats:
    """How much each group's loss changes from epoch 0 to the one of the least loss of the others.

    `losses` are by epoch and group; the result is `(groups,)`. A group's own loss has no say in the
    epoch that it is measured at, so that by noise alone the change is not below 0.

    >>> changes_unseen(np.array([[5.0, 5.0], [4.0, 6.0], [6.0, 3.0]])).tolist()
    [1.0, 1.0]
    """
    others = losses.sum(axis=1, keepdims=True) - losses
    epoch = np.argmin(others, axis=0)
    changes: Floats = losses[epoch, np.arange(losses.shape[1])] - losses[0]
    return changes


def inclusion(size: Floats, count: int) -> Floats:
    """Probabilities of being drawn, in proportion to size but at most 1, `count` in all, `(n,)`.

    >>> inclusion(np.array([6.0, 1.0, 1.0]), 2).tolist()
    [1.0, 0.5, 0.5]
    """
    if len(size) <= count:
        return np.ones(len(size))
    probability = np.zeros(len(size))
    rest = size > 0
    while rest.any():
        share = (count - (~rest & (probability > 0)).sum()) * size / size[rest].sum()
        probability[rest] = np.minimum(share[rest], 1)
        certain = rest & (share >= 1)
        if not certain.any():
            break
        rest &= ~certain
    return probability


def draw(probability: Floats, rng: np.random.Generator) -> Ints:
    """Rows drawn with these probabilities, by systematic sampling in a random order."""
    order = rng.permutation(len(probability))
    passed = np.cumsum(probability[order])
    marks = rng.random() + np.arange(round(passed[-1]))
    rows = np.searchsorted(passed, marks, side="right")
    return np.sort(order[np.minimum(rows, len(order) - 1)])


def lstm_schedule(grid: Grid, settings: TrainingSettings) -> Schedule:
    """Few steps, each of as many windows as the time of an epoch allows for their days."""
    windows = LSTM_DAYS // (grid.days * LSTM_STEPS)
    batch = min(settings.batch_size, max(FEWEST_WINDOWS, windows))
    return Schedule(settings.epochs, LSTM_STEPS, batch, 4000)


def mlp_schedule(settings: TrainingSettings) -> Schedule:
    """Four times the batch, and more and longer epochs: its steps cost next to nothing."""
    return Schedule(3 * settings.epochs, 40, 4 * settings.batch_size, 50_000)


def _compiled(network: keras.Model, grid: Grid, schedule: Schedule) -> keras.Model:
    """The network beside an offset, with AdamW.

    The learning rate rises over a twentieth of the steps, then falls to zero along a cosine.
    """
    steps = schedule.epochs * schedule.steps
    warmup = max(1, steps // 20)
    rates = keras.optimizers.schedules.CosineDecay(
        PEAK_RATE / 10, max(1, steps - warmup), warmup_target=PEAK_RATE, warmup_steps=warmup
    )
    optimizer = keras.optimizers.AdamW(rates, weight_decay=DECAY, global_clipnorm=1.0)
    cells, offset = keras.Input((grid.days, grid.channels)), keras.Input((1,))
    model = keras.Model([cells, offset], keras.layers.Add()([network(cells), offset]))
    model.compile(optimizer, loss=keras.losses.BinaryCrossentropy(from_logits=True))
    return model


def _step(
    model: keras.Model,
    fitted: Folded,
    probability: Floats,
    grid: Grid,
    rng: np.random.Generator,
) -> None:
    rows = draw(probability, rng)
    drawn = fitted.take(rows)
    scale = len(rows) / fitted.positives.sum()
    weight = drawn.weight / probability[rows] * scale  # the loss is in nats a conversion
    label = drawn.positives / drawn.weight
    columns = (array[:, None].astype(np.float32) for array in (drawn.offset, label))
    offset, labels = columns
    cells = layers.in_order(dense(drawn.patterns, grid))
    model.train_on_batch([cells, offset], labels, sample_weight=weight.astype(np.float32))
