"""The allow-list's functions of times, Trino's and Treasure Data's."""

from td_mta.trino_on_datafusion.functions.overloads import (
    MakeKernel,
    Overload,
    Returns,
    each,
    plain,
    with_constants,
)
from td_mta.trino_on_datafusion.kernels import td, times, zones
from td_mta.trino_on_datafusion.program import Bound
from td_mta.trino_on_datafusion.types import BIGINT, DATE, DOUBLE, VARCHAR, Type, varchar

TIME_KINDS = ("date", "timestamp", "timestamp with time zone")
_CLOCK_KINDS = TIME_KINDS[1:]


def _for_each_kind(
    kinds: tuple[str, ...], params: tuple[str, ...], returns: Returns, make: MakeKernel
) -> tuple[Overload, ...]:
    """One form for each kind of time, which stands as `*` among the parameters."""
    return tuple(
        Overload(tuple(kind if param == "*" else param for param in params), returns, make)
        for kind in kinds
    )


def _field(name: str) -> tuple[Overload, ...]:
    return _for_each_kind(
        TIME_KINDS, ("*",), BIGINT, lambda program, types: times.field(name, types[0])
    )


def _last(types: list[Type], args: list[Bound]) -> Type:
    return types[-1]


TIMES: dict[str, tuple[Overload, ...]] = {
    **{name: _field(name) for name in times.FIELDS},
    "date_trunc": _for_each_kind(
        TIME_KINDS,
        ("varchar!", "*"),
        _last,
        lambda program, types, unit: times.truncate(unit, types[1]),
    ),
    "date_add": _for_each_kind(
        TIME_KINDS,
        ("varchar!", "bigint", "*"),
        _last,
        lambda program, types, unit: times.add(unit, types[2]),
    ),
    "last_day_of_month": _for_each_kind(
        TIME_KINDS, ("*",), DATE, lambda program, types: times.last_day_of_month(types[0])
    ),
    "date": (
        Overload(("date",), DATE, plain(lambda values: values)),
        Overload(("timestamp",), DATE, plain(zones.to_date(None))),
        Overload(
            ("timestamp with time zone",),
            DATE,
            lambda program, types: zones.to_date(zones.known(types[0])),
        ),
    ),
    "to_unixtime": _for_each_kind(
        _CLOCK_KINDS, ("*",), DOUBLE, lambda program, types: times.to_unixtime(types[0])
    ),
    "from_iso8601_date": (Overload(("varchar",), DATE, each(times.iso_date, DATE), fails=True),),
    "to_iso8601": (
        Overload(
            ("timestamp with time zone",),
            varchar(32),
            lambda program, types: times.to_iso8601(types[0]),
        ),
    ),
    "date_format": _for_each_kind(
        _CLOCK_KINDS,
        ("*", "varchar!"),
        VARCHAR,
        lambda program, types, pattern: times.formatter(pattern, types[0], times.MYSQL),
    ),
    "format_datetime": _for_each_kind(
        _CLOCK_KINDS,
        ("*", "varchar!"),
        VARCHAR,
        lambda program, types, pattern: times.formatter(pattern, types[0], times.JODA),
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
        Overload(("varchar",), BIGINT, with_constants(td.time_parse)),
        Overload(("varchar", "varchar!"), BIGINT, with_constants(td.time_parse)),
    ),
}
