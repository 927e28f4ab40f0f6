"""Days of a media table's rows: dates, weeks and months as people write them, or their numbers.

Whole columns at a time, `(rows,)` in and out, in days since 1970.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.config.mmm import MediaMixConfig
from td_mta.errors import DataError
from td_mta.ingest import columns, usual_names
from td_mta.ingest.media_mix.periods import DAYS_PER_WEEK, LEAST_PERIODS, Period
from td_mta.ingest.settings import words
from td_mta.ingest.times.reader import TimeReader
from td_mta.journeys.touchpoints import SECONDS_PER_DAY, Ints

MOST_NUMBERED = 2000  # weeks that are numbered, not dated
MOST_YEAR = 2200
FIRST_WEEK = 19_716  # a Monday, 2023-12-25, before the first of them
MONTHS_PER_YEAR, LAST_WEEK = 12, 53
A_MONTH = ("mo", "mes", "mês", "mé", "月", "월")  # what names of columns of months begin with
A_DAY = ("day", "tag", "dia", "día", "jour", "giorno", "日")

_WEEK = r"(?:week|wk|kw|cw|w|semaine|sem|semana|woche)"
WEEKS = (
    rf"(?i)^(?P<year>\d{{4}})[-/ ]*{_WEEK}[-. ]*(?P<number>\d{{1,2}})$",
    rf"(?i)^{_WEEK}[-. ]*(?P<number>\d{{1,2}})[-/, ]+(?P<year>\d{{4}})$",
)
NUMBERED_WEEK = rf"(?i)^{_WEEK}[-_. ]*(?P<number>\d{{1,4}})$"
NAME = r"^[^\W\d_]{3,10}\.?$"
ISO_MONTH = (r"^\s*(\d{4})[-/.](\d{1,2})\s*$", r"\1-\2-01")
MONTHS = (  # to the first day of each
    (r"^(\d{4})(?:[年년] ?|-?[Mm])(\d{1,2})[月월]?$", r"\1-\2-01"),
    (r"^(\d{1,2})[-/.](\d{4})$", r"\2-\1-01"),
    (r"^([^\W\d_]{3,10})\.?[-/ ',]+(\d{4})$", r"1 \1 \2"),
    (r"^([^\W\d_]{3,10})\.?[-/ ',]+(\d{2})$", r"1 \1 20\2"),
    (r"^(\d{4})[-/ ]+([^\W\d_]{3,10})\.?$", r"1 \2 \1"),
)
DAYS = (
    (r"^(\d{4})[年년] ?(\d{1,2})[月월] ?(\d{1,2})[日일]$", r"\1-\2-\3"),
    (r"(?i)^(\d[-\d./]*\d) +(?:\p{Pd}|~|to|bis) +\d[-\d./]*\d$", r"\1"),  # first and last day
    (r"^(\d{4}-\d{2}-\d{2})/\d{4}-\d{2}-\d{2}$", r"\1"),
)
MONTH_IN_FIRST_PLACE = r"^(?:0?[1-9]|1[0-2])[-/. ]0?1[-/. ]\d"
MONTH_IN_SECOND_PLACE = r"^0?1[-/. ](?:0?[1-9]|1[0-2])[-/. ]\d"


class Days(NamedTuple):
    """First days of the rows' periods."""

    days: Ints  # since 1970, (rows,)
    made_up: Period | None = None  # what is numbered without a year


def read(
    column: pa.Array, name: str, years: pa.Array | None, location: str, config: MediaMixConfig
) -> Days:
    """Of the column `name`, and of one of years where there is one; `location` is of the table.

    Raises `DataError` for a row without date, and for what is none.
    """
    place = f"{location}, column {name}"
    column, is_month = _plain(column, usual_names.without_unit(name).startswith(A_MONTH))
    if not is_numbered(column):
        found = _of_codes(column)
        return Days(_of_texts(column, place, config) if found is None else found)
    numbers = np.asarray(column.to_numpy(), np.int64)
    known = None if years is None else _whole(years)
    if known is not None and is_numbered(known, MOST_YEAR):
        return Days(_of_years(numbers, np.asarray(known.to_numpy(), np.int64), place, is_month))
    if is_month or config.period == "month":
        return Days(_firsts(np.full_like(numbers, 2024), numbers), "month")
    if usual_names.without_unit(name).startswith(A_DAY) or config.period == "day":
        return Days(FIRST_WEEK + numbers, "day")
    return Days(FIRST_WEEK + DAYS_PER_WEEK * numbers, "week")


def days_of(
    column: pa.Array, location: str, config: MediaMixConfig, form: str | None = None
) -> Ints:
    """Of dates; a month such as 2024-03 is its first day. Raises `DataError` for a row without one.

    `form` is the order of day and month, where `time_format` does not say it.
    """
    if pa.types.is_string(column.type):
        column = pc.replace_substring_regex(column, *ISO_MONTH)
    times = TimeReader(
        location,
        form=config.time_format or form,
        null_words=words(config.null_words),
        batches=lambda: [column],
    ).read(column)
    if times.missing.any():
        raise DataError(f"{location}: {int(times.missing.sum())} rows have no date; remove them")
    return times.seconds // SECONDS_PER_DAY


