"""Allowed functions with a rule of their own: any number of arguments, types that depend on values,
session time, or a form that DataFusion has itself.
"""

import math
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion import casts, operators
from td_mta.trino_on_datafusion.kernels import numbers, td, texts, times, zones
from td_mta.trino_on_datafusion.program import Bound, Program, literal
from td_mta.trino_on_datafusion.types import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    ORDERED,
    UNKNOWN,
    VARCHAR,
    Type,
    common,
    timestamp_tz,
)

SpecialForm = Callable[[list[Bound], Program], Bound]


def _common(name: str, args: list[Bound]) -> Type:
    kind: Type | None = UNKNOWN
    for arg in args:
        kind = kind and common(kind, arg.type)
    if kind is None or not args:
        raise Refused(f"function {name}({', '.join(str(arg.type) for arg in args)})")
    return kind


def _coalesce(args: list[Bound], program: Program) -> Bound:
    if len(args) < 2:
        raise Refused("coalesce with one argument")
    kind = _common("coalesce", args)
    cast = [casts.coerce(arg, kind, program) for arg in args]
    whens = " ".join(f"WHEN {arg.sql} IS NOT NULL THEN {arg.sql}" for arg in cast[:-1])
    if any(arg.fails for arg in cast):
        sql = f"(CASE {whens} ELSE {cast[-1].sql} END)"
    else:
        sql = f"coalesce({', '.join(arg.sql for arg in cast)})"
    return Bound(sql, kind, fails=any(arg.fails for arg in args))


def _nullif(args: list[Bound], program: Program) -> Bound:
    _count("nullif", args, 2)
    test = operators.compare("eq", args[0], args[1], program)
    sql = f"(CASE WHEN {test.sql} THEN {literal(None, args[0].type).sql} ELSE {args[0].sql} END)"
    return Bound(sql, args[0].type, fails=any(arg.fails for arg in args))


def _concat(args: list[Bound], program: Program) -> Bound:
    if len(args) < 2 or any(arg.type.kind != "varchar" for arg in args):
        raise Refused(f"concat({', '.join(str(arg.type) for arg in args)})")
    if all(arg.constant for arg in args):
        return program.call(texts.joined, args, VARCHAR)
    sql = " || ".join(arg.sql for arg in args)
    return Bound(f"({sql})", VARCHAR, fails=any(arg.fails for arg in args))


def _extreme(name: str) -> SpecialForm:
    run = numbers.greatest if name == "greatest" else numbers.least

    def bound(args: list[Bound], program: Program) -> Bound:
        kind = _common(name, args)
        if kind.kind not in ORDERED:
            raise Refused(f"{name} of {kind}")
        return program.call(run, [casts.coerce(arg, kind, program) for arg in args], kind)

    return bound


def _number(value: float) -> SpecialForm:
    def bound(args: list[Bound], program: Program) -> Bound:
        _count("this", args, 0)
        return literal(value, DOUBLE)

    return bound


def _mod(args: list[Bound], program: Program) -> Bound:
    _count("mod", args, 2)
    return operators.arithmetic("mod", args[0], args[1], program)


def _typeof(args: list[Bound], program: Program) -> Bound:
    _count("typeof", args, 1)
    if args[0].fails:
        raise Refused("typeof of what may fail")
    kind = args[0].type
    if kind.kind == "timestamp with time zone" or kind == UNKNOWN:
        return literal(str(kind), VARCHAR)
    return literal(str(kind).replace(", ", ","), VARCHAR)


def _count(name: str, args: list[Bound], wanted: int) -> None:
    if len(args) != wanted:
        raise Refused(f"{name} with {len(args)} arguments")


def _text(arg: Bound, name: str) -> str:
    if not arg.constant or not isinstance(arg.value, str):
        raise Refused(f"{name}: a constant text was wanted, {arg.type} came")
    return arg.value


# --- times -----------------------------------------------------------------------------------


def _date_diff(args: list[Bound], program: Program) -> Bound:
    _count("date_diff", args, 3)
    unit = _text(args[0], "date_diff").lower()
    kind = _common("date_diff", args[1:])
    if kind.kind not in ("date", "timestamp", "timestamp with time zone"):
        raise Refused(f"date_diff of {kind}")
    if kind.kind == "timestamp with time zone" and kind.args[1] is None:
        raise Refused("date_diff between time zones")
    cast = [casts.coerce(arg, kind, program) for arg in args[1:]]
    return program.call(times.difference(unit, kind), cast, BIGINT, key=("date_diff", unit, kind))


def _from_unixtime(args: list[Bound], program: Program) -> Bound:
    name = "UTC" if len(args) == 1 else _text(args[1], "from_unixtime")
    if len(args) not in (1, 2):
        raise Refused(f"from_unixtime with {len(args)} arguments")
    zones.zone(name)
    seconds = casts.coerce(args[0], DOUBLE, program)
    return program.call(times.from_unixtime, [seconds], timestamp_tz(3, name), key="from_unixtime")


