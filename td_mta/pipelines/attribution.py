"""One attribution run, top to bottom: table, examples, model, Shapley values, tables, report.

`run` is the workflow; each step below it takes the parameters that it needs out of `Config`.
"""

import contextlib
import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from td_mta import quiet
from td_mta.config.attribution import Config
from td_mta.dataset.build import Extracted, extract, folders_of
from td_mta.ingest import costs, page_views, sql_input
from td_mta.ingest.pages import TouchpointTable
from td_mta.journeys.examples import Examples
from td_mta.journeys.patterns import Grid
from td_mta.model.settings import TrainingSettings
from td_mta.pipelines import given_table, outputs
from td_mta.pipelines.appended_columns import check_numbered_columns
from td_mta.pipelines.attribution_results import InputSentences, Results, output_frames
from td_mta.reporting import run_facts
from td_mta.shapley import LogOdds, convergence, intervals
from td_mta.shapley.convergence import Candidate, CreditChange
from td_mta.shapley.credit import Credit, Values, attribute, shapley_values
from td_mta.shapley.games import without_offsets
from td_mta.shapley.intervals import Full, Interval, Intervals, Played
from td_mta.warehouse import Warehouse

if TYPE_CHECKING:
    from td_mta.model.training import Fitted

log = logging.getLogger(__name__)

Fit = Callable[[Examples, Grid, TrainingSettings], "Fitted"]


@dataclass(frozen=True)
class Summary:
    """The result of a run in a few figures; `baseline + channels` are the conversions."""

    run_id: str
    counts: dict[str, int]  # as in the section `counts` of run_info
    quality: dict[str, float]  # held-out metrics, under names like `lstm_log_loss`
    baseline: float
    channels: float
    conversions: float
    models: pd.DataFrame  # each model's credit by channel, as in tables.py
    report: Path | None  # where it was written, if a folder was named


@dataclass
class _StepTimer:
    """The seconds that each step took, rounded, by its name."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 2)
        log.info("%s: %.1f s", name, self.seconds[name])


def run(
    config: Config,
    warehouse: Warehouse,
    out: Path | None,
    fit: Fit | None = None,
    notes: Sequence[str] = (),
) -> Summary:
    """Read `config.table`, write the output tables, and the report to `out` if there is one.

    `fit` is `training.fit` unless the caller has a trained model already; `notes` are sentences on
    how the parameters were found. Nothing is written to the warehouse before all of it is there.
    Raises an `MtaError` that names the place and the remedy.
    """
    timer = _StepTimer()
    outputs.check_writable(config, warehouse, channels=None)
    given_costs = costs.read(config, warehouse)
    touchpoints, extracted = _read(config, warehouse, timer)
    channel_costs = given_table.costs_of_channels(given_costs, touchpoints)
    fitted = _train(extracted, config, fit, timer)
    results = _attribute(touchpoints, extracted, channel_costs, fitted, config, timer)

    of_input = InputSentences(
        warnings=page_views.warnings(config, warehouse),
        notes=[*notes, *warehouse.notes(), *sql_input.notes(config, warehouse)],
    )
    tables = output_frames(results, config, timer.seconds, of_input)
    page = outputs.page_of(tables, config.table, out)
    run_id = outputs.new_run_id()
    outputs.write_tables(tables, config, warehouse, run_id)
    return Summary(
        run_id=run_id,
        counts=extracted.counts,
        quality=run_facts.holdout(results.evaluation),
        **run_facts.conservation(results.credit, extracted.conversions_and_value),
        models=tables["models"],
        report=outputs.write_report(page, out),
    )


def _read(
    config: Config, warehouse: Warehouse, timer: _StepTimer
) -> tuple[TouchpointTable, Extracted]:
    """The table's touchpoints as examples and conversions by pattern; the examples go to disk."""
    with tempfile.TemporaryDirectory(prefix="td_mta_") as spill:
        with timer.step("read"):
            touchpoints = given_table.read(config, warehouse, Path(spill))
            if config.if_exists == "append":
                outputs.check_writable(config, warehouse, touchpoints.channels)
                names = outputs.table_names(config)
                check_numbered_columns(names, touchpoints.channels, warehouse)
        with timer.step("extract"):
            extracted = extract(touchpoints, config, folders_of(config))
        given_table.check_orders(extracted.table_facts, config)
    counts = (f"{what.replace('_', ' ')} {number:,}" for what, number in extracted.counts.items())
    log.info("extracted: %s", ", ".join(counts))
    return touchpoints, extracted


