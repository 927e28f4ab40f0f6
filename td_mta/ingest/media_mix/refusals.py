"""What no model can be fitted to: each a sentence that says where and what to do."""

from collections.abc import Mapping, Sequence

import numpy as np

from td_mta.errors import DataError
from td_mta.ingest.media_mix.periods import Period, date, rank
from td_mta.journeys.touchpoints import Floats, Ints

PROPORTIONAL = 1e-6  # of a channel's spend, that two channels' shapes may differ by
OF_OUTPUT = ("date", "base", "time")
MOST_HOLES = 0.2  # of the periods


def check_dates(days: Ints, regions: Ints, location: str, made_up: Period | None) -> None:
    """A wide table has one row per date and region, in order; `regions` are codes, one per row.

    The newest may come first. `made_up` is what is numbered without a year.
    """
    pairs, rows = np.unique(np.stack([days, regions]), axis=1, return_counts=True)
    if (rows > 1).any() and made_up:
        raise DataError(
            f"{location} numbers {made_up}s and repeats the numbers: add a column year, or name a "
            "column of dates in date_column"
        )
    if (rows > 1).any():
        raise DataError(
            f"{location}: {date(pairs[0, (rows > 1).argmax()])} stands in more than one row; keep "
            "one, or call the column that tells them apart region"
        )
    order = np.argsort(regions, kind="stable")
    steps = np.where(np.diff(regions[order]) == 0, np.diff(days[order]), 0)
    if (steps < 0).any() and (steps > 0).any():
        row = int(order[int((steps < 0).argmax()) + 1])
        raise DataError(
            f"{location}: dates are not in order, row {row + 1} ({date(days[row])}) is before one "
            "above it; sort the table by date"
        )


def check_periods(of_spend: Period, of_sales: Period, location: str) -> None:
    """Spend of a long table is known as finely as it is fitted."""
    if rank(of_spend) > rank(of_sales):
        raise DataError(
            f"{location} has spend by {of_spend}, and sales would be fitted by {of_sales}; set "
            f"period to {of_spend}"
        )


def one_of_each_day(days: Ints, sales: Floats, location: str) -> Ints:
    """The first row of each day, where all rows of a day have the same sales."""
    _, first, place = np.unique(days, return_index=True, return_inverse=True)
    differs = sales != sales[first][place]
    if differs.any():
        raise DataError(
            f"{location}: rows of {date(days[differs.argmax()])} differ; sales must be those of "
            "all channels together: name a table that has them by day in revenue_table"
        )
    return np.asarray(first, np.int64)


def check_spend(spend: Mapping[str, Floats], days: Ints, location: str) -> None:
    """Every cell of spend is a number of at least 0."""
    for channel, values in spend.items():
        if np.isnan(values).any():
            missing = np.isnan(values)
            more = f" and in {missing.sum() - 1} more rows" if missing.sum() > 1 else ""
            raise DataError(
                f"{location}: spend of {channel} is missing on {date(days[missing.argmax()])}{more}"
                "; write 0 where none was spent, or set empty_spend to zero"
            )
        if (values < 0).any():
            worst = int(values.argmin())
            raise DataError(
                f"{location}: spend of {channel} is negative on {date(days[worst])} "
                f"({values[worst]:,.2f}); correct it, or move a refund to when it was spent"
            )


def check_sales(sales: Floats, days: Ints, location: str) -> None:
    """Every row has sales."""
    if np.isnan(sales).any():
        day = date(days[np.isnan(sales).argmax()])
        raise DataError(
            f"{location}: {int(np.isnan(sales).sum())} rows have no value, the first on {day}; "
            "fill them, or remove their rows"
        )


def check_sales_of(controls: Mapping[str, Floats], days: Ints, location: str) -> None:
    """Every row has every control."""
    for name, values in controls.items():
        check_sales(values, days, f"{location}, column {name}")


def check_names(channels: Sequence[str], controls: Sequence[str], location: str) -> None:
    """Names that would be one column of the output tables, whose letter case does not count."""
    taken = {name: "a column of the output" for name in OF_OUTPUT}
    for name in (*channels, *controls):
        if name.lower() in taken:
            raise DataError(
                f"{location}: {name} is called like {taken[name.lower()]}; rename one of them"
            )
        taken[name.lower()] = "another channel or control"


def check(sales: Floats, spend: Floats, channels: Sequence[str], kpi: str, location: str) -> None:
    """Whether effects could be told at all."""
    known = sales[np.isfinite(sales)]
    if len(known) < (1 - MOST_HOLES) * len(sales):
        raise DataError(
            f"{location}: {len(sales) - len(known)} of {len(sales)} periods have no row; more than "
            "one in five is too many"
        )
    if (known == 0).all():
        raise DataError(f"{location}, column {kpi}: all values are 0; name another kpi_column")
    if known.std() == 0:
        raise DataError(f"{location}, column {kpi}: all values are equal; nothing can be learned")
    for c, channel in enumerate(channels):
        values = spend[:, c]
        if not values.any():
            raise DataError(f"{location}: {channel} never has spend; leave it out")
        if np.ptp(values) <= 1e-9 * values.max():
            raise DataError(
                f"{location}: spend of {channel} is always the same, so its effect cannot be told "
                "from other sales; leave it out, or vary its spend"
            )
    shapes = spend / spend.sum(axis=0)
    for a in range(len(channels)):
        for b in range(a):
            if np.abs(shapes[:, a] - shapes[:, b]).sum() < PROPORTIONAL:
                raise DataError(
                    f"{location}: spend of {channels[b]} and {channels[a]} is proportional, so "
                    "their effects cannot be told apart; add them up to one channel"
                )
