"""One attribution run, top to bottom: table, examples, model, Shapley values, tables, report.

`run` is the workflow; each step below it takes the parameters that it needs out of `Config`.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from td_mta import quiet
from td_mta.config.attribution import Config
from td_mta.dataset.build import day_rules
from td_mta.dataset.extracted import Extracted
from td_mta.ingest import page_views, sql_input
from td_mta.ingest.beside import costs, experiments
from td_mta.ingest.beside.experiments import RecordExperiments
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.read_table import ReadTable
from td_mta.journeys.examples import GROUPS
from td_mta.journeys.touchpoints import Floats
from td_mta.model import predictor
from td_mta.model.settings import TrainingSettings
from td_mta.pipelines import confounding, counting, credit_rows, given_table, memory, outputs
from td_mta.pipelines.appended_columns import check_numbered_columns
from td_mta.pipelines.attribution_results import InputSentences, Results, output_frames
from td_mta.pipelines.counting import ExtractedTable
from td_mta.pipelines.crediting import Crediting, Played
from td_mta.pipelines.experiments import correct
from td_mta.publishing import scratch
from td_mta.publishing.publication import Publication
from td_mta.reporting import diagnostics, run_facts
from td_mta.shapley import convergence, intervals
from td_mta.shapley.convergence import Candidate, CreditChange
from td_mta.shapley.delta import Units, channel_covariance, delta_intervals, gradient
from td_mta.shapley.intervals import Interval, Intervals
from td_mta.warehouse import Warehouse

if TYPE_CHECKING:
    from td_mta.model.ladder import Fitted

log = logging.getLogger(__name__)

Fit = Callable[[Extracted, TrainingSettings], "Fitted"]


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

    `fit` climbs the ladder unless the caller has a trained model already; `notes` are sentences on
    how the parameters were found. Nothing is written to the warehouse before all of it is there.
    Raises an `MtaError` that names the place and the remedy.
    """
    with outputs.begun(config, out) as files, scratch.folder() as spill:
        return _run(config, warehouse, out, fit, notes, files, spill)


def _run(
    config: Config,
    warehouse: Warehouse,
    out: Path | None,
    fit: Fit | None,
    notes: Sequence[str],
    files: Publication,
    spill: Path,
) -> Summary:
    timer = _StepTimer()
    outputs.check_writable(config, warehouse, channels=None)
    given_costs = costs.read(config, warehouse)
    given_experiments = experiments.read(config, warehouse)
    counted = _read(config, warehouse, spill, files, timer)
    table, extracted = counted.table, counted.extracted
    channel_costs = given_table.costs_of_channels(given_costs, table, extracted.period)
    of_record = given_table.experiments_of_record(given_experiments, table, extracted.period)
    with scratch.of_libraries(spill):
        fitted = _train(extracted, config, fit, files, timer)
    results = _attribute(counted, channel_costs, of_record, fitted, config, timer)

    of_input = InputSentences(
        warnings=page_views.warnings(config, warehouse),
        notes=[*notes, *warehouse.notes(), *sql_input.notes(config, warehouse)],
    )
    tables: dict[str, pd.DataFrame | pa.Table] = {}
    if config.credit_table:
        with timer.step("credit table"):
            tables["credit"] = _credit_rows(results, config, spill)
    frames = output_frames(results, config, timer.seconds, of_input)
    page = outputs.page_of(frames, config.table, out)
    report = outputs.write_report(page, out, files)  # before any table: its disk may be full
    outputs.write_tables(tables | frames, config, warehouse, files)
    return Summary(
        run_id=files.run_id,
        counts=extracted.counts,
        quality=run_facts.holdout(results.evaluation),
        **run_facts.conservation(results.credit, extracted.credited.amounts),
        models=frames["models"],
        report=report,
    )


def _read(
    config: Config, warehouse: Warehouse, spill: Path, files: Publication, timer: _StepTimer
) -> ExtractedTable:
    """The table's examples and conversions by pattern; the examples go to disk."""
    memory.check(config)
    records = outputs.folders_of(config, files)
    if counting.is_in_warehouse(config, warehouse):
        with timer.step("read"):
            counted = counting.by_warehouse(config, warehouse, records)
        _check_channels(counted.table, config, warehouse)
    else:
        with timer.step("read"):
            touchpoints = given_table.read(config, warehouse, spill)
            _check_channels(touchpoints, config, warehouse)
        with timer.step("extract"):
            counted = counting.by_python(touchpoints, config, records)
    extracted = counted.extracted
    given_table.check_orders(extracted.table_facts, config)
    counts = (f"{what.replace('_', ' ')} {number:,}" for what, number in extracted.counts.items())
    log.info("extracted: %s", ", ".join(counts))
    if extracted.examples.group.max(initial=0) < GROUPS:
        what = "users" if config.holdout == "users" else "days"
        log.warning("%s", diagnostics.nothing_held_out(what))
    return counted


