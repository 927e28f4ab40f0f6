"""CAST, TRY_CAST and the conversions that happen by themselves; pairs not known are refused."""

from collections.abc import Callable
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
    Type,
    arrow,
    coerces,
    decimal,
    timestamp,
    timestamp_tz,
    varchar,
)

_SIMPLE = {
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
    """A type as it is written in SQL."""
    name = node.this.name if hasattr(node.this, "name") else str(node.this)
    params = [int(param.name) for param in node.expressions if isinstance(param, exp.DataTypeParam)]
    if len(params) != len(node.expressions):
        raise Refused(f"type {node.sql('trino')}")
    if name in _SIMPLE and not params:
        return _SIMPLE[name]
    if name == "VARCHAR" and len(params) <= 1:
        return varchar(*params)
    if name == "DECIMAL" and 1 <= len(params) <= 2:
        return decimal(params[0], params[1] if len(params) > 1 else 0)
    if name == "TIMESTAMP" and len(params) <= 1 and (not params or params[0] <= 6):
        return timestamp((params or [3])[0])
    if name == "TIMESTAMPTZ" and len(params) <= 1 and (not params or params[0] <= 6):
        return timestamp_tz((params or [3])[0], None)
    raise Refused(f"type {node.sql('trino')}")


def coerce(bound: Bound, kind: Type, program: Program) -> Bound:
    """A conversion that Trino does by itself and that never fails."""
    if bound.type == kind:
        return bound
    if not coerces(bound.type, kind):
        raise Refused(f"a {bound.type} where {kind} is wanted")
    if bound.type == UNKNOWN:
        return literal(None, kind)
    if arrow(bound.type) == arrow(kind):
        return replace(bound, type=kind)
    if bound.type.kind == "decimal" and kind == DOUBLE:
        return program.call(conversions.decimal_to_double, [bound], kind)
    if bound.constant and bound.value is None:
        return literal(None, kind)
    return replace(
        bound,
        sql=arrow_cast(bound.sql, kind),
        type=kind,
        value=_converted(bound, kind),
    )


def _converted(bound: Bound, kind: Type) -> object:
    if not bound.constant:
        return bound.value
    # Not safe: an integer beyond 2^53 becomes the nearest double, as in Trino.
    return pa.array([bound.value], arrow(bound.type)).cast(arrow(kind), safe=False)[0].as_py()


def cast(bound: Bound, kind: Type, program: Program) -> Bound:
    """CAST: Trino's explicit conversions, with Trino's errors."""
    if bound.type == UNKNOWN:
        return literal(None, kind)
    if bound.type == kind or (_shortens(bound.type, kind) is False):
        return replace(bound, type=kind)
    run = _conversion(bound.type, kind)
    if run is None:
        if coerces(bound.type, kind):
            return coerce(bound, kind, program)
        raise Refused(f"CAST from {bound.type} to {kind}")
    return program.call(run, [bound], kind, fails=True, key=("cast", bound.type, kind))


def try_cast(bound: Bound, kind: Type, program: Program) -> Bound:
    """TRY_CAST: NULL where CAST would fail; a failing argument still fails."""
    if bound.error:
        raise Refused("TRY_CAST of what always fails")
    run = None if bound.type == UNKNOWN else _conversion(bound.type, kind)
    if run is None:
        return cast(bound, kind, program)
    key = ("try_cast", bound.type, kind)
    return program.call(conversions.forgiving(run, arrow(kind)), [bound], kind, key=key)


def _shortens(kind: Type, wanted: Type) -> bool | None:
    """Whether a varchar may lose letters; None where these are not two varchars."""
    if kind.kind != "varchar" or wanted.kind != "varchar":
        return None
    return bool(wanted.args) and not (kind.args and kind.args[0] <= wanted.args[0])


def _conversion(kind: Type, wanted: Type) -> Callable[[pa.Array], pa.Array] | None:
    """The vectorised conversion; None where Arrow's own or none at all does it."""
    if kind.kind in INTEGERS and wanted.kind in INTEGERS:
        narrower = DIGITS[wanted.kind] < DIGITS[kind.kind]
        return conversions.narrowed(arrow(wanted)) if narrower else None
    if kind.kind in INTEGERS and wanted.kind == "decimal":
        return None if coerces(kind, wanted) else conversions.to_decimal(*wanted.args)
    maker = conversions.TABLE.get((_family(kind), _family(wanted)))
    return maker(kind, wanted) if maker else None


def _family(kind: Type) -> str:
    return "integers" if kind.kind in INTEGERS else kind.kind
