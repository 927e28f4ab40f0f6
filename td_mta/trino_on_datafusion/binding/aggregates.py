"""Aggregate functions: what each takes, DataFusion's text for it, and the type that Trino gives.

Sums of bigints are made in 38 digits, so that they fail where Trino fails; MIN and MAX of doubles
refuse NaN; ARBITRARY is the least value, which is as arbitrary as any and the same in every run.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion import casts
from td_mta.trino_on_datafusion.binding.expressions import Scope, bind, condition
from td_mta.trino_on_datafusion.functions import calls
from td_mta.trino_on_datafusion.kernels import numbers
from td_mta.trino_on_datafusion.program import Bound, Program, arrow_cast
from td_mta.trino_on_datafusion.types import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    INTEGERS,
    ORDERED,
    Type,
    array,
    decimal,
)

Finish = Callable[[Bound], Bound]
MORE: dict[str, Callable[..., "Aggregate"]] = {}  # those of `collected.py`


@dataclass(frozen=True)
class Aggregate:
    """`call` stands before OVER; `finish` turns its result into Trino's type."""

    call: str
    type: Type
    finish: Finish = lambda bound: bound


def aggregate(node: exp.Expression, scope: Scope) -> Aggregate:
    """An aggregate's call, with its FILTER, whose arguments mean what the scope says."""
    where = None
    if isinstance(node, exp.Filter):
        where = condition(node.expression.this, scope).sql
        node = node.this
    name = node.name.lower()
    items, distinct, order = _parts(node)
    if name == "count" and len(items) == 1 and isinstance(items[0], exp.Star) and not distinct:
        return _filtered("count(*)", BIGINT, where)
    args = [bind(item, scope) for item in items]
    if where is not None and any(arg.fails for arg in args):
        raise Refused(f"{name} with FILTER of what may fail: Trino computes it for all rows")
    if len(args) == 0 and name == "count":
        return _filtered("count(*)", BIGINT, where)
    if distinct and name not in ("count", "sum", "array_agg"):
        raise Refused(f"{name}(DISTINCT ...)")
    if order and name != "array_agg":
        raise Refused(f"{name}(... ORDER BY ...)")
    if name == "array_agg":
        return _array_agg(args, order, distinct, where, scope)
    if name in ("max_by", "min_by"):
        return _by(name, args, where, scope.program)
    if name in MORE:
        return MORE[name](args, where, scope.program)
    if len(args) != 1:
        raise Refused(f"{name} with {len(args)} arguments")
    return _ONE[name](args[0], "DISTINCT " if distinct else "", where, scope.program)


def _parts(
    node: exp.Expression,
) -> tuple[list[exp.Expression], bool, list[exp.Ordered]]:
    """Arguments, whether DISTINCT, ORDER BY."""
    items, order, distinct = list(node.expressions), [], False
    if items and isinstance(items[-1], exp.Order):
        order = list(items[-1].expressions)
        items[-1] = items[-1].this
    if items and isinstance(items[0], exp.Distinct):
        if len(items) > 1 or len(items[0].expressions) != 1:
            raise Refused(f"{node.sql('trino')!r}: DISTINCT of several columns")
        distinct, items = True, list(items[0].expressions)
    return items, distinct, order


def _filtered(call: str, kind: Type, where: str | None, finish: Finish | None = None) -> Aggregate:
    text = f"{call} FILTER (WHERE {where})" if where else call
    return Aggregate(text, kind, finish or (lambda bound: bound))


def _count(arg: Bound, distinct: str, where: str | None, program: Program) -> Aggregate:
    if distinct:
        arg = groupable(arg, program)
    return _filtered(f"count({distinct}{arg.sql})", BIGINT, where)


def _sum(arg: Bound, distinct: str, where: str | None, program: Program) -> Aggregate:
    kind = arg.type
    if kind.kind == "bigint":
        wide = decimal(38, 0)
        call = f"sum({distinct}{arrow_cast(arg.sql, wide)})"
        finish = lambda bound: program.call(numbers.bounded_sum, [bound], BIGINT, fails=True)  # noqa: E731
        return Aggregate(_filtered(call, wide, where).call, wide, finish)
    if kind.kind in INTEGERS:
        return _filtered(f"sum({distinct}{arrow_cast(arg.sql, BIGINT)})", BIGINT, where)
    if kind == DOUBLE and not distinct:
        return _filtered(f"sum({arg.sql})", DOUBLE, where)
    if kind.kind == "decimal" and not distinct:
        wide = decimal(38, kind.args[1])
        return _filtered(f"sum({arrow_cast(arg.sql, wide)})", wide, where)
    raise Refused(f"sum({distinct.lower()}{kind})")


def _avg(arg: Bound, distinct: str, where: str | None, program: Program) -> Aggregate:
    if arg.type.kind not in (*INTEGERS, "double"):
        raise Refused(f"avg({arg.type})")
    return _filtered(f"avg({casts.coerce(arg, DOUBLE, program).sql})", DOUBLE, where)


