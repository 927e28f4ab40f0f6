"""The ladder of models: logistic regression, products, an MLP, an LSTM, each from where one ended.

Every rung says f of a pattern and shares the controls' g of a stratum, so that a conversion has
probability sigmoid(f + g). The simplest rung is used that none above beats (`choice`); held-out
users have no say in that.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from td_mta.journeys.examples import Examples
from td_mta.journeys.patterns import Grid
from td_mta.journeys.strata import Strata
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.metrics import Difference, Quality, quality
from td_mta.model import choice, counted, covariance, glm
from td_mta.model import terms as terms_of
from td_mta.model.choice import STOPPING_GROUPS, Comparisons
from td_mta.model.counted import Counted
from td_mta.model.holdout import BASE_RATE, LOGISTIC, LSTM, MLP, PAIRS, RUNGS, UNDEFINED, HeldOut
from td_mta.model.predictor import Calibration, Linear, Predictor
from td_mta.model.settings import TrainingSettings
from td_mta.model.terms import Terms
from td_mta.shapley import score

log = logging.getLogger(__name__)

PRODUCT_PRECISIONS = (1.0, 4.0, 16.0, 64.0, 256.0, 1024.0)
TOLERANCE = 0.02  # of predicted against observed conversions
NEWTON_STEPS = 50
SCORED = 10_000  # training patterns that the LSTM's figures are of


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


class LinearFit(NamedTuple):
    """A linear rung and how far its parameters would differ for other users."""

    terms: Terms
    weights: Floats  # (terms,), the intercept first
    controls: Floats  # (columns,)
    covariance: Floats  # of weights, then controls, (terms + columns, terms + columns)


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
        return _offsets(self.strata, rung.controls, code)


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
    data = _Data(counted.training(examples), counted.held_out(examples), strata, grid)
    names = RUNGS if network == "auto" else RUNGS[: RUNGS.index(network) + 1]
    fits = [_linear(data, LOGISTIC, None)]
    if PAIRS in names:
        fits.append(_linear(data, PAIRS, fits[0]))
    comparisons = _linear_comparisons(data, fits)
    gain = _gain(data, fits[0])
    simplest = choice.simplest([fit.name for fit in fits], comparisons, gain)
    base = fits[-1] if network == PAIRS else _named(fits, simplest)
    networks = [_network(data, name, base, settings) for name in names if name in (MLP, LSTM)]
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
        linear=_with_covariance(data, chosen_linear),
        logistic=fits[0].problem,
        held_out=_held_out(data, scored, chosen),
        comparisons=comparisons,
        strata=strata,
        prevalence=data.train.prevalence,
        ratio=used.ratio,
        refitted=used.refitted,
    )


class _Data(NamedTuple):
    """What every rung is fitted to and scored on."""

    train: Counted
    held_out: Counted
    strata: Strata
    grid: Grid


class _Scored(NamedTuple):
    """A rung and its probabilities of the held-out table's cells `(cells,)`."""

    rung: Rung
    probability: Floats


class _Fit(NamedTuple):
    """A linear rung, the problem that it solves, and the solution."""

    scored: _Scored
    terms: Terms
    problem: glm.Problem
    solution: glm.Solution
    scores: Floats  # of groups of training users, (groups, terms + columns)

    @property
    def name(self) -> str:
        return self.scored.rung.name

    @property
    def weights(self) -> Floats:
        return self.solution.parameters[: self.problem.terms]

    @property
    def controls(self) -> Floats:
        return self.solution.parameters[self.problem.terms :]

    def probability(self) -> Floats:
        """Of the training table's cells, `(cells,)`."""
        return expit(self.problem.log_odds(self.solution.parameters))


class _Network(NamedTuple):
    """A network and how the loss of the groups that choose its epoch changes by it `(groups,)`."""

    scored: _Scored
    changes: Floats


