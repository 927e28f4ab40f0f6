"""What a table holds and what a run will say of it, without a model: seconds instead of minutes."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from td_mta.config.attribution import Config
from td_mta.dataset.period import period_of
from td_mta.ingest.beside import costs, experiments
from td_mta.ingest.pages import Page
from td_mta.ingest.table_facts import TableFacts
from td_mta.journeys.runs import owners, positions
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.journeys.windows import Journeys, look_back
from td_mta.pipelines import given_table
from td_mta.pipelines.given_table import GivenTable
from td_mta.publishing import scratch
from td_mta.reporting import diagnostics
from td_mta.warehouse import Warehouse

log = logging.getLogger(__name__)

WINDOWS = (1, 3, 7, 14, 30)  # days
HELD = 0.9  # of the touches, by the window that is proposed


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A table, its channels, and the sentences of a run that do not need a model."""

    given: GivenTable
    touches: Ints  # (channels,)
    converting_touches: Ints  # (channels,): conversions with a touch of each in their window
    value: float  # of all conversions
    warnings: Sequence[str]
    notes: Sequence[str]

    @property
    def shares(self) -> dict[int, float]:
        """By length of a window in days, the share of touches before conversions that it holds.

        Empty where no conversion has a touch before it.
        """
        by_day = self.given.facts.journeys.touches_by_day
        total = by_day.sum()
        lengths = [days for days in WINDOWS if days <= len(by_day)] if total else []
        return {days: float(by_day[:days].sum() / total) for days in lengths}

    @property
    def window(self) -> int | None:
        """The days that a window needs to hold nearly all touches before conversions."""
        by_day = self.given.facts.journeys.touches_by_day
        total = by_day.sum()
        return 1 + int(np.argmax(np.cumsum(by_day) >= HELD * total)) if total else None


def check(config: Config, warehouse: Warehouse) -> Checked:
    """Read the table as a run does; raises what a run would raise for it."""
    given_costs = costs.read(config, warehouse)
    given_experiments = experiments.read(config, warehouse)
    with scratch.folder() as spill:
        touchpoints = given_table.read(config, warehouse, spill)
        period = period_of(touchpoints, config)
        channels = len(touchpoints.channels)
        found, value = TableFacts(config.rules_window_days), 0.0
        touches = np.zeros((2, channels), np.int64)
        for page in touchpoints.pages("checking"):
            found.add(page)
            touches += _touches(page, config.lookback_window_days, channels)
            value += _value(page.journeys.values)
    given_table.check_orders(found, config)
    channel_costs = given_table.costs_of_channels(given_costs, touchpoints, period)
    given_table.experiments_of_record(given_experiments, touchpoints, period)
    given = GivenTable(touchpoints, period, found, channel_costs)
    warnings = diagnostics.channel_warnings(touchpoints.channels, touches[1])
    return Checked(
        given=given,
        touches=touches[0],
        converting_touches=touches[1],
        value=value,
        warnings=[*warnings, *given_table.warnings(given, config)],
        notes=given_table.notes(given, config),
    )


def _touches(page: Page, days: int, channels: int) -> Ints:
    """By channel its touches, and the conversions with one in their window, `(2, channels)`."""
    journeys = page.journeys
    return np.array(
        [
            np.bincount(journeys.touches.channel, minlength=channels),
            _conversions_touched(journeys, days, channels),
        ]
    )


def _conversions_touched(journeys: Journeys, days: int, channels: int) -> Ints:
    windows = look_back(journeys, journeys.conversion_windows, days)
    channel = journeys.touches.channel[positions(windows.start, windows.sizes)]
    pairs = np.unique(owners(windows.sizes) * channels + channel)  # a channel of a window once
    return np.bincount(pairs % channels, minlength=channels)


def _value(values: Floats) -> float:
    return float(np.nansum(values))
