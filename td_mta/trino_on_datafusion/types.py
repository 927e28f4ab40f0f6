"""Trino's types: their names, the Arrow types that carry them, and which turns into which.

A `timestamp with time zone` is carried as its instant; its zone is part of the type here, for all
rows the same, or None where it is not known before the rows are (then nothing may show it).
"""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from td_mta.errors import Refused, WarehouseError

Kernel = Callable[..., pa.Array]  # a vectorised function: Arrow arrays of one length in, one out


class TrinoError(WarehouseError):
    """Trino's own error for these values; `name` is Trino's, e.g. DIVISION_BY_ZERO.

    It is not `certain` where Trino may leave the value out: it decides for itself which part of a
    condition it looks at first, and what it computes after LIMIT.
    """

    certain = True

    def __init__(self, name: str, detail: str = "") -> None:
        super().__init__(f"TRINO[{name}] {detail}".rstrip())
        self.name = name


@dataclass(frozen=True)
class Type:
    """A kind with its parameters: varchar(n or nothing), decimal(p, s), array(element), ..."""

    kind: str
    args: tuple = ()

    def __str__(self) -> str:
        if self.kind == "timestamp with time zone":
            return f"timestamp({self.args[0]}) with time zone"
        shown = [str(arg) for arg in self.args]
        return f"{self.kind}({', '.join(shown)})" if shown else self.kind


BOOLEAN, INTEGER, BIGINT, DOUBLE, REAL = (
    Type(kind) for kind in ("boolean", "integer", "bigint", "double", "real")
)
VARCHAR, VARBINARY, DATE, UNKNOWN = (
    Type(kind) for kind in ("varchar", "varbinary", "date", "unknown")
)
INTEGERS = ("tinyint", "smallint", "integer", "bigint")
NUMBERS = (*INTEGERS, "decimal", "real", "double")
DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
COMPARABLE = (*NUMBERS, "boolean", "varchar", "date", "timestamp", "timestamp with time zone")
ORDERED = tuple(kind for kind in COMPARABLE if kind != "boolean")

_ARROW = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double": pa.float64(),
    "varchar": pa.string(),
    "varbinary": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us"),
    "unknown": pa.null(),
}


def varchar(length: int | None = None) -> Type:
    return VARCHAR if length is None else Type("varchar", (length,))


def decimal(precision: int, scale: int) -> Type:
    return Type("decimal", (precision, scale))


def array(element: Type) -> Type:
    return Type("array", (element,))


def map_of(key: Type, value: Type) -> Type:
    return Type("map", (key, value))


def row(*fields: Type) -> Type:
    return Type("row", fields)


def timestamp(precision: int) -> Type:
    return Type("timestamp", (precision,))


def timestamp_tz(precision: int, zone: str | None) -> Type:
    return Type("timestamp with time zone", (precision, zone))


def arrow(kind: Type) -> pa.DataType:
    """The Arrow type that carries values of a Trino type."""
    if kind.kind == "decimal":
        return pa.decimal128(*kind.args)
    if kind.kind == "array":
        return pa.list_(arrow(kind.args[0]))
    if kind.kind == "map":
        return pa.map_(*(arrow(arg) for arg in kind.args))
    if kind.kind == "row":
        return pa.struct([(f"f{i}", arrow(arg)) for i, arg in enumerate(kind.args)])
    return _ARROW[kind.kind]


def from_arrow(kind: pa.DataType, column: str) -> Type:
    """The Trino type of a stored column."""
    for test, found in _STORED:
        if test(kind):
            return found
    if pa.types.is_dictionary(kind):
        return from_arrow(kind.value_type, column)
    if pa.types.is_decimal(kind) and kind.precision <= 38:
        return decimal(kind.precision, kind.scale)
    if pa.types.is_timestamp(kind):
        return timestamp_tz(6, kind.tz) if kind.tz else timestamp(6)
    if pa.types.is_list(kind):
        return array(from_arrow(kind.value_type, column))
    raise Refused(f"column {column!r} has the type {kind}, which has no Trino type here")


_STORED = [
    (pa.types.is_boolean, BOOLEAN),
    (pa.types.is_int8, Type("tinyint")),
    (pa.types.is_int16, Type("smallint")),
    (pa.types.is_int32, INTEGER),
    (pa.types.is_integer, BIGINT),
    (pa.types.is_float32, REAL),
    (pa.types.is_floating, DOUBLE),
    (pa.types.is_string, VARCHAR),
    (pa.types.is_large_string, VARCHAR),
    (pa.types.is_binary, VARBINARY),
    (pa.types.is_date32, DATE),
    (pa.types.is_null, VARCHAR),
]


def common(a: Type, b: Type) -> Type | None:
    """The narrowest type that both turn into by themselves; None where there is none."""
    if a == b or b == UNKNOWN:
        return a
    if a == UNKNOWN:
        return b
    if a.kind == b.kind == "varchar":
        return varchar(max(a.args[0], b.args[0])) if a.args and b.args else VARCHAR
    if a.kind in NUMBERS and b.kind in NUMBERS:
        return _common_number(a, b)
    if a.kind == b.kind == "array":
        element = common(a.args[0], b.args[0])
        return element and array(element)
    if a.kind == b.kind == "timestamp":
        return timestamp(max(a.args[0], b.args[0]))
    if a.kind == b.kind == "timestamp with time zone":
        zone = a.args[1] if a.args[1] == b.args[1] else None
        return timestamp_tz(max(a.args[0], b.args[0]), zone)
    kinds = {a.kind: a, b.kind: b}
    return kinds["timestamp"] if set(kinds) == {"date", "timestamp"} else None


def _common_number(a: Type, b: Type) -> Type | None:
    if "double" in (a.kind, b.kind):
        return DOUBLE
    if "real" in (a.kind, b.kind):
        return REAL
    if "decimal" not in (a.kind, b.kind):
        return max(a, b, key=lambda kind: DIGITS[kind.kind])
    (p1, s1), (p2, s2) = as_decimal(a).args, as_decimal(b).args
    scale = max(s1, s2)
    precision = max(p1 - s1, p2 - s2) + scale
    return decimal(precision, scale) if precision <= 38 else None


def as_decimal(kind: Type) -> Type:
    """An integer type as the decimal that holds all of its values."""
    return kind if kind.kind == "decimal" else decimal(DIGITS[kind.kind], 0)


def coerces(kind: Type, wanted: Type) -> bool:
    """Whether a value of one type turns into the other by itself."""
    if kind.kind == wanted.kind == "varchar":
        return not wanted.args or bool(kind.args and kind.args[0] <= wanted.args[0])
    return common(kind, wanted) == wanted
