"""Days, weeks or months: which a column of days holds, and the whole row of them."""

import datetime
from typing import Literal, NamedTuple

import numpy as np

from td_mta.errors import DataError
from td_mta.journeys.touchpoints import Ints

Period = Literal["day", "week", "month"]
DAYS_PER_WEEK = 7
LEAST_PERIODS = 26
APART: dict[Period, tuple[float, float]] = {"day": (1, 4), "week": (5, 10), "month": (26, 35)}


class Periods(NamedTuple):
    """Successive periods without holes, and which of them each row of the table belongs to."""

    kind: Period
    first_day: Ints  # since 1970, (n,)
    length: Ints  # days, (n,)
    of_row: Ints  # index of the period, -1 for a row in an incomplete week at either end


def find(days: Ints, given: Period | None, location: str, weekday: int | None = None) -> Periods:
    """The periods that rows of these days (not ordered, not distinct) make.

    Days are taken together by week, unless `given` says otherwise; weeks of days begin on a day
    whose number leaves the rest `weekday` by 7. Raises `DataError` for fewer than 26 periods.
    """
    distinct = np.unique(days)
    if len(distinct) < 2:
        raise DataError(f"{location} has {len(distinct)} different dates: 26 periods are needed")
    rows_are = kind_of(distinct, location)
    kind: Period = given or ("week" if rows_are == "day" else rows_are)
    if rank(kind) < rank(rows_are):
        raise DataError(f"{location} has a date per {rows_are}: period cannot be {kind}")
    if kind == "month":
        found = _months(days, whole=rows_are == "day")
        if rows_are == "month":
            _refuse_two_in_a_month(distinct, location)
    elif kind == "week":
        found = _weeks(days, weekday, whole=rows_are == "day")
    else:
        first = np.arange(distinct[0], distinct[-1] + 1)
        found = Periods("day", first, np.ones_like(first), days - distinct[0])
    if len(found.first_day) < LEAST_PERIODS:
        raise DataError(
            f"{location} has {len(found.first_day)} {kind}s: media mix modelling needs at least "
            f"{LEAST_PERIODS}, better 100; add earlier data"
        )
    return found


def of(days: Ints, found: Periods) -> Ints:
    """The period that each of other days is in, -1 for none."""
    of_row = np.searchsorted(found.first_day, days, side="right") - 1
    return np.where(days < found.first_day[-1] + found.length[-1], of_row, -1)


def nearest(days: Ints, found: Periods) -> Ints:
    """The same of first days of weeks: where those of `found` begin otherwise, the nearest one."""
    return of(days + (DAYS_PER_WEEK // 2 if found.kind == "week" else 0), found)


def of_spend(days: Ints) -> Period:
    """Whether spend of a long table, which may have no row where there was none, is by week."""
    apart: Ints = np.asarray(np.diff(np.unique(days)), np.int64)
    if len(apart) and ((apart >= 28) & (apart <= 31)).all():
        return "month"
    return "week" if len(apart) and not (apart % DAYS_PER_WEEK).any() else "day"


def date(day: int) -> datetime.date:
    """The date of a day counted from 1970."""
    return datetime.date(1970, 1, 1) + datetime.timedelta(int(day))


def rank(kind: Period) -> int:
    """The order of periods by their length."""
    return ("day", "week", "month").index(kind)


def kind_of(distinct: Ints, location: str) -> Period:
    """What dates are apart, in most cases; raises `DataError` for quarters and the like."""
    apart = float(np.median(np.diff(distinct)))
    for kind, (least, most) in APART.items():
        if least <= apart <= most:
            return kind
    raise DataError(
        f"{location} has a date every {apart:.0f} days: media mix modelling needs days, weeks or "
        "months; add the dates between"
    )


def _refuse_two_in_a_month(distinct: Ints, location: str) -> None:
    months, rows = np.unique(_month_of(distinct), return_counts=True)
    if (rows > 1).any():
        month = months[(rows > 1).argmax()].astype("datetime64[M]")
        raise DataError(
            f"{location} has two dates in {month}, and others a month apart: media mix modelling "
            "needs days, weeks or calendar months"
        )


def _ends(days: Ints) -> tuple[int, int]:
    """The first and last day, with weekdays around them that never have a row, such as Sundays."""
    start, end = int(days.min()), int(days.max())
    seen = set(np.unique(days % DAYS_PER_WEEK).tolist())
    while (start - 1) % DAYS_PER_WEEK not in seen:
        start -= 1
    while (end + 1) % DAYS_PER_WEEK not in seen:
        end += 1
    return start, end


def _month_of(days: Ints) -> Ints:
    return np.asarray(days.astype("datetime64[D]").astype("datetime64[M]"), np.int64)


def _weeks(days: Ints, weekday: int | None, whole: bool) -> Periods:
    """Weeks that begin as the first date does; of daily rows only weeks with all their days."""
    start, end = int(days.min()), int(days.max())
    if whole:
        end = _ends(days)[1]
        start += 0 if weekday is None else (weekday - start) % DAYS_PER_WEEK
    else:
        usual = np.bincount(days % DAYS_PER_WEEK, minlength=DAYS_PER_WEEK).argmax()
        start -= int((start - usual) % DAYS_PER_WEEK)
    number = (end + 1 - start) // DAYS_PER_WEEK if whole else (end - start) // DAYS_PER_WEEK + 1
    first = start + DAYS_PER_WEEK * np.arange(number)
    return Periods("week", first, np.full(number, DAYS_PER_WEEK), _inside(days, start, number))


def _inside(days: Ints, start: int, number: int) -> Ints:
    of_row = (days - start) // DAYS_PER_WEEK
    return np.where((of_row >= 0) & (of_row < number), of_row, -1)


def _months(days: Ints, whole: bool) -> Periods:
    """Calendar months; of daily rows only months with their first and last days."""
    months = _month_of(days)
    number = np.arange(months.min(), months.max() + 2)
    first = number.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    if whole:
        start, end = _ends(days)
        last = int(np.searchsorted(first, end + 1, side="right"))
        first = first[int(np.searchsorted(first, start)) : last]
    of_row = np.searchsorted(first, days, side="right") - 1
    of_row = np.where(of_row < len(first) - 1, of_row, -1)
    return Periods("month", first[:-1], np.diff(first), of_row)