def _extreme(name: str) -> Callable[..., Aggregate]:
    def made(arg: Bound, distinct: str, where: str | None, program: Program) -> Aggregate:
        if arg.type.kind not in ORDERED or arg.type.kind == "real":
            raise Refused(f"{name}({arg.type})")
        return _filtered(f"{name}({_ordered(arg, program).sql})", arg.type, where)

    return made


def _ordered(arg: Bound, program: Program) -> Bound:
    return program.call(numbers.no_nan, [arg], DOUBLE) if arg.type == DOUBLE else arg


def _arbitrary(arg: Bound, distinct: str, where: str | None, program: Program) -> Aggregate:
    if arg.type == BOOLEAN:
        return _filtered(f"bool_or({arg.sql})", BOOLEAN, where)
    return _extreme("min")(arg, distinct, where, program)


def _boolean(name: str) -> Callable[..., Aggregate]:
    def made(arg: Bound, distinct: str, where: str | None, program: Program) -> Aggregate:
        if arg.type != BOOLEAN:
            raise Refused(f"{name}({arg.type})")
        return _filtered(f"{name}({arg.sql})", BOOLEAN, where)

    return made


def _count_if(arg: Bound, distinct: str, where: str | None, program: Program) -> Aggregate:
    if arg.type != BOOLEAN:
        raise Refused(f"count_if({arg.type})")
    return _filtered(f"count(CASE WHEN {arg.sql} THEN 1 END)", BIGINT, where)


def _spread(name: str) -> Callable[..., Aggregate]:
    def made(arg: Bound, distinct: str, where: str | None, program: Program) -> Aggregate:
        if arg.type.kind not in (*INTEGERS, "double"):
            raise Refused(f"{name}({arg.type})")
        return _filtered(f"{name}({casts.coerce(arg, DOUBLE, program).sql})", DOUBLE, where)

    return made


def _by(name: str, args: list[Bound], where: str | None, program: Program) -> Aggregate:
    """max_by, min_by: of several rows with the extreme key the least value, in every run."""
    if len(args) != 2 or args[1].type.kind not in ORDERED or args[0].type.kind not in ORDERED:
        raise Refused(f"{name}({', '.join(str(arg.type) for arg in args)})")
    key = _ordered(args[1], program)
    direction = "DESC" if name == "max_by" else "ASC"
    call = (
        f"first_value({args[0].sql} ORDER BY {key.sql} {direction} NULLS LAST, {args[0].sql} ASC)"
    )
    test = f"{key.sql} IS NOT NULL" + (f" AND {where}" if where else "")
    return _filtered(call, args[0].type, test)


def _array_agg(
    args: list[Bound],
    order: list[exp.Ordered],
    distinct: bool,
    where: str | None,
    scope: Scope,
) -> Aggregate:
    if len(args) != 1 or not order or args[0].type.kind not in ORDERED:
        raise Refused("array_agg without ORDER BY, or of values without an order")
    keys = ", ".join(ordering(item, bind(item.this, scope), scope.program) for item in order)
    if distinct and (len(order) > 1 or bind(order[0].this, scope).sql != args[0].sql):
        raise Refused("array_agg(DISTINCT x ORDER BY ...) by anything but x")
    word = "DISTINCT " if distinct else ""
    return _filtered(f"array_agg({word}{args[0].sql} ORDER BY {keys})", array(args[0].type), where)


def ordering(item: exp.Ordered, bound: Bound, program: Program) -> str:
    """One ORDER BY key; NULLs stand last in both directions unless the query says otherwise."""
    if item.args.get("with_fill") is not None or bound.type.kind not in (*ORDERED, "boolean"):
        raise Refused(f"ORDER BY {item.sql('trino')!r} of type {bound.type}")
    key = program.call(numbers.sort_key, [bound], DOUBLE) if bound.type == DOUBLE else bound
    direction = "DESC" if item.args.get("desc") else "ASC"
    return f"{key.sql} {direction} NULLS {'FIRST' if item.args.get('nulls_first') else 'LAST'}"


def groupable(bound: Bound, program: Program) -> Bound:
    """A value by which rows are told apart: one zero and one NaN among doubles."""
    if bound.type == DOUBLE:
        return program.call(numbers.sort_key, [bound], DOUBLE)
    if (
        bound.type.kind not in (*ORDERED, "boolean", "varbinary", "unknown")
        or bound.type.kind == "real"
    ):
        raise Refused(f"grouping or comparing rows by {bound.type}")
    return bound


_ONE: dict[str, Callable[..., Aggregate]] = {
    "count": _count,
    "sum": _sum,
    "avg": _avg,
    "min": _extreme("min"),
    "max": _extreme("max"),
    "arbitrary": _arbitrary,
    "any_value": _arbitrary,
    "bool_or": _boolean("bool_or"),
    "bool_and": _boolean("bool_and"),
    "every": _boolean("bool_and"),
    "count_if": _count_if,
    "stddev": _spread("stddev_samp"),
    "stddev_samp": _spread("stddev_samp"),
    "stddev_pop": _spread("stddev_pop"),
    "variance": _spread("var_samp"),
    "var_samp": _spread("var_samp"),
    "var_pop": _spread("var_pop"),
}
calls.AGGREGATES.update(_ONE, ("max_by", "min_by", "array_agg"))
