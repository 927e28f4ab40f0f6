"""Allowed functions with a rule of their own.

They take any number of arguments, have a type that depends on values, know the session's time, or
are a form that DataFusion has itself. Each takes the bound arguments and the program, and refuses
what it cannot translate.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion import casts, operators
from td_mta.trino_on_datafusion.kernels import hashes, numbers, td, texts, times, zones
from td_mta.trino_on_datafusion.program import Bound, Program, literal
from td_mta.trino_on_datafusion.types import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    ORDERED,
    UNKNOWN,
    VARBINARY,
    VARCHAR,
    Kernel,
    TrinoError,
    Type,
    common_of,
    timestamp_tz,
)

SpecialForm = Callable[[list[Bound], Program], Bound]


def _types(args: list[Bound]) -> str:
    return ", ".join(str(arg.type) for arg in args)


def _common_type(name: str, args: list[Bound]) -> Type:
    kind = common_of(arg.type for arg in args)
    if kind is None or not args:
        raise Refused(f"function {name}({_types(args)}): its arguments need one common type")
    return kind


def _require_count(name: str, args: list[Bound], *counts: int) -> None:
    if len(args) not in counts:
        expected = " or ".join(map(str, counts))
        raise Refused(f"{name} with {len(args)} arguments: it takes {expected}")


def _constant_text(arg: Bound, name: str) -> str:
    if not arg.constant or not isinstance(arg.value, str):
        raise Refused(f"{name}: a constant text is needed, not this {arg.type}")
    return arg.value


def _coalesce(args: list[Bound], program: Program) -> Bound:
    if len(args) < 2:
        raise Refused("coalesce with fewer than 2 arguments")
    kind = _common_type("coalesce", args)
    converted = [casts.coerce(arg, kind, program) for arg in args]
    if kind.kind == "varchar" and all(_is_at_hand(arg) for arg in converted[1:]):
        # DataFusion's is a CASE, which copies texts once for each argument.
        return program.call(pc.coalesce, converted, kind)
    if any(arg.fails for arg in converted):
        # DataFusion's coalesce computes every argument, Trino's stops at the first that is not NULL
        whens = " ".join(f"WHEN {arg.sql} IS NOT NULL THEN {arg.sql}" for arg in converted[:-1])
        sql = f"(CASE {whens} ELSE {converted[-1].sql} END)"
    else:
        sql = f"coalesce({', '.join(arg.sql for arg in converted)})"
    return Bound(sql, kind, fails=any(arg.fails for arg in args))


def _is_at_hand(arg: Bound) -> bool:
    """Whether it costs nothing to compute where it is not needed: a column or a constant."""
    return arg.constant or arg.sql.isidentifier()


def _nullif(args: list[Bound], program: Program) -> Bound:
    """Of the first argument's type, whatever the second's is."""
    _require_count("nullif", args, 2)
    value = args[0]
    is_equal = operators.compare("eq", value, args[1], program)
    if value.call is not None and isinstance(args[1].value, str):
        other = args[1].value
        return program.call(texts.nullif(other), [value], value.type, key=("nullif", other))
    null = literal(None, value.type)
    sql = f"(CASE WHEN {is_equal.sql} THEN {null.sql} ELSE {value.sql} END)"
    return Bound(sql, value.type, fails=any(arg.fails for arg in args))


def _concat(args: list[Bound], program: Program) -> Bound:
    if len(args) >= 2 and all(arg.type.kind == "varbinary" for arg in args):
        return program.call(hashes.joined, args, VARBINARY)
    if len(args) < 2 or any(arg.type.kind != "varchar" for arg in args):
        raise Refused(f"concat({_types(args)}): it takes two varchars or varbinaries or more")
    if all(arg.constant for arg in args):
        return program.call(texts.joined, args, VARCHAR)
    sql = " || ".join(arg.sql for arg in args)
    return Bound(f"({sql})", VARCHAR, fails=any(arg.fails for arg in args))


def _extreme_of_row(name: str, kernel: Kernel) -> SpecialForm:
    """greatest, least."""

    def bound(args: list[Bound], program: Program) -> Bound:
        kind = _common_type(name, args)
        if kind.kind not in ORDERED:
            raise Refused(f"{name} of {kind}")
        converted = [casts.coerce(arg, kind, program) for arg in args]
        return program.call(kernel, converted, kind)

    return bound


def _number(name: str, value: float) -> SpecialForm:
    """A function without arguments that is a number."""

    def bound(args: list[Bound], program: Program) -> Bound:
        _require_count(name, args, 0)
        return literal(value, DOUBLE)

    return bound


def _mod(args: list[Bound], program: Program) -> Bound:
    _require_count("mod", args, 2)
    return operators.arithmetic("mod", args[0], args[1], program)


def _typeof(args: list[Bound], program: Program) -> Bound:
    """Trino's typeof writes decimal(10,2) without the blank that its other texts have."""
    _require_count("typeof", args, 1)
    if args[0].fails:
        raise Refused("typeof of an expression that may fail")
    kind = args[0].type
    if kind.kind == "timestamp with time zone" or kind == UNKNOWN:
        return literal(str(kind), VARCHAR)
    return literal(str(kind).replace(", ", ","), VARCHAR)


