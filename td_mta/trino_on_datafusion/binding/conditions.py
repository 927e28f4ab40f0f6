"""Comparison, AND, OR, NOT, IN, BETWEEN, LIKE and EXISTS, with Trino's three truth values.

Each function takes a syntax node and the scope of its names; `nodes.py` lists which node it binds.
"""

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion import casts, constants, operators
from td_mta.trino_on_datafusion.binding.expressions import Scope, bind, condition, operands
from td_mta.trino_on_datafusion.functions import calls
from td_mta.trino_on_datafusion.functions.aggregate_names import is_aggregate
from td_mta.trino_on_datafusion.program import Bound, arrow_cast, balanced, literal
from td_mta.trino_on_datafusion.types import BOOLEAN, INTEGER, common_of

# The types by whose values DataFusion joins the rows of `x IN (query)` as Trino compares them.
_JOINABLE = ("boolean", "tinyint", "smallint", "integer", "bigint", "varchar", "date")

_FEW = 10  # values of IN that are compared one by one


def comparison(node: exp.Binary, scope: Scope) -> Bound:
    """=, <>, <, <=, >, >= and IS [NOT] DISTINCT FROM."""
    left = bind(node.args["this"], scope)
    right = bind(node.args["expression"], scope)
    return operators.compare(node.key, left, right, scope.program)


def negation(node: exp.Not, scope: Scope) -> Bound:
    """NOT; of NULL it is NULL."""
    return _negated(condition(node.this, scope))


def _negated(inner: Bound) -> Bound:
    return Bound(f"(NOT {inner.sql})", BOOLEAN, fails=inner.fails, error=inner.error)


def connective(node: exp.Connector, scope: Scope) -> Bound:
    """AND, OR. Trino leaves out the right side where the left decides: it must not fail there."""
    first, *others = (condition(operand, scope) for operand in operands(node, scope))
    if not any(other.fails for other in others):
        sql = balanced(node.key.upper(), [first.sql, *(other.sql for other in others)])
        return Bound(sql, BOOLEAN, fails=first.fails)
    *before, rest = first, *others
    for left in reversed(before):
        rest = _decided(node.key.upper(), left, rest, scope)
    return rest


def _decided(word: str, left: Bound, right: Bound, scope: Scope) -> Bound:
    """One AND or OR, whose right side counts where the left does not decide."""
    sql = f"({left.sql} {word} {right.sql})"
    if not right.fails:
        return Bound(sql, BOOLEAN, fails=left.fails)
    deciding = "false" if word == "AND" else "true"
    decided = literal(int(word == "OR"), INTEGER)
    both = arrow_cast(sql, INTEGER)  # DataFusion would turn a CASE of booleans into AND and OR
    case = f"(CASE WHEN {left.sql} IS {deciding} THEN {decided.sql} ELSE {both} END)"
    one_or_zero = Bound(case, INTEGER, fails=True)
    return scope.program.call(operators.is_one, [one_or_zero], BOOLEAN, fails=True)


def is_null(node: exp.Is, scope: Scope) -> Bound:
    """IS NULL; sqlglot writes IS NOT NULL as a NOT around it."""
    if not isinstance(node.expression, exp.Null):
        raise Refused(f"{node.sql('trino')!r}: supported is IS [NOT] NULL")
    inner = bind(node.this, scope)
    return Bound(f"({inner.sql} IS NULL)", BOOLEAN, fails=inner.fails)


def between(node: exp.Between, scope: Scope) -> Bound:
    """BETWEEN as the two comparisons that it stands for."""
    value, low, high = (bind(node.args[name], scope) for name in ("this", "low", "high"))
    lower = operators.compare("gte", value, low, scope.program)
    upper = operators.compare("lte", value, high, scope.program)
    return Bound(f"({lower.sql} AND {upper.sql})", BOOLEAN, fails=lower.fails or upper.fails)


def membership(node: exp.In, scope: Scope) -> Bound:
    """IN of a list, as comparisons joined by OR, or of a query."""
    value = bind(node.this, scope)
    if node.args.get("query") is not None:
        return _in_query(value, node, scope)
    if node.args.get("unnest") is not None or node.args.get("field") is not None:
        raise Refused(f"{node.sql('trino')!r}: IN of anything but a list or a query")
    items = [bind(item, scope) for item in node.expressions]
    has_null = any(item.constant and item.value is None for item in items)
    if len(items) > 2 and has_null:
        raise Refused(
            f"{node.sql('trino')!r}: Trino 476 mistakes NULL in a longer list for a value"
        )
    if listed := _listed(value, items, scope):
        return listed
    tests = [operators.compare("eq", value, item, scope.program) for item in items]
    sql = balanced("OR", [test.sql for test in tests])
    return Bound(sql, BOOLEAN, fails=any(test.fails for test in tests))


