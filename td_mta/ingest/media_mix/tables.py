"""A wide or long table of spend, and sales with it or beside it, as arrays by period."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from td_mta.config.mmm import MediaMixConfig
from td_mta.config.mmm import holidays as holidays_of
from td_mta.errors import DataError
from td_mta.ingest import coercion, usual_names
from td_mta.ingest.beside.tables import CHANNELS
from td_mta.ingest.media_mix import (
    by_period,
    cells,
    dates,
    holidays,
    media_names,
    periods,
    refusals,
)
from td_mta.ingest.media_mix import columns as columns_of
from td_mta.ingest.media_mix.columns import WideColumns
from td_mta.ingest.media_mix.periods import Periods
from td_mta.ingest.settings import words
from td_mta.journeys.touchpoints import Flags, Floats, Ints
from td_mta.warehouse import Warehouse

MOST_NAMED = 10


@dataclass(frozen=True, kw_only=True)
class MediaTable:
    """`n` periods of `c` channels and `k` controls, and sentences on what was found."""

    periods: Periods
    kpi: str
    sales: Floats  # (n,), NaN in periods that the table lacks
    channels: Sequence[str]
    spend: Floats  # (n, c)
    controls: Floats  # (n, k)
    control_names: Sequence[str]
    notes: Sequence[str]

    @property
    def is_money(self) -> bool:
        """Whether sales seem to be in units of money, by the column's name."""
        return media_names.is_money(self.kpi)


def read(config: MediaMixConfig, warehouse: Warehouse) -> MediaTable:
    """The table `media_table`, in either form; raises `DataError` for what cannot be fitted."""
    names = warehouse.columns(config.media_table)
    location = f"table {config.media_table}"
    usual = (*CHANNELS, *media_names.PLATFORMS) if columns_of.is_long(names) else CHANNELS
    channel = columns_of.named(config.channel_column, names, location, usual)
    if channel is not None and config.spend_columns is None:
        table = _long(config, warehouse, names, channel)
    else:
        table = _wide(config, warehouse, names)
    table = _with_holidays(table, config)
    refusals.check_names(table.channels, table.control_names, location)
    refusals.check(table.sales, table.spend, table.channels, table.kpi, location)
    return table


def _with_holidays(table: MediaTable, config: MediaMixConfig) -> MediaTable:
    """The table with the controls that the parameter `holidays` makes."""
    listed = holidays_of(config.holidays)
    columns = [holidays.column(name, days, table.periods) for name, days in listed.items()]
    if not columns:
        return table
    counts = [
        f"{int(column.sum())} with {name}" for name, column in zip(listed, columns, strict=True)
    ]
    return replace(
        table,
        controls=np.column_stack([table.controls, *columns]),
        control_names=(*table.control_names, *listed),
        notes=[*table.notes, f"of {len(table.sales)} {table.periods.kind}s {', '.join(counts)}"],
    )


def _wide(config: MediaMixConfig, warehouse: Warehouse, names: Sequence[str]) -> MediaTable:
    location = f"table {config.media_table}"
    columns = columns_of.wide_columns(config, names, location)
    wanted = [columns.date, columns.kpi, *columns.spend.values(), *columns.controls]
    wanted += [name for name in (columns.region, columns.year) if name and name not in wanted]
    in_order = warehouse.keeps_order(config.media_table)
    rows = cells.rows_of(warehouse, config.media_table, wanted, is_sorted=in_order)
    rows, total_notes = cells.without_totals(rows, columns.date)
    years = rows[columns.year] if columns.year else None
    days, made_up = dates.read(rows[columns.date], columns.date, years, location, config)
    if not in_order:  # texts of days are not sorted by day
        by_day = np.argsort(days, kind="stable")
        days, rows = days[by_day], {name: column.take(by_day) for name, column in rows.items()}
    regions = cells.regions(rows, columns.region, days)
    refusals.check_dates(days, regions, f"{location}, column {columns.date}", made_up)
    found = periods.find(days, config.period, location)
    amounts = [columns.kpi, *columns.spend.values()]
    mark_notes = cells.mark_notes(rows, amounts, location, config)
    spend, empty_notes = cells.spend_of(rows, columns.spend, location, config)
    refusals.check_spend(spend, days, location)
    sales = cells.amounts_of(rows, columns.kpi, location, config)
    refusals.check_sales(sales, days, f"{location}, column {columns.kpi}")
    controls = cells.controls(rows, columns.controls, location, config)
    refusals.check_sales_of(controls, days, location)
    taken = f"{columns.date}, sales {columns.kpi}, spend {', '.join(columns.spend.values())}"
    notes = [_described(found, taken, controls)]
    if made_up:
        notes.append(
            f"column {columns.date} numbers {made_up}s without saying when they were: their dates "
            f"here are made up, and seasons assume a year of {made_up}s that follow each other"
        )
    if regions.any():
        notes.append(f"{regions.max() + 1} regions of column {columns.region} are added up by date")
        notes += _same_everywhere(spend, days)
    holes = by_period.holes(found)
    return MediaTable(
        periods=found,
        kpi=columns.kpi,
        sales=np.where(holes, np.nan, by_period.summed(sales, found)),
        channels=tuple(spend),
        spend=by_period.sums(spend, found),
        controls=by_period.means(controls, found),
        control_names=tuple(controls),
        notes=[
            *notes,
            *total_notes,
            *mark_notes,
            *empty_notes,
            *_column_notes(columns, names, wanted, config),
            *by_period.hole_notes(holes, found),
        ],
    )