def _cardinality(args: list[Bound], program: Program) -> Bound:
    _require_count("cardinality", args, 1)
    if args[0].type.kind != "array":
        raise Refused(f"cardinality({args[0].type})")
    kernel: Kernel = pc.list_value_length
    return program.call(kernel, args, BIGINT)


# --- times -----------------------------------------------------------------------------------


def _date_diff(args: list[Bound], program: Program) -> Bound:
    _require_count("date_diff", args, 3)
    unit = _constant_text(args[0], "date_diff").lower()
    kind = _common_type("date_diff", args[1:])
    if kind.kind not in ("date", "timestamp", "timestamp with time zone"):
        raise Refused(f"date_diff of {kind}")
    if kind.kind == "timestamp with time zone" and kind.args[1] is None:
        raise Refused("date_diff between times in different time zones")
    ends = [casts.coerce(arg, kind, program) for arg in args[1:]]
    return program.call(times.difference(unit, kind), ends, BIGINT, key=("date_diff", unit, kind))


def _from_unixtime(args: list[Bound], program: Program) -> Bound:
    """from_unixtime(seconds[, zone])."""
    _require_count("from_unixtime", args, 1, 2)
    name = "UTC" if len(args) == 1 else _constant_text(args[1], "from_unixtime")
    zones.zone(name)  # refuses an unknown one
    seconds = casts.coerce(args[0], DOUBLE, program)
    return program.call(times.from_unixtime, [seconds], timestamp_tz(3, name), key="from_unixtime")


def _from_iso8601_timestamp(args: list[Bound], program: Program) -> Bound:
    """The zone is that of a constant text; of a column each row has its own."""
    _require_count("from_iso8601_timestamp", args, 1)
    if args[0].type.kind != "varchar":
        raise Refused(f"from_iso8601_timestamp({args[0].type})")
    zone = None
    if args[0].constant and args[0].value is not None:
        zone = _zone_of_iso_text(args[0].value)
    kind = timestamp_tz(3, zone)
    return program.call(times.from_iso8601, args, kind, fails=True, key=("iso8601", zone))


def _zone_of_iso_text(text: str) -> str | None:
    """The zone; None for a text that is no time, which the call itself reports as Trino does."""
    try:
        return times.iso_parts(text).zone
    except (TrinoError, ArithmeticError, ValueError):
        return None


def _at_timezone(args: list[Bound], program: Program) -> Bound:
    """The same instant; only the zone of the type changes."""
    _require_count("at_timezone", args, 2)
    name = _constant_text(args[1], "AT TIME ZONE")
    zones.zone(name)  # refuses an unknown one
    time = args[0]
    if time.type.kind != "timestamp with time zone":
        raise Refused(f"AT TIME ZONE of {time.type}")
    return replace(time, type=timestamp_tz(time.type.args[0], name))


def _with_timezone(args: list[Bound], program: Program) -> Bound:
    _require_count("with_timezone", args, 2)
    name = _constant_text(args[1], "with_timezone")
    if args[0].type.kind != "timestamp":
        raise Refused(f"with_timezone({args[0].type})")

    def kernel(local: pa.Array) -> pa.Array:
        return zones.to_instants(local, name)

    kind = timestamp_tz(args[0].type.args[0], name)
    return program.call(kernel, args[:1], kind, key=("with_timezone", name))


