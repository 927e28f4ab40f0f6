"""Treasure Data's time functions, over unix seconds. Zones as TD takes them: JST, +09:00."""

import datetime
import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.kernels import times, zones
from td_mta.trino_on_datafusion.kernels.conversions import per_value
from td_mta.trino_on_datafusion.types import Kernel

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
STRINGS = {
    "y": "%Y",
    "M": "%Y-%m",
    "d": "%Y-%m-%d",
    "h": "%Y-%m-%d %H",
    "m": "%Y-%m-%d %H:%M",
    "s": "%Y-%m-%d %H:%M:%S",
}


def zone(name: str) -> str:
    return zones.ABBREVIATED.get(name.upper(), name)


def interval(text: str, now: int, zone_name: str = "UTC") -> tuple[int, int]:
    """TD_INTERVAL's seconds [start, end): '-30d' is the 30 whole days before today's.

    `/now` ends at the session's time; '-7d/-1d' is moved back by whole units of the same kind.
    """
    found = re.fullmatch(r"(-?)([0-9]+)([smhdwMqy])(?:/(now|-[0-9]+[smhdwMqy]))?", text)
    if not found or (found[1] != "-" and (found[2].strip("0") or found[4] != "now")):
        raise Refused(f"TD_INTERVAL's {text!r}: known are '-30d', '-30d/now', '0d/now', '-7d/-1d'")
    unit, offset = found[3], found[4]
    if offset not in (None, "now") and offset[-1] != unit:
        raise Refused(f"TD_INTERVAL's {text!r}, an offset of another unit")
    tz = zones.zone(zone(zone_name))
    current = _floor(datetime.datetime.fromtimestamp(now, tz), UNITS[unit])
    shift = int(offset[:-1]) if offset not in (None, "now") else 0
    end = _moved(current, shift, unit, tz)
    start = _moved(current, shift - int(found[2]), unit, tz)
    return int(start.timestamp()), now if offset == "now" else int(end.timestamp())


def _floor(time: datetime.datetime, unit: str) -> datetime.datetime:
    """The start of the calendar unit that a time lies in."""
    if unit in ("second", "minute", "hour"):
        step = int(times.SECONDS[unit])
        seconds, offset = int(time.timestamp()), time.utcoffset() or datetime.timedelta(0)
        passed = (seconds + int(offset.total_seconds())) % step  # of the hour on the local clock
        return datetime.datetime.fromtimestamp(seconds - passed, time.tzinfo)
    day = time.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "week":
        return day - datetime.timedelta(days=day.weekday())
    if unit in times.MONTHS:
        months = times.MONTHS[unit]
        return day.replace(month=(day.month - 1) // months * months + 1, day=1)
    return day


def _moved(
    time: datetime.datetime, count: int, unit: str, tz: datetime.tzinfo
) -> datetime.datetime:
    name = UNITS[unit]
    if name in times.MONTHS:
        year, month = divmod(time.year * 12 + time.month - 1 + count * times.MONTHS[name], 12)
        return time.replace(year=year, month=month + 1)
    seconds = count * int(times.SECONDS[name])
    if name in ("day", "week"):
        return time + datetime.timedelta(seconds=seconds)
    return datetime.datetime.fromtimestamp(int(time.timestamp()) + seconds, tz)


def parsed(zone_name: str = "UTC") -> Callable[[str], int]:
    """TD_TIME_PARSE of a date or a date with time."""
    tz = zones.zone(zone(zone_name))

    def one(text: str) -> int:
        found = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?: [0-9]{2}:[0-9]{2}:[0-9]{2})?", text)
        if not found:
            raise Refused(f"TD_TIME_PARSE({text!r}): known are yyyy-MM-dd and yyyy-MM-dd HH:mm:ss")
        try:
            return int(datetime.datetime.fromisoformat(text).replace(tzinfo=tz).timestamp())
        except ValueError:
            raise Refused(f"TD_TIME_PARSE({text!r}), which is no time") from None

    return one


def duration(text: str) -> int:
    """TD_TIME_ADD's '1d', '-7d', '2h' in seconds."""
    found = re.fullmatch(r"(-?[0-9]+)([smhdw])", text)
    if not found:
        raise Refused(f"TD_TIME_ADD's {text!r}: known are s, m, h, d and w, one of them")
    return int(found[1]) * int(times.SECONDS[UNITS[found[2]]])


def shown(pattern: str, zone_name: str) -> Kernel:
    """Unix seconds as text by a strftime pattern."""
    name = zone(zone_name)

    def run(seconds: pa.Array) -> pa.Array:
        instants = pc.multiply_checked(seconds, 1_000_000).cast(pa.timestamp("us"))
        local = zones.to_local(instants, name)
        return per_value(lambda time: times._shown(time, pattern), pa.string())(local)

    zones.zone(name)
    return run


def time_format(pattern: str, zone_name: str = "UTC") -> Kernel:
    return shown(times.strftime_of(pattern, times.JODA), zone_name)


def time_string(code: str, zone_name: str = "UTC") -> Kernel:
    if len(code) != 2 or code[1] != "!" or code[0] not in STRINGS:
        raise Refused(f"TD_TIME_STRING's {code!r}: known are {', '.join(c + '!' for c in STRINGS)}")
    return shown(STRINGS[code[0]], zone_name)


def date_trunc(unit: str, zone_name: str = "UTC") -> Kernel:
    """TD_DATE_TRUNC: unix seconds of the start of the local day, week, ..."""
    if unit.lower() not in ("minute", "hour", "day", "week", "month", "quarter", "year"):
        raise Refused(f"TD_DATE_TRUNC's {unit!r}")
    tz = zones.zone(zone(zone_name))

    def one(seconds: int) -> int:
        local = datetime.datetime.fromtimestamp(seconds, tz)
        return int(_floor(local, unit.lower()).timestamp())

    return per_value(one, pa.int64())
