"""Trino's expressions to DataFusion's, node by node: what has no rule in `nodes.py` is refused.

Every node gets a Trino type first; where DataFusion's own operator means the same for these types
it is used, otherwise a vectorised function. Names are resolved by the scope. The rules stand in
`conditions.py` (boolean ones) and `values.py` (all others).
"""

from typing import Protocol

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.binding.relations import Context, InnerQuery
from td_mta.trino_on_datafusion.parse import only
from td_mta.trino_on_datafusion.program import Bound, Program, literal
from td_mta.trino_on_datafusion.types import BOOLEAN, UNKNOWN, Type, common_of

LONGEST = 1_000_000  # some functions have an argument twice: nested, their text doubles


class Scope(Protocol):
    """What names mean in one part of a query, and what else only the query knows."""

    context: Context
    program: Program

    def column(self, node: exp.Column) -> Bound:
        """The column that a name means."""

    def query(self, node: exp.Expression) -> InnerQuery:
        """A query inside an expression."""

    def replaced(self, node: exp.Expression) -> Bound | None:
        """The computed column that an expression stands for, such as a key of GROUP BY."""

    def aggregate(self, node: exp.Expression) -> Bound | None:
        """The value of an aggregate function's call; None for any other node."""

    def window(self, node: exp.Window) -> Bound:
        """The value of a window function."""


def bind(node: exp.Expression, scope: Scope) -> Bound:
    """The DataFusion text of an expression, with its Trino type; `Refused` for an unknown node."""
    known = scope.replaced(node) or scope.aggregate(node)
    if known is not None:
        return known
    rule = scope.context.nodes.get(type(node))
    if rule is None:
        raise Refused(f"{node.key.upper()} in {node.sql('trino')!r}")
    only(node, *rule.parts)
    bound = rule.bind(node, scope)
    if len(bound.sql) > LONGEST:
        raise Refused(f"an expression of more than {LONGEST} characters, once it is translated")
    return bound


def operands(node: exp.Binary, scope: Scope) -> list[exp.Expression]:
    """What one operator joins, from the left: of `a or b or c` all three."""
    found: list[exp.Expression] = [node.args["expression"]]
    left: exp.Expression = node.args["this"]
    while type(left) is type(node) and scope.replaced(left) is None:
        found.append(left.args["expression"])
        left = left.args["this"]
    return [left, *reversed(found)]


def condition(node: exp.Expression, scope: Scope) -> Bound:
    """An expression that must be boolean."""
    bound = bind(node, scope)
    if bound.type == UNKNOWN:
        return literal(None, BOOLEAN)
    if bound.type != BOOLEAN:
        raise Refused(f"{node.sql('trino')!r} is {bound.type}: a condition must be boolean")
    return bound


def common_type(bounds: list[Bound], node: exp.Expression) -> Type:
    """The narrowest type to which all of them are converted; `Refused` where there is none."""
    kind = common_of(bound.type for bound in bounds)
    if kind is None:
        names = ", ".join(str(bound.type) for bound in bounds)
        raise Refused(f"{node.sql('trino')!r} mixes {names}: cast them to one type")
    return kind
