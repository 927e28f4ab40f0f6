"""Keys: what rows are sorted by, and what they are grouped or compared by."""

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.kernels import numbers
from td_mta.trino_on_datafusion.program import Bound, Program
from td_mta.trino_on_datafusion.types import DOUBLE, ORDERED

_GROUPABLE = (*ORDERED, "boolean", "varbinary", "unknown")


def ordering(item: exp.Ordered, bound: Bound, program: Program) -> str:
    """One ORDER BY key; NULLs stand last in both directions unless the query says otherwise."""
    if item.args.get("with_fill") is not None or bound.type.kind not in (*ORDERED, "boolean"):
        raise Refused(f"ORDER BY {item.sql('trino')!r} of type {bound.type}")
    key = program.call(numbers.sort_key, [bound], DOUBLE) if bound.type == DOUBLE else bound
    direction = "DESC" if item.args.get("desc") else "ASC"
    nulls = "FIRST" if item.args.get("nulls_first") else "LAST"
    return f"{key.sql} {direction} NULLS {nulls}"


def groupable(bound: Bound, program: Program) -> Bound:
    """A value by which rows are told apart: one zero and one NaN among doubles."""
    if bound.type == DOUBLE:
        return program.call(numbers.sort_key, [bound], DOUBLE)
    if bound.type.kind not in _GROUPABLE or bound.type.kind == "real":
        raise Refused(f"grouping or comparing rows by {bound.type}")
    return bound


def order_of(node: exp.Expression) -> list[exp.Ordered]:
    """The keys of a query's ORDER BY."""
    order = node.args.get("order")
    return list(order.expressions) if order is not None else []
