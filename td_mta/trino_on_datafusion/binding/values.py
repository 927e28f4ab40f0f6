"""Literals, arithmetic, CASE, casts, calls and arrays."""

import re
from collections.abc import Callable
from decimal import Decimal

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion import casts, operators
from td_mta.trino_on_datafusion.binding.expressions import (
    NODES,
    PARTS,
    Scope,
    bind,
    common_type,
    condition,
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


def _literal(node: exp.Literal, scope: Scope) -> Bound:
    text = node.this
    if node.is_string:
        return literal(text, varchar(len(text)))
    if "e" in text.lower():
        if not re.fullmatch(r"[0-9.]+[eE][-+]?[0-9]+", text):
            raise Refused(f"{text!r}: put blanks around the operator")  # the parser reads on
        return literal(float(text), DOUBLE)
    if "." in text:
        whole, fraction = text.split(".")
        precision = max(len(whole.lstrip("0")) + len(fraction), 1)
        return literal(Decimal(text), decimal(precision, len(fraction)))
    return _integer(int(text), node)


def _integer(number: int, node: exp.Expression) -> Bound:
    if -(2**31) <= number < 2**31:
        return literal(number, INTEGER)
    if -(2**63) <= number < 2**63:
        return literal(number, BIGINT)
    raise Refused(f"the number {node.sql()}, which is no bigint")


def _negative(node: exp.Neg, scope: Scope) -> Bound:
    inner = node.args["this"]
    if isinstance(inner, exp.Literal) and inner.is_int:
        return _integer(-int(inner.this), node)
    return operators.negative(bind(inner, scope), scope.program)


def _boolean(node: exp.Boolean, scope: Scope) -> Bound:
    return literal(bool(node.this), BOOLEAN)


def _null(node: exp.Null, scope: Scope) -> Bound:
    return Bound("NULL", UNKNOWN, None)


def _column(node: exp.Column, scope: Scope) -> Bound:
    return scope.column(node)


def _inner(node: exp.Expression, scope: Scope) -> Bound:
    return bind(node.this, scope)


def _arithmetic(node: exp.Binary, scope: Scope) -> Bound:
    left, right = bind(node.args["this"], scope), bind(node.args["expression"], scope)
    return operators.arithmetic(node.key, left, right, scope.program)


def _case(node: exp.Case, scope: Scope) -> Bound:
    subject = bind(node.this, scope) if node.this else None
    branches = [
        (_when(item, subject, scope), bind(item.args["true"], scope)) for item in node.args["ifs"]
    ]
    default = bind(node.args["default"], scope) if node.args.get("default") else None
    return _choice(branches, default, node, scope)


def _when(item: exp.If, subject: Bound | None, scope: Scope) -> Bound:
    if subject is None:
        return condition(item.this, scope)
    value = bind(item.this, scope)
    if value.sql == subject.sql and not value.constant:
        raise Refused(f"{item.sql('trino')!r} of itself: Trino takes NULL for equal to NULL there")
    return operators.compare("eq", subject, value, scope.program)


def _if(node: exp.If, scope: Scope) -> Bound:
    other = bind(node.args["false"], scope) if node.args.get("false") else None
    return _choice(
        [(condition(node.this, scope), bind(node.args["true"], scope))], other, node, scope
    )


def _choice(
    branches: list[tuple[Bound, Bound]],
    default: Bound | None,
    node: exp.Expression,
    scope: Scope,
) -> Bound:
    results = [result for _, result in branches] + ([default] if default else [])
    kind = common_type(results, node)
    cast = [casts.coerce(result, kind, scope.program) for result in results]
    whens = " ".join(
        f"WHEN {test.sql} THEN {result.sql}"
        for (test, _), result in zip(branches, cast, strict=False)
    )
    last = cast[-1].sql if default else literal(None, kind).sql
    fails = any(test.fails or result.fails for test, result in branches) or bool(
        default and default.fails
    )
    return Bound(f"(CASE {whens} ELSE {last} END)", kind, fails=fails)


def _concat(node: exp.DPipe, scope: Scope) -> Bound:
    return calls.call(
        "concat",
        [bind(node.args["this"], scope), bind(node.args["expression"], scope)],
        scope.program,
    )


def _cast(node: exp.Cast, scope: Scope) -> Bound:
    made = casts.cast(bind(node.this, scope), casts.type_of(node.to), scope.program)
    timed = made.type.kind in ("date", "timestamp", "timestamp with time zone")
    if made.error and timed and isinstance(node.this, exp.Literal):
        raise Refused(f"{node.sql('trino')!r}, be it a cast or a literal, which fail differently")
    return made


def _try_cast(node: exp.TryCast, scope: Scope) -> Bound:
    return casts.try_cast(bind(node.this, scope), casts.type_of(node.to), scope.program)


def _call(node: exp.Anonymous, scope: Scope) -> Bound:
    name = node.name.lower()
    if name in ("try", "if") or not calls.known(name):
        if name == "try" and len(node.expressions) == 1:
            return _try(bind(node.expressions[0], scope), node)
        raise Refused(f"function {name}")
    return calls.call(name, [bind(arg, scope) for arg in node.expressions], scope.program)


def _try(inner: Bound, node: exp.Expression) -> Bound:
    if inner.error:
        return literal(None, inner.type)
    if inner.fails:
        raise Refused(f"{node.sql('trino')!r}: TRY around what may fail for some rows")
    return inner


def _named(name: str, *parts: str) -> Callable[[exp.Expression, Scope], Bound]:
    """A node with its own syntax as the function of that name."""

    def bound(node: exp.Expression, scope: Scope) -> Bound:
        given = {part for part, value in node.args.items() if value not in (None, [], False)}
        if not given <= set(parts):
            raise Refused(f"{node.sql('trino')!r}")
        args = [bind(node.args[part], scope) for part in parts if node.args.get(part) is not None]
        return calls.call(name, args, scope.program)

    return bound


def _trim(node: exp.Trim, scope: Scope) -> Bound:
    name = {"": "trim", "BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}[
        str(node.args.get("position") or "").upper()
    ]
    args = [node.this] + ([node.expression] if node.args.get("expression") else [])
    return calls.call(name, [bind(arg, scope) for arg in args], scope.program)


def _extract(node: exp.Extract, scope: Scope) -> Bound:
    field = node.this.name.lower()
    if field not in (
        "year",
        "quarter",
        "month",
        "week",
        "day",
        "hour",
        "minute",
        "second",
        "dow",
        "doy",
    ):
        raise Refused(f"extract({field} from ...)")
    time = bind(node.expression, scope)
    if time.type == UNKNOWN:
        raise Refused(f"{node.sql('trino')!r}")
    return calls.call(field, [time], scope.program)


def _at_time_zone(node: exp.AtTimeZone, scope: Scope) -> Bound:
    args = [bind(node.this, scope), bind(node.args["zone"], scope)]
    return calls.call("at_timezone", args, scope.program)


def _array(node: exp.Array, scope: Scope) -> Bound:
    items = [bind(item, scope) for item in node.expressions]
    kind = common_type(items, node)
    cast = [casts.coerce(item, kind, scope.program).sql for item in items]
    if kind.kind not in COMPARABLE and items:
        raise Refused(f"{node.sql('trino')!r}: an array of {kind}")
    return Bound(f"make_array({', '.join(cast)})", array(kind), fails=any(i.fails for i in items))


def _window(node: exp.Window, scope: Scope) -> Bound:
    return scope.window(node)


NODES.update(
    {
        exp.Literal: _literal,
        exp.Neg: _negative,
        exp.Boolean: _boolean,
        exp.Null: _null,
        exp.Column: _column,
        exp.Paren: _inner,
        exp.Add: _arithmetic,
        exp.Sub: _arithmetic,
        exp.Mul: _arithmetic,
        exp.Div: _arithmetic,
        exp.Mod: _arithmetic,
        exp.Case: _case,
        exp.If: _if,
        exp.DPipe: _concat,
        exp.Cast: _cast,
        exp.TryCast: _try_cast,
        exp.Anonymous: _call,
        exp.Trim: _trim,
        exp.Extract: _extract,
        exp.Substring: _named("substr", "this", "start", "length"),
        exp.StrPosition: _named("strpos", "this", "substr"),
        exp.AtTimeZone: _at_time_zone,
        exp.Array: _array,
        exp.Window: _window,
    }
)
PARTS.update(
    {
        exp.Literal: ("this", "is_string"),
        exp.Column: ("this", "table", "db", "catalog"),
        exp.Div: ("this", "expression", "typed", "safe"),
        exp.DPipe: ("this", "expression", "safe"),
        exp.Case: ("this", "ifs", "default"),
        exp.If: ("this", "true", "false"),
        exp.Cast: ("this", "to"),
        exp.TryCast: ("this", "to", "safe"),
        exp.Anonymous: ("this", "expressions"),
        exp.Trim: ("this", "expression", "position"),
        exp.Substring: ("this", "start", "length"),
        exp.StrPosition: ("this", "substr"),
        exp.AtTimeZone: ("this", "zone"),
        exp.Array: ("expressions",),
        exp.Window: ("this", "partition_by", "order", "spec", "over"),
    }
)
