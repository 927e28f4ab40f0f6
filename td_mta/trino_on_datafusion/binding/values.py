"""Literals, arithmetic, CASE, casts, calls and arrays.

Each function takes a syntax node and the scope of its names; `nodes.py` lists which node it binds.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion import casts, operators
from td_mta.trino_on_datafusion.binding.expressions import (
    Scope,
    bind,
    common_type,
    condition,
    operands,
)
from td_mta.trino_on_datafusion.functions import calls
from td_mta.trino_on_datafusion.program import Bound, literal
from td_mta.trino_on_datafusion.types import (
    BIGINT,
    BOOLEAN,
    COMPARABLE,
    DOUBLE,
    INTEGER,
    UNKNOWN,
    array,
    decimal,
    varchar,
)

# What EXTRACT(field FROM time) may name; each is a function of the registry too.
_EXTRACTED = (
    "year", "quarter", "month", "week", "day", "hour", "minute", "second", "dow", "doy",
)  # fmt: skip
_ESCAPED = re.compile(r"\\(?:([0-9A-Fa-f]{4})|\+([0-9A-Fa-f]{6})|.|$)", re.DOTALL)
_TRIM_FUNCTIONS = {"": "trim", "BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}


def unicode_text(node: exp.UnicodeString, scope: Scope) -> Bound:
    """U&'...', in which \\00A0 is a letter by its number, and \\+01F642 one of six digits."""
    text = str(node.this)
    if node.args.get("escape"):
        raise Refused("UESCAPE: the escape of U&'...' is a backslash here")
    decoded = _ESCAPED.sub(_letter, text)
    return literal(decoded, varchar(len(decoded)))


def _letter(escape: re.Match[str]) -> str:
    number = escape[1] or escape[2]
    if number is None and escape[0] != "\\\\":
        raise Refused(f"{escape[0]} in U&'...': \\0041 or \\+000041 is supported")
    return "\\" if number is None else chr(int(number, 16))


def constant(node: exp.Literal, scope: Scope) -> Bound:
    """A text or a number, with the type that Trino gives to its digits: 1.50 is decimal(3, 2)."""
    text = node.this
    if node.is_string:
        return literal(text, varchar(len(text)))
    if "e" in text.lower():
        # sqlglot reads `1e0+1` as one number
        if not re.fullmatch(r"[0-9.]+[eE][-+]?[0-9]+", text):
            raise Refused(f"{text!r}: put spaces around the operator")
        return literal(float(text), DOUBLE)
    if "." in text:
        integer_digits, fraction = text.split(".")
        precision = max(len(integer_digits.lstrip("0")) + len(fraction), 1)
        return literal(Decimal(text), decimal(precision, len(fraction)))
    return _integer(int(text), node)


def _integer(number: int, node: exp.Expression) -> Bound:
    if -(2**31) <= number < 2**31:
        return literal(number, INTEGER)
    if -(2**63) <= number < 2**63:
        return literal(number, BIGINT)
    raise Refused(f"the number {node.sql()}, which is outside the range of bigint")


def minus(node: exp.Neg, scope: Scope) -> Bound:
    """A minus sign: -9223372036854775808 is one bigint, though its digits alone are none."""
    inner = node.args["this"]
    if isinstance(inner, exp.Literal) and inner.is_int:
        return _integer(-int(inner.this), node)
    return operators.negative(bind(inner, scope), scope.program)


def true_or_false(node: exp.Boolean, scope: Scope) -> Bound:
    """TRUE, FALSE."""
    return literal(bool(node.this), BOOLEAN)


def null(node: exp.Null, scope: Scope) -> Bound:
    """NULL, whose type is unknown until something else decides it."""
    return Bound("NULL", UNKNOWN, None)


def column(node: exp.Column, scope: Scope) -> Bound:
    """A column's name, which the scope looks up."""
    return scope.column(node)


def parenthesised(node: exp.Paren, scope: Scope) -> Bound:
    """(expression): the translated text has parentheses of its own."""
    return bind(node.this, scope)


def arithmetic(node: exp.Binary, scope: Scope) -> Bound:
    """+, -, *, / and %."""
    left = bind(node.args["this"], scope)
    right = bind(node.args["expression"], scope)
    return operators.arithmetic(node.key, left, right, scope.program)


class _Branch(NamedTuple):
    """One WHEN of a CASE."""

    test: Bound
    result: Bound


def case(node: exp.Case, scope: Scope) -> Bound:
    """CASE with or without a subject."""
    subject = bind(node.this, scope) if node.this else None
    branches = [
        _Branch(_when(item, subject, scope), bind(item.args["true"], scope))
        for item in node.args["ifs"]
    ]
    default = bind(node.args["default"], scope) if node.args.get("default") else None
    return _choice(branches, default, node, scope)


def _when(item: exp.If, subject: Bound | None, scope: Scope) -> Bound:
    if subject is None:
        return condition(item.this, scope)
    value = bind(item.this, scope)
    if value.sql == subject.sql and not value.constant:
        raise Refused(
            f"{item.sql('trino')!r} compared with itself: there Trino takes NULL for equal to NULL"
        )
    return operators.compare("eq", subject, value, scope.program)


