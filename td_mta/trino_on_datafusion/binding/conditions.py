"""Comparison, AND, OR, NOT, IN, BETWEEN, LIKE and EXISTS, with Trino's three truth values."""

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion import operators
from td_mta.trino_on_datafusion.binding.expressions import NODES, PARTS, Scope, bind, condition
from td_mta.trino_on_datafusion.functions import calls
from td_mta.trino_on_datafusion.program import Bound, arrow_cast, literal
from td_mta.trino_on_datafusion.types import BOOLEAN, INTEGER

_JOINABLE = ("boolean", "tinyint", "smallint", "integer", "bigint", "varchar", "date")


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
    items = [bind(item, scope) for item in node.expressions]
    if len(items) > 2 and any(item.constant and item.value is None for item in items):
        raise Refused(
            f"{node.sql('trino')!r}: Trino 476 mistakes NULL in a longer list for a value"
        )
    tests = [operators.compare("eq", value, item, scope.program) for item in items]
    sql = " OR ".join(test.sql for test in tests)
    return Bound(f"({sql})", BOOLEAN, fails=any(test.fails for test in tests))


def _in_query(value: Bound, node: exp.In, scope: Scope) -> Bound:
    """As one of WHERE's conditions: elsewhere DataFusion takes its NULL for false."""
    if not _stands_in_where(node):
        raise Refused(f"{node.sql('trino')!r} other than as a condition of WHERE")
    before = scope.program.outer_names
    sql, types = scope.query(node.args["query"].this)
    if scope.program.outer_names > before and isinstance(node.parent, exp.Not):
        raise Refused(f"{node.sql('trino')!r}: NOT IN with a column of the query around")
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


def _like(node: exp.Like, scope: Scope, escape: Bound | None = None) -> Bound:
    args = [bind(node.this, scope), bind(node.expression, scope)]
    found = calls.call("$like", args + ([escape] if escape else []), scope.program)
    return _negated(found) if node.args.get("negate") else found


def _escape(node: exp.Escape, scope: Scope) -> Bound:
    if not isinstance(node.this, exp.Like):
        raise Refused(f"{node.sql('trino')!r}")
    return _like(node.this, scope, bind(node.expression, scope))


NODES.update(
    {
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
        exp.Like: _like,
        exp.Escape: _escape,
    }
)
PARTS.update(
    {
        exp.Between: ("this", "low", "high"),
        exp.In: ("this", "expressions", "query"),
        exp.Like: ("this", "expression", "negate"),
    }
)
