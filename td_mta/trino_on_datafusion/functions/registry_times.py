"""The allow-list's functions of times, Trino's and Treasure Data's."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from td_mta.trino_on_datafusion.functions.overloads import Overload, each, plain, with_constants
from td_mta.trino_on_datafusion.kernels import conversions, td, times, zones
from td_mta.trino_on_datafusion.program import Bound
from td_mta.trino_on_datafusion.types import BIGINT, DATE, DOUBLE, VARCHAR, Kernel, Type, varchar

TIME_KINDS = ("date", "timestamp", "timestamp with time zone")


def _fields() -> dict[str, tuple[Overload, ...]]:
    def made(name: str) -> Callable[..., Kernel]:
        return lambda program, types: times.field(name, types[0])

    return {
        name: tuple(Overload((kind,), BIGINT, made(name)) for kind in TIME_KINDS)
        for name in times.FIELDS
    }


def _of_times(
    params: tuple[str, ...], returns: Any, make: Callable[..., Kernel]
) -> tuple[Overload, ...]:
    """One form for each kind of time, which stands as `*` among the parameters."""
    return tuple(
        Overload(tuple(kind if param == "*" else param for param in params), returns, make)
        for kind in TIME_KINDS
    )


def _last(types: list[Type], args: list[Bound]) -> Type:
    return types[-1]


TIMES: dict[str, tuple[Overload, ...]] = {
    **_fields(),
    "date_trunc": _of_times(
        ("varchar!", "*"), _last, lambda program, types, unit: times.truncate(unit, types[1])
    ),
    "date_add": _of_times(
        ("varchar!", "bigint", "*"), _last, lambda program, types, unit: times.add(unit, types[2])
    ),
    "last_day_of_month": _of_times(
        ("*",), DATE, lambda program, types: times.last_day_of_month(types[0])
    ),
    "date": (
        Overload(("date",), DATE, plain(lambda v: v)),
        Overload(("timestamp",), DATE, plain(zones.to_date(None))),
        Overload(
            ("timestamp with time zone",),
            DATE,
            lambda program, types: zones.to_date(zones.known(types[0])),
        ),
    ),
    "to_unixtime": tuple(
        Overload((kind,), DOUBLE, lambda program, types: times.to_unixtime(types[0]))
        for kind in TIME_KINDS[1:]
    ),
    "from_iso8601_date": (Overload(("varchar",), DATE, each(times.iso_date, DATE), fails=True),),
    "to_iso8601": (
        Overload(
            ("timestamp with time zone",),
            varchar(32),
            lambda program, types: times.to_iso8601(types[0]),
        ),
    ),
    "date_format": tuple(
        Overload(
            (kind, "varchar!"),
            VARCHAR,
            lambda program, types, text: times.formatter(text, types[0], times.MYSQL),
        )
        for kind in TIME_KINDS[1:]
    ),
    "format_datetime": tuple(
        Overload(
            (kind, "varchar!"),
            VARCHAR,
            lambda program, types, text: times.formatter(text, types[0], times.JODA),
        )
        for kind in TIME_KINDS[1:]
    ),
    # Treasure Data
    "td_time_format": (
        Overload(("bigint", "varchar!"), VARCHAR, with_constants(td.time_format)),
        Overload(("bigint", "varchar!", "varchar!"), VARCHAR, with_constants(td.time_format)),
    ),
    "td_time_string": (
        Overload(("bigint", "varchar!"), VARCHAR, with_constants(td.time_string)),
        Overload(("bigint", "varchar!", "varchar!"), VARCHAR, with_constants(td.time_string)),
    ),
    "td_date_trunc": (
        Overload(("varchar!", "bigint"), BIGINT, with_constants(td.date_trunc)),
        Overload(("varchar!", "bigint", "varchar!"), BIGINT, with_constants(td.date_trunc)),
    ),
    "td_time_parse": (
        Overload(
            ("varchar",),
            BIGINT,
            lambda program, types: conversions.per_value(td.parsed(), pa.int64()),
        ),
        Overload(
            ("varchar", "varchar!"),
            BIGINT,
            with_constants(lambda zone: conversions.per_value(td.parsed(zone), pa.int64())),
        ),
    ),
}
