"""Treasure Data's time functions, over unix seconds. Zones as TD takes them: JST, +09:00.

Source: docs.treasuredata.com, "TD functions" (UDFs of Trino).
"""

import datetime
import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.kernels import times, zones
from td_mta.trino_on_datafusion.kernels.distinct import per_value
from td_mta.trino_on_datafusion.types import Kernel

# The letters of TD_INTERVAL and TD_TIME_ADD.
UNITS = {
    "s": "second",
    "m": "minute",
    "h": "hour",
    "d": "day",
    "w": "week",
    "M": "month",
    "q": "quarter",
    "y": "year",
}
# The letters of TD_TIME_STRING, as strftime patterns.
STRING_FORMATS = {
    "y": "%Y",
    "M": "%Y-%m",
    "d": "%Y-%m-%d",
    "h": "%Y-%m-%d %H",
    "m": "%Y-%m-%d %H:%M",
    "s": "%Y-%m-%d %H:%M:%S",
}
_TRUNCATED_TO = ("minute", "hour", "day", "week", "month", "quarter", "year")
_INTERVAL = re.compile(r"(-?)([0-9]+)([smhdwMqy])(?:/(now|-[0-9]+[smhdwMqy]))?")


def zone_name(name: str) -> str:
    """The IANA name of a zone that TD also takes by an abbreviation."""
    return zones.ABBREVIATED.get(name.upper(), name)


def interval(text: str, now: int, zone: str = "UTC") -> tuple[int, int]:
    """TD_INTERVAL's seconds [start, end): '-30d' is the 30 whole days before today's.

    `/now` ends at the session's time; '-7d/-1d' is moved back by whole units of the same kind.
    """
    match = _INTERVAL.fullmatch(text)
    if not match:
        raise _unknown_interval(text)
    sign, digits, unit, offset = match.groups()
    ends_now = offset == "now"
    is_zero_until_now = not digits.strip("0") and ends_now
    if sign != "-" and not is_zero_until_now:
        raise _unknown_interval(text)
    shift = 0
    if offset is not None and not ends_now:
        if offset[-1] != unit:
            raise Refused(f"TD_INTERVAL's {text!r}: its offset must have the same unit")
        shift = int(offset[:-1])
    tz = zones.zone(zone_name(zone))
    current = _floor(datetime.datetime.fromtimestamp(now, tz), UNITS[unit])
    end = _moved(current, shift, unit, tz)
    start = _moved(current, shift - int(digits), unit, tz)
    return int(start.timestamp()), now if ends_now else int(end.timestamp())


def _unknown_interval(text: str) -> Refused:
    return Refused(f"TD_INTERVAL's {text!r}: supported are '-30d', '-30d/now', '0d/now', '-7d/-1d'")


def _floor(time: datetime.datetime, unit: str) -> datetime.datetime:
    """The start of the calendar unit that a time lies in."""
    if unit in ("second", "minute", "hour"):
        return _floor_on_the_clock(time, int(times.SECONDS[unit]))
    day = time.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "week":
        return day - datetime.timedelta(days=day.weekday())
    if unit in times.MONTHS:
        months = times.MONTHS[unit]
        first_month = (day.month - 1) // months * months + 1
        return day.replace(month=first_month, day=1)
    return day


def _floor_on_the_clock(time: datetime.datetime, step: int) -> datetime.datetime:
    """The local clock's hour begins at half past in UTC where the offset ends in 30 minutes."""
    offset = time.utcoffset() or datetime.timedelta(0)
    seconds = int(time.timestamp())
    passed = (seconds + int(offset.total_seconds())) % step
    return datetime.datetime.fromtimestamp(seconds - passed, time.tzinfo)


def _moved(
    time: datetime.datetime, count: int, unit: str, tz: datetime.tzinfo
) -> datetime.datetime:
    """A start of a unit moved by so many units: by the calendar from days on, else by seconds."""
    name = UNITS[unit]
    if name in times.MONTHS:
        months_since_year_0 = time.year * 12 + time.month - 1 + count * times.MONTHS[name]
        year, month = divmod(months_since_year_0, 12)
        return time.replace(year=year, month=month + 1)
    seconds = count * int(times.SECONDS[name])
    if name in ("day", "week"):
        return time + datetime.timedelta(seconds=seconds)  # keeps the local clock
    return datetime.datetime.fromtimestamp(int(time.timestamp()) + seconds, tz)


def time_reader(zone: str = "UTC") -> Callable[[str], int]:
    """TD_TIME_PARSE of a date or a date with time, in unix seconds."""
    tz = zones.zone(zone_name(zone))

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?: [0-9]{2}:[0-9]{2}:[0-9]{2})?", text):
            raise Refused(
                f"TD_TIME_PARSE({text!r}): supported are yyyy-MM-dd and yyyy-MM-dd HH:mm:ss"
            )
        try:
            local = datetime.datetime.fromisoformat(text)
        except ValueError:
            raise Refused(f"TD_TIME_PARSE({text!r}), which is not a valid time") from None
        return int(local.replace(tzinfo=tz).timestamp())

    return read


def time_parse(zone: str = "UTC") -> Kernel:
    """TD_TIME_PARSE(text[, zone])."""
    return per_value(time_reader(zone), pa.int64())


def duration(text: str) -> int:
    """TD_TIME_ADD's '1d', '-7d', '2h' in seconds."""
    match = re.fullmatch(r"(-?[0-9]+)([smhdw])", text)
    if not match:
        raise Refused(f"TD_TIME_ADD's {text!r}: supported are one of s, m, h, d and w")
    count, unit = match.groups()
    return int(count) * int(times.SECONDS[UNITS[unit]])


def _as_text(pattern: str, zone: str) -> Kernel:
    """Unix seconds as text by a strftime pattern."""
    name = zone_name(zone)
    zones.zone(name)  # refuses an unknown one before the query runs

    def kernel(seconds: pa.Array) -> pa.Array:
        instants = pc.multiply_checked(seconds, 1_000_000).cast(pa.timestamp("us"))
        return times.text_of(zones.to_local(instants, name), pattern)

    return kernel


def time_format(pattern: str, zone: str = "UTC") -> Kernel:
    """TD_TIME_FORMAT(time, 'yyyy-MM-dd'[, zone]), by Java's letters."""
    return _as_text(times.strftime_of(pattern, times.JODA), zone)


def time_string(code: str, zone: str = "UTC") -> Kernel:
    """TD_TIME_STRING(time, 'd!'[, zone]): a text cut at a unit."""
    letter = code[:1]
    if code != f"{letter}!" or letter not in STRING_FORMATS:
        known = ", ".join(f"{letter}!" for letter in STRING_FORMATS)
        raise Refused(f"TD_TIME_STRING's {code!r}: supported are {known}")
    return _as_text(STRING_FORMATS[letter], zone)


def date_trunc(unit: str, zone: str = "UTC") -> Kernel:
    """TD_DATE_TRUNC: unix seconds of the start of the local day, week, ..."""
    if unit.lower() not in _TRUNCATED_TO:
        raise Refused(f"TD_DATE_TRUNC's {unit!r}: supported are {', '.join(_TRUNCATED_TO)}")
    tz = zones.zone(zone_name(zone))

    def one(seconds: int) -> int:
        local = datetime.datetime.fromtimestamp(seconds, tz)
        return int(_floor(local, unit.lower()).timestamp())

    return per_value(one, pa.int64())