def _same_everywhere(spend: Mapping[str, Floats], days: Ints) -> list[str]:
    """Spend that all regions of a date share may be that of all of them, in each row again."""
    _, first, place = np.unique(days, return_index=True, return_inverse=True)
    same = [name for name, values in spend.items() if (values == values[first][place]).all()]
    if not same:
        return []
    return [
        f"spend of {', '.join(same)} is the same in all regions of a date, and was added up too: "
        "if each row has that of all regions together, divide it by their number"
    ]


def _column_notes(
    columns: WideColumns, names: Sequence[str], wanted: Sequence[str], config: MediaMixConfig
) -> list[str]:
    """What was guessed of the columns, and which of them were not used."""
    notes = []
    if not (config.spend_columns or any(map(columns_of.channel_of, columns.spend.values()))):
        notes.append(
            "no column's name says spend: those of channels are taken for it; spend_columns says "
            "otherwise"
        )
    ignored = [name for name in names if name not in wanted]
    more = f" and {len(ignored) - MOST_NAMED} more" if len(ignored) > MOST_NAMED else ""
    if ignored:
        notes.append(
            f"not used: {', '.join(ignored[:MOST_NAMED])}{more}; spend_columns and control_columns "
            "say otherwise"
        )
    return notes


def _long(
    config: MediaMixConfig, warehouse: Warehouse, names: Sequence[str], channel: str
) -> MediaTable:
    location = f"table {config.media_table}"
    day = columns_of.date_of(_shared(config, names, not config.revenue_table), names, location)
    amount = columns_of.needed(
        config.spend_column, names, location, "spend", "spend_column", media_names.LONG_SPEND
    )
    sold = _sold(config, warehouse, names, channel)
    year = usual_names.find(names, media_names.YEARS)
    wanted = list(dict.fromkeys([day, channel, amount, *([year] if year else [])]))
    rows = cells.rows_of(warehouse, config.media_table, wanted)
    rows, total_notes = cells.without_totals(rows, day)
    days, _ = dates.read(rows[day], day, rows[year] if year else None, location, config)
    named = coercion.names(rows[channel], words(config.null_words))
    mark_notes = cells.mark_notes(rows, [amount], location, config)
    read_spend, empty_notes = cells.spend_of(rows, {amount: amount}, location, config)
    refusals.check_spend(read_spend, days, location)
    spend = read_spend[amount]
    apart = periods.of_spend(days)
    weekday = int(days[0] % periods.DAYS_PER_WEEK) if apart == "week" else None
    found = periods.find(sold.days, config.period, sold.location, weekday)
    refusals.check_periods(apart, found.kind, location)
    of_row = periods.nearest(days, found) if apart == "week" else periods.of(days, found)
    kept = (of_row >= 0) & (named.codes >= 0)
    by_channel = np.zeros((len(found.first_day), len(named.names)))
    np.add.at(by_channel, (of_row[kept], named.codes[kept]), spend[kept])
    own = [code for code, name in enumerate(named.names) if name and by_channel[:, code].any()]
    holes = by_period.holes(found, of_orders=len(np.unique(sold.days)) < len(sold.days))
    taken = f"{day}, channel {channel}, spend {amount}; sales {sold.kpi} of {sold.location}"
    lost = {
        f"before or after the sales of {sold.location}": (named.codes >= 0) & (of_row < 0),
        "in rows without a channel": named.codes < 0,
    }
    return MediaTable(
        periods=found,
        kpi=sold.kpi,
        sales=np.where(holes, np.nan, by_period.summed(sold.sales, found)),
        channels=tuple(str(named.names[code]) for code in own),
        spend=by_channel[:, own],
        controls=by_period.means(sold.controls, found),
        control_names=tuple(sold.controls),
        notes=[
            _described(found, taken, sold.controls),
            *_lost_notes(spend, lost),
            *dict.fromkeys([*total_notes, *sold.notes]),
            *mark_notes,
            *empty_notes,
            *by_period.hole_notes(holes, found),
        ],
    )


