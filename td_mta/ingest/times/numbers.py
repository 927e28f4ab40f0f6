"""Numbers as times: each is told by its size what it counts, unless `time_format` says so.

Numbers that write a date (20240304, 202403040900) and days of Excel are times of a local clock;
units of unix time are instants. `queries/union_touchpoints.sql` has the same limits.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from td_mta.journeys.touchpoints import SECONDS_PER_DAY, Flags, Ints

SECONDS, EXCEL, DATES = "seconds", "Excel days", "dates as numbers (YYYYMMDD)"
UNITS = {  # unix times: from and to which size, and how many are a second
    "seconds": (10**8, 10**11, 1),  # 1973 to 5138
    "milliseconds": (10**11, 10**14, 10**3),
    "microseconds": (10**14, 10**17, 10**6),
    "nanoseconds": (10**17, 10**19, 10**9),
}
EXCEL_FROM, EXCEL_TO = 20_000, 80_000  # 1954 to 2119
EXCEL_1970 = 25_569
BEHIND_DAY = (0, 4, 6, 9)  # digits behind YYYYMMDD: none, HHMM, HHMMSS, milliseconds too
DATE_HOURS = (1_970_010_100, 2_100_000_000)  # YYYYMMDDHH, which are seconds of 2032 to 2036 too
_LARGEST = np.iinfo(np.int64).max
_DATES = ("yyyymmdd", "iso")  # time formats that read numbers as dates only


class NumberTimes(NamedTuple):
    """Numbers as times, each `(rows,)`; of no meaning where they could not be read."""

    seconds: Ints  # unix seconds, or where `local` what a clock shows, counted in the same way
    local: Flags
    read: Flags
    kind: npt.NDArray[np.int8]  # index in `KINDS`


KINDS = (*UNITS, EXCEL, DATES)


def are_plain_seconds(whole: Ints) -> bool:
    """Whether all numbers are unix seconds and nothing else, as in most tables."""
    return not len(whole) or bool(whole.min() >= UNITS[SECONDS][0] and whole.max() < DATE_HOURS[0])


def of_numbers(whole: Ints, fraction: npt.NDArray[np.float64], form: str | None) -> NumberTimes:
    """Whole parts and what stands behind the point; `form` is a `time_format` or None."""
    rows = len(whole)
    found = NumberTimes(*(np.zeros(rows, kind) for kind in (np.int64, bool, bool, np.int8)))
    _set_dates(found, whole, form)
    if form == "excel":
        _set_excel(found, whole, fraction, (0, 10**7))
    elif form in UNITS:
        _set_unit(found, form, whole, whole >= 0)
    elif form not in _DATES:
        _set_excel(found, whole, fraction, (EXCEL_FROM, EXCEL_TO))
        for unit, (start, end, _) in UNITS.items():
            _set_unit(found, unit, whole, (whole >= start) & (whole <= min(end - 1, _LARGEST)))
    return found


def may_be_date_hours(whole: Ints, form: str | None) -> Flags:
    """Numbers of ten digits that are unix seconds, but read as YYYYMMDDHH as well."""
    if form in UNITS or form in (*_DATES, "excel"):
        return np.zeros(len(whole), bool)
    in_range = (whole >= DATE_HOURS[0]) & (whole < DATE_HOURS[1])
    if in_range.any():
        in_range[in_range] = clock_of_digits(whole[in_range], 2)[1]
    return in_range


def _set_unit(found: NumberTimes, unit: str, whole: Ints, rows: Flags) -> None:
    rows = rows & ~found.local & ~found.read
    if rows.any():
        found.seconds[rows] = whole[rows] // UNITS[unit][2]
        found.read[rows] = True
        found.kind[rows] = KINDS.index(unit)


def _set_excel(
    found: NumberTimes, whole: Ints, fraction: npt.NDArray[np.float64], limits: tuple[int, int]
) -> None:
    """Days since 1899-12-30; to the next second, as five decimals are not exact."""
    rows = (whole >= limits[0]) & (whole < limits[1]) & ~found.local
    if rows.any():
        days = (whole[rows] - EXCEL_1970) + fraction[rows]
        found.seconds[rows] = np.floor(days * SECONDS_PER_DAY + 0.5).astype(np.int64)
        found.read[rows] = found.local[rows] = True
        found.kind[rows] = KINDS.index(EXCEL)


def _set_dates(found: NumberTimes, whole: Ints, form: str | None) -> None:
    """Numbers with the digits of a date; where the calendar lacks it, `local` without `read`."""
    if form in UNITS or form == "excel":
        return
    for behind in (*BEHIND_DAY, 2) if form in _DATES else BEHIND_DAY:
        scale = 10**behind
        low, high = 19_000_101 * scale, 21_000_000 * scale
        rows = (whole >= low) & (whole < high)
        if rows.any():
            seconds, read = clock_of_digits(whole[rows], behind)
            found.seconds[rows], found.read[rows], found.local[rows] = seconds, read, True
            found.kind[rows] = KINDS.index(DATES)


def clock_of_digits(whole: Ints, behind: int) -> tuple[Ints, Flags]:
    """What the clock shows in seconds, and whether calendar and clock have it.

    Of YYYYMMDD with so many digits behind it: hours, minutes, seconds.
    """
    day, clock = np.divmod(whole, 10**behind)
    clock = clock * 10 ** (6 - behind) if behind <= 6 else clock // 10 ** (behind - 6)  # HHMMSS
    year, month, day_of_month = day // 10_000, day // 100 % 100, day % 100
    hour, minute, second = clock // 10_000, clock // 100 % 100, clock % 100
    months = (year - 1970) * 12 + np.clip(month, 1, 12) - 1
    first, following = (_days_at(months + more) for more in (0, 1))
    read = (month >= 1) & (month <= 12) & (day_of_month >= 1) & (day_of_month <= following - first)
    read &= (hour <= 23) & (minute <= 59) & (second <= 59)
    days = first + day_of_month - 1
    return days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second, read


def _days_at(months: Ints) -> Ints:
    """Days since 1970 of the first day of months since 1970."""
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