def _linear(data: _Data, name: str, below: _Fit | None) -> _Fit:
    """The logistic rung, or from it that with products."""
    started = time.monotonic()
    if below is None:
        terms = terms_of.cells_only(data.grid)
        problem = _problem(data, terms, products=0.0)
        solution = glm.solve(problem)
    else:
        terms = _products(data, below)
        problem, solution = _with_chosen_penalty(data, terms, below)
    weights = solution.parameters[: problem.terms]
    controls = solution.parameters[problem.terms :]
    predictor = Predictor(Linear(terms, weights), None, _calibration(data.strata, controls))
    f = terms.features(data.held_out.patterns) @ weights
    probability = expit(problem.log_odds(solution.parameters))
    train = quality(probability, data.train.negatives, data.train.positives)
    scored = _score(data, _unscored(name, predictor, controls, train), f, started)
    scores = covariance.group_scores(problem, solution.parameters, data.train)
    return _Fit(scored, terms, problem, solution, scores)


def _problem(data: _Data, terms: Terms, products: float) -> glm.Problem:
    features = terms.features(data.train.patterns)
    design = data.strata.design(data.train.codes)
    precision = np.concatenate([terms.precision(products), data.strata.precision])
    return glm.Problem.of(data.train, features, design, precision)


def _products(data: _Data, below: _Fit) -> Terms:
    train = data.train
    observed = train.by_pattern(train.positives)
    expected = train.by_pattern(train.weight * below.probability())
    return terms_of.with_products(train.patterns, observed, expected, data.grid)


