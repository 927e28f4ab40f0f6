"""The table of a run as it is given, before any model: read, and what is said of it.

A run and `td_mta.check` share this, so that the check says what the run will say.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from td_mta.config.attribution import Config
from td_mta.config.attribution_advice import advice, page_advice
from td_mta.errors import DataError
from td_mta.ingest.beside import costs, experiments
from td_mta.ingest.beside.costs import ChannelCosts, Costs
from td_mta.ingest.beside.experiments import GivenExperiments, RecordExperiments
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.path_tables import check_no_paths
from td_mta.ingest.preflight import explain_empty_table
from td_mta.ingest.read_table import ReadTable
from td_mta.ingest.scan import EmptyTableError
from td_mta.ingest.settings import TableSettings
from td_mta.ingest.table_facts import TableFacts
from td_mta.journeys.controls import Period
from td_mta.reporting import channel_notes, cost_warnings, diagnostics, row_diagnostics
from td_mta.reporting.output_tables import numbered_columns
from td_mta.warehouse import Warehouse


class GivenTable(NamedTuple):
    """A table, what its rows add up to, and the costs of its channels where there are any."""

    touchpoints: ReadTable
    period: Period  # the credited days
    facts: TableFacts
    costs: ChannelCosts | None


def read(config: Config, warehouse: Warehouse, spill: Path) -> TouchpointTable:
    """The touchpoints; raises `DataError`, for an empty table with what its input holds."""
    settings = TableSettings.of(config)
    try:
        touchpoints = TouchpointTable(settings, warehouse, spill)
    except EmptyTableError as error:
        raise DataError(explain_empty_table(config, warehouse)) from error
    check_no_paths(touchpoints.channels, settings.location(settings.channel_column))
    return touchpoints


def check_orders(facts: TableFacts, config: Config) -> None:
    """Raise `DataError` where orders have a table of their own and none of its users is touched."""
    if config.orders_table and facts.converting_users and facts.untouched == facts.converting_users:
        raise DataError(
            f"none of the {facts.converting_users:,} users of orders_table {config.orders_table} "
            f"has a touch: its users are like {facts.untouched_user!r}, those of the touches like "
            f"{facts.touched_user!r}; name the column with the same ids in orders_user_column"
        )


def costs_of_channels(
    given: Costs | None, touchpoints: ReadTable, period: Period
) -> ChannelCosts | None:
    """The costs of the touchpoints' channels on the credited days; what does not match is said at
    the end.
    """
    if given is None:
        return None
    return costs.of_channels(given, touchpoints.channels, (period.first_day, period.last_day))


def experiments_of_record(
    given: GivenExperiments | None, touchpoints: ReadTable, period: Period
) -> RecordExperiments | None:
    """The experiments on the touchpoints' channels and days; None where there are none."""
    if given is None or not len(given.channel):
        return None
    days = touchpoints.first_day, touchpoints.last_day
    return experiments.of_record(given, touchpoints.channels, days, period.first_day)


def span(touchpoints: ReadTable, period: Period) -> Mapping[str, object]:
    """The first and the last day of the data in the zone of `day_timezone`, how many days, and the
    first one whose conversions are credited.
    """
    first, last = touchpoints.first_day, touchpoints.last_day
    return {
        "first_day": str(np.datetime64(first, "D")),
        "last_day": str(np.datetime64(last, "D")),
        "days": last - first + 1,
        "first_credited_day": str(np.datetime64(period.first_day, "D")),
    }


def warnings(given: GivenTable, config: Config) -> list[str]:
    """Sentences about channels, costs, windows, rows and parameters."""
    touchpoints, found = given.touchpoints, given.facts
    sentences = channel_notes.null_word_warnings(touchpoints.scan)
    sentences += channel_notes.spelling_warnings(touchpoints.scan)
    sentences += channel_notes.conversion_value_warnings(touchpoints.scan)
    sentences += channel_notes.direct_warnings(touchpoints.channels, config.direct_channel)
    sentences += cost_warnings.warnings(given.costs) if given.costs else []
    sentences += row_diagnostics.untouched_warnings(found, config.orders_table)
    sentences += row_diagnostics.window_warnings(found, config.lookback_window_days)
    sentences += row_diagnostics.time_warnings(
        touchpoints.scan, touchpoints.settings, now=time.time()
    )
    sentences += row_diagnostics.edge_warnings(found.rows_by_day)
    sentences += row_diagnostics.row_warnings(
        found, touchpoints.scan, touchpoints.settings, touchpoints.arrival
    )
    return [*sentences, *advice(config), *page_advice(config, found.journeys.users)]


def notes(given: GivenTable, config: Config) -> list[str]:
    """Sentences about what was converted and how rows, windows and the baseline are taken."""
    touchpoints, found = given.touchpoints, given.facts
    sentences = diagnostics.input_notes(touchpoints.scan.converted, given.period.held_out_day)
    history_days = given.period.first_day - touchpoints.first_day
    sentences += diagnostics.history_notes(given.period.first_day, history_days)
    sentences += cost_warnings.notes(given.costs) if given.costs else []
    sentences += channel_notes.of_columns(
        numbered_columns(touchpoints.channels), config.shapley_table
    )
    sentences += channel_notes.spelling_notes(touchpoints.scan)
    sentences += channel_notes.of_direct(touchpoints.channels, config.direct_channel)
    sentences += row_diagnostics.period_notes(touchpoints.scan, touchpoints.settings.period)
    sentences += row_diagnostics.order_notes(found)
    sentences += row_diagnostics.limit_notes(found.left_out, touchpoints.settings)
    sentences += row_diagnostics.window_notes(config.rules_window_days, config.lookback_window_days)
    return sentences + diagnostics.baseline_notes(config.examples, visits=touchpoints.visits)
