"""Time zones and the reading of times. An instant is microseconds since 1970 in UTC."""

import datetime
import re
from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.types import TrinoError, Type

_RULES_END = datetime.datetime(2037, 1, 1)
ABBREVIATED = {"JST": "Asia/Tokyo", "GMT": "UTC", "Z": "UTC"}
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?: ([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})(?:\.([0-9]{1,6}))?)?)?"
)


def zone(name: str) -> datetime.tzinfo:
    """A zone by its IANA name or fixed offset (+09:00)."""
    found = re.fullmatch(r"([+-])([0-9]{2}):([0-9]{2})", name)
    if found:
        sign = -1 if found[1] == "-" else 1
        minutes = int(found[2]) * 60 + int(found[3])
        if minutes > 14 * 60:
            raise Refused(f"time zone {name!r}")
        return datetime.timezone(sign * datetime.timedelta(minutes=minutes))
    if name == "UTC":
        return datetime.timezone.utc
    try:
        if "/" not in name:
            raise ZoneInfoNotFoundError
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(
            f"time zone {name!r}: give a name as Asia/Tokyo or an offset as +09:00"
        ) from None


def known(kind: Type) -> str:
    """The zone of a timestamp type that has one for all rows."""
    if kind.args[1] is None:
        raise Refused("a timestamp whose time zone differs by row")
    return kind.args[1]


def to_local(instants: pa.Array, name: str | None) -> pa.Array:
    """Wall-clock times of instants in a zone; None for times that are local already."""
    if name in (None, "UTC"):
        return instants
    offset = zone(name)
    if isinstance(offset, datetime.timezone):
        shift = offset.utcoffset(None)
        return pc.add(instants, pa.scalar(shift, pa.duration("us")))
    late = pc.fill_null(pc.greater_equal(instants, pa.scalar(_RULES_END, instants.type)), False)
    early = pc.if_else(late, pa.scalar(None, instants.type), instants)
    clock = pc.local_timestamp(pc.assume_timezone(early, "UTC").cast(pa.timestamp("us", name)))
    return _late_to_local(clock, instants, late, offset) if pc.any(late).as_py() else clock


def _late_to_local(
    clock: pa.Array, instants: pa.Array, late: pa.Array, zone: datetime.tzinfo
) -> pa.Array:
    """Arrow knows changes of clocks up to 2037, as zone files list them; the rule goes on."""
    coded = instants.filter(late).dictionary_encode()
    times = [
        time.replace(tzinfo=datetime.timezone.utc).astimezone(zone).replace(tzinfo=None)
        for time in coded.dictionary.to_pylist()
    ]
    return pc.replace_with_mask(clock, late, pa.array(times, clock.type).take(coded.indices))


def to_instants(local: pa.Array, name: str) -> pa.Array:
    """Instants of wall-clock times; in a gap the clock moves on, of two the earlier (java.time)."""
    offset = zone(name)

    def one(time: datetime.datetime) -> datetime.datetime:
        with_zone = time.replace(tzinfo=offset, fold=0)
        return with_zone.astimezone(datetime.timezone.utc).replace(tzinfo=None)

    coded = local.dictionary_encode()
    values = [one(value) for value in coded.dictionary.to_pylist()]
    return pa.array(values, pa.timestamp("us")).take(coded.indices)


def to_date(name: str | None) -> Callable[[pa.Array], pa.Array]:
    """The calendar day, before 1970 too."""

    def run(instants: pa.Array) -> pa.Array:
        return pc.floor_temporal(to_local(instants, name), unit="day").cast(pa.date32())

    return run


def timestamp_reader(digits: int) -> Callable[[str], datetime.datetime]:
    """Reads `2026-03-01[ 05:06[:07[.123]]]`, for up to so many digits of a second."""

    def read(text: str) -> datetime.datetime:
        found = _TIME.fullmatch(text)
        if found is None:
            if re.search(r"[0-9]{4}-", text):
                raise Refused(f"CAST to timestamp of {text!r}")
            raise TrinoError("INVALID_CAST_ARGUMENT", repr(text))
        *whole, fraction = found.groups()
        if fraction and len(fraction) > digits:
            raise Refused(f"CAST to timestamp({digits}) of {text!r}, which has more digits")
        micros = int((fraction or "0").ljust(6, "0"))
        try:
            year, month, day, hour, minute, second = (int(part or 0) for part in whole)
            return datetime.datetime(year, month, day, hour, minute, second, micros)
        except ValueError:
            raise TrinoError("INVALID_CAST_ARGUMENT", repr(text)) from None

    return read


def microseconds(instants: pa.Array) -> np.ndarray:
    """Instants as int64 (n,); NULL as 0."""
    return pc.fill_null(instants.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
