"""Dates and timestamps. A time with zone is its instant; fields are read off its local clock."""

import calendar
import datetime
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.kernels import zones
from td_mta.trino_on_datafusion.kernels.conversions import per_value
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
FIELDS = {
    "year": pc.year,
    "quarter": pc.quarter,
    "month": pc.month,
    "week": pc.iso_week,
    "week_of_year": pc.iso_week,
    "day": pc.day,
    "day_of_month": pc.day,
    "day_of_week": lambda local: pc.day_of_week(local, count_from_zero=False, week_start=1),
    "dow": lambda local: pc.day_of_week(local, count_from_zero=False, week_start=1),
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
    return lambda values: values.cast(pa.timestamp("us"))


def field(name: str, kind: Type) -> Kernel:
    if kind.kind == "date" and name in ("hour", "minute", "second"):
        raise Refused(f"function {name}(date)")
    clock = local(kind)
    return lambda values: FIELDS[name](clock(values)).cast(pa.int64())


def _unit(unit: str, kind: Type, allowed: tuple[str, ...]) -> str:
    unit = unit.lower()
    if unit not in allowed or (kind.kind == "date" and SECONDS.get(unit, 86400) < 86400):
        raise Refused(f"unit {unit!r} for {kind}")
    return unit


def _needs_plain_zone(kind: Type, what: str) -> None:
    if kind.kind == "timestamp with time zone" and zones.known(kind) != "UTC":
        raise Refused(f"{what} in a time zone other than UTC")


def truncate(unit: str, kind: Type) -> Kernel:
    """date_trunc; a week begins on Monday."""
    _needs_plain_zone(kind, "date_trunc")
    unit = _unit(
        unit, kind, ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
    )
    clock = local(kind)
    return lambda values: pc.floor_temporal(clock(values), unit=unit, week_starts_monday=True).cast(
        values.type
    )


def add(unit: str, kind: Type) -> Kernel:
    """date_add(unit, n, time): months keep the day where the month has it."""
    _needs_plain_zone(kind, "date_add")
    unit = _unit(unit, kind, (*SECONDS, *MONTHS))
    if unit == "millisecond" and kind.args[0] < 3:
        raise Refused(f"milliseconds for {kind}")
    if unit in MONTHS:
        return lambda counts, values: _plus_months(values, counts, MONTHS[unit])
    micros = round(SECONDS[unit] * 1_000_000)

    def run(counts: pa.Array, values: pa.Array) -> pa.Array:
        moved = pc.add(
            pc.multiply_checked(counts, micros).cast(pa.duration("us")), local(kind)(values)
        )
        return moved.cast(values.type)

    return run


def _plus_months(values: pa.Array, counts: pa.Array, months: int) -> pa.Array:
    def one(value: datetime.date | None, count: int | None) -> datetime.date | None:
        if value is None or count is None:
            return None
        year, month = divmod(value.year * 12 + value.month - 1 + count * months, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return value.replace(year=year, month=month + 1, day=min(value.day, last))

    pairs = zip(values.to_pylist(), counts.to_pylist(), strict=True)
    return pa.array([one(value, count) for value, count in pairs], values.type)


def difference(unit: str, kind: Type) -> Kernel:
    """date_diff(unit, from, to): whole units that have passed, towards zero."""
    if kind.kind == "timestamp with time zone" and unit.lower() not in ("hour", "minute", "second"):
        _needs_plain_zone(kind, f"date_diff({unit!r})")
    unit = _unit(unit, kind, (*SECONDS, *MONTHS))
    if unit in MONTHS:
        return lambda start, end: _whole_months(start, end, MONTHS[unit])
    micros = round(SECONDS[unit] * 1_000_000)

    def run(start: pa.Array, end: pa.Array) -> pa.Array:
        clock = pa.timestamp("us")
        passed = pc.subtract(end.cast(clock), start.cast(clock)).cast(pa.int64())
        return pc.divide(passed, micros)

    return run


def _whole_months(starts: pa.Array, ends: pa.Array, months: int) -> pa.Array:
    clock = pa.timestamp("us")
    pairs = zip(starts.cast(clock).to_pylist(), ends.cast(clock).to_pylist(), strict=True)
    passed = [None if a is None or b is None else _months_between(a, b) for a, b in pairs]
    return pc.divide(pa.array(passed, pa.int64()), months)


def _months_between(start: datetime.datetime, end: datetime.datetime) -> int:
    """Joda's: the last day of a month completes it."""
    if end < start:
        return -_months_between(end, start)
    months = (end.year - start.year) * 12 + end.month - start.month
    if end.day == calendar.monthrange(end.year, end.month)[1] and start.day > end.day:
        start = start.replace(day=end.day)
    rest = (end - end.replace(day=1, hour=0, minute=0, second=0, microsecond=0)) - (
        start - start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    )
    return months - 1 if rest < datetime.timedelta(0) else months


def last_day_of_month(kind: Type) -> Kernel:
    clock = local(kind)

    def run(values: pa.Array) -> pa.Array:
        first = pc.floor_temporal(clock(values), unit="month")
        next_month = pc.floor_temporal(
            pc.add(first, pa.scalar(datetime.timedelta(days=32), pa.duration("us"))), unit="month"
        )
        return pc.subtract(
            next_month, pa.scalar(datetime.timedelta(days=1), pa.duration("us"))
        ).cast(pa.date32())

    return run


def to_unixtime(kind: Type) -> Kernel:
    if kind.args[0] > 3:
        return lambda values: pc.divide(values.cast(pa.int64()).cast(pa.float64(), safe=False), 1e6)
    return lambda values: pc.divide(
        pc.divide(values.cast(pa.int64()), 1000).cast(pa.float64(), safe=False), 1e3
    )


def from_unixtime(seconds: pa.Array) -> pa.Array:
    """Milliseconds by Java's Math.round: halves up."""
    with np.errstate(over="ignore"):
        numbers = pc.fill_null(seconds, 0.0).to_numpy(zero_copy_only=False) * 1000.0
    if not np.all(np.abs(numbers) < 2.0**52 / 1000):
        raise Refused("from_unixtime of a time beyond the year 100,000 or of NaN")
    millis = np.floor(numbers)
    millis += numbers - millis >= 0.5
    micros = pa.array(millis.astype(np.int64) * 1000).cast(pa.timestamp("us"))
    return pc.if_else(seconds.is_valid(), micros, pa.scalar(None, pa.timestamp("us")))


_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,3}))?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)


