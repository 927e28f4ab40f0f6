"""A rung of the ladder: what it is fitted to, what it says, and how well on held-out examples."""

import logging
import time
from typing import NamedTuple

from scipy.special import expit

from td_mta.journeys.patterns import Grid
from td_mta.journeys.strata import Strata
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.metrics import Quality, quality
from td_mta.model.counted import Counted
from td_mta.model.holdout import UNDEFINED
from td_mta.model.predictor import Predictor

log = logging.getLogger(__name__)


class Rung(NamedTuple):
    """A model of the ladder."""

    name: str
    predictor: Predictor  # f
    controls: Floats  # their weights, (columns,)
    train: Quality
    held_out: Quality
    seconds: float
    ratio: float  # predicted over observed conversions before the intercept was refitted
    refitted: bool  # whether the intercept was


class Data(NamedTuple):
    """What every rung is fitted to and scored on."""

    train: Counted
    held_out: Counted
    strata: Strata
    grid: Grid


class Scored(NamedTuple):
    """A rung and its probabilities of the held-out table's cells `(cells,)`."""

    rung: Rung
    probability: Floats


def unscored(name: str, predictor: Predictor, controls: Floats, train: Quality) -> Rung:
    """The rung before anything is known of held-out examples."""
    return Rung(name, predictor, controls, train, UNDEFINED, 0.0, 1.0, refitted=False)


def score_held_out(data: Data, rung: Rung, f: Floats, started: float) -> Scored:
    """The rung on the held-out examples, given f of their patterns."""
    held_out = data.held_out
    g = offsets_of(data.strata, rung.controls, held_out.codes)
    probability = expit(f[held_out.pattern] + g[held_out.stratum])
    found = UNDEFINED
    if len(probability):
        found = quality(probability, held_out.negatives, held_out.positives)
    rung = rung._replace(held_out=found, seconds=time.monotonic() - started)
    message = "rung %s: log loss %.5f, held-out %.5f (%.1f s)"
    log.info(message, rung.name, rung.train.log_loss, found.log_loss, rung.seconds)
    return Scored(rung, probability)


def offsets_of(strata: Strata, controls: Floats, code: Ints) -> Floats:
    """g of strata by their codes, `(n,)`, from the weights of the controls."""
    return strata.design(code) @ controls
