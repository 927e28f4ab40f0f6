"""From what the steps of an attribution run computed to its output tables."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from td_mta.config.attribution import Config
from td_mta.dataset.extracted import Extracted
from td_mta.ingest.beside.costs import ChannelCosts
from td_mta.ingest.beside.experiments import RecordExperiments
from td_mta.ingest.read_table import ReadTable
from td_mta.model.holdout import BASE_RATE
from td_mta.pipelines import given_table
from td_mta.pipelines.counting import ExtractedTable
from td_mta.pipelines.crediting import Played, returning_credit
from td_mta.pipelines.experiments import Corrected
from td_mta.pipelines.given_table import GivenTable
from td_mta.reporting import (
    channel_notes,
    diagnostics,
    experiments,
    frames,
    returning,
    run_facts,
)
from td_mta.reporting.journeys import tables as journeys
from td_mta.reporting.output_tables import channel_columns, numbered_columns
from td_mta.shapley.convergence import CreditChange
from td_mta.shapley.credit import Credit
from td_mta.shapley.intervals import Intervals
from td_mta.shapley.shifts import Shift

if TYPE_CHECKING:
    from td_mta.model.ladder import Fitted

log = logging.getLogger(__name__)


class Results(NamedTuple):
    """What the steps computed: all that the output tables are made of."""

    counted: ExtractedTable
    costs: ChannelCosts | None
    fitted: "Fitted"
    evaluation: run_facts.Evaluation  # of the held-out examples
    played: Played
    intervals: Intervals
    changes: list[CreditChange]  # of credit, from each rung to the next
    shifts: list[Shift]  # of credit, were a control left out
    experiments: RecordExperiments | None
    corrected: Corrected | None  # by the experiments

    @property
    def touchpoints(self) -> ReadTable:
        """The table, as it was read."""
        return self.counted.table

    @property
    def extracted(self) -> Extracted:
        """What was counted of it."""
        return self.counted.extracted

    @property
    def credit(self) -> Credit:
        """What channels and baseline get."""
        return self.credited.credit

    @property
    def credited(self) -> Played:
        """The games that credit follows: the model's, or as experiments correct them."""
        return self.corrected.played if self.corrected else self.played


class InputSentences(NamedTuple):
    """What a run says of its input that is known before the table is read."""

    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()


def output_frames(
    results: Results, config: Config, seconds: Mapping[str, float], of_input: InputSentences
) -> dict[str, pd.DataFrame]:
    """Every output table by its key."""
    credit, channels = results.credit, results.touchpoints.channels
    columns, has_value = channel_columns(channels), results.touchpoints.settings.has_value
    credits = {"shapley": frames.by_channel(credit)}
    if results.corrected:
        credits["shapley_without_experiments"] = frames.by_channel(results.played.credit)
    credits |= results.extracted.model_totals.credits()
    return {
        "metrics": frames.metrics([(rung.train, rung.held_out) for rung in results.fitted.rungs]),
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
            returning_credit(results.credited, results.extracted),
            results.costs.by_channel if results.costs else None,
            has_value=has_value,
        ),
        "run_info": _run_info(results, config, seconds, of_input),
    }


def _journeys(extracted: Extracted, channels: Sequence[str]) -> dict[str, str]:
    tables = journeys.tables(extracted.model_totals, channels)
    days = journeys.days(extracted.credited, extracted.schema.grid)
    return journeys.facts({**tables, "days": days})


def _run_info(
    results: Results, config: Config, seconds: Mapping[str, float], of_input: InputSentences
) -> pd.DataFrame:
    channels, held_out = results.touchpoints.channels, results.fitted.held_out
    warnings = [*_warnings(results, config), *of_input.warnings]
    for sentence in warnings:
        log.warning("%s", sentence)
    return frames.run_info(
        {
            "parameters": dataclasses.asdict(config),
            "counts": results.extracted.counts,
            "counting": results.counted.facts,
            "span": given_table.span(results.touchpoints, results.extracted.period),
            "conservation": run_facts.conservation(
                results.credit, results.extracted.credited.amounts
            ),
            "model": run_facts.model(results.fitted.chosen, results.extracted.strata.names),
            "controls": run_facts.controls(results.shifts, channels),
            "experiments": _experiments(results),
            "holdout": run_facts.holdout(results.evaluation),
            "comparison": run_facts.comparison(results.evaluation),
            "choice": run_facts.choice(results.fitted.comparisons),
            "calibration_line": run_facts.calibration_line(results.evaluation),
            "calibration": run_facts.calibration(held_out),
            "misses": run_facts.misses(held_out, channels, results.extracted.schema.grid),
            "journeys": _journeys(results.extracted, channels),
            "convergence": run_facts.convergence(results.changes, channels),
            "shapley": run_facts.shapley(results.played.values, results.credit),
            "seconds": seconds,
            "versions": run_facts.versions(),
            "columns": numbered_columns(channels),
            "warnings": warnings,
            "notes": [*of_input.notes, *_notes(results, config)],
        }
    )


