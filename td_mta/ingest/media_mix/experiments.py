"""Experiments on channels from a table, in periods of the media table."""

from collections.abc import Sequence

import numpy as np

from td_mta.config.mmm import MediaMixConfig
from td_mta.errors import DataError
from td_mta.ingest import coercion, usual_names
from td_mta.ingest.beside import experiments as usual
from td_mta.ingest.beside.tables import joined
from td_mta.ingest.media_mix import cells, dates
from td_mta.ingest.media_mix.periods import date
from td_mta.ingest.media_mix.tables import MediaTable
from td_mta.ingest.settings import words
from td_mta.mmm.experiments import Experiment
from td_mta.warehouse import Warehouse

ROLES: dict[str, Sequence[str]] = {
    "channel": usual.USUAL["channel"],
    "first_day": usual.USUAL["first_day"],
    "last_day": usual.USUAL["last_day"],
    "spend_multiplier": ("spend_multiplier", "multiplier", "spend_factor", "spend_change"),
    "incremental_revenue": (
        *("incremental_revenue", "incremental_sales", "incremental", "effect", "delta_sales"),
    ),
    "lift": usual.USUAL["lift"],
    "standard_error": usual.USUAL["error"],
}
EITHER = ("incremental_revenue", "lift")


def read(config: MediaMixConfig, warehouse: Warehouse, table: MediaTable) -> list[Experiment]:
    """The rows of `experiments_table`, none where none is named.

    A lift is a share of sales at the lower spend. Raises `DataError` for what cannot be used.
    """
    if config.experiments_table is None:
        return []
    location = f"experiments_table {config.experiments_table}"
    names = warehouse.columns(config.experiments_table)
    columns = {role: usual_names.find(names, known) for role, known in ROLES.items()}
    missing = [role for role, column in columns.items() if column is None and role not in EITHER]
    if missing or not any(columns[role] for role in EITHER):
        raise DataError(
            f"{location} needs the columns channel, first_day, last_day, spend_multiplier (0 = "
            "off, 1.5 = half more), incremental_revenue or lift, and standard_error; it has "
            f"{', '.join(names)}"
        )
    there = {role: column for role, column in columns.items() if column is not None}
    rows = cells.rows_of(warehouse, config.experiments_table, list(there.values()), is_sorted=True)
    first = dates.days_of(rows[there["first_day"]], f"{location}, column first_day", config)
    last = dates.days_of(rows[there["last_day"]], f"{location}, column last_day", config)
    named = coercion.names(rows[there["channel"]], words(config.null_words))
    channels = [named.names[code] or "" for code in named.codes]
    known = joined(sorted(set(channels)), table.channels)
    role = "incremental_revenue" if columns["incremental_revenue"] else "lift"
    values = {
        name: cells.amounts_of(rows, there[name], location, config)
        for name in (role, "spend_multiplier", "standard_error")
    }
    found = []
    for row, channel in enumerate(channels):
        what = f"{location}, row {row + 1} ({channel})"
        if channel not in known:
            raise DataError(f"{what}: no such channel; there are {', '.join(table.channels)}")
        numbers = [float(values[name][row]) for name in (role, "spend_multiplier")]
        error = float(values["standard_error"][row])
        if not np.isfinite([*numbers, error]).all() or error <= 0:
            raise DataError(f"{what}: standard_error must be above 0, and no cell empty")
        if numbers[1] < 0 or numbers[1] == 1:
            raise DataError(f"{what}: spend_multiplier must be at least 0 and not 1")
        periods = _periods(table, int(first[row]), int(last[row]), what)
        scale = 1.0 if role == "incremental_revenue" else _lower_sales(table, periods, numbers)
        position = list(table.channels).index(known[channel])
        found.append(Experiment(position, *periods, numbers[1], scale * numbers[0], scale * error))
    return sorted(found)


def _periods(table: MediaTable, first: int, last: int, what: str) -> tuple[int, int]:
    """The first and the last period of an experiment's days."""
    starts, ends = table.periods.first_day, table.periods.first_day + table.periods.length
    if last < first or first < starts[0] or last >= ends[-1]:
        raise DataError(
            f"{what}: its days {date(first)} to {date(last)} are not within the data, "
            f"{date(starts[0])} to {date(ends[-1] - 1)}"
        )
    low, high = (int(np.searchsorted(starts, day, side="right")) - 1 for day in (first, last))
    return low, high


def _lower_sales(table: MediaTable, periods: tuple[int, int], numbers: Sequence[float]) -> float:
    """Sales at the lower spend: those observed less the lift where the test took spend away."""
    lift, multiplier = numbers
    observed = float(np.nansum(table.sales[periods[0] : periods[1] + 1]))
    return observed / (1 + lift) if multiplier < 1 else observed
