"""A column of times as its owner wrote it to unix seconds, or an error that shows a bad value.

Every value is read by itself: numbers by their size (`numbers`), texts by their form
(`texts`), so that two units may stand in one column. Times without an offset are local times
of the zone in which days are cut. Whole columns at a time, `(rows,)` in and out.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import DataError
from td_mta.ingest import columns
from td_mta.ingest.times import numbers, texts
from td_mta.ingest.times.clocks import unix_time
from td_mta.ingest.times.texts import Order
from td_mta.journeys.touchpoints import Flags, Floats, Ints

VALID_TIMES = "times (unix seconds, milliseconds, 2024-03-04 09:00:00 and the like)"
FIRST = 86_400  # before 1970-01-02 a time is a number that was no time
LAST = 10**11  # the year 5138
WHOLE = r"^[0-9]{1,18}$"
LONG = r"^[0-9]{19}$"  # nanoseconds
NUMBER = r"^[+]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:[eE][+]?[0-9]{1,2})?$"
TEXT, DATED, STAMPED = "times written as text", "ISO 8601 times", "timestamps"
ORDERED: dict[Order, str] = {
    "day_first": "dates with the day first",
    "month_first": "dates with the month first",
}
KINDS = (*numbers.KINDS, TEXT, DATED, STAMPED, *ORDERED.values())  # that exclude each other
LOCAL = "times without an offset, as local times of {zone}"


class Times(NamedTuple):
    """A column of times."""

    seconds: Ints  # unix seconds, (rows,); of no meaning where missing
    missing: Flags  # (rows,)
    kinds: dict[str, int]  # what the values were, in words, and how many


class TimeReader:
    """Reads the batches of one column, all in the same way.

    `batches` gives all of them, for the pass that decides whether 04/03/2024 is in March or April;
    `location` is what errors call the column. With `in_seconds`, as our SQL writes them, integers
    are unix seconds however small. A text of `null_words` (in lower case) is no time.
    """

    def __init__(
        self,
        location: str,
        *,
        form: str | None = None,
        zone: str = "UTC",
        in_seconds: bool = False,
        null_words: tuple[str, ...] = (),
        batches: Callable[[], Iterable[pa.Array]] = tuple,
    ) -> None:
        self.location, self.form, self.zone, self.in_seconds = location, form, zone, in_seconds
        self.batches, self.null_words = batches, null_words
        self._has_asked = False
        self._asked_order: Order | None = None

    def read(self, column: pa.Array) -> Times:
        """Unix seconds; `DataError` for what is no time, and for what may be two."""
        kind = column.type
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            return self._of_timestamps(column)
        if pa.types.is_boolean(kind):
            raise DataError(f"{self.location} must hold {VALID_TIMES}, got true and false")
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            return self._of_numbers(column)
        return self._of_texts(columns.text(column))

    def _order(self) -> Order | None:
        """Whether day or month comes first, by `time_format` or else by the whole column."""
        if not self._has_asked:
            self._has_asked = True
            if self.form in ORDERED:
                self._asked_order = "day_first" if self.form == "day_first" else "month_first"
            elif self.form is None:
                self._asked_order = self._order_of(self.batches())
        return self._asked_order

    def _of_timestamps(self, column: pa.Array) -> Times:
        missing = columns.missing(column)
        stamps = column.cast(pa.timestamp("s", getattr(column.type, "tz", None)), safe=False)
        seconds = _filled_ints(stamps.cast(pa.int64()))
        kinds = Counter({STAMPED: int((~missing).sum())})
        if getattr(column.type, "tz", None) is None:
            seconds = self._local(seconds, kinds)
        self._check_range(seconds, missing, column)
        return Times(seconds, missing, kinds)

    def _of_numbers(self, column: pa.Array) -> Times:
        missing = columns.missing(column)
        if pa.types.is_integer(column.type):
            whole, fraction = self._integers(column), np.zeros(0)
            valid = whole if not column.null_count else whole[~missing]
            if self._are_seconds(valid):
                return Times(whole, missing, {numbers.SECONDS: len(valid)})
            fraction = np.zeros(len(whole))
        else:
            whole, fraction = self._parts(column)
        return self._of_parts(whole, fraction, missing, column)

    def _are_seconds(self, whole: Ints) -> bool:
        if self.in_seconds and len(whole) and whole.min() >= 0 and whole.max() < LAST:
            return True
        return self.form is None and numbers.are_plain_seconds(whole)

    def _integers(self, column: pa.Array) -> Ints:
        try:
            return _filled_ints(column)
        except (OverflowError, pa.ArrowInvalid):
            bad = np.asarray(columns.numbers(column), np.float64) > np.iinfo(np.int64).max
            raise self._unread(column, bad) from None

    def _parts(self, column: pa.Array) -> tuple[Ints, Floats]:
        """The whole part, -1 where it is beyond any time, and the rest."""
        values = np.nan_to_num(np.asarray(columns.numbers(column), np.float64), nan=0.0)
        floor = np.floor(np.where(abs(values) < 9.2e18, values, -1.0))
        return floor.astype(np.int64), np.where(floor >= 0, values - floor, 0.0)

    def _of_parts(self, whole: Ints, fraction: Floats, missing: Flags, column: pa.Array) -> Times:
        either = numbers.may_be_date_hours(whole, self.form) & ~missing
        if either.any():
            raise DataError(self._date_hour(columns.example(column, either)))
        found = numbers.of_numbers(whole, fraction, self.form)
        bad = ~found.read & ~missing
        if bad.any():
            raise self._unread(column, bad)
        rows = np.bincount(found.kind[~missing], minlength=len(numbers.KINDS)).tolist()
        kinds = Counter(dict(zip(numbers.KINDS, rows, strict=True)))
        seconds = found.seconds
        if found.local.any():
            seconds[found.local] = self._local(seconds[found.local], kinds)
        self._check_range(seconds, missing, column)
        return Times(seconds, missing, +kinds)

    def _of_texts(self, text: pa.Array) -> Times:
        text = columns.trimmed(text)
        text = pc.if_else(pc.equal(text, ""), None, text)
        missing = columns.missing(text)
        is_whole = columns.matches(text, WHOLE)
        if (is_whole | missing).all():
            return _as_text(self._of_numbers(text.cast(pa.int64())))
        if not is_whole.any() and (columns.matches(text, texts.STAMP) | missing).all():
            return self._read_dates(text, texts.of_stamps(text))
        missing |= columns.is_in(pc.utf8_lower(text), self.null_words)
        is_long, is_number = columns.matches(text, LONG), columns.matches(text, NUMBER)
        seconds, kinds = np.zeros(len(text), np.int64), Counter[str]()
        for rows, part in (
            (is_whole, lambda some: self._of_numbers(some.cast(pa.int64()))),
            (is_long, self._of_nanoseconds),
            (is_number & ~is_whole & ~is_long, self._of_decimals),
            (~is_number & ~missing, self._of_dates),
        ):
            if rows.any():
                found = part(text.filter(pa.array(rows)))
                seconds[rows] = found.seconds
                kinds.update(found.kinds)
        return _as_text(Times(seconds, missing, kinds))

    def _of_nanoseconds(self, text: pa.Array) -> Times:
        """Of 19 digits, which may be too many for an integer: the first ten are seconds."""
        if self.form not in (None, "nanoseconds", "day_first", "month_first"):
            raise self._unread(text, np.ones(len(text), bool))
        seconds = pc.utf8_slice_codeunits(text, 0, 10).cast(pa.int64())
        missing = np.zeros(len(text), bool)
        return Times(_filled_ints(seconds), missing, {"nanoseconds": len(text)})

    def _of_decimals(self, text: pa.Array) -> Times:
        plain = pc.replace_substring_regex(text, r"^[+]", "")
        whole, fraction = self._parts(plain.cast(pa.float64()))
        return self._of_parts(whole, fraction, np.zeros(len(text), bool), text)

    def _of_dates(self, text: pa.Array) -> Times:
        return self._read_dates(text, texts.clock_times(text, self._order))

    def _read_dates(self, text: pa.Array, found: texts.ClockTimes) -> Times:
        missing = columns.missing(text)
        bad = ~found.read & ~missing
        if bad.any():
            raise self._unread_text(text, bad)
        read = len(text) - int(missing.sum())
        kinds = Counter({ORDERED[self._asked_order] if self._asked_order else DATED: read})
        seconds, local = found.clock - found.offset, found.local & ~missing
        if local.any():
            seconds[local] = self._local(found.clock[local], kinds)
        self._check_range(seconds, missing, text)
        return Times(seconds, missing, kinds)

    def _local(self, clock: Ints, kinds: Counter[str]) -> Ints:
        kinds[LOCAL.format(zone=self.zone)] += len(clock)
        return unix_time(clock, self.zone)

    def _order_of(self, batches: Iterable[pa.Array]) -> Order | None:
        """By numbers above 12, which are days; `DataError` where both places have some."""
        day_first: str | None = None
        month_first: str | None = None
        for batch in batches:
            text = columns.trimmed(columns.text(batch)).dictionary_encode().dictionary
            text = texts.dates_of(text)
            day_first = day_first or _first(text, texts.SHOWS_DAY_FIRST)
            month_first = month_first or _first(text, texts.SHOWS_MONTH_FIRST)
        if day_first and month_first:
            raise DataError(
                f"{self.location} must hold dates of one order, got {day_first!r} with the day "
                f"first and {month_first!r} with the month first; correct the column"
            )
        return "day_first" if day_first else "month_first" if month_first else None

    def _check_range(self, seconds: Ints, missing: Flags, column: pa.Array) -> None:
        first = FIRST if self.form is None else 0
        bad = ((seconds < first) | (seconds >= LAST)) & ~missing
        if bad.any():
            got = columns.example(column, bad)
            raise DataError(
                f"{self.location} must hold {VALID_TIMES} from 1970-01-02 to the year 5137, got "
                f"{got}; {_WHICH_FORMAT}"
            )

    def _unread(self, column: pa.Array, bad: Flags) -> DataError:
        got = columns.example(column, bad)
        return DataError(f"{self.location} must hold {VALID_TIMES}, got {got}; {_WHICH_FORMAT}")

    def _unread_text(self, text: pa.Array, bad: Flags) -> DataError:
        dates = texts.dates_of(text.filter(pa.array(bad)))[:1]
        got = columns.example(text, bad)
        if columns.matches(dates, r"^[0-9]{4}-?W[0-9]{2}").any():
            return DataError(f"{self.location} must hold days, got {got}, which is a week")
        is_open = columns.matches(dates, texts.EITHER).any()
        if not is_open or self._order() is not None or self.form is not None:
            return self._unread(text, bad)
        either = (texts.reordered(dates, order)[0].as_py() for order in ORDERED)
        return DataError(
            f"{self.location} may have the day or the month first, got {got}, which is "
            f"{' or '.join(either)}; set time_format to day_first or month_first"
        )

    def _date_hour(self, got: str) -> str:
        return (
            f"{self.location} may hold dates YYYYMMDDHH or unix seconds of the years 2032 to 2036, "
            f"got {got}; set time_format to yyyymmdd or seconds"
        )


_WHICH_FORMAT = (
    "set time_format to what it holds (docs/parameters.md, or seconds where they count from 0), or "
    "correct the column"
)


def _as_text(found: Times) -> Times:
    """Unix seconds as text are worth a word, those as numbers are not."""
    kinds = dict(found.kinds)
    seconds = kinds.pop(numbers.SECONDS, 0)
    return found._replace(kinds={TEXT: seconds, **kinds} if seconds else kinds)


def _first(text: pa.Array, pattern: str) -> str | None:
    found = text.filter(pa.array(columns.matches(text, pattern)))
    return found[0].as_py() if len(found) else None


def _filled_ints(column: pa.Array) -> Ints:
    filled = pc.fill_null(column, 0) if column.null_count else column
    return np.array(filled.cast(pa.int64()).to_numpy(zero_copy_only=False), np.int64)
