"""Trino's expressions to DataFusion's, node by node: what has no entry in `NODES` is refused.

Every node gets a Trino type first; where DataFusion's own operator means the same for these types
it is used, otherwise a vectorised function. Names are resolved by the scope.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.warehouse.trino import calls, casts, operators
from td_mta.warehouse.trino.program import Bound, Program, arrow_cast, literal
from td_mta.warehouse.trino.relations import only
from td_mta.warehouse.trino.types import (
    BIGINT,
    BOOLEAN,
    COMPARABLE,
    DOUBLE,
    INTEGER,
    UNKNOWN,
    Type,
    array,
    common,
    decimal,
    varchar,
)


class Scope(Protocol):
    """What names mean at one place of a query, and what else only the query knows."""

    program: Program

    def column(self, node: exp.Column) -> Bound: ...

    def query(self, node: exp.Expression) -> tuple[str, list[Type]]: ...

    def replaced(self, node: exp.Expression) -> Bound | None: ...

    def aggregate(self, node: exp.Expression) -> Bound | None: ...

    def window(self, node: exp.Window) -> Bound: ...


def bind(node: exp.Expression, scope: Scope) -> Bound:
    """The DataFusion text of an expression, with its Trino type."""
    found = scope.replaced(node) or scope.aggregate(node)
    if found is not None:
        return found
    handler = NODES.get(type(node))
    if handler is None:
        raise Refused(f"{node.key.upper()} in {node.sql('trino')!r}")
    only(node, *PARTS.get(type(node), ("this", "expression")))
    return handler(node, scope)


def condition(node: exp.Expression, scope: Scope) -> Bound:
    """An expression that must be boolean."""
    bound = bind(node, scope)
    if bound.type == UNKNOWN:
        return literal(None, BOOLEAN)
    if bound.type != BOOLEAN:
        raise Refused(f"{node.sql('trino')!r} is {bound.type}, a condition was wanted")
    return bound


def _literal(node: exp.Literal, scope: Scope) -> Bound:
    text = node.this
    if node.is_string:
        return literal(text, varchar(len(text)))
    if "e" in text.lower():
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


def _comparison(node: exp.Binary, scope: Scope) -> Bound:
    left, right = bind(node.args["this"], scope), bind(node.args["expression"], scope)
    return operators.compare(node.key, left, right, scope.program)


def _not(node: exp.Not, scope: Scope) -> Bound:
    return _negated(condition(node.this, scope))


def _negated(inner: Bound) -> Bound:
    return Bound(f"(NOT {inner.sql})", BOOLEAN, fails=inner.fails, error=inner.error)


def _connective(node: exp.Connector, scope: Scope) -> Bound:
    """AND, OR. Trino leaves out the right side where the left decides: it must not fail there."""
    left, right = condition(node.args["this"], scope), condition(node.args["expression"], scope)
    word = node.key.upper()
    sql = f"({left.sql} {word} {right.sql})"
    if not right.fails:
        return Bound(sql, BOOLEAN, fails=left.fails)
    decides = "false" if word == "AND" else "true"
    number = literal(int(word == "OR"), INTEGER)
    whole = arrow_cast(sql, INTEGER)  # a CASE of booleans would be turned into AND and OR again
    case = f"(CASE WHEN {left.sql} IS {decides} THEN {number.sql} ELSE {whole} END)"
    decided = Bound(case, INTEGER, fails=True)
    return scope.program.call(operators.is_one, [decided], BOOLEAN, fails=True)


def _is(node: exp.Is, scope: Scope) -> Bound:
    if not isinstance(node.expression, exp.Null):
        raise Refused(f"{node.sql('trino')!r}: only IS [NOT] NULL")
    inner = bind(node.this, scope)
    return Bound(f"({inner.sql} IS NULL)", BOOLEAN, fails=inner.fails)


def _between(node: exp.Between, scope: Scope) -> Bound:
    value, low, high = (bind(node.args[name], scope) for name in ("this", "low", "high"))
    lower = operators.compare("gte", value, low, scope.program)
    upper = operators.compare("lte", value, high, scope.program)
    return Bound(f"({lower.sql} AND {upper.sql})", BOOLEAN, fails=lower.fails or upper.fails)


def _in(node: exp.In, scope: Scope) -> Bound:
    value = bind(node.this, scope)
    if node.args.get("query") is not None:
        return _in_query(value, node, scope)
    if node.args.get("unnest") is not None or node.args.get("field") is not None:
        raise Refused(f"{node.sql('trino')!r}")
    tests = [
        operators.compare("eq", value, bind(item, scope), scope.program)
        for item in node.expressions
    ]
    sql = " OR ".join(test.sql for test in tests)
    return Bound(f"({sql})", BOOLEAN, fails=any(test.fails for test in tests))


def _in_query(value: Bound, node: exp.In, scope: Scope) -> Bound:
    """As one of WHERE's conditions: elsewhere DataFusion takes its NULL for false."""
    if not _stands_in_where(node):
        raise Refused(f"{node.sql('trino')!r} other than as a condition of WHERE")
    sql, types = scope.query(node.args["query"].this)
    if len(types) != 1 or value.type.kind != types[0].kind or value.type.kind not in _JOINABLE:
        raise Refused(f"{node.sql('trino')!r}: IN (query) needs one column of the same type")
    return Bound(f"({value.sql} IN ({sql}))", BOOLEAN, fails=value.fails)


