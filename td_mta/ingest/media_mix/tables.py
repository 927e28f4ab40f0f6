"""A wide or long table of spend, and sales with it or beside it, as arrays by period."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from td_mta.config.mmm import MediaMixConfig
from td_mta.config.mmm import holidays as holidays_of
from td_mta.errors import DataError
from td_mta.ingest import coercion, usual_names
from td_mta.ingest.beside import costs
from td_mta.ingest.beside.tables import CHANNELS
from td_mta.ingest.media_mix import cells, holidays, periods, refusals
from td_mta.ingest.media_mix import columns as columns_of
from td_mta.ingest.media_mix.columns import WideColumns
from td_mta.ingest.media_mix.periods import Periods
from td_mta.ingest.settings import words
from td_mta.journeys.touchpoints import Flags, Floats, Ints
from td_mta.warehouse import Warehouse

FIRST_WEEK = 19_716  # a Monday, 2023-12-25, before the first of them


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
        return usual_names.without_unit(self.kpi) not in columns_of.NO_MONEY


def read(config: MediaMixConfig, warehouse: Warehouse) -> MediaTable:
    """The table `media_table`, in either form; raises `DataError` for what cannot be fitted."""
    names = warehouse.columns(config.media_table)
    location = f"table {config.media_table}"
    channel = columns_of.named(config.channel_column, names, location, CHANNELS)
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
    wanted += [name for name in (columns.region, columns.year) if name]
    in_order = warehouse.keeps_order(config.media_table)
    rows = cells.rows_of(warehouse, config.media_table, wanted, is_sorted=in_order)
    days, is_made_up = _days(rows, columns, location, config)
    if not in_order:  # texts of days are not sorted by day
        by_day = np.argsort(days, kind="stable")
        days, rows = days[by_day], {name: column.take(by_day) for name, column in rows.items()}
    regions = cells.regions(rows, columns.region, days)
    refusals.check_dates(days, regions, f"{location}, column {columns.date}")
    found = periods.find(days, config.period, location)
    spend = {
        name: cells.amounts_of(rows, column, location, config)
        for name, column in columns.spend.items()
    }
    refusals.check_spend(spend, days, location)
    sales = cells.amounts_of(rows, columns.kpi, location, config)
    refusals.check_sales(sales, days, f"{location}, column {columns.kpi}")
    controls = cells.controls(rows, columns.controls, location, config)
    refusals.check_sales_of(controls, days, location)
    notes = [
        f"{found.kind}s from {periods.date(found.first_day[0])}: date is column {columns.date}, "
        f"sales {columns.kpi}, spend {', '.join(columns.spend.values())}"
        + (f", controls {', '.join(controls)}" if controls else ", no controls")
    ]
    if is_made_up:
        notes.append(
            f"column {columns.date} numbers weeks without saying when they were: their dates here "
            "are made up, and seasons assume a year of weeks that follow each other"
        )
    if regions.any():
        notes.append(f"{regions.max() + 1} regions of column {columns.region} are added up by date")
    holes = _holes(found, _usual_rows(found))
    return MediaTable(
        periods=found,
        kpi=columns.kpi,
        sales=np.where(holes, np.nan, _summed(sales, found)),
        channels=tuple(spend),
        spend=_stacked([_summed(values, found) for values in spend.values()], found),
        controls=_stacked([_mean(values, found) for values in controls.values()], found),
        control_names=tuple(controls),
        notes=[*notes, *_column_notes(columns, names, wanted, config), *_hole_notes(holes, found)],
    )


def _days(
    rows: Mapping[str, pa.Array], columns: WideColumns, location: str, config: MediaMixConfig
) -> tuple[Ints, bool]:
    """Days of the rows, and whether they are made up since weeks are numbered without a year."""
    column = rows[columns.date]
    if not cells.is_numbered(column):
        return cells.days_of(column, f"{location}, column {columns.date}", config), False
    numbers = np.asarray(column.to_numpy(), np.int64)
    if columns.year and cells.is_numbered(rows[columns.year], cells.MOST_YEAR):
        years = np.asarray(rows[columns.year].to_numpy(), np.int64)
        return cells.days_of_parts(numbers, years, columns.date), False
    return FIRST_WEEK + periods.DAYS_PER_WEEK * numbers, True


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
    if ignored:
        notes.append(
            f"not used: {', '.join(ignored[:10])}; spend_columns and control_columns say otherwise"
        )
    return notes


def _long(
    config: MediaMixConfig, warehouse: Warehouse, names: Sequence[str], channel: str
) -> MediaTable:
    location = f"table {config.media_table}"
    day = columns_of.needed(
        config.date_column, names, location, "date", "date_column", columns_of.DATES
    )
    amount = columns_of.needed(
        config.spend_column, names, location, "spend", "spend_column", costs.USUAL["spend"]
    )
    sold = _sold(config, warehouse, names, channel)
    rows = cells.rows_of(warehouse, config.media_table, [day, channel, amount])
    days = cells.days_of(rows[day], f"{location}, column {day}", config)
    named = coercion.names(rows[channel], words(config.null_words))
    spend = cells.amounts_of(rows, amount, location, config)
    refusals.check_spend({amount: spend}, days, location)
    found = periods.find(sold.days, config.period, sold.location)
    of_row = np.searchsorted(found.first_day, days, side="right") - 1
    ends = found.first_day[-1] + found.length[-1]
    kept = (days >= sold.days.min()) & (of_row >= 0) & (days < ends) & (named.codes >= 0)
    by_channel = np.zeros((len(found.first_day), len(named.names)))
    np.add.at(by_channel, (of_row[kept], named.codes[kept]), spend[kept])
    own = [code for code, name in enumerate(named.names) if name and by_channel[:, code].any()]
    holes = _holes(found)
    return MediaTable(
        periods=found,
        kpi=sold.kpi,
        sales=np.where(holes, np.nan, _summed(sold.sales, found)),
        channels=tuple(str(named.names[code]) for code in own),
        spend=by_channel[:, own],
        controls=_stacked([_mean(values, found) for values in sold.controls.values()], found),
        control_names=tuple(sold.controls),
        notes=[
            f"{found.kind}s from {periods.date(found.first_day[0])}: date is column {day}, "
            f"channel {channel}, spend {amount}; sales {sold.kpi} of {sold.location}",
            *_hole_notes(holes, found),
        ],
    )


class _Sold(NamedTuple):
    """Sales and controls beside a long table, a row per day."""

    location: str
    kpi: str
    days: Ints
    sales: Floats
    controls: Mapping[str, Floats]


def _sold(
    config: MediaMixConfig, warehouse: Warehouse, names: Sequence[str], channel: str
) -> _Sold:
    """From `revenue_table`, else from the long table, where all channels of a day have the same."""
    table = config.revenue_table or config.media_table
    location, is_same = f"table {table}", config.revenue_table is None
    if is_same and columns_of.named(config.kpi_column, names, location, columns_of.KPIS) is None:
        raise DataError(
            f"{location} has a row per day and channel ({channel}): name the table that has sales "
            "by day in revenue_table"
        )
    columns = names if is_same else warehouse.columns(table)
    date = columns_of.needed(
        config.date_column, columns, location, "date", "date_column", columns_of.DATES
    )
    kpi = columns_of.needed(
        config.kpi_column, columns, location, "sales", "kpi_column", columns_of.KPIS
    )
    others = columns_of.controls(config, columns, [date, kpi], location)
    rows = cells.rows_of(warehouse, table, [date, kpi, *others])
    days = cells.days_of(rows[date], f"{location}, column {date}", config)
    sales = cells.amounts_of(rows, kpi, location, config)
    refusals.check_sales(sales, days, f"{location}, column {kpi}")
    values = cells.controls(rows, others, location, config)
    if is_same:
        kept = refusals.one_of_each_day(days, sales, f"{location}, column {kpi}")
        days, sales = days[kept], sales[kept]
        values = {name: column[kept] for name, column in values.items()}
    return _Sold(location, kpi, days, sales, values)


def _holes(found: Periods, least: int = 1) -> Flags:
    """Periods with fewer than `least` rows."""
    return _counts(found) < least


def _usual_rows(found: Periods) -> int:
    """How many rows most periods have: seven of daily rows by week, five without weekends."""
    return int(np.bincount(_counts(found)).argmax())


def _counts(found: Periods) -> Ints:
    return np.bincount(found.of_row[found.of_row >= 0], minlength=len(found.first_day))


def _hole_notes(holes: Flags, found: Periods) -> list[str]:
    if not holes.any():
        return []
    first = periods.date(found.first_day[holes.argmax()])
    return [
        f"{int(holes.sum())} {found.kind}s lack rows, the first {first}: their sales are not "
        "known, and spend that is not there counts as none"
    ]


def _summed(values: Floats, found: Periods) -> Floats:
    inside = found.of_row >= 0
    sums = np.bincount(found.of_row[inside], values[inside], len(found.first_day))
    return np.asarray(sums, np.float64)


def _mean(values: Floats, found: Periods) -> Floats:
    inside = found.of_row >= 0
    counts = np.bincount(found.of_row[inside], minlength=len(found.first_day))
    return _summed(values, found) / np.maximum(counts, 1)


def _stacked(columns: Sequence[Floats], found: Periods) -> Floats:
    empty = np.zeros((len(found.first_day), 0))
    return np.stack(columns, axis=1) if columns else empty


def frame_of(table: MediaTable) -> pd.DataFrame:
    """The table by period, as it was understood."""
    frame = pd.DataFrame({"date": [periods.date(day) for day in table.periods.first_day]})
    frame["sales"] = table.sales
    for c, channel in enumerate(table.channels):
        frame[f"spend_{channel}"] = table.spend[:, c]
    for k, name in enumerate(table.control_names):
        frame[name] = table.controls[:, k]
    return frame
