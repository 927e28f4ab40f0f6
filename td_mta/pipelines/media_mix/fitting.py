"""From a media table to everything that is known of its channels."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from td_mta.config.mmm import MediaMixConfig
from td_mta.ingest.media_mix.tables import MediaTable
from td_mta.mmm import controls, draws, effects, experiments, what_to_test
from td_mta.mmm.budget import Limits
from td_mta.mmm.checks import choice
from td_mta.mmm.checks.choice import Held
from td_mta.mmm.checks.coverage import Coverage, coverage
from td_mta.mmm.checks.diagnostics import Diagnostics, diagnostics
from td_mta.mmm.checks.ridge import Ridge, ridge
from td_mta.mmm.effects import Answers, Curve, Interval
from td_mta.mmm.experiments import Calibrated, Draws, Experiment
from td_mta.mmm.fit import Fit, fit
from td_mta.mmm.media import MediaData, media_data
from td_mta.mmm.model import Form, Model, Priors
from td_mta.mmm.transforms import Floats
from td_mta.mmm.what_to_test import Advice

log = logging.getLogger(__name__)

BEFORE = 8  # first periods, whose mean spend stands for that of earlier ones
MONEY = (0.2, 50.0)  # sales per unit of spend, where both are money
SHARE_OF_MEDIA = 0.3  # of sales, for the prior where sales are no money
DAYS_PER_WEEK = 7


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What is known of `c` channels."""

    table: MediaTable
    data: MediaData
    forms: Mapping[Form, Held]  # empty where the form is given
    plain: Fit
    calibrated: Calibrated | None
    tests: Sequence[Experiment]
    draws: Sequence[Draws]
    best: Answers
    contribution: Interval
    roi: Interval
    marginal_roi: Interval
    from_prior: Floats  # share of what is said of the effect, (c,)
    next_spend: Floats  # t values, (c,)
    ridge: Ridge
    diagnostics: Diagnostics
    coverage: Coverage | None
    advice: Advice
    notes: Sequence[str]

    @property
    def curves_from(self) -> Fit:
        """The fit that curves, parameters and budgets come from."""
        return self.calibrated.additive if self.calibrated else self.plain

    def curve(self, channel: int) -> Curve:
        """A channel's response curve, its interval from all draws."""
        own = self.curves_from
        found = effects.curve(own.model, own.p, own.p[None], channel)
        scaled = found.spend / (self.data.usual_spend[channel] or 1.0)
        of_draws = [effects.held(d.model, d.p, channel, scaled) for d in self.draws]
        bounds = effects.interval(found.sales.value, np.concatenate(of_draws))
        return Curve(found.spend, bounds, found.observed)


def answer(
    table: MediaTable, config: MediaMixConfig, tests: Sequence[Experiment], datasets: int
) -> Answered:
    """Fit the model to a table; `datasets` are simulated to see how often intervals hold."""
    rng = np.random.default_rng(config.seed)
    data = data_of(table, config)
    priors, prior_note = priors_of(table, config)
    forms = _forms(data, priors, config, rng)
    form = choice.best(forms) if forms else _given_forms(config)[0]
    log.info("adstock %s, saturation %s", form.adstock, form.saturation)
    plain = fit(Model(data=data, form=form, priors=priors), rng, starts=config.starts)
    agreeing = 100 * plain.agreeing
    log.info("fit: %d starts, %.0f %% of them end in one place", plain.starts, agreeing)
    calibrated = experiments.calibrate(plain, tests, rng) if tests else None
    sampled = _draws(plain, calibrated, config, rng)
    own = calibrated.additive if calibrated else plain
    best = effects.answers(own.model, own.p)
    if datasets:
        log.info("coverage: %d data sets of which the truth is known", datasets)
    of_draws = [effects.answers(d.model, d.p) for d in sampled]
    pooled = Answers(*(np.concatenate(parts) for parts in zip(*of_draws, strict=True)))
    return Answered(
        table=table,
        data=data,
        forms=forms,
        plain=plain,
        calibrated=calibrated,
        tests=tests,
        draws=sampled,
        best=best,
        contribution=effects.interval(best.contribution, pooled.contribution),
        roi=effects.interval(best.roi, pooled.roi),
        marginal_roi=effects.interval(best.marginal_roi, pooled.marginal_roi),
        from_prior=draws.share_from_prior(own),
        next_spend=experiments.next_spend(plain),
        ridge=ridge(
            data,
            decay=config.ridge_decay,
            half_at=config.ridge_half_at,
            slope=config.ridge_slope,
            penalty=config.ridge_penalty,
        ),
        diagnostics=diagnostics(data.sales, plain.fitted),
        coverage=coverage(plain, datasets, rng) if datasets else None,
        advice=_advice(own, sampled),
        notes=[*table.notes, prior_note, *_short(table)],
    )