def _from_iso8601(args: list[Bound], program: Program) -> Bound:
    _count("from_iso8601_timestamp", args, 1)
    if args[0].type.kind != "varchar":
        raise Refused(f"from_iso8601_timestamp({args[0].type})")
    zone = None
    if args[0].constant and args[0].value is not None:
        try:
            zone = times.iso_parts(args[0].value)[1]
        except Exception as error:
            if isinstance(error, Refused):
                raise
    return program.call(
        times.from_iso8601, args, timestamp_tz(3, zone), fails=True, key=("iso8601", zone)
    )


def _at_timezone(args: list[Bound], program: Program) -> Bound:
    _count("at_timezone", args, 2)
    name = _text(args[1], "AT TIME ZONE")
    zones.zone(name)
    if args[0].type.kind != "timestamp with time zone":
        raise Refused(f"AT TIME ZONE of {args[0].type}")
    return Bound(
        args[0].sql,
        timestamp_tz(args[0].type.args[0], name),
        args[0].value,
        args[0].fails,
        args[0].error,
    )


def _with_timezone(args: list[Bound], program: Program) -> Bound:
    _count("with_timezone", args, 2)
    name = _text(args[1], "with_timezone")
    if args[0].type.kind != "timestamp":
        raise Refused(f"with_timezone({args[0].type})")
    return program.call(
        lambda local: zones.to_instants(local, name),
        args[:1],
        timestamp_tz(args[0].type.args[0], name),
        key=("with_timezone", name),
    )


# --- Treasure Data ---------------------------------------------------------------------------


def _zone(args: list[Bound], place: int, name: str) -> str:
    return _text(args[place], name) if len(args) > place else "UTC"


def _seconds(arg: Bound, name: str, program: Program) -> Bound:
    if arg.type.kind not in ("integer", "bigint"):
        raise Refused(f"{name}: unix seconds were wanted, {arg.type} came")
    return casts.coerce(arg, BIGINT, program)


def _td_interval(args: list[Bound], program: Program) -> Bound:
    if len(args) not in (2, 3):
        raise Refused(f"td_interval with {len(args)} arguments")
    text = _text(args[1], "td_interval")
    start, end = td.interval(text, program.now, _zone(args, 2, "td_interval"))
    time = _seconds(args[0], "td_interval", program)
    return _within(time, literal(start, BIGINT), literal(end, BIGINT))


def _within(time: Bound, start: Bound | None, end: Bound | None) -> Bound:
    tests = [f"{time.sql} >= {start.sql}"] if start else []
    tests += [f"{time.sql} < {end.sql}"] if end else []
    sql = " AND ".join(tests or [f"{time.sql} IS NOT NULL"])
    return Bound(f"({sql})", BOOLEAN, fails=time.fails)


def _td_time_range(args: list[Bound], program: Program) -> Bound:
    if len(args) not in (2, 3, 4):
        raise Refused(f"td_time_range with {len(args)} arguments")
    zone = _zone(args, 3, "td_time_range")
    time = _seconds(args[0], "td_time_range", program)
    bounds = [_bound(arg, zone, program) for arg in args[1:3]]
    return _within(time, bounds[0], bounds[1] if len(bounds) > 1 else None)


def _bound(arg: Bound, zone: str, program: Program) -> Bound | None:
    """One end of TD_TIME_RANGE; NULL leaves it open."""
    if not arg.constant:
        raise Refused("td_time_range: its ends must be constants")
    if arg.value is None:
        return None
    if arg.type.kind == "varchar":
        return literal(td.parsed(zone)(arg.value), BIGINT)
    return _seconds(arg, "td_time_range", program)


def _td_scheduled_time(args: list[Bound], program: Program) -> Bound:
    _count("td_scheduled_time", args, 0)
    return literal(program.now, BIGINT)


def _td_time_add(args: list[Bound], program: Program) -> Bound:
    if len(args) not in (2, 3):
        raise Refused(f"td_time_add with {len(args)} arguments")
    step = literal(td.duration(_text(args[1], "td_time_add")), BIGINT)
    time = args[0]
    if time.constant and isinstance(time.value, str):
        time = literal(td.parsed(_zone(args, 2, "td_time_add"))(time.value), BIGINT)
    return operators.arithmetic("add", _seconds(time, "td_time_add", program), step, program)


def _cardinality(args: list[Bound], program: Program) -> Bound:
    _count("cardinality", args, 1)
    if args[0].type.kind != "array":
        raise Refused(f"cardinality({args[0].type})")
    run: Callable[[pa.Array], pa.Array] = pc.list_value_length
    return program.call(run, args, BIGINT)


SPECIAL_FORMS: dict[str, SpecialForm] = {
    "coalesce": _coalesce,
    "nullif": _nullif,
    "concat": _concat,
    "greatest": _extreme("greatest"),
    "least": _extreme("least"),
    "nan": _number(math.nan),
    "infinity": _number(math.inf),
    "pi": _number(math.pi),
    "e": _number(math.e),
    "mod": _mod,
    "typeof": _typeof,
    "date_diff": _date_diff,
    "from_unixtime": _from_unixtime,
    "from_iso8601_timestamp": _from_iso8601,
    "at_timezone": _at_timezone,
    "with_timezone": _with_timezone,
    "cardinality": _cardinality,
    "td_interval": _td_interval,
    "td_time_range": _td_time_range,
    "td_scheduled_time": _td_scheduled_time,
    "td_time_add": _td_time_add,
}
