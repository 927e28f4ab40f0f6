"""Which days are credited, and which before them are only looked back on.

Windows that reach before the record show too few touches: neither learned from nor credited, they
do no harm. Where a record begins with the first touch that ever was, no window does. And where
users are few, leaving conversions out costs more than the first days are wrong by.
"""

import math

import numpy as np

from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.ingest.pages import TouchpointTable
from td_mta.journeys.controls import Period
from td_mta.journeys.touchpoints import Ints

SPANS = 3  # windows after the first one that it is compared with, or fewer; at least one
MANY_USERS = 10_000
STEADY = 0.5  # of their rows: with more in the first one the record begins in the middle


def period_of(touchpoints: TouchpointTable, config: Config) -> Period:
    """The credited days; raises `DataError` where none is left, or none to hold out."""
    first, last = touchpoints.first_day, touchpoints.last_day
    first_credited = first + _history_days(touchpoints, config)
    check_days(config, Period(first, last), first_credited)
    held_out_day = None
    if config.holdout == "forward":
        held_out_day = _first_held_out_day(first_credited, last, config.validation_fraction)
    return Period(first_credited, last, held_out_day)


def check_days(config: Config, record: Period, first_credited: int) -> None:
    """Raise `DataError` where no day of the record is credited, or none is left to be held out."""
    first, last, days = record.first_day, record.last_day, record.days
    if first_credited > last:
        raise DataError(
            f"table {config.table}: history_days {config.history_days} leaves no day to credit of "
            f"the {days} from {np.datetime64(first, 'D')} to {np.datetime64(last, 'D')}; lower it"
        )
    if config.holdout == "forward" and first_credited == last:
        raise DataError(
            f"table {config.table}: holdout: forward holds out the last days and needs touchpoints "
            "of at least 2 days, got 1 day; set holdout: users"
        )


def _first_held_out_day(first: int, last: int, fraction: float) -> int:
    """The first of the last days that are held out: at least one is, and at least one is not."""
    days = last - first + 1
    held_out_days = max(1, math.floor(days * fraction + 0.5))
    return last + 1 - min(held_out_days, days - 1)


def begins_abruptly(rows_by_day: Ints, window_days: int) -> bool:
    """Whether the first window has about as many rows as those after it; never of few days.

    >>> begins_abruptly(np.array([9, 9, 9]), 1), begins_abruptly(np.array([1, 5, 8, 9]), 1)
    (True, False)
    """
    first, later = rows_by_day[:window_days], rows_by_day[window_days:][: SPANS * window_days]
    if len(later) < window_days:
        return False
    return bool(first.mean() >= STEADY * later.mean())


def _history_days(touchpoints: TouchpointTable, config: Config) -> int:
    if config.examples == "touch_days":
        return 0
    if config.history_days is not None:
        return config.history_days
    window_days = config.lookback_window_days
    if window_days == 1 or touchpoints.users < MANY_USERS:
        return 0
    return window_days - 1 if begins_abruptly(touchpoints.rows_by_day(), window_days) else 0