def _train(extracted: Extracted, config: Config, fit: Fit | None, timer: _StepTimer) -> "Fitted":
    # TensorFlow takes seconds to import, which a wrong table need not wait for.
    with quiet.imports():
        from td_mta.model import training

    settings = TrainingSettings.of(config)
    with timer.step("train"):
        fitted = (fit or training.fit)(extracted.examples, extracted.schema.grid, settings)
        fitted.predictor.save(config.model_dir)
    return fitted


def _attribute(
    touchpoints: TouchpointTable,
    extracted: Extracted,
    channel_costs: costs.ChannelCosts | None,
    fitted: "Fitted",
    config: Config,
    timer: _StepTimer,
) -> Results:
    """Credit by the trained model, its intervals, and how much it changed from epoch to epoch."""
    with timer.step("shapley"):
        log_odds = fitted.predictor.log_odds
        values = _shapley_values(extracted, log_odds, config, visits=touchpoints.visits)
        credit = attribute(values, extracted.conversions_and_value, extracted.schema.grid)
    with timer.step("intervals"):
        both = Intervals(
            sampling=_sampling_interval(values, extracted, config),
            full=_full_interval(credit, fitted, extracted, config, visits=touchpoints.visits),
        )
    with timer.step("convergence"):
        changes = _credit_changes(fitted, extracted, visits=touchpoints.visits)
    evaluation = run_facts.evaluate(fitted.held_out)
    return Results(
        touchpoints=touchpoints,
        extracted=extracted,
        costs=channel_costs,
        fitted=fitted,
        evaluation=evaluation,
        values=values,
        credit=credit,
        intervals=both,
        changes=changes,
    )


def _shapley_values(
    extracted: Extracted, log_odds: LogOdds, config: Config, *, visits: bool
) -> Values:
    return shapley_values(
        without_offsets(extracted.patterns),
        extracted.schema.grid,
        log_odds,
        exact_cells=config.shapley_exact_cells,
        budget=config.shapley_budget,
        permutations=config.shapley_permutations,
        rng=np.random.default_rng(config.seed),
        # Where every conversion is a visit, nobody converts without a touch.
        empty_is_zero=visits,
    )


def _sampling_interval(values: Values, extracted: Extracted, config: Config) -> Interval | None:
    """How much the credit varies between samples of users, with the model unchanged."""
    if not config.interval_draws:
        return None
    keys = extracted.patterns.keys
    played = Played(keys, np.arange(len(keys)))
    return intervals.sampling(
        values,
        played,
        extracted.converter_profiles,
        extracted.schema.grid,
        level=config.interval_level,
        draws=config.interval_draws,
        rng=np.random.default_rng(config.seed),
    )


def _full_interval(
    credit: Credit, fitted: "Fitted", extracted: Extracted, config: Config, *, visits: bool
) -> Full | None:
    """How far the credit may be off, the model's own error included: by refitting the model."""
    if not config.interval_refits:
        return None
    from td_mta.model import refitting

    grid = extracted.schema.grid
    settings = TrainingSettings.of(config)
    predictors = refitting.refits(fitted, extracted.bootstrap_examples, grid, settings)
    # A generator: the values of one refit at a time are in memory.
    refitted_values = (
        _shapley_values(extracted, predictor.log_odds, config, visits=visits)
        for predictor in predictors
    )
    return intervals.full(
        credit, refitted_values, extracted.conversions_and_value, grid, level=config.interval_level
    )


def _credit_changes(fitted: "Fitted", extracted: Extracted, *, visits: bool) -> list[CreditChange]:
    """The largest change of a channel's share of credit after each epoch but the first."""
    with quiet.imports():
        from td_mta.model import training

    n = len(extracted.patterns.keys)
    no_strata = np.zeros(n, np.int64)
    amounts = extracted.conversions_and_value
    chosen = convergence.sample(extracted.patterns, np.arange(n), no_strata, amounts)
    candidates = (
        Candidate(f"epoch_{epoch}", predictor.log_odds, lambda stratum: np.zeros(len(stratum)))
        for epoch, predictor in enumerate(training.replay(fitted), start=1)
    )
    grid = extracted.schema.grid
    shares = convergence.shares(candidates, chosen, grid, empty_is_zero=visits)
    return convergence.credit_changes(shares)