def _described(found: Periods, taken: str, controls: Collection[str]) -> str:
    """The periods, and what each column was `taken` for, that of dates first."""
    others = f"controls {', '.join(controls)}" if controls else "no controls"
    first = periods.date(found.first_day[0])
    return f"{found.kind}s from {first}: date is column {taken}, {others}"


def _lost_notes(spend: Floats, lost: Mapping[str, Flags]) -> list[str]:
    """The sums of spend that is not fitted, by where it stands."""
    return [
        f"left out: spend of {spend[rows].sum():,.2f} {where}"
        for where, rows in lost.items()
        if spend[rows].any()
    ]


class _Sold(NamedTuple):
    """Sales and controls beside a long table, a row per day."""

    location: str
    kpi: str
    days: Ints
    sales: Floats
    controls: Mapping[str, Floats]
    notes: Sequence[str]


def _sold(
    config: MediaMixConfig, warehouse: Warehouse, names: Sequence[str], channel: str
) -> _Sold:
    """From `revenue_table`, else from the long table, where all channels of a day have the same."""
    table = config.revenue_table or config.media_table
    location, is_same = f"table {table}", config.revenue_table is None
    columns = names if is_same else warehouse.columns(table)
    if is_same and columns_of.kpi_or_none(config, names, location) is None:
        raise DataError(
            f"{location} has a row per day and channel ({channel}): name the table that has sales "
            "by day in revenue_table, as its file is called without .csv"
        )
    date = columns_of.date_of(_shared(config, columns, is_same), columns, location)
    kpi = columns_of.kpi_of(config, columns, location)
    others = columns_of.controls(config, columns, [date, kpi], location)
    rows, total_notes = cells.without_totals(
        cells.rows_of(warehouse, table, [date, kpi, *others]), date
    )
    days, _ = dates.read(rows[date], date, None, location, config)
    mark_notes = cells.mark_notes(rows, [kpi], location, config)
    sales = cells.amounts_of(rows, kpi, location, config)
    refusals.check_sales(sales, days, f"{location}, column {kpi}")
    values = cells.controls(rows, others, location, config)
    if is_same:
        kept = refusals.one_of_each_day(days, sales, f"{location}, column {kpi}")
        days, sales = days[kept], sales[kept]
        values = {name: column[kept] for name, column in values.items()}
    return _Sold(location, kpi, days, sales, values, [*total_notes, *mark_notes])


def _shared(config: MediaMixConfig, names: Sequence[str], is_alone: bool) -> MediaMixConfig:
    """Of two tables each may call its dates otherwise than `date_column`, which one of them has."""
    is_there = is_alone or (config.date_column or "").lower() in {name.lower() for name in names}
    return config if is_there else replace(config, date_column=None)


def frame_of(table: MediaTable) -> pd.DataFrame:
    """The table by period, as it was understood."""
    frame = pd.DataFrame({"date": [periods.date(day) for day in table.periods.first_day]})
    frame["sales"] = table.sales
    for c, channel in enumerate(table.channels):
        frame[f"spend_{channel}"] = table.spend[:, c]
    for k, name in enumerate(table.control_names):
        frame[name] = table.controls[:, k]
    return frame
