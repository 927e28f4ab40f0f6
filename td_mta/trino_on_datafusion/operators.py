"""Arithmetic and comparison with Trino's types and errors.

Integers overflow with an error and divide towards zero; decimals keep Trino's digits; doubles
compare by IEEE (NaN equals nothing, -0 equals 0), which DataFusion's own comparison does not.
"""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion import casts
from td_mta.trino_on_datafusion.program import Bound, Program, literal
from td_mta.trino_on_datafusion.types import (
    BOOLEAN,
    COMPARABLE,
    INTEGERS,
    NUMBERS,
    TrinoError,
    Type,
    arrow,
    as_decimal,
    common,
    decimal,
)

_SYMBOLS = {"eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_FLOAT_COMPARE = {
    "eq": pc.equal,
    "neq": pc.not_equal,
    "lt": pc.less,
    "lte": pc.less_equal,
    "gt": pc.greater,
    "gte": pc.greater_equal,
}
_NULL_SAFE = {"nullsafeeq": "IS NOT DISTINCT FROM", "nullsafeneq": "IS DISTINCT FROM"}


def compare(name: str, left: Bound, right: Bound, program: Program) -> Bound:
    """=, <>, <, <=, >, >=, IS [NOT] DISTINCT FROM, of two values of one common type."""
    kind = common(left.type, right.type)
    fails = left.fails or right.fails
    if kind is None or (kind.kind not in COMPARABLE and kind.kind not in ("unknown", "varbinary")):
        raise Refused(f"comparing {left.type} with {right.type}")
    if kind.kind == "unknown":
        return literal({"nullsafeeq": True, "nullsafeneq": False}.get(name), BOOLEAN)
    a, b = (casts.coerce(side, kind, program) for side in (left, right))
    if name in _NULL_SAFE:
        if kind.kind in ("real", "double"):
            raise Refused(f"IS DISTINCT FROM with {kind}")
        return Bound(f"({a.sql} {_NULL_SAFE[name]} {b.sql})", BOOLEAN, fails=fails)
    if kind.kind in ("real", "double"):
        return program.call(_FLOAT_COMPARE[name], [a, b], BOOLEAN)
    return Bound(f"({a.sql} {_SYMBOLS[name]} {b.sql})", BOOLEAN, fails=fails)


def is_one(numbers: pa.Array) -> pa.Array:
    """A decision back as a boolean."""
    return pc.equal(numbers, 1)


def negative(value: Bound, program: Program) -> Bound:
    if value.type.kind in ("real", "double", "decimal"):
        return program.call(pc.negate, [value], value.type)
    if value.type.kind in INTEGERS:
        return program.call(
            _overflows(pc.negate_checked), [value], value.type, fails=True, key="neg"
        )
    raise Refused(f"minus {value.type}")


def arithmetic(name: str, left: Bound, right: Bound, program: Program) -> Bound:
    """+, -, *, / and % of two numbers."""
    if left.type.kind not in NUMBERS or right.type.kind not in NUMBERS:
        raise Refused(f"{name.upper()} of {left.type} and {right.type}")
    kind = common(left.type, right.type)
    if kind is not None and kind.kind == "double":
        return _native(_DOUBLE[name], left, right, kind, program, f"double {name}", fails=False)
    if kind is not None and kind.kind in INTEGERS:
        return _native(_INTEGER[name], left, right, kind, program, f"integer {name}", fails=True)
    if "decimal" in (left.type.kind, right.type.kind) and "real" not in (
        left.type.kind,
        right.type.kind,
    ):
        return _decimals(name, left, right, program)
    raise Refused(f"{name.upper()} of {left.type} and {right.type}")


def _native(
    run: Callable[..., pa.Array],
    left: Bound,
    right: Bound,
    kind: Type,
    program: Program,
    key: str,
    fails: bool,
) -> Bound:
    args = [casts.coerce(side, kind, program) for side in (left, right)]
    return program.call(run, args, kind, fails=fails, key=key)


