"""Days, weeks or months: which a column of days holds, and the whole row of them."""

import datetime
from typing import Literal, NamedTuple

import numpy as np

from td_mta.errors import DataError
from td_mta.journeys.touchpoints import Ints

Period = Literal["day", "week", "month"]
DAYS_PER_WEEK = 7
LEAST_PERIODS = 26


class Periods(NamedTuple):
    """Successive periods without holes, and which of them each row of the table belongs to."""

    kind: Period
    first_day: Ints  # since 1970, (n,)
    length: Ints  # days, (n,)
    of_row: Ints  # index of the period, -1 for a row in an incomplete week at either end


def find(days: Ints, given: Period | None, location: str) -> Periods:
    """The periods that rows of these days (not ordered, not distinct) make.

    Days are taken together by week, unless `given` says day. Raises `DataError` for fewer than 26
    periods.
    """
    distinct = np.unique(days)
    if len(distinct) < 2:
        raise DataError(f"{location} has {len(distinct)} different dates: 26 periods are needed")
    rows_are = _kind(distinct)
    kind: Period = given or ("week" if rows_are == "day" else rows_are)
    if _rank(kind) < _rank(rows_are):
        raise DataError(f"{location} has a date per {rows_are}: period cannot be {kind}")
    if kind == "month":
        found = _months(days)
    elif kind == "week":
        found = _weeks(days, whole=rows_are == "day")
    else:
        first = np.arange(distinct[0], distinct[-1] + 1)
        found = Periods("day", first, np.ones_like(first), days - distinct[0])
    if len(found.first_day) < LEAST_PERIODS:
        raise DataError(
            f"{location} has {len(found.first_day)} {kind}s: media mix modelling needs at least "
            f"{LEAST_PERIODS}, better 100; add earlier data"
        )
    return found


def date(day: int) -> datetime.date:
    """The date of a day counted from 1970."""
    return datetime.date(1970, 1, 1) + datetime.timedelta(int(day))


def _rank(kind: Period) -> int:
    return ("day", "week", "month").index(kind)


def _kind(distinct: Ints) -> Period:
    typical = float(np.median(np.diff(distinct)))
    return "day" if typical < 4 else "week" if typical < 20 else "month"


def _weeks(days: Ints, whole: bool) -> Periods:
    """Weeks that begin as the first date does; of daily rows only weeks with all their days."""
    start, end = int(days.min()), int(days.max())
    weekday = np.bincount(days % DAYS_PER_WEEK, minlength=DAYS_PER_WEEK).argmax()
    start -= 0 if whole else int((start - weekday) % DAYS_PER_WEEK)
    number = (end + 1 - start) // DAYS_PER_WEEK if whole else (end - start) // DAYS_PER_WEEK + 1
    of_row = (days - start) // DAYS_PER_WEEK
    first = start + DAYS_PER_WEEK * np.arange(number)
    of_row = np.where(of_row < number, of_row, -1)
    return Periods("week", first, np.full(number, DAYS_PER_WEEK), of_row)


def _months(days: Ints) -> Periods:
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    number = np.arange(months.min(), months.max() + 2)
    first = number.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return Periods("month", first[:-1], np.diff(first), months - months.min())