def iso_parts(text: str) -> tuple[datetime.datetime, str]:
    """An ISO 8601 time's instant and zone; UTC where it names none."""
    found = _ISO.fullmatch(text)
    if found is None:
        if re.fullmatch(r"[0-9TWZtwz:.,+\-]+", text) or not text.isascii():
            raise Refused(f"from_iso8601_timestamp({text!r})")  # Joda reads many shorter forms
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", repr(text))
    *whole, fraction, zone = found.groups()
    try:
        clock = datetime.datetime(*(int(part or 0) for part in whole))  # type: ignore[arg-type]
    except ValueError:
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", repr(text)) from None
    clock += datetime.timedelta(milliseconds=int((fraction or "0").ljust(3, "0")))
    name = "UTC" if zone in (None, "Z", "+00:00") else zone
    return clock - (zones.zone(name).utcoffset(clock) or datetime.timedelta(0)), name


def from_iso8601(texts: pa.Array) -> pa.Array:
    return per_value(lambda text: iso_parts(text)[0], pa.timestamp("us"))(texts)


def iso_date(text: str) -> datetime.date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise Refused(f"from_iso8601_date({text!r})")
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", repr(text)) from None


def formatter(pattern: str, kind: Type, letters: dict[str, str]) -> Kernel:
    """Times as text by strftime pieces, a piece per distinct letter code of the pattern."""
    clock = local(kind)
    shown = strftime_of(pattern, letters)

    def run(values: pa.Array) -> pa.Array:
        return per_value(lambda time: _shown(time, shown), pa.string())(clock(values))

    return run


def _shown(time: datetime.datetime, pattern: str) -> str:
    if time.year < 1000:
        raise Refused("the text of a year before 1000")
    day, hour = str(time.day), str((time.hour + 11) % 12 + 1)
    text = pattern.replace("{day}", day).replace("{hour}", hour)
    text = text.replace("{millis}", f"{time.microsecond // 1000:03d}")
    text = text.replace("{week}", f"{time.isocalendar()[1]:02d}")
    return time.strftime(text)


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


def strftime_of(pattern: str, letters: dict[str, str]) -> str:
    """MySQL's (%Y-%m) or Joda's (yyyy-MM) pattern as strftime's; unknown codes are refused."""
    code = r"%." if letters is MYSQL else r"([A-Za-z])\1*"
    parts, at = [], 0
    for found in re.finditer(code, pattern):
        text = letters.get(found.group())
        if not text:
            raise Refused(f"{found.group()!r} in the time format {pattern!r}")
        parts += [_plain(pattern[at : found.start()], pattern), text]
        at = found.end()
    return "".join([*parts, _plain(pattern[at:], pattern)])


def _plain(text: str, pattern: str) -> str:
    if not re.fullmatch(r"[-/:., _]*", text):
        raise Refused(f"{text!r} in the time format {pattern!r}")
    return text


def to_iso8601(kind: Type) -> Kernel:
    name = zones.known(kind)
    if name != "UTC" or kind.args[0] != 3:
        raise Refused(f"to_iso8601 of {kind} in {name}")

    def one(time: datetime.datetime) -> str:
        return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"

    return per_value(one, pa.string())