def _with_chosen_penalty(
    data: _Data, terms: Terms, below: _Fit
) -> tuple[glm.Problem, glm.Solution]:
    """The precision of the products' priors by groups of training users left out in turn."""
    middle = PRODUCT_PRECISIONS[len(PRODUCT_PRECISIONS) // 2]
    problem = _problem(data, terms, middle)
    new = np.zeros(problem.terms - below.problem.terms)
    solution = glm.solve(problem, np.concatenate([below.weights, new, below.controls]), near=1.0)
    scores = covariance.group_scores(problem, solution.parameters, data.train)
    precisions = [
        np.concatenate([terms.precision(products), data.strata.precision])
        for products in PRODUCT_PRECISIONS
    ]
    losses = [covariance.left_out_loss(problem, solution, scores, each) for each in precisions]
    chosen = int(np.argmin(losses))
    log.debug("products: precision %g of %s", PRODUCT_PRECISIONS[chosen], losses)
    problem = replace(problem, precision=precisions[chosen])
    return problem, glm.solve(problem, solution.parameters)


def _with_covariance(data: _Data, fit: _Fit) -> LinearFit:
    spread = covariance.sandwich(fit.problem, fit.solution, fit.scores)
    return LinearFit(fit.terms, fit.weights, fit.controls, spread)


def _network(data: _Data, name: str, base: _Fit, settings: TrainingSettings) -> _Network:
    """A network beside a linear rung, whose controls it keeps."""
    import keras

    from td_mta.model import descent, layers
    from td_mta.model.predictor import Network

    started = time.monotonic()
    keras.utils.set_random_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    if name == LSTM:
        model = layers.lstm(data.grid, width=settings.width, dropout=settings.dropout)
        schedule = descent.lstm_schedule(data.grid, settings)
    else:
        model = layers.mlp(data.grid, dropout=settings.dropout)
        schedule = descent.mlp_schedule(settings)
    probability = base.probability()
    groups = np.arange(counted.GROUPS)
    stopping = descent.stopping_part(data.train, probability)
    learned = descent.fold(data.train, probability, groups >= STOPPING_GROUPS)
    added = Network(model, layers.log_odds_of(model))
    trained = descent.train(added, learned, stopping, data.grid, schedule, rng)
    predictor = replace(base.scored.rung.predictor, network=added)
    whole = descent.fold(data.train, probability, groups >= 0)
    chance = descent.inclusion(whole.conversions, SCORED if name == LSTM else len(whole.offset))
    drawn = descent.draw(chance, rng)
    cells = np.flatnonzero(np.isin(data.train.pattern, drawn))  # of the table
    beside = np.zeros(len(chance))
    beside[drawn] = score(whole.patterns.take(drawn), data.grid, added.log_odds)
    which = data.train.pattern[cells]
    log_odds = logit(probability[cells]) + beside[which]
    negatives = data.train.negatives[cells] / chance[which]
    positives = data.train.positives[cells] / chance[which]
    shift, ratio = _recalibration(log_odds, negatives + positives, float(positives.sum()))
    predictor = predictor.shifted(shift)
    train = quality(expit(log_odds + shift), negatives, positives)
    rung = _unscored(name, predictor, base.controls, train)
    rung = rung._replace(ratio=ratio, refitted=bool(shift))
    log.debug("%s: epoch %d of %d", name, trained.epoch, schedule.epochs)
    f = score(data.held_out.patterns, data.grid, predictor.log_odds)
    return _Network(_score(data, rung, f, started), trained.changes)


def _recalibration(log_odds: Floats, weight: Floats, observed: float) -> tuple[float, float]:
    """The shift of all log-odds by which as many conversions are predicted as observed.

    0 where they differ by up to `TOLERANCE`. And predicted over observed conversions before.
    """
    ratio = float(weight @ expit(log_odds)) / observed
    if abs(ratio - 1) <= TOLERANCE:
        return 0.0, ratio
    shift = 0.0
    for _ in range(NEWTON_STEPS):
        probability = expit(log_odds + shift)
        slope = weight @ (probability * (1 - probability))
        shift += float((observed - weight @ probability) / slope)
    return shift, ratio


def _unscored(name: str, predictor: Predictor, controls: Floats, train: Quality) -> Rung:
    return Rung(name, predictor, controls, train, UNDEFINED, 0.0, 1.0, refitted=False)


def _score(data: _Data, rung: Rung, f: Floats, started: float) -> _Scored:
    """The rung on the held-out examples, given f of their patterns."""
    held_out = data.held_out
    g = _offsets(data.strata, rung.controls, held_out.codes)
    probability = expit(f[held_out.pattern] + g[held_out.stratum])
    found = UNDEFINED
    if len(probability):
        found = quality(probability, held_out.negatives, held_out.positives)
    rung = rung._replace(held_out=found, seconds=time.monotonic() - started)
    message = "rung %s: log loss %.5f, held-out %.5f (%.1f s)"
    log.info(message, rung.name, rung.train.log_loss, found.log_loss, rung.seconds)
    return _Scored(rung, probability)


def _linear_comparisons(data: _Data, fits: Sequence[_Fit]) -> dict[choice.Comparison, Difference]:
    """With products against without, where both are there."""
    if len(fits) < 2:
        return {}
    losses = {
        fit.name: covariance.left_out_losses(fit.problem, fit.solution, fit.scores, data.train)
        for fit in fits
    }
    return choice.compared(losses, data.train)


def _gain(data: _Data, fit: _Fit) -> float:
    """How far the log loss of training users is below the base rate's."""
    positives = np.array([data.train.positives.sum()])
    negatives = np.array([data.train.negatives.sum()])
    base_rate = quality(np.array([data.train.prevalence]), negatives, positives)
    return base_rate.log_loss - fit.scored.rung.train.log_loss


def _named(fits: Sequence[_Fit], name: str) -> _Fit:
    return next(fit for fit in fits if fit.name == name)


def _held_out(data: _Data, scored: Sequence[_Scored], chosen: str) -> HeldOut:
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


def _offsets(strata: Strata, controls: Floats, code: Ints) -> Floats:
    return strata.design(code) @ controls


def _calibration(strata: Strata, controls: Floats) -> Calibration:
    """The controls' weights by name."""
    columns = [basis.rows.shape[1] for basis in strata.bases]
    parts = np.split(controls, np.cumsum(columns)[:-1]) if columns else []
    named = zip(strata.names, parts, strict=True)
    return Calibration(controls={name: part.tolist() for name, part in named})