def _experiments(results: Results) -> Mapping[str, object]:
    if results.corrected is None:
        return {}
    corrected = results.corrected
    return experiments.facts(corrected.compared, corrected.unknown, results.touchpoints.channels)


def _warnings(results: Results, config: Config) -> list[str]:
    """Sentences about the model first, then about the table's channels, rows and parameters."""
    touchpoints, extracted, fitted = results.touchpoints, results.extracted, results.fitted
    held_out = "users" if config.holdout == "users" else "days"
    rung = fitted.rung

    not_measured = diagnostics.holdout_warnings(fitted.held_out, held_out)
    sentences = not_measured or [
        *diagnostics.model_warnings(results.evaluation, held_out),
        *diagnostics.slope_warnings(results.evaluation, held_out),
    ]
    sentences += diagnostics.confounding_warnings(
        results.shifts, touchpoints.channels, extracted.counts["conversions"]
    )
    if results.corrected:
        sentences += experiments.warnings(
            results.corrected.compared, results.corrected.unknown, touchpoints.channels
        )
    if config.examples == "person_days":
        sentences += _returning_warnings(results, config)
    sentences += diagnostics.credit_warnings(
        results.played.values, results.credit, results.played.amounts[0], visits=touchpoints.visits
    )
    sentences += diagnostics.rung_warnings(results.changes, fitted.chosen, touchpoints.channels)
    if not not_measured:
        evaluation = results.evaluation
        sentences += diagnostics.overfitting_warnings(
            rung.train.log_loss,
            rung.held_out.log_loss,
            prevalence=fitted.prevalence,
            base_rate=evaluation.qualities[BASE_RATE].log_loss,
            noise=evaluation.differences[BASE_RATE].error * evaluation.errors_beyond_noise,
            forward=config.holdout == "forward",
        )
    sentences += diagnostics.channel_warnings(touchpoints.channels, extracted.conversions_touched)
    return [*sentences, *given_table.warnings(_given(results), config)]


def _returning_warnings(results: Results, config: Config) -> list[str]:
    """Where the data are of another kind than the parameters of days at risk and windows say."""
    returns, period = results.extracted.returns, results.extracted.period
    history_days = period.first_day - results.touchpoints.first_day
    return [
        *returning.lost_id_warnings(returns, config.days_at_risk),
        *returning.lasting_warnings(returns, config.window_after_conversion),
        *returning.buying_warnings(
            returns, results.touchpoints.channels, config.control_names, history_days
        ),
        *returning.second_order_warnings(returns, order_id=config.order_id is not None),
    ]


def _notes(results: Results, config: Config) -> list[str]:
    """Sentences about the input, the baseline, the calibration and the Shapley values."""
    fitted = results.fitted
    sentences = given_table.notes(_given(results), config)
    if results.experiments and results.corrected:
        sentences += experiments.notes(
            results.experiments, results.corrected.compared, results.touchpoints.channels
        )
    sentences += channel_notes.of_null_channels(results.touchpoints.channels, fitted.linear.null)
    sentences += diagnostics.calibration_notes(fitted.ratio, refitted=fitted.refitted)
    sentences += diagnostics.shapley_notes(
        results.played.values,
        results.credit.error,
        exact_cells=config.shapley_exact_cells,
        budget=config.shapley_budget,
    )
    return sentences


def _given(results: Results) -> GivenTable:
    extracted = results.extracted
    return GivenTable(results.touchpoints, extracted.period, extracted.table_facts, results.costs)