def if_then_else(node: exp.If, scope: Scope) -> Bound:
    """IF(condition, value[, other])."""
    default = bind(node.args["false"], scope) if node.args.get("false") else None
    branch = _Branch(condition(node.this, scope), bind(node.args["true"], scope))
    return _choice([branch], default, node, scope)


def _choice(
    branches: list[_Branch], default: Bound | None, node: exp.Expression, scope: Scope
) -> Bound:
    results = [branch.result for branch in branches] + ([default] if default else [])
    kind = common_type(results, node)
    converted = [casts.coerce(result, kind, scope.program) for result in results]
    last = converted.pop().sql if default else literal(None, kind).sql
    whens = [
        f"WHEN {branch.test.sql} THEN {result.sql}"
        for branch, result in zip(branches, converted, strict=True)
    ]
    fails = any(part.fails for part in (*(branch.test for branch in branches), *results))
    return Bound(f"(CASE {' '.join(whens)} ELSE {last} END)", kind, fails=fails)


def concatenation(node: exp.DPipe, scope: Scope) -> Bound:
    """||, which is the function concat."""
    parts = [bind(operand, scope) for operand in operands(node, scope)]
    return calls.call("concat", parts, scope.program)


def cast(node: exp.Cast, scope: Scope) -> Bound:
    """CAST, and DATE '...' or TIMESTAMP '...', which sqlglot writes as casts too."""
    inner = bind(node.this, scope)
    bound = casts.cast(inner, casts.type_of(node.to), scope.program)
    is_time = bound.type.kind in ("date", "timestamp", "timestamp with time zone")
    if bound.error and is_time and isinstance(node.this, exp.Literal):
        raise Refused(
            f"{node.sql('trino')!r}: no such time; a cast and a literal fail differently in Trino"
        )
    return bound


def try_cast(node: exp.TryCast, scope: Scope) -> Bound:
    """TRY_CAST: NULL where CAST would fail."""
    return casts.try_cast(bind(node.this, scope), casts.type_of(node.to), scope.program)


def function_call(node: exp.Anonymous, scope: Scope) -> Bound:
    """The call of a scalar function; aggregates come before, by the scope."""
    name = node.name.lower()
    if name == "try" and len(node.expressions) == 1:
        return _try(bind(node.expressions[0], scope), node)
    if name in ("try", "if") or not calls.known(name):
        raise Refused(f"function {name}")
    args = [bind(arg, scope) for arg in node.expressions]
    return calls.call(name, args, scope.program)


def _try(inner: Bound, node: exp.Expression) -> Bound:
    if inner.error:
        return literal(None, inner.type)
    if inner.fails:
        raise Refused(
            f"{node.sql('trino')!r}: TRY around an expression that may fail for some rows"
        )
    return inner


def function_named(name: str, *parts: str) -> Callable[[exp.Expression, Scope], Bound]:
    """A node with its own syntax as the call of a function, its arguments in these parts."""

    def bound(node: exp.Expression, scope: Scope) -> Bound:
        args = [bind(node.args[part], scope) for part in parts if node.args.get(part) is not None]
        return calls.call(name, args, scope.program)

    return bound


def trim(node: exp.Trim, scope: Scope) -> Bound:
    """TRIM([LEADING | TRAILING | BOTH] [letters FROM] text)."""
    name = _TRIM_FUNCTIONS[str(node.args.get("position") or "").upper()]
    args = [bind(node.this, scope)]
    if node.args.get("expression"):
        args.append(bind(node.expression, scope))
    return calls.call(name, args, scope.program)


def extract(node: exp.Extract, scope: Scope) -> Bound:
    """EXTRACT(field FROM time), which is the function of that name."""
    field = node.this.name.lower()
    if field not in _EXTRACTED:
        raise Refused(f"extract({field} from ...): supported are {', '.join(_EXTRACTED)}")
    time = bind(node.expression, scope)
    if time.type == UNKNOWN:
        raise Refused(f"{node.sql('trino')!r}: extract from NULL, whose type Trino cannot tell")
    return calls.call(field, [time], scope.program)


def at_time_zone(node: exp.AtTimeZone, scope: Scope) -> Bound:
    """time AT TIME ZONE zone, which is the function at_timezone."""
    args = [bind(node.this, scope), bind(node.args["zone"], scope)]
    return calls.call("at_timezone", args, scope.program)


def array_of(node: exp.Array, scope: Scope) -> Bound:
    """ARRAY[...], all elements of one type."""
    items = [bind(item, scope) for item in node.expressions]
    kind = common_type(items, node)
    elements = [casts.coerce(item, kind, scope.program).sql for item in items]
    if kind.kind not in COMPARABLE and items:
        raise Refused(f"{node.sql('trino')!r}: an array of {kind}")
    fails = any(item.fails for item in items)
    return Bound(f"make_array({', '.join(elements)})", array(kind), fails=fails)


def window(node: exp.Window, scope: Scope) -> Bound:
    """A window function, where the scope has any."""
    return scope.window(node)