def _stands_in_where(node: exp.Expression) -> bool:
    place = node.parent
    while isinstance(place, exp.Paren):
        place = place.parent
    if isinstance(place, exp.Not):
        place = place.parent
    while isinstance(place, exp.Paren | exp.And):
        place = place.parent
    return isinstance(place, exp.Where)


_JOINABLE = ("boolean", "tinyint", "smallint", "integer", "bigint", "varchar", "date")


def _exists(node: exp.Exists, scope: Scope) -> Bound:
    sql, _ = scope.query(node.this)
    return Bound(f"(EXISTS ({sql}))", BOOLEAN)


def _scalar_query(node: exp.Subquery, scope: Scope) -> Bound:
    sql, types = scope.query(node.this)
    if len(types) != 1 or not _at_most_one_row(node.this):
        raise Refused(
            f"{node.sql('trino')!r}: a query as a value must be one aggregate without GROUP BY"
        )
    return Bound(f"({sql})", types[0])


def _at_most_one_row(query: exp.Expression) -> bool:
    if not isinstance(query, exp.Select) or query.args.get("group") or query.args.get("having"):
        return False
    return all(calls.is_aggregate(item.unalias()) for item in query.expressions)


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
    return operators.compare("eq", subject, bind(item.this, scope), scope.program)


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


def common_type(bounds: list[Bound], node: exp.Expression) -> Type:
    """The one type that all turn into."""
    kind: Type | None = UNKNOWN
    for bound in bounds:
        kind = kind and common(kind, bound.type)
    if kind is None:
        names = ", ".join(str(bound.type) for bound in bounds)
        raise Refused(f"{node.sql('trino')!r} mixes {names}")
    return kind


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
    return calls.call(field, [bind(node.expression, scope)], scope.program)


def _at_time_zone(node: exp.AtTimeZone, scope: Scope) -> Bound:
    args = [bind(node.this, scope), bind(node.args["zone"], scope)]
    return calls.call("at_timezone", args, scope.program)


def _like(node: exp.Like, scope: Scope, escape: Bound | None = None) -> Bound:
    args = [bind(node.this, scope), bind(node.expression, scope)]
    found = calls.call("$like", args + ([escape] if escape else []), scope.program)
    return _negated(found) if node.args.get("negate") else found


def _escape(node: exp.Escape, scope: Scope) -> Bound:
    if not isinstance(node.this, exp.Like):
        raise Refused(f"{node.sql('trino')!r}")
    return _like(node.this, scope, bind(node.expression, scope))


def _array(node: exp.Array, scope: Scope) -> Bound:
    items = [bind(item, scope) for item in node.expressions]
    kind = common_type(items, node)
    cast = [casts.coerce(item, kind, scope.program).sql for item in items]
    if kind.kind not in COMPARABLE:
        raise Refused(f"{node.sql('trino')!r}: an array of {kind}")
    return Bound(f"make_array({', '.join(cast)})", array(kind), fails=any(i.fails for i in items))


def _window(node: exp.Window, scope: Scope) -> Bound:
    return scope.window(node)


NODES: dict[type[exp.Expression], Callable[..., Bound]] = {
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
    exp.EQ: _comparison,
    exp.NEQ: _comparison,
    exp.LT: _comparison,
    exp.LTE: _comparison,
    exp.GT: _comparison,
    exp.GTE: _comparison,
    exp.NullSafeEQ: _comparison,
    exp.NullSafeNEQ: _comparison,
    exp.Not: _not,
    exp.And: _connective,
    exp.Or: _connective,
    exp.Is: _is,
    exp.Between: _between,
    exp.In: _in,
    exp.Exists: _exists,
    exp.Subquery: _scalar_query,
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
    exp.Like: _like,
    exp.Escape: _escape,
    exp.Array: _array,
    exp.Window: _window,
}
# What a node may hold beside `this` and `expression`; any other part of it is refused.
PARTS: dict[type[exp.Expression], tuple[str, ...]] = {
    exp.Literal: ("this", "is_string"),
    exp.Column: ("this", "table", "db", "catalog"),
    exp.Div: ("this", "expression", "typed", "safe"),
    exp.DPipe: ("this", "expression", "safe"),
    exp.Between: ("this", "low", "high"),
    exp.In: ("this", "expressions", "query"),
    exp.Case: ("this", "ifs", "default"),
    exp.If: ("this", "true", "false"),
    exp.Cast: ("this", "to"),
    exp.TryCast: ("this", "to", "safe"),
    exp.Anonymous: ("this", "expressions"),
    exp.Trim: ("this", "expression", "position"),
    exp.Substring: ("this", "start", "length"),
    exp.StrPosition: ("this", "substr"),
    exp.AtTimeZone: ("this", "zone"),
    exp.Like: ("this", "expression", "negate"),
    exp.Array: ("expressions",),
    exp.Window: ("this", "partition_by", "order", "spec", "over"),
}
