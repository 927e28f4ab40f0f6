"""Dates and timestamps. A time with zone is its instant; fields are read off its local clock.

Each function takes constants and the type of the times, refuses what is not known to be Trino's,
and gives the kernel.
"""

import calendar
import datetime
import re
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.kernels import zones
from td_mta.trino_on_datafusion.kernels.distinct import per_value
from td_mta.trino_on_datafusion.types import Kernel, TrinoError, Type

SECONDS = {
    "millisecond": 0.001,
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86400,
    "week": 604800,
}
MONTHS = {"month": 1, "quarter": 3, "year": 12}
_TRUNCATED_TO = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
_SECONDS_PER_DAY = 86400
_CLOCK = pa.timestamp("us")


def _day_of_week(local: pa.Array) -> pa.Array:
    """1 for Monday to 7 for Sunday."""
    return pc.day_of_week(local, count_from_zero=False, week_start=1)


FIELDS: dict[str, Kernel] = {
    "year": pc.year,
    "quarter": pc.quarter,
    "month": pc.month,
    "week": pc.iso_week,
    "week_of_year": pc.iso_week,
    "day": pc.day,
    "day_of_month": pc.day,
    "day_of_week": _day_of_week,
    "dow": _day_of_week,
    "day_of_year": pc.day_of_year,
    "doy": pc.day_of_year,
    "year_of_week": pc.iso_year,
    "yow": pc.iso_year,
    "hour": pc.hour,
    "minute": pc.minute,
    "second": pc.second,
}


def local(kind: Type) -> Kernel:
    """Values of a time's type as wall-clock timestamps."""
    if kind.kind == "timestamp with time zone":
        name = zones.known(kind)
        return lambda values: zones.to_local(values, name)
    return lambda values: values.cast(_CLOCK)


def field(name: str, kind: Type) -> Kernel:
    """A field of the calendar or clock as a bigint; weeks and their years are those of ISO 8601."""
    if kind.kind == "date" and name in ("hour", "minute", "second"):
        raise Refused(f"function {name}(date)")
    clock = local(kind)
    return lambda values: FIELDS[name](clock(values)).cast(pa.int64())


def _unit(unit: str, kind: Type, allowed: tuple[str, ...]) -> str:
    unit = unit.lower()
    is_part_of_day = SECONDS.get(unit, _SECONDS_PER_DAY) < _SECONDS_PER_DAY
    if unit not in allowed or (kind.kind == "date" and is_part_of_day):
        raise Refused(f"unit {unit!r} for {kind}")
    return unit


def _require_utc(kind: Type, what: str) -> None:
    """What counts across a change of the clocks was not compared with Trino."""
    if kind.kind == "timestamp with time zone" and zones.known(kind) != "UTC":
        raise Refused(f"{what} in a time zone other than UTC")


def truncate(unit: str, kind: Type) -> Kernel:
    """date_trunc; a week begins on Monday."""
    _require_utc(kind, "date_trunc")
    unit = _unit(unit, kind, _TRUNCATED_TO)
    clock = local(kind)

    def kernel(values: pa.Array) -> pa.Array:
        floored = pc.floor_temporal(clock(values), unit=unit, week_starts_monday=True)
        return floored.cast(values.type)

    return kernel


def add(unit: str, kind: Type) -> Kernel:
    """date_add(unit, n, time): months keep the day where the month has it."""
    _require_utc(kind, "date_add")
    unit = _unit(unit, kind, (*SECONDS, *MONTHS))
    if unit == "millisecond" and kind.args[0] < 3:
        raise Refused(f"milliseconds for {kind}")
    if unit in MONTHS:
        return lambda counts, values: _plus_months(values, counts, MONTHS[unit])
    clock = local(kind)
    micros = round(SECONDS[unit] * 1_000_000)

    def kernel(counts: pa.Array, values: pa.Array) -> pa.Array:
        shifts = pc.multiply_checked(counts, micros).cast(pa.duration("us"))
        return pc.add(shifts, clock(values)).cast(values.type)

    return kernel


def _plus_months(values: pa.Array, counts: pa.Array, months: int) -> pa.Array:
    def one(value: datetime.date | None, count: int | None) -> datetime.date | None:
        if value is None or count is None:
            return None
        months_since_year_0 = value.year * 12 + value.month - 1 + count * months
        year, month = divmod(months_since_year_0, 12)
        last_day = calendar.monthrange(year, month + 1)[1]
        return value.replace(year=year, month=month + 1, day=min(value.day, last_day))

    pairs = zip(values.to_pylist(), counts.to_pylist(), strict=True)
    return pa.array([one(value, count) for value, count in pairs], values.type)