def _listed(value: Bound, items: list[Bound], scope: Scope) -> Bound | None:
    """IN of a longer list of constants as the engine's own; None for any other list."""
    if len(items) <= _FEW or not all(item.constant and not item.error for item in items):
        return None
    kind = common_of(bound.type for bound in (value, *items))
    if kind is None or kind.kind not in _JOINABLE:
        return None
    first = casts.coerce(value, kind, scope.program).sql
    others = ", ".join(literal(item.value, kind).sql for item in items)
    return Bound(f"({first} IN ({others}))", BOOLEAN, fails=value.fails)


def _in_query(value: Bound, node: exp.In, scope: Scope) -> Bound:
    """As one of WHERE's conditions: elsewhere DataFusion takes its NULL for false."""
    if not _stands_in_where(node):
        raise Refused(f"{node.sql('trino')!r} other than as a condition of WHERE")
    query = scope.query(node.args["query"].this)
    is_negated = isinstance(_outside_parentheses(node), exp.Not)
    if query.correlated and is_negated:
        raise Refused(
            f"{node.sql('trino')!r}: NOT IN of a query that names a column of the outer query"
        )
    if is_negated and (value.constant or not value.sql.isidentifier()):
        # Of a constant the engine forgets the NULLs of the query, also of what it makes constant.
        raise Refused(f"{node.sql('trino')!r}: NOT IN (query) of anything but a column")
    kinds = [kind.kind for kind in query.types]
    if kinds != [value.type.kind] or value.type.kind not in _JOINABLE:
        raise Refused(f"{node.sql('trino')!r}: IN (query) needs one column of the same type")
    if value.fails:
        raise Refused(
            f"{node.sql('trino')!r}: IN (query) of an expression that may fail: make it a "
            "column of a query in FROM"
        )
    return Bound(f"({value.sql} IN ({query.sql}))", BOOLEAN)


def _outside_parentheses(node: exp.Expression) -> exp.Expr | None:
    ancestor = node.parent
    while isinstance(ancestor, exp.Paren):
        ancestor = ancestor.parent
    return ancestor


def _stands_in_where(node: exp.Expression) -> bool:
    """Whether a node, or its NOT, is one of the conditions that AND joins in WHERE."""
    ancestor = _outside_parentheses(node)
    if isinstance(ancestor, exp.Not):
        ancestor = ancestor.parent
    while isinstance(ancestor, exp.Paren | exp.And):
        ancestor = ancestor.parent
    return isinstance(ancestor, exp.Where)


def exists(node: exp.Exists, scope: Scope) -> Bound:
    """EXISTS (query), which is never NULL."""
    return Bound(f"(EXISTS ({scope.query(node.this).sql}))", BOOLEAN)


def scalar_query(node: exp.Subquery, scope: Scope) -> Bound:
    """A query as a value: Trino fails where it has several rows, DataFusion would not."""
    query = scope.query(node.this)
    rows = constants.rows(node.this, query, scope.context)
    has_one_row = _has_one_row(node.this) if rows is None else len(rows) < 2
    if len(query.types) != 1 or not has_one_row:
        raise Refused(
            f"{node.sql('trino')!r}: a query as a value must be one aggregate without GROUP BY"
        )
    value = Bound(f"({query.sql})", query.types[0])
    return value if rows is None else constants.bound(value, rows)


def _has_one_row(query: exp.Expression) -> bool:
    if not isinstance(query, exp.Select) or query.args.get("group") or query.args.get("having"):
        return False
    return all(is_aggregate(item.unalias()) for item in query.expressions)


def like(node: exp.Like, scope: Scope) -> Bound:
    """[NOT] LIKE without ESCAPE."""
    return _like(node, scope)


def like_with_escape(node: exp.Escape, scope: Scope) -> Bound:
    """[NOT] LIKE ... ESCAPE: sqlglot puts the ESCAPE around the LIKE."""
    if not isinstance(node.this, exp.Like):
        raise Refused(f"{node.sql('trino')!r}: ESCAPE after anything but LIKE")
    escape = bind(node.expression, scope)
    return _like(node.this, scope, escape)


def _like(node: exp.Like, scope: Scope, *escape: Bound) -> Bound:
    text, pattern = bind(node.this, scope), bind(node.expression, scope)
    matches = calls.call("$like", [text, pattern, *escape], scope.program)
    return _negated(matches) if node.args.get("negate") else matches