def is_numbered(column: pa.Array, most: int = MOST_NUMBERED) -> bool:
    """Whether weeks are numbered 1, 2, 3 … instead of dated."""
    if not pa.types.is_integer(column.type) or column.null_count:
        return False
    numbers = column.to_numpy()
    return bool(len(numbers) and numbers.min() >= 0 and numbers.max() < most)


def days_of_weeks(numbers: Ints, years: Ints) -> Ints:
    """Mondays of numbered ISO weeks, `(rows,)`.

    >>> days = days_of_weeks(np.array([1, 2]), np.array([2024, 2024]))
    >>> days.astype("datetime64[D]").astype(str).tolist()
    ['2024-01-01', '2024-01-08']
    """
    fourth = _firsts(years, np.ones_like(numbers)) + 3  # January 4 is in the first week
    return np.asarray(fourth - (fourth + 3) % 7 + 7 * (numbers - 1), np.int64)


def _firsts(years: Ints, months: Ints) -> Ints:
    """First days of numbered months."""
    january = (years - 1970).astype("datetime64[Y]").astype("datetime64[M]")
    return np.asarray((january + (months - 1)).astype("datetime64[D]"), np.int64)


def _plain(column: pa.Array, is_month: bool) -> tuple[pa.Array, bool]:
    """Numbers of a column such as `week 1` or, where it has names of months, `January`."""
    if not pa.types.is_string(column.type):
        return _whole(column), is_month
    text = columns.trimmed(column)
    if len(text) and not text.null_count and columns.matches(text, r"^\d{1,4}$").all():
        return text.cast(pa.int64()), is_month  # 01, whose zero makes it a text
    found = _matched(text, NUMBERED_WEEK)
    if found is not None:
        return found["number"].cast(pa.int64()), False
    if not len(text) or text.null_count or not columns.matches(text, NAME).all():
        return column, is_month
    dates = pc.binary_join_element_wise("1", pc.replace_substring(text, ".", ""), "2000", " ")
    days = TimeReader("", batches=lambda: [dates]).read(dates).seconds // SECONDS_PER_DAY
    return pa.array(days.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12 + 1), True


def _whole(column: pa.Array) -> pa.Array:
    """Numbers such as 3.0, which a file has where a cell was empty, as 3."""
    if not pa.types.is_floating(column.type) or column.null_count:
        return column
    return column.cast(pa.int64()) if pc.all(pc.equal(column, pc.floor(column))).as_py() else column


def _of_years(numbers: Ints, years: Ints, place: str, is_month: bool) -> Ints:
    kind, most = ("month", MONTHS_PER_YEAR) if is_month else ("week", LAST_WEEK)
    if numbers.max() > most:
        raise DataError(
            f"{place}: beside a year a {kind} must be at most {most}, got {numbers.max()}; name a "
            "column of dates in date_column"
        )
    return _firsts(years, numbers) if is_month else days_of_weeks(numbers, years)


def _of_texts(column: pa.Array, place: str, config: MediaMixConfig) -> Ints:
    """Of dates, or texts such as 2024-W10, Mar-24 or 2024-03-04 - 2024-03-10."""
    if not pa.types.is_string(column.type):
        return days_of(column, place, config)
    column = columns.trimmed(column)
    found = _of_weeks(column)
    if found is not None:
        return found
    for pattern, plain in (*DAYS, *MONTHS):
        column = pc.replace_substring_regex(column, pattern, plain)
    return days_of(column, place, config, _order_of_months(column))


def _of_codes(column: pa.Array) -> Ints | None:
    """Of 202403, a month, or where some are beyond the twelfth a week; None where it is neither."""
    if not pa.types.is_integer(column.type) or column.null_count or not len(column):
        return None
    years, within = np.divmod(np.asarray(column.to_numpy(), np.int64), 100)
    if years.min() < 1900 or years.max() >= MOST_YEAR or within.min() < 1:
        return None
    if within.max() <= MONTHS_PER_YEAR:
        return _firsts(years, within)
    return days_of_weeks(within, years) if within.max() <= LAST_WEEK else None


def _of_weeks(text: pa.Array) -> Ints | None:
    """Of texts such as 2024-W10 or KW 10/2024; None where not all are."""
    for pattern in WEEKS:
        found = _matched(text, pattern)
        if found is not None:
            years, numbers = (
                np.asarray(found[name].cast(pa.int64()).to_numpy(), np.int64)
                for name in ("year", "number")
            )
            return days_of_weeks(numbers, years)
    return None


def _matched(text: pa.Array, pattern: str) -> dict[str, pa.Array] | None:
    """The named groups of a pattern, where every text is of it."""
    found = pc.extract_regex(text, pattern)
    if not len(found) or found.null_count:
        return None
    return dict(zip((field.name for field in found.type), found.flatten(), strict=True))


def _order_of_months(text: pa.Array) -> str | None:
    """Where all dates are the first of a month, one place has a 1 throughout: that of the day."""
    if len(text.unique()) < LEAST_PERIODS:
        return None
    by_first = bool(columns.matches(text, MONTH_IN_FIRST_PLACE).all())
    by_second = bool(columns.matches(text, MONTH_IN_SECOND_PLACE).all())
    if by_first == by_second:
        return None
    return "month_first" if by_first else "day_first"
