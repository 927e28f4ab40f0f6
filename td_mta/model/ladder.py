"""The ladder of models: logistic regression, products, an MLP, an LSTM, each from where one ended.

Every rung says f of a pattern and shares the controls' g of a stratum, so that a conversion has
probability sigmoid(f + g). The simplest rung is used that none above beats (`choice`); held-out
users have no say in that.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from td_mta.journeys.examples import Examples
from td_mta.journeys.patterns import Grid
from td_mta.journeys.strata import Strata
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.metrics import quality
from td_mta.model import choice, counted, glm
from td_mta.model.choice import STOPPING_GROUPS, Comparisons
from td_mta.model.holdout import BASE_RATE, LOGISTIC, LSTM, MLP, PAIRS, RUNGS, HeldOut
from td_mta.model.predictor import Predictor
from td_mta.model.rungs.linear import Fit, LinearFit, comparisons_of, linear, with_covariance
from td_mta.model.rungs.rung import Data, Rung, Scored, offsets_of
from td_mta.model.settings import TrainingSettings

if TYPE_CHECKING:
    from td_mta.model.rungs.networks import NetworkFit

log = logging.getLogger(__name__)


class Fitted(NamedTuple):
    """The rungs, the one that is used, and what is known of it."""

    predictor: Predictor  # f of the chosen rung
    chosen: str
    rungs: list[Rung]  # in order
    linear: LinearFit  # the chosen rung, or the linear one that it started from
    logistic: glm.Problem  # that the first rung solves
    held_out: HeldOut  # scored by every rung and the base rate
    comparisons: Comparisons  # by training users, which chose the rung
    strata: Strata
    prevalence: float  # positives among the training examples: the base rate
    ratio: float  # of the chosen rung
    refitted: bool  # likewise

    @property
    def rung(self) -> Rung:
        """The chosen one."""
        return next(rung for rung in self.rungs if rung.name == self.chosen)

    def offsets(self, code: Ints) -> Floats:
        """g of strata by their codes, `(n,)`."""
        return self.offsets_of(self.rung, code)

    def offsets_of(self, rung: Rung, code: Ints) -> Floats:
        """g of strata by their codes on that rung, `(n,)`."""
        return offsets_of(self.strata, rung.controls, code)


def climb(
    examples: Examples,
    strata: Strata,
    grid: Grid,
    settings: TrainingSettings,
) -> Fitted:
    """Fit the rungs up to the one to be used, or all of them, of which `auto` chooses one.

    Raises `DataError` where a class has no training example.
    """
    network = settings.network
    data = Data(counted.training(examples), counted.held_out(examples), strata, grid)
    names = RUNGS if network == "auto" else RUNGS[: RUNGS.index(network) + 1]
    fits = [linear(data, LOGISTIC, None)]
    if PAIRS in names:
        fits.append(linear(data, PAIRS, fits[0]))
    comparisons = comparisons_of(data, fits)
    gain = _gain(data, fits[0])
    simplest = choice.simplest([fit.name for fit in fits], comparisons, gain)
    base = fits[-1] if network == PAIRS else _named(fits, simplest)
    networks = _networks(data, [name for name in names if name in (MLP, LSTM)], base, settings)
    changes = {each.scored.rung.name: each.changes for each in networks}
    unchanged = np.zeros(STOPPING_GROUPS)
    comparisons |= choice.compared({base.name: unchanged, **changes}, data.train)
    chosen = network
    if network == "auto":
        chosen = choice.simplest([base.name, *changes], comparisons, _gain(data, base))
    scored = [*(fit.scored for fit in fits), *(each.scored for each in networks)]
    used = next(each.rung for each in scored if each.rung.name == chosen)
    chosen_linear = base if chosen in changes else _named(fits, chosen)
    log.info("used: %s", chosen)
    return Fitted(
        predictor=used.predictor,
        chosen=chosen,
        rungs=[each.rung for each in scored],
        linear=with_covariance(chosen_linear),
        logistic=fits[0].problem,
        held_out=_held_out(data, scored, chosen),
        comparisons=comparisons,
        strata=strata,
        prevalence=data.train.prevalence,
        ratio=used.ratio,
        refitted=used.refitted,
    )


def _networks(
    data: Data, names: Sequence[str], base: Fit, settings: TrainingSettings
) -> "list[NetworkFit]":
    if not names:
        return []
    from td_mta.model.rungs.networks import network  # Keras takes seconds to import

    return [network(data, name, base, settings) for name in names]


def _gain(data: Data, fit: Fit) -> float:
    """How far the log loss of training users is below the base rate's."""
    positives = np.array([data.train.positives.sum()])
    negatives = np.array([data.train.negatives.sum()])
    base_rate = quality(np.array([data.train.prevalence]), negatives, positives)
    return base_rate.log_loss - fit.scored.rung.train.log_loss


def _named(fits: Sequence[Fit], name: str) -> Fit:
    return next(fit for fit in fits if fit.name == name)


def _held_out(data: Data, scored: Sequence[Scored], chosen: str) -> HeldOut:
    rows, table = data.held_out.rows, data.held_out
    probabilities = {each.rung.name: each.probability[rows.cell] for each in scored}
    probabilities[BASE_RATE] = np.full(len(rows.cell), data.train.prevalence)
    return HeldOut(
        table.patterns,
        table.pattern[rows.cell],
        rows.group,
        rows.negatives,
        rows.positives,
        probabilities,
        chosen,
    )