def data_of(table: MediaTable, config: MediaMixConfig) -> MediaData:
    """The table with a trend and seasons beside its own controls."""
    periods = table.periods
    middle = periods.first_day + periods.length / 2
    columns, names = [], []
    if config.trend:
        columns.append(controls.trend(len(middle)))
        names.append("trend")
    years = (middle[-1] - middle[0]) / controls.DAYS_PER_YEAR
    waves = config.season_waves if years >= 1 else min(config.season_waves, 1)
    if waves:
        columns.append(controls.seasons(middle, waves))
        names += controls.season_names(waves)
    if periods.kind == "day":
        columns.append(controls.seasons(middle, 3, DAYS_PER_WEEK))
        names += controls.season_names(3, "week")
    steady = config.spend_before == "steady"
    return media_data(
        table.sales,
        table.spend,
        table.channels,
        np.hstack([*columns, table.controls]),
        [*names, *table.control_names],
        table.spend[:BEFORE].mean(axis=0) if steady else None,
    )


def priors_of(table: MediaTable, config: MediaMixConfig) -> tuple[Priors, str]:
    """Priors, and a sentence on that of ROI."""
    ratio = float(np.nansum(table.sales) / table.spend.sum())
    spread = config.roi_prior_spread
    if config.roi_prior is not None:
        roi, why = config.roi_prior, "roi_prior"
    elif table.is_money and MONEY[0] <= ratio <= MONEY[1]:
        roi, why = 1.0, "sales taken for money"
    else:
        roi, why = SHARE_OF_MEDIA * ratio, "sales do not look like money in the units of spend"
        spread = max(spread, 1.0)
    low, high = roi * np.exp(-1.645 * spread), roi * np.exp(1.645 * spread)
    return Priors(roi=roi, roi_spread=spread), (
        f"before the data each channel's ROI is thought to be around {roi:.3g}, from {low:.2g} to "
        f"{high:.2g} ({why}); roi_prior and roi_prior_spread say otherwise"
    )


def _given_forms(config: MediaMixConfig) -> list[Form]:
    return [
        form
        for form in choice.FORMS
        if config.adstock in ("choose", form.adstock)
        and config.saturation in ("choose", form.saturation)
    ]


def _forms(
    data: MediaData, priors: Priors, config: MediaMixConfig, rng: np.random.Generator
) -> Mapping[Form, Held]:
    return choice.compare(data, priors, rng, _given_forms(config))


def _draws(
    plain: Fit, calibrated: Calibrated | None, config: MediaMixConfig, rng: np.random.Generator
) -> list[Draws]:
    sample = draws.laplace if config.intervals == "laplace" else draws.randomised_map
    if calibrated:
        return calibrated.draws(rng, config.draws, sample)
    return [Draws(plain.model, sample(plain, rng, config.draws))]


def _advice(own: Fit, sampled: Sequence[Draws]) -> Advice:
    today = own.model.data.spend.mean(axis=0)
    limits = Limits(np.zeros(len(today)), own.model.data.spend.max(axis=0))
    return what_to_test.advice(own.model, own.p, sampled[0].p, float(today.sum()), limits)


def _short(table: MediaTable) -> list[str]:
    periods, channels = len(table.sales), len(table.channels)
    if periods >= 15 * channels:
        return []
    return [
        f"{periods} {table.periods.kind}s for {channels} channels are few: most of what is said of "
        "them comes from the prior"
    ]