# --- Treasure Data ---------------------------------------------------------------------------


def _zone_argument(args: list[Bound], index: int, name: str) -> str:
    return _constant_text(args[index], name) if len(args) > index else "UTC"


def _unix_seconds(arg: Bound, name: str, program: Program) -> Bound:
    if arg.type.kind not in ("integer", "bigint"):
        raise Refused(f"{name}: unix seconds are needed, not {arg.type}")
    return casts.coerce(arg, BIGINT, program)


def _td_interval(args: list[Bound], program: Program) -> Bound:
    """td_interval(time, '-30d'[, zone]): whether a time lies in units before the session's."""
    _require_count("td_interval", args, 2, 3)
    text = _constant_text(args[1], "td_interval")
    zone = _zone_argument(args, 2, "td_interval")
    start, end = td.interval(text, program.now, zone)
    time = _unix_seconds(args[0], "td_interval", program)
    return _within(time, literal(start, BIGINT), literal(end, BIGINT))


def _within(time: Bound, start: Bound | None, end: Bound | None) -> Bound:
    """Whether a time lies in [start, end); None leaves an end open."""
    tests = [f"{time.sql} >= {start.sql}"] if start else []
    tests += [f"{time.sql} < {end.sql}"] if end else []
    sql = " AND ".join(tests or [f"{time.sql} IS NOT NULL"])
    return Bound(f"({sql})", BOOLEAN, fails=time.fails)


def _td_time_range(args: list[Bound], program: Program) -> Bound:
    """td_time_range(time, start[, end[, zone]]); a NULL leaves an end open."""
    _require_count("td_time_range", args, 2, 3, 4)
    zone = _zone_argument(args, 3, "td_time_range")
    time = _unix_seconds(args[0], "td_time_range", program)
    ends = [_end_of_range(arg, zone, program) for arg in args[1:3]]
    return _within(time, ends[0], ends[1] if len(ends) > 1 else None)


def _end_of_range(arg: Bound, zone: str, program: Program) -> Bound | None:
    if not arg.constant:
        raise Refused("td_time_range: its start and end must be constants")
    if arg.value is None:
        return None
    if arg.type.kind == "varchar":
        return literal(td.time_reader(zone)(arg.value), BIGINT)
    return _unix_seconds(arg, "td_time_range", program)


def _td_scheduled_time(args: list[Bound], program: Program) -> Bound:
    _require_count("td_scheduled_time", args, 0)
    return literal(program.now, BIGINT)


def _td_time_add(args: list[Bound], program: Program) -> Bound:
    """td_time_add(time, '1d'[, zone]); the zone is that of a time which is a text."""
    _require_count("td_time_add", args, 2, 3)
    seconds = literal(td.duration(_constant_text(args[1], "td_time_add")), BIGINT)
    time = args[0]
    if time.constant and isinstance(time.value, str):
        zone = _zone_argument(args, 2, "td_time_add")
        time = literal(td.time_reader(zone)(time.value), BIGINT)
    start = _unix_seconds(time, "td_time_add", program)
    return operators.arithmetic("add", start, seconds, program)


SPECIAL_FORMS: dict[str, SpecialForm] = {
    "coalesce": _coalesce,
    "nullif": _nullif,
    "concat": _concat,
    "greatest": _extreme_of_row("greatest", numbers.greatest),
    "least": _extreme_of_row("least", numbers.least),
    "nan": _number("nan", math.nan),
    "infinity": _number("infinity", math.inf),
    "pi": _number("pi", math.pi),
    "e": _number("e", math.e),
    "mod": _mod,
    "typeof": _typeof,
    "cardinality": _cardinality,
    "date_diff": _date_diff,
    "from_unixtime": _from_unixtime,
    "from_iso8601_timestamp": _from_iso8601_timestamp,
    "at_timezone": _at_timezone,
    "with_timezone": _with_timezone,
    "td_interval": _td_interval,
    "td_time_range": _td_time_range,
    "td_scheduled_time": _td_scheduled_time,
    "td_time_add": _td_time_add,
}
