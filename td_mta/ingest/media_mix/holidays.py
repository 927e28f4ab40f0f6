"""Holidays that a parameter lists, as controls: 1 in the periods that contain one, else 0."""

import datetime
from collections.abc import Sequence

import numpy as np

from td_mta.config.mmm import Holiday
from td_mta.errors import DataError
from td_mta.ingest.media_mix.periods import Periods, date
from td_mta.journeys.touchpoints import Flags, Floats


def column(name: str, holidays: Sequence[Holiday], periods: Periods) -> Floats:
    """The control of one name, `(n,)`; raises `DataError` where all periods are alike."""
    days = _days(holidays, periods)
    starts, ends = periods.first_day, periods.first_day + periods.length
    has_one: Flags = np.searchsorted(days, starts) < np.searchsorted(days, ends)
    if has_one.all() or not has_one.any():
        which = "every" if has_one.any() else "no"
        raise DataError(
            f"holidays: {which} {periods.kind} from {date(starts[0])} to {date(ends[-1] - 1)} has "
            f"one of {name}, so nothing can be learned of it: change its dates or leave it out"
        )
    return has_one.astype(np.float64)


def _days(holidays: Sequence[Holiday], periods: Periods) -> Sequence[int]:
    """Days since 1970 in ascending order, of every year of the data where none is given."""
    of_data = range(date(periods.first_day[0]).year, date(periods.first_day[-1]).year + 2)
    days = []
    for holiday in holidays:
        for year in of_data if holiday.year is None else [holiday.year]:
            try:
                day = datetime.date(year, holiday.month, holiday.day)
            except ValueError:  # February 29 of another year
                continue
            days.append((day - datetime.date(1970, 1, 1)).days)
    return sorted(days)