def _overflows(run: Callable[..., pa.Array]) -> Callable[..., pa.Array]:
    """Arrow's checked arithmetic with Trino's names for its errors."""

    def checked(*arrays: pa.Array) -> pa.Array:
        try:
            return run(*arrays)
        except pa.ArrowInvalid as error:
            zero = "zero" in str(error)
            raise TrinoError("DIVISION_BY_ZERO" if zero else "NUMERIC_VALUE_OUT_OF_RANGE") from None

    return checked


def _integer_rest(a: pa.Array, b: pa.Array) -> pa.Array:
    if pc.any(pc.and_(pc.equal(b, 0), pc.is_valid(a))).as_py():
        raise TrinoError("DIVISION_BY_ZERO")
    safe = pc.if_else(pc.equal(b, -1), pa.scalar(1, b.type), b)  # the least integer % -1 is 0
    quotient = pc.divide(a, safe)
    return pc.subtract(a, pc.multiply(quotient, safe))


def _double_rest(a: pa.Array, b: pa.Array) -> pa.Array:
    with np.errstate(all="ignore"):
        rest = np.fmod(a.to_numpy(zero_copy_only=False), b.to_numpy(zero_copy_only=False))
    return pc.if_else(pc.and_(a.is_valid(), b.is_valid()), pa.array(rest), None)


_INTEGER: dict[str, Callable[..., pa.Array]] = {
    "add": _overflows(pc.add_checked),
    "sub": _overflows(pc.subtract_checked),
    "mul": _overflows(pc.multiply_checked),
    "div": _overflows(pc.divide_checked),
    "mod": _integer_rest,
}
_DOUBLE: dict[str, Callable[..., pa.Array]] = {
    "add": pc.add,
    "sub": pc.subtract,
    "mul": pc.multiply,
    "div": pc.divide,
    "mod": _double_rest,
}


def _decimals(name: str, left: Bound, right: Bound, program: Program) -> Bound:
    (p1, s1), (p2, s2) = (as_decimal(side.type).args for side in (left, right))
    scale = s1 + s2 if name == "mul" else max(s1, s2)
    precision = {
        "add": max(p1 - s1, p2 - s2) + scale + 1,
        "sub": max(p1 - s1, p2 - s2) + scale + 1,
        "mul": p1 + p2,
        "div": p1 + s2 + max(s2 - s1, 0),
        "mod": min(p1 - s1, p2 - s2) + scale,
    }[name]
    if precision > 38:
        raise Refused(f"{name.upper()} of {left.type} and {right.type}: more than 38 digits")
    kind = decimal(max(precision, 1), scale)
    args = [casts.coerce(side, as_decimal(side.type), program) for side in (left, right)]
    run = _rowwise(_DECIMAL[name], scale, arrow(kind))
    return program.call(run, args, kind, fails=True, key=("decimal", name, kind))


def _rowwise(
    operation: Callable[[Decimal, Decimal], Decimal], scale: int, output: pa.DataType
) -> Callable[..., pa.Array]:
    """Decimals are rare and small; each pair is computed by Python's exact decimals."""

    def one(a: Any, b: Any) -> Decimal | None:
        if a is None or b is None:
            return None
        with localcontext() as context:
            context.prec = 120
            return operation(a, b).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)

    def run(a: pa.Array, b: pa.Array) -> pa.Array:
        try:
            pairs = zip(a.to_pylist(), b.to_pylist(), strict=True)
            return pa.array([one(x, y) for x, y in pairs], output)
        except pa.ArrowInvalid:
            raise TrinoError("NUMERIC_VALUE_OUT_OF_RANGE") from None

    return run


def _divided(a: Decimal, b: Decimal) -> Decimal:
    if not b:
        raise TrinoError("DIVISION_BY_ZERO")
    return a / b


def _rest(a: Decimal, b: Decimal) -> Decimal:
    if not b:
        raise TrinoError("DIVISION_BY_ZERO")
    return a % b  # of the dividend's sign, as in Trino


_DECIMAL: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": _divided,
    "mod": _rest,
}
