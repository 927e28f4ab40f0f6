"""Experiments beside the credit of a model: compared on their own days, then the credit corrected.

An experiment of some days speaks of the conversions of these days, while credit is of the whole
period: what it found is scaled by how much more the model credits its channel with in the period.
"""

from typing import NamedTuple

import numpy as np

from td_mta.dataset.extracted import Extracted
from td_mta.ingest.beside.experiments import RecordExperiments
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.pipelines.crediting import Played
from td_mta.reporting.experiments import Compared
from td_mta.shapley.credit import attribute
from td_mta.shapley.experiments import Experiments, Updated, corrected, credit_sizes, update
from td_mta.shapley.intervals import Full, adjusted

TINY = 1e-9  # conversions, of days without any


class Corrected(NamedTuple):
    """What the credit is with the experiments, and how each of them compares."""

    played: Played
    full: Full
    compared: list[Compared]
    unknown: float  # relative error of channels' credit that the model does not know


class _OnDays(NamedTuple):
    """Experiments on their credited days, each array of shape `(m,)`."""

    incremental: Floats  # conversions
    error: Floats
    scale: Floats  # of the credit in the period to that on these days


def correct(
    experiments: RecordExperiments,
    extracted: Extracted,
    played: Played,
    full: Full,
    covariance: Floats,
    *,
    level: float,
) -> Corrected:
    """The credit corrected by experiments; `covariance` is that of the channels' conversions, the
    baseline's last, `full` the intervals by it.
    """
    grid, conversions = extracted.schema.grid, played.amounts[0]
    credit = np.append(played.credit.cells[0].sum(axis=0), played.credit.baseline[0])
    on_days = _on_days(experiments, extracted, played)
    found = Experiments(
        experiments.channel, on_days.incremental * on_days.scale, on_days.error * on_days.scale
    )
    sizes = credit_sizes(played.values, conversions, grid.channels)
    updated = update(credit, covariance, sizes, found)
    values = corrected(played.values, conversions, (updated.credit - credit)[:-1])
    of_values = attribute(values, played.amounts, grid)
    return Corrected(
        played=played._replace(values=values, credit=of_values),
        full=adjusted(full, of_values, covariance, updated.covariance, level=level),
        compared=_compared(experiments, on_days, credit, updated),
        unknown=updated.unknown,
    )


def _on_days(experiments: RecordExperiments, extracted: Extracted, played: Played) -> _OnDays:
    columns = []
    for number in range(len(experiments.channel)):
        first, last = experiments.first_day[number], experiments.last_day[number]
        effect, error = experiments.effect[number], experiments.error[number]
        credited, every = _conversions(extracted, first, last)
        if experiments.is_lift:
            incremental = credited * effect / (1 + effect)
            error = credited * error / (1 + effect) ** 2
        else:
            incremental, error = effect * credited / every, error * credited / every
        scale = _scale(extracted, played, int(experiments.channel[number]), first, last)
        columns.append((incremental, error, scale))
    return _OnDays(*np.array(columns, np.float64).reshape(-1, 3).T)


def _conversions(extracted: Extracted, first: int, last: int) -> tuple[float, float]:
    """Conversions of some days that are credited, and all of them; at least a tiny part of one."""
    by_day = extracted.conversions_by_day
    begin = extracted.period.last_day - len(by_day) + 1
    every = by_day[first - begin : last - begin + 1].sum()
    first_credited = max(first, extracted.period.first_day)
    credited = by_day[first_credited - begin : last - begin + 1].sum()
    return max(float(credited), TINY), max(float(every), TINY)


def _scale(extracted: Extracted, played: Played, channel: int, first: int, last: int) -> float:
    """How many times the credit of the days the channel has in the whole period.

    By the credit of the conversions of these days where strata know the day, else, and where that
    is no part of the whole, by the number of conversions.
    """
    credited, _ = _conversions(extracted, first, last)
    strata, units = extracted.strata, extracted.credited
    total = float(units.amounts[0].sum())
    if "calendar_day" not in strata.names:
        return total / credited
    level = strata.levels(units.stratum)[strata.names.index("calendar_day")]
    day = level + extracted.period.first_day
    of_days = np.where((day >= first) & (day <= last), units.amounts[0], 0.0)
    part, whole = (
        _credit_of(played, amounts, channel, extracted.schema.grid.channels)
        for amounts in (of_days, units.amounts[0])
    )
    return whole / part if 0 < part <= whole else total / credited


def _credit_of(played: Played, conversions: Floats, channel: int, channels: int) -> float:
    """A channel's credit of the conversions of units, `(units,)`."""
    values = played.values
    games = values.games
    of_games = np.bincount(played.game, conversions, len(games.pattern))
    is_channel = games.cells % channels == channel
    owner = games.owner[is_channel]
    per_conversion = values.phi[is_channel] / values.value_full[owner]
    return float(of_games[owner] @ per_conversion)


def _compared(
    experiments: RecordExperiments, on_days: _OnDays, credit: Floats, updated: Updated
) -> list[Compared]:
    at: Ints = experiments.channel
    before, after = credit[at] / on_days.scale, updated.credit[at] / on_days.scale
    return [
        Compared(
            channel=int(at[number]),
            first_day=int(experiments.first_day[number]),
            last_day=int(experiments.last_day[number]),
            incremental=float(on_days.incremental[number]),
            error=float(on_days.error[number]),
            before=float(before[number]),
            after=float(after[number]),
            z=float(updated.z[number]),
            conflict=bool(updated.conflict[number]),
        )
        for number in range(len(at))
    ]
