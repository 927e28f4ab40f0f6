"""Time zones and the reading of times. An instant is microseconds since 1970 in UTC."""

import datetime
import re
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.kernels.distinct import per_value
from td_mta.trino_on_datafusion.types import Kernel, TrinoError, Type

# Zone files list every change of the clocks up to 2037, and a rule for the years after.
_LISTED_CHANGES_END = datetime.datetime(2037, 1, 1)
_LARGEST_OFFSET_MINUTES = 14 * 60  # Trino's limit, either way
ABBREVIATED = {"JST": "Asia/Tokyo", "GMT": "UTC", "Z": "UTC"}
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?: ([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})(?:\.([0-9]{1,6}))?)?)?"
)


def zone(name: str) -> datetime.tzinfo:
    """A zone by its IANA name (Asia/Tokyo), UTC, or a fixed offset (+09:00); else `Refused`."""
    offset = re.fullmatch(r"([+-])([0-9]{2}):([0-9]{2})", name)
    if offset:
        sign = -1 if offset[1] == "-" else 1
        minutes = int(offset[2]) * 60 + int(offset[3])
        if minutes > _LARGEST_OFFSET_MINUTES:
            raise Refused(f"time zone {name!r}: an offset is at most 14 hours")
        return datetime.timezone(sign * datetime.timedelta(minutes=minutes))
    if name == "UTC":
        return datetime.timezone.utc
    try:
        if "/" not in name:  # EST or Japan: names that the two sides read from different lists
            raise ZoneInfoNotFoundError
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(
            f"time zone {name!r}: give a name as Asia/Tokyo or an offset as +09:00"
        ) from None


def known(kind: Type) -> str:
    """The zone of a timestamp type that has one for all rows."""
    if kind.args[1] is None:
        raise Refused("a timestamp whose time zone differs by row: use AT TIME ZONE")
    return kind.args[1]


def to_local(instants: pa.Array, name: str | None) -> pa.Array:
    """Wall-clock times of instants in a zone; None for times that are local already."""
    if name in (None, "UTC"):
        return instants
    offset = zone(name)
    if isinstance(offset, datetime.timezone):
        shift = offset.utcoffset(None)
        return pc.add(instants, pa.scalar(shift, pa.duration("us")))
    end = pa.scalar(_LISTED_CHANGES_END, instants.type)
    is_late = pc.fill_null(pc.greater_equal(instants, end), False)
    early = pc.if_else(is_late, pa.scalar(None, instants.type), instants)
    with_zone = pc.assume_timezone(early, "UTC").cast(pa.timestamp("us", name))
    local = pc.local_timestamp(with_zone)
    if not pc.any(is_late).as_py():
        return local
    late = _late_to_local(instants.filter(is_late), offset, local.type)
    return pc.replace_with_mask(local, is_late, late)


def _late_to_local(instants: pa.Array, zone: datetime.tzinfo, local_type: pa.DataType) -> pa.Array:
    """Arrow knows the listed changes of clocks alone; Python follows the rule too."""

    def one(instant: datetime.datetime) -> datetime.datetime:
        with_zone = instant.replace(tzinfo=datetime.timezone.utc).astimezone(zone)
        return with_zone.replace(tzinfo=None)

    return per_value(one, local_type)(instants)


def to_instants(local: pa.Array, name: str) -> pa.Array:
    """Instants of wall-clock times; in a gap the clock moves on.

    Of two it is the one with the offset that holds at this time in UTC (Joda's), else the earlier.
    """
    zone_of_clock = zone(name)
    utc = datetime.timezone.utc

    def one(time: datetime.datetime) -> datetime.datetime:
        in_utc = time.replace(tzinfo=utc)
        offset = in_utc.astimezone(zone_of_clock).utcoffset() or datetime.timedelta(0)
        at = in_utc - offset
        if at.astimezone(zone_of_clock).utcoffset() != offset:
            at = time.replace(tzinfo=zone_of_clock, fold=0).astimezone(utc)
        return at.replace(tzinfo=None)

    return per_value(one, pa.timestamp("us"))(local)


def to_date(name: str | None) -> Kernel:
    """The calendar day in a zone, before 1970 too; None for times that are local already."""

    def kernel(instants: pa.Array) -> pa.Array:
        midnights = pc.floor_temporal(to_local(instants, name), unit="day")
        return midnights.cast(pa.date32())

    return kernel


def clock_time(parts: Sequence[str | None], fraction: str | None) -> datetime.datetime:
    """Year to second as they were matched, an absent one 0, and the digits behind the second.

    Raises ValueError where the calendar has no such time.
    """
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    micros = int((fraction or "0").ljust(6, "0"))
    return datetime.datetime(year, month, day, hour, minute, second, micros)


def timestamp_reader(digits: int) -> Callable[[str], datetime.datetime]:
    """CAST to timestamp: reads `2026-03-01[ 05:06[:07[.123]]]` with at most so many digits."""

    def read(text: str) -> datetime.datetime:
        match = _TIME.fullmatch(text)
        if match is None:
            if re.search(r"[0-9]{4}-", text):  # Trino reads zones and longer years
                raise Refused(
                    f"CAST to timestamp of {text!r}: supported is yyyy-MM-dd HH:mm:ss.SSS"
                )
            raise TrinoError("INVALID_CAST_ARGUMENT", repr(text))
        *parts, fraction = match.groups()
        if fraction and len(fraction) > digits:
            raise Refused(f"CAST to timestamp({digits}) of {text!r}, which has more digits")
        try:
            return clock_time(parts, fraction)
        except ValueError:
            raise TrinoError("INVALID_CAST_ARGUMENT", repr(text)) from None

    return read