def difference(unit: str, kind: Type) -> Kernel:
    """date_diff(unit, from, to): whole units that have passed, towards zero."""
    if unit.lower() not in ("hour", "minute", "second"):  # of which every zone has equally many
        _require_utc(kind, f"date_diff({unit!r})")
    unit = _unit(unit, kind, (*SECONDS, *MONTHS))
    if unit in MONTHS:
        return lambda start, end: _whole_months(start, end, MONTHS[unit])
    micros = round(SECONDS[unit] * 1_000_000)

    def kernel(start: pa.Array, end: pa.Array) -> pa.Array:
        passed = pc.subtract(end.cast(_CLOCK), start.cast(_CLOCK)).cast(pa.int64())
        return pc.divide(passed, micros)  # Arrow's division of integers is towards zero

    return kernel


def _whole_months(starts: pa.Array, ends: pa.Array, months: int) -> pa.Array:
    start_times, end_times = starts.cast(_CLOCK).to_pylist(), ends.cast(_CLOCK).to_pylist()
    passed = [
        None if start is None or end is None else _months_between(start, end)
        for start, end in zip(start_times, end_times, strict=True)
    ]
    return pc.divide(pa.array(passed, pa.int64()), months)


def _months_between(start: datetime.datetime, end: datetime.datetime) -> int:
    """Joda's: the last day of a month completes it."""
    if end < start:
        return -_months_between(end, start)
    months = (end.year - start.year) * 12 + end.month - start.month
    if end.day == calendar.monthrange(end.year, end.month)[1] and start.day > end.day:
        start = start.replace(day=end.day)
    is_incomplete = _since_month_began(end) < _since_month_began(start)
    return months - 1 if is_incomplete else months


def _since_month_began(time: datetime.datetime) -> datetime.timedelta:
    return time - time.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def last_day_of_month(kind: Type) -> Kernel:
    """last_day_of_month(time), a date."""
    clock = local(kind)
    one_day, more_than_a_month = (
        pa.scalar(datetime.timedelta(days=days), pa.duration("us")) for days in (1, 32)
    )

    def kernel(values: pa.Array) -> pa.Array:
        first = pc.floor_temporal(clock(values), unit="month")
        next_first = pc.floor_temporal(pc.add(first, more_than_a_month), unit="month")
        return pc.subtract(next_first, one_day).cast(pa.date32())

    return kernel


def to_unixtime(kind: Type) -> Kernel:
    """to_unixtime(time), seconds as a double, divided as Trino divides: by 1e3 or by 1e6."""
    if kind.args[0] > 3:
        return lambda values: pc.divide(_as_doubles(values.cast(pa.int64())), 1e6)
    return lambda values: pc.divide(_as_doubles(pc.divide(values.cast(pa.int64()), 1000)), 1e3)


def _as_doubles(integers: pa.Array) -> pa.Array:
    return integers.cast(pa.float64(), safe=False)


def from_unixtime(seconds: pa.Array) -> pa.Array:
    """Milliseconds by Java's Math.round: halves up."""
    with np.errstate(over="ignore"):
        numbers = pc.fill_null(seconds, 0.0).to_numpy(zero_copy_only=False) * 1000.0
    if not np.all(np.abs(numbers) < 2.0**52):
        raise Refused("from_unixtime of a time beyond the year 100,000 or of NaN")
    millis = np.floor(numbers)
    millis += numbers - millis >= 0.5
    micros = pa.array(millis.astype(np.int64) * 1000).cast(_CLOCK)
    return pc.if_else(seconds.is_valid(), micros, pa.scalar(None, _CLOCK))


_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,3}))?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)


class IsoTime(NamedTuple):
    """What an ISO 8601 text says."""

    instant: datetime.datetime  # in UTC
    zone: str  # UTC where the text names none


