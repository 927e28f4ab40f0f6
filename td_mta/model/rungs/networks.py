"""The networks: an MLP and an LSTM, each beside a linear rung whose controls it keeps."""

import logging
import time
from dataclasses import replace
from typing import NamedTuple

import keras
import numpy as np
from scipy.special import expit, logit

from td_mta.journeys.examples import GROUPS
from td_mta.journeys.touchpoints import Floats
from td_mta.metrics import quality
from td_mta.model import descent, layers
from td_mta.model.choice import STOPPING_GROUPS
from td_mta.model.holdout import LSTM
from td_mta.model.predictor import Network
from td_mta.model.rungs.linear import Fit
from td_mta.model.rungs.recalibration import recalibration
from td_mta.model.rungs.rung import Data, Rung, Scored, score_held_out, unscored
from td_mta.model.settings import TrainingSettings
from td_mta.shapley import score

log = logging.getLogger(__name__)

SCORED = 10_000  # training patterns that the LSTM's figures are of


class NetworkFit(NamedTuple):
    """A network and how the loss of the groups that choose its epoch changes by it `(groups,)`."""

    scored: Scored
    changes: Floats


def network(data: Data, name: str, base: Fit, settings: TrainingSettings) -> NetworkFit:
    """A network beside a linear rung, whose controls it keeps."""
    started = time.monotonic()
    keras.utils.set_random_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    if name == LSTM:
        model = layers.lstm(data.grid, width=settings.width, dropout=settings.dropout)
        schedule = descent.lstm_schedule(data.grid, settings)
    else:
        model = layers.mlp(data.grid, dropout=settings.dropout)
        schedule = descent.mlp_schedule(settings)
    added, probability = Network(model, layers.log_odds_of(model)), base.probability()
    stopping = descent.stopping_part(data.train, probability)
    learned = descent.fold(data.train, probability, np.arange(GROUPS) >= STOPPING_GROUPS)
    trained = descent.train(added, learned, stopping, data.grid, schedule, rng)
    log.debug("%s: epoch %d of %d", name, trained.epoch, schedule.epochs)
    rung = _recalibrated(data, name, base, added, probability, rng)
    f = score(data.held_out.patterns, data.grid, rung.predictor.log_odds)
    return NetworkFit(score_held_out(data, rung, f, started), trained.changes)


def _recalibrated(
    data: Data, name: str, base: Fit, added: Network, probability: Floats, rng: np.random.Generator
) -> Rung:
    """The rung with `added` beside the base, whose `probability` of the table's cells is known.

    It predicts as many training conversions as are observed; an LSTM, in a draw of the patterns.
    """
    whole = descent.fold(data.train, probability, np.ones(GROUPS, np.bool_))
    chance = descent.inclusion(whole.conversions, SCORED if name == LSTM else len(whole.offset))
    drawn = descent.draw(chance, rng)
    cells = np.flatnonzero(np.isin(data.train.pattern, drawn))  # of the table
    beside = np.zeros(len(chance))
    beside[drawn] = score(whole.patterns.take(drawn), data.grid, added.log_odds)
    which = data.train.pattern[cells]
    log_odds = logit(probability[cells]) + beside[which]
    negatives = data.train.negatives[cells] / chance[which]
    positives = data.train.positives[cells] / chance[which]
    shift, ratio = recalibration(log_odds, negatives + positives, float(positives.sum()))
    train = quality(expit(log_odds + shift), negatives, positives)
    predictor = replace(base.scored.rung.predictor, network=added).shifted(shift)
    rung = unscored(name, predictor, base.controls, train)
    return rung._replace(ratio=ratio, refitted=bool(shift))
