"""Trino's types: their names, the Arrow types that carry them, and which turns into which.

A `timestamp with time zone` is carried as its instant; its zone is part of the type here, for all
rows the same, or None where it is not known before the rows are (then nothing may show it).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pyarrow as pa

from td_mta.errors import Refused, WarehouseError

# A vectorised function: Arrow arrays of one length in, an array of that length out, NULL for NULL.
Kernel = Callable[..., pa.Array]


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
    """A kind with its parameters, as Trino writes it.

    varchar() or varchar(length), decimal(precision, scale), timestamp(digits of a second),
    timestamp with time zone(digits, zone's name or None), array(element), map(key, value),
    row(fields...); no other kind has any.
    """

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
# Groups of kinds.
INTEGERS = ("tinyint", "smallint", "integer", "bigint")
NUMBERS = (*INTEGERS, "decimal", "real", "double")
# Decimal digits that hold every value of an integer type.
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
    """varchar of at most so many letters; of any number without a length."""
    return VARCHAR if length is None else Type("varchar", (length,))


def decimal(precision: int, scale: int) -> Type:
    """decimal of so many digits (38 at most), `scale` of them behind the point."""
    return Type("decimal", (precision, scale))


def array(element: Type) -> Type:
    """array(element)."""
    return Type("array", (element,))


def map_of(key: Type, value: Type) -> Type:
    """map(key, value)."""
    return Type("map", (key, value))


def row(*fields: Type) -> Type:
    """row(...) of nameless fields."""
    return Type("row", fields)


def timestamp(precision: int) -> Type:
    """timestamp with so many digits of a second, 6 at most: Arrow carries microseconds."""
    return Type("timestamp", (precision,))


def timestamp_tz(precision: int, zone: str | None) -> Type:
    """timestamp with time zone; zone None where it differs by row or is not known."""
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
    """The Trino type of a stored column; `Refused` names the column where there is none."""
    for is_of_type, trino_type in _STORED:
        if is_of_type(kind):
            return trino_type
    if pa.types.is_dictionary(kind):
        return from_arrow(kind.value_type, column)
    if pa.types.is_decimal(kind) and kind.precision <= 38:
        return decimal(kind.precision, kind.scale)
    if pa.types.is_timestamp(kind):
        return timestamp_tz(6, kind.tz) if kind.tz else timestamp(6)
    if pa.types.is_list(kind):
        return array(from_arrow(kind.value_type, column))
    raise Refused(f"column {column!r} of type {kind}: store it as a type that Trino has")


_STORED = [  # the first test that holds decides: unsigned integers become bigint
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
    (pa.types.is_null, VARCHAR),  # a column of NULLs alone, such as an empty CSV column
]


def common(a: Type, b: Type) -> Type | None:
    """The narrowest type to which Trino converts both by itself; None where there is none."""
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


def common_of(kinds: Iterable[Type]) -> Type | None:
    """The narrowest type to which Trino converts all of them; `unknown` of none."""
    kind: Type | None = UNKNOWN
    for other in kinds:
        kind = kind and common(kind, other)
    return kind


def _common_number(a: Type, b: Type) -> Type | None:
    if "double" in (a.kind, b.kind):
        return DOUBLE
    if "real" in (a.kind, b.kind):
        return REAL
    if "decimal" not in (a.kind, b.kind):
        return max(a, b, key=lambda kind: DIGITS[kind.kind])
    (precision_a, scale_a), (precision_b, scale_b) = as_decimal(a).args, as_decimal(b).args
    scale = max(scale_a, scale_b)
    integer_digits = max(precision_a - scale_a, precision_b - scale_b)
    precision = integer_digits + scale
    return decimal(precision, scale) if precision <= 38 else None


def as_decimal(kind: Type) -> Type:
    """An integer type as the decimal that holds all of its values."""
    return kind if kind.kind == "decimal" else decimal(DIGITS[kind.kind], 0)


def coerces(kind: Type, wanted: Type) -> bool:
    """Whether Trino converts a value of one type to the other by itself."""
    if kind.kind == wanted.kind == "varchar":
        return not wanted.args or bool(kind.args and kind.args[0] <= wanted.args[0])
    return common(kind, wanted) == wanted