def iso_parts(text: str) -> IsoTime:
    """An ISO 8601 time; `TrinoError` for what is none, `Refused` for a form not known here."""
    match = _ISO.fullmatch(text)
    if match is None:
        if re.fullmatch(r"[0-9TWZtwz:.,+\-]+", text) or not text.isascii():
            raise Refused(f"from_iso8601_timestamp({text!r})")  # Joda reads many shorter forms
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", repr(text))
    *parts, fraction, offset = match.groups()
    try:
        clock = zones.clock_time(parts, fraction)
    except ValueError:
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", repr(text)) from None
    name = "UTC" if offset in (None, "Z", "+00:00") else offset
    shift = zones.zone(name).utcoffset(clock) or datetime.timedelta(0)
    return IsoTime(clock - shift, name)


def from_iso8601(texts: pa.Array) -> pa.Array:
    """from_iso8601_timestamp(text): instants."""
    return per_value(lambda text: iso_parts(text).instant, _CLOCK)(texts)


def iso_date(text: str) -> datetime.date:
    """from_iso8601_date(text), of yyyy-MM-dd alone."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise Refused(f"from_iso8601_date({text!r}): supported is yyyy-MM-dd")
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", repr(text)) from None


def formatter(pattern: str, kind: Type, codes: dict[str, str]) -> Kernel:
    """date_format (codes MYSQL) or format_datetime (codes JODA): times as text."""
    clock = local(kind)
    strftime_pattern = strftime_of(pattern, codes)

    def kernel(values: pa.Array) -> pa.Array:
        return text_of(clock(values), strftime_pattern)

    return kernel


def text_of(local_times: pa.Array, pattern: str) -> pa.Array:
    """Wall-clock times as text by a pattern of `strftime_of`."""
    return per_value(lambda time: _text(time, pattern), pa.string())(local_times)


def _text(time: datetime.datetime, pattern: str) -> str:
    if time.year < 1000:
        raise Refused("the text of a year before 1000")  # strftime pads it or not, by platform
    pieces = {  # what strftime lacks, or writes with a leading zero
        "{day}": str(time.day),
        "{hour}": str((time.hour + 11) % 12 + 1),
        "{millis}": f"{time.microsecond // 1000:03d}",
        "{week}": f"{time.isocalendar()[1]:02d}",
    }
    for name, piece in pieces.items():
        pattern = pattern.replace(name, piece)
    return time.strftime(pattern)


# The codes of a pattern as strftime's; '' is a code that Trino knows but that is not known here.
MYSQL = {
    "%a": "%a", "%b": "%b", "%c": "", "%d": "%d", "%e": "{day}", "%H": "%H", "%i": "%M",
    "%j": "%j", "%k": "", "%m": "%m", "%M": "%B", "%p": "%p", "%s": "%S", "%S": "%S",
    "%T": "%H:%M:%S", "%v": "{week}", "%W": "%A", "%Y": "%Y", "%y": "%y", "%%": "%%", "%h": "%I",
}  # fmt: skip
JODA = {
    "yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "SSS": "{millis}",
    "d": "{day}", "h": "{hour}", "hh": "%I", "a": "%p", "yy": "%y", "EEE": "%a", "EEEE": "%A",
    "MMM": "%b", "MMMM": "%B", "DDD": "%j",
}  # fmt: skip


def strftime_of(pattern: str, codes: dict[str, str]) -> str:
    """MySQL's (%Y-%m) or Joda's (yyyy-MM) pattern as strftime's; unknown codes are refused."""
    code = r"%." if codes is MYSQL else r"([A-Za-z])\1*"
    pieces, end = [], 0
    for match in re.finditer(code, pattern):
        strftime_code = codes.get(match.group())
        if not strftime_code:
            raise Refused(f"{match.group()!r} in the time format {pattern!r}")
        pieces += [_separator(pattern[end : match.start()], pattern), strftime_code]
        end = match.end()
    return "".join([*pieces, _separator(pattern[end:], pattern)])


def _separator(text: str, pattern: str) -> str:
    if not re.fullmatch(r"[-/:., _]*", text):
        raise Refused(f"{text!r} in the time format {pattern!r}")
    return text


def to_iso8601(kind: Type) -> Kernel:
    """to_iso8601(timestamp(3) with time zone) in UTC; other zones and precisions are refused."""
    name = zones.known(kind)
    if name != "UTC" or kind.args[0] != 3:
        raise Refused(f"to_iso8601 of {kind} in {name}: supported is timestamp(3) in UTC")

    def one(time: datetime.datetime) -> str:
        return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"

    return per_value(one, pa.string())
