"""From what the steps of an attribution run computed to its output tables."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from td_mta.config.attribution import Config, advice, page_advice
from td_mta.dataset.build import Extracted
from td_mta.ingest.costs import ChannelCosts
from td_mta.ingest.pages import TouchpointTable
from td_mta.model.holdout import BASE_RATE
from td_mta.reporting import (
    channel_notes,
    cost_warnings,
    diagnostics,
    frames,
    row_diagnostics,
    run_facts,
)
from td_mta.reporting.output_tables import channel_columns, numbered_columns
from td_mta.shapley.convergence import CreditChange
from td_mta.shapley.credit import Credit, Values
from td_mta.shapley.intervals import Intervals

if TYPE_CHECKING:
    from td_mta.model.training import Fitted

log = logging.getLogger(__name__)


class Results(NamedTuple):
    """What the steps computed: all that the output tables are made of."""

    touchpoints: TouchpointTable
    extracted: Extracted
    costs: ChannelCosts | None
    fitted: "Fitted"
    evaluation: run_facts.Evaluation  # of the held-out examples
    values: Values
    credit: Credit
    intervals: Intervals
    changes: list[CreditChange]  # of credit, after each epoch but the first


def output_frames(
    results: Results, config: Config, seconds: Mapping[str, float], notes: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """Every output table by its key; `notes` are sentences on how the parameters were found."""
    credit, channels = results.credit, results.touchpoints.channels
    columns, has_value = channel_columns(channels), config.value_column is not None
    credits = {"shapley": frames.by_channel(credit), **results.extracted.model_totals.credits()}
    return {
        "metrics": frames.metrics(results.fitted.epochs),
        "shapley": frames.shapley(credit, columns),
        "channel": frames.channel(credit, columns),
        "detail": frames.detail(credit, results.intervals, channels, has_value=has_value),
        "models": frames.models(credits, channels, has_value=has_value),
        "intervals": frames.intervals(credit, results.intervals, channels),
        "report": frames.report(
            credit,
            results.intervals,
            channels,
            results.extracted.touches_and_users,
            results.costs.by_channel if results.costs else None,
            has_value=has_value,
        ),
        "run_info": _run_info(results, config, seconds, notes),
    }


def _run_info(
    results: Results, config: Config, seconds: Mapping[str, float], notes: Sequence[str]
) -> pd.DataFrame:
    channels, held_out = results.touchpoints.channels, results.fitted.held_out
    warnings = _warnings(results, config)
    for sentence in warnings:
        log.warning("%s", sentence)
    return frames.run_info(
        {
            "parameters": dataclasses.asdict(config),
            "counts": results.extracted.counts,
            "conservation": run_facts.conservation(
                results.credit, results.extracted.conversions_and_value
            ),
            "holdout": run_facts.holdout(results.evaluation),
            "comparison": run_facts.comparison(results.evaluation),
            "calibration": run_facts.calibration(held_out),
            "misses": run_facts.misses(held_out, channels, results.extracted.schema.grid),
            "convergence": run_facts.convergence(results.changes, channels),
            "shapley": run_facts.shapley(results.values, results.credit),
            "seconds": seconds,
            "versions": run_facts.versions(),
            "columns": numbered_columns(channels),
            "warnings": warnings,
            "notes": [*notes, *_notes(results, config)],
        }
    )


def _warnings(results: Results, config: Config) -> list[str]:
    """Sentences about the model first, then about the table's channels, rows and parameters."""
    touchpoints, extracted, fitted = results.touchpoints, results.extracted, results.fitted
    held_out = "users" if config.holdout == "users" else "days"
    conversions = extracted.conversions_and_value[0]
    best_epoch = fitted.epochs[fitted.best_epoch]
    val_losses = [epoch.held_out.log_loss for epoch in fitted.epochs]

    sentences = diagnostics.model_warnings(results.evaluation, held_out)
    sentences += diagnostics.credit_warnings(
        results.values, results.credit, conversions, visits=touchpoints.visits
    )
    sentences += diagnostics.epoch_warnings(val_losses, fitted.best_epoch)
    sentences += diagnostics.convergence_warnings(results.changes, touchpoints.channels)
    sentences += diagnostics.overfitting_warnings(
        best_epoch.train.log_loss,
        best_epoch.held_out.log_loss,
        prevalence=fitted.prevalence,
        base_rate=results.evaluation.qualities[BASE_RATE].log_loss,
        forward=config.holdout == "forward",
    )
    sentences += diagnostics.channel_warnings(touchpoints.channels, extracted.conversions_touched)
    sentences += channel_notes.direct_warnings(touchpoints.channels, config.direct_channel)
    sentences += cost_warnings.warnings(results.costs) if results.costs else []
    sentences += row_diagnostics.window_warnings(extracted.table_facts, config.lookback_window_days)
    sentences += row_diagnostics.row_warnings(
        extracted.table_facts, touchpoints.scan, touchpoints.settings, touchpoints.arrival
    )
    return [*sentences, *advice(config), *page_advice(config, extracted.counts["users"])]


def _notes(results: Results, config: Config) -> list[str]:
    """Sentences about the input, the baseline, the calibration and the Shapley values."""
    touchpoints, fitted = results.touchpoints, results.fitted
    held_out_day = None
    if config.holdout == "forward":
        held_out_day = touchpoints.first_held_out_day(config.validation_fraction)
    sentences = diagnostics.input_notes(touchpoints.scan.converted, held_out_day)
    sentences += cost_warnings.notes(results.costs) if results.costs else []
    sentences += channel_notes.of_columns(
        numbered_columns(touchpoints.channels), config.shapley_table
    )
    sentences += channel_notes.of_direct(touchpoints.channels, config.direct_channel)
    table_facts = results.extracted.table_facts
    sentences += row_diagnostics.order_notes(table_facts)
    sentences += row_diagnostics.limit_notes(table_facts.left_out, touchpoints.settings)
    sentences += row_diagnostics.window_notes(config.rules_window_days, config.lookback_window_days)
    sentences += diagnostics.baseline_notes(config.examples, visits=touchpoints.visits)
    sentences += diagnostics.calibration_notes(fitted.ratio, refitted=fitted.refitted)
    sentences += diagnostics.shapley_notes(
        results.values,
        results.credit.error,
        exact_cells=config.shapley_exact_cells,
        budget=config.shapley_budget,
    )
    return sentences