def _check_channels(table: ReadTable, config: Config, warehouse: Warehouse) -> None:
    """Refuse more channels than memory holds, and columns of channels that existing tables do not
    have, before hours of work.
    """
    memory.check(config, len(table.channels))
    if config.if_exists == "append":
        outputs.check_writable(config, warehouse, table.channels)
        check_numbered_columns(outputs.table_names(config), table.channels, warehouse)


def _train(
    extracted: Extracted, config: Config, fit: Fit | None, files: Publication, timer: _StepTimer
) -> "Fitted":
    settings = TrainingSettings.of(config)
    with timer.step("train"):
        fitted = (fit or _climb)(extracted, settings)
        fitted.predictor.save(files.replace_in(config.model_dir, predictor.FILES))
    return fitted


def _climb(extracted: Extracted, settings: TrainingSettings) -> "Fitted":
    # TensorFlow takes seconds to import, which a wrong table need not wait for.
    with quiet.imports():
        from td_mta.model import ladder

    return ladder.climb(extracted.examples, extracted.strata, extracted.schema.grid, settings)


def _attribute(
    counted: ExtractedTable,
    channel_costs: costs.ChannelCosts | None,
    of_record: RecordExperiments | None,
    fitted: "Fitted",
    config: Config,
    timer: _StepTimer,
) -> Results:
    """Credit by the chosen rung and its intervals; how much it depends on rung and controls."""
    extracted = counted.extracted
    crediting = Crediting.of(extracted, config, visits=counted.table.visits)
    with timer.step("shapley"):
        played = crediting.credit(fitted.predictor.log_odds, fitted.offsets)
    with timer.step("intervals"):
        slopes = _slopes(played, fitted, crediting, config)
        covariance, level = fitted.linear.covariance, config.interval_level
        full = delta_intervals(played.credit, slopes, covariance, crediting.grid, level=level)
        corrected = None
        if of_record:
            of_channels = channel_covariance(slopes, covariance, crediting.grid)
            corrected = correct(of_record, extracted, played, full, of_channels, level=level)
        used, full = (corrected.played, corrected.full) if corrected else (played, full)
        both = Intervals(_sampling_interval(used, extracted, config), full)
    with timer.step("convergence"):
        changes = _credit_changes(fitted, crediting)
    with timer.step("confounding"):
        shifts = confounding.shifts(fitted, extracted, crediting)
    evaluation = run_facts.evaluate(fitted.held_out)
    return Results(
        counted=counted,
        costs=channel_costs,
        fitted=fitted,
        evaluation=evaluation,
        played=played,
        intervals=both,
        changes=changes,
        shifts=shifts,
        experiments=of_record,
        corrected=corrected,
    )


def _credit_rows(results: Results, config: Config, spill: Path) -> pa.Table:
    """The credit of every single conversion, in a file beside the spilled touchpoints."""
    touchpoints, extracted = results.touchpoints, results.extracted
    assert isinstance(touchpoints, TouchpointTable)  # `credit_table` needs every row
    rules = day_rules(touchpoints, config, extracted.schema.grid)
    return credit_rows.write(
        spill / "credit.arrow", touchpoints, rules, extracted, results.credited
    )


def _sampling_interval(played: Played, extracted: Extracted, config: Config) -> Interval | None:
    """How much the credit varies between samples of users, with the model unchanged."""
    if not config.interval_draws:
        return None
    return intervals.sampling(
        played.values,
        intervals.Played(extracted.credited.keys, played.game),
        extracted.converter_profiles,
        extracted.schema.grid,
        level=config.interval_level,
        draws=config.interval_draws,
        rng=np.random.default_rng(config.seed),
    )


def _slopes(played: Played, fitted: "Fitted", crediting: Crediting, config: Config) -> Floats:
    """How the credit changes with each parameter of the model."""
    units, linear = crediting.credited, fitted.linear
    codes, stratum = np.unique(units.stratum, return_inverse=True)
    return gradient(
        played.values,
        crediting.grid,
        Units(played.game, stratum, units.amounts[0], fitted.strata.design(codes)),
        linear.terms.features,
        rng=np.random.default_rng(config.seed),
    )


def _credit_changes(fitted: "Fitted", crediting: Crediting) -> list[CreditChange]:
    """The largest change of a channel's share of credit from each rung to the next."""
    units = crediting.credited
    chosen = convergence.sample(units.patterns, units.pattern, units.stratum, units.amounts)
    candidates = (
        Candidate(rung.name, rung.predictor.log_odds, partial(fitted.offsets_of, rung))
        for rung in fitted.rungs
    )
    shares = convergence.shares(candidates, chosen, crediting.grid, empty_is_zero=crediting.visits)
    return convergence.credit_changes(shares)
