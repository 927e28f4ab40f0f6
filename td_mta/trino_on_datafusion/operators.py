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
    Kernel,
    TrinoError,
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
    """=, <>, <, <=, >, >=, IS [NOT] DISTINCT FROM, of two values of one common type.

    `name` is sqlglot's: eq, neq, lt, lte, gt, gte, nullsafeeq, nullsafeneq. `Refused` where Trino
    has no comparison of these types, or none that is translated here.
    """
    kind = common(left.type, right.type)
    fails = left.fails or right.fails
    if kind is None or kind.kind not in (*COMPARABLE, "unknown", "varbinary"):
        raise Refused(f"comparing {left.type} with {right.type}: cast them to one type")
    if kind.kind == "unknown":  # NULL with NULL
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
    """The 1 or 0 that a CASE decides, as a boolean."""
    return pc.equal(numbers, 1)


def negative(value: Bound, program: Program) -> Bound:
    """A minus sign; the least integer has no opposite and overflows."""
    if value.type.kind in ("real", "double", "decimal"):
        return program.call(pc.negate, [value], value.type)
    if value.type.kind in INTEGERS:
        kernel = _overflows(pc.negate_checked)
        return program.call(kernel, [value], value.type, fails=True, key="neg")
    raise Refused(f"minus {value.type}")


def arithmetic(name: str, left: Bound, right: Bound, program: Program) -> Bound:
    """+, -, *, / and % of two numbers; `name` is sqlglot's: add, sub, mul, div, mod.

    Of integers the wider type, of decimals Trino's digits; `Refused` for REAL and for times.
    """
    kinds = (left.type.kind, right.type.kind)
    if any(kind not in NUMBERS for kind in kinds):
        raise Refused(f"{name.upper()} of {left.type} and {right.type}")
    kind = common(left.type, right.type)
    if kind is not None and kind.kind == "double":
        args = [casts.coerce(side, kind, program) for side in (left, right)]
        return program.call(_OF_DOUBLES[name], args, kind, key=f"double {name}")
    if kind is not None and kind.kind in INTEGERS:
        args = [casts.coerce(side, kind, program) for side in (left, right)]
        kernel = _OF_INTEGERS[name]
        return program.call(kernel, args, kind, fails=True, key=f"integer {name}")
    if "decimal" in kinds and "real" not in kinds:
        return _decimal_arithmetic(name, left, right, program)
    raise Refused(f"{name.upper()} of {left.type} and {right.type}")


def _overflows(kernel: Kernel) -> Kernel:
    """Arrow's checked arithmetic with Trino's names for its errors."""

    def checked(*arrays: pa.Array) -> pa.Array:
        try:
            return kernel(*arrays)
        except pa.ArrowInvalid as error:
            zero = "zero" in str(
                error
            )  # Arrow has one class for both: "divide by zero", "overflow"
            raise TrinoError("DIVISION_BY_ZERO" if zero else "NUMERIC_VALUE_OUT_OF_RANGE") from None

    return checked


def _integer_remainder(a: pa.Array, b: pa.Array) -> pa.Array:
    if pc.any(pc.and_(pc.equal(b, 0), pc.is_valid(a))).as_py():
        raise TrinoError("DIVISION_BY_ZERO")
    # The least integer divided by -1 would overflow, though its remainder is 0.
    divisor = pc.if_else(pc.equal(b, -1), pa.scalar(1, b.type), b)
    quotient = pc.divide(a, divisor)
    return pc.subtract(a, pc.multiply(quotient, divisor))


def _double_remainder(a: pa.Array, b: pa.Array) -> pa.Array:
    with np.errstate(all="ignore"):
        remainder = np.fmod(a.to_numpy(zero_copy_only=False), b.to_numpy(zero_copy_only=False))
    both = pc.and_(a.is_valid(), b.is_valid())
    return pc.if_else(both, pa.array(remainder), None)


_OF_INTEGERS: dict[str, Kernel] = {
    "add": _overflows(pc.add_checked),
    "sub": _overflows(pc.subtract_checked),
    "mul": _overflows(pc.multiply_checked),
    "div": _overflows(pc.divide_checked),
    "mod": _integer_remainder,
}
_OF_DOUBLES: dict[str, Kernel] = {
    "add": pc.add,
    "sub": pc.subtract,
    "mul": pc.multiply,
    "div": pc.divide,
    "mod": _double_remainder,
}


def _decimal_arithmetic(name: str, left: Bound, right: Bound, program: Program) -> Bound:
    """Precision and scale of the result are those of Trino's documentation, Decimal operators."""
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
    kernel = _row_by_row(_OF_DECIMALS[name], scale, arrow(kind))
    return program.call(kernel, args, kind, fails=True, key=("decimal", name, kind))


def _row_by_row(
    operation: Callable[[Decimal, Decimal], Decimal], scale: int, output: pa.DataType
) -> Kernel:
    """Decimals are rare and small; each pair is computed by Python's exact decimals."""

    def one(a: Any, b: Any) -> Decimal | None:
        if a is None or b is None:
            return None
        with localcontext() as context:
            context.prec = 120  # more digits than the exact result of two decimals of 38 needs
            return operation(a, b).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)

    def kernel(a: pa.Array, b: pa.Array) -> pa.Array:
        try:
            pairs = zip(a.to_pylist(), b.to_pylist(), strict=True)
            return pa.array([one(x, y) for x, y in pairs], output)
        except pa.ArrowInvalid:
            raise TrinoError("NUMERIC_VALUE_OUT_OF_RANGE") from None

    return kernel


def _divided(a: Decimal, b: Decimal) -> Decimal:
    if not b:
        raise TrinoError("DIVISION_BY_ZERO")
    return a / b


def _remainder(a: Decimal, b: Decimal) -> Decimal:
    if not b:
        raise TrinoError("DIVISION_BY_ZERO")
    return a % b  # of the dividend's sign, as in Trino


_OF_DECIMALS: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": _divided,
    "mod": _remainder,
}
