"""CAST, TRY_CAST and the conversions that Trino does by itself (coercions).

Pairs of types are either converted by Arrow as Trino converts them, or by a kernel of
`kernels/conversions.py`; all others are refused.
"""

from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.kernels import conversions
from td_mta.trino_on_datafusion.program import Bound, Program, arrow_cast, literal
from td_mta.trino_on_datafusion.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DIGITS,
    DOUBLE,
    INTEGER,
    INTEGERS,
    UNKNOWN,
    VARBINARY,
    Kernel,
    Type,
    arrow,
    coerces,
    decimal,
    timestamp,
    timestamp_tz,
    varchar,
)

_WITHOUT_PARAMETERS = {  # sqlglot's names
    "BOOLEAN": BOOLEAN,
    "TINYINT": Type("tinyint"),
    "SMALLINT": Type("smallint"),
    "INT": INTEGER,
    "BIGINT": BIGINT,
    "DOUBLE": DOUBLE,
    "DATE": DATE,
    "VARBINARY": VARBINARY,
}


def type_of(node: exp.DataType) -> Type:
    """A type as it is written in SQL; `Refused` for one that is not carried here, as REAL."""
    name = node.this.name if hasattr(node.this, "name") else str(node.this)
    params = [int(param.name) for param in node.expressions if isinstance(param, exp.DataTypeParam)]
    kind = _type_of(name, params) if len(params) == len(node.expressions) else None
    if kind is None:
        raise Refused(f"type {node.sql('trino')}")
    return kind


def _type_of(name: str, params: list[int]) -> Type | None:
    if not params and name in _WITHOUT_PARAMETERS:
        return _WITHOUT_PARAMETERS[name]
    match name, params:
        case "VARCHAR", [] | [_]:
            return varchar(*params)
        case "DECIMAL", [precision]:
            return decimal(precision, 0)
        case "DECIMAL", [precision, scale]:
            return decimal(precision, scale)
        case "TIMESTAMP", []:
            return timestamp(3)
        case "TIMESTAMP", [digits] if digits <= 6:
            return timestamp(digits)
        case "TIMESTAMPTZ", []:
            return timestamp_tz(3, None)
        case "TIMESTAMPTZ", [digits] if digits <= 6:
            return timestamp_tz(digits, None)
    return None


def coerce(bound: Bound, kind: Type, program: Program) -> Bound:
    """A conversion that Trino does by itself and that never fails; `Refused` for any other."""
    if bound.type == kind:
        return bound
    if not coerces(bound.type, kind):
        raise Refused(f"a {bound.type} where {kind} is needed: write cast(... as {kind})")
    if bound.type == UNKNOWN:
        return literal(None, kind)
    if arrow(bound.type) == arrow(kind):
        return replace(bound, type=kind)
    if bound.type.kind == "decimal" and kind == DOUBLE:
        return program.call(conversions.decimal_to_double, [bound], kind)
    if bound.constant and bound.value is None:
        return literal(None, kind)
    value = _converted(bound, kind) if bound.constant else bound.value
    return replace(bound, sql=arrow_cast(bound.sql, kind), type=kind, value=value, call=None)


def _converted(bound: Bound, kind: Type) -> object:
    """A constant's value in another type."""
    values = pa.array([bound.value], arrow(bound.type))
    # Not safe: an integer beyond 2^53 becomes the nearest double, as in Trino.
    return values.cast(arrow(kind), safe=False)[0].as_py()


def cast(bound: Bound, kind: Type, program: Program) -> Bound:
    """CAST: Trino's explicit conversions, with Trino's errors."""
    if bound.type == UNKNOWN:
        return literal(None, kind)
    if bound.type == kind or _keeps_every_letter(bound.type, kind):
        return replace(bound, type=kind)
    kernel = _conversion(bound.type, kind)
    if kernel is not None:
        return program.call(kernel, [bound], kind, fails=True, key=("cast", bound.type, kind))
    if not coerces(bound.type, kind):
        raise Refused(f"CAST from {bound.type} to {kind}")
    return coerce(bound, kind, program)


def try_cast(bound: Bound, kind: Type, program: Program) -> Bound:
    """TRY_CAST: NULL where CAST would fail; a failing argument still fails."""
    if bound.error:
        raise Refused("TRY_CAST of an expression that always fails")
    keeps = bound.type == UNKNOWN or _keeps_every_letter(bound.type, kind)
    kernel = None if keeps else _conversion(bound.type, kind)
    if kernel is None:
        return cast(bound, kind, program)
    key = ("try_cast", bound.type, kind)
    return program.call(conversions.forgiving(kernel, arrow(kind)), [bound], kind, key=key)


def _keeps_every_letter(kind: Type, wanted: Type) -> bool:
    """Whether these are two varchars and the wanted one is long enough for every value."""
    return kind.kind == wanted.kind == "varchar" and coerces(kind, wanted)


def _conversion(kind: Type, wanted: Type) -> Kernel | None:
    """The kernel of a CAST; None where Arrow converts as Trino does, or nothing does."""
    if kind.kind in INTEGERS and wanted.kind in INTEGERS:
        narrower = DIGITS[wanted.kind] < DIGITS[kind.kind]
        return conversions.narrowed(arrow(wanted)) if narrower else None
    if kind.kind in INTEGERS and wanted.kind == "decimal":
        return None if coerces(kind, wanted) else conversions.to_decimal(*wanted.args)
    make = conversions.CASTS.get((_family(kind), _family(wanted)))
    return make(kind, wanted) if make else None


def _family(kind: Type) -> str:
    return "integers" if kind.kind in INTEGERS else kind.kind
