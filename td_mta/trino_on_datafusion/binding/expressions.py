"""Trino's expressions to DataFusion's, node by node: what has no entry in `NODES` is refused.

Every node gets a Trino type first; where DataFusion's own operator means the same for these types
it is used, otherwise a vectorised function. Names are resolved by the scope. The entries stand in
`conditions.py` (what is true) and `values.py` (all else).
"""

from collections.abc import Callable
from typing import Protocol

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.binding.relations import only
from td_mta.trino_on_datafusion.program import Bound, Program, literal
from td_mta.trino_on_datafusion.types import BOOLEAN, UNKNOWN, Type, common


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


def common_type(bounds: list[Bound], node: exp.Expression) -> Type:
    """The one type that all turn into."""
    kind: Type | None = UNKNOWN
    for bound in bounds:
        kind = kind and common(kind, bound.type)
    if kind is None:
        names = ", ".join(str(bound.type) for bound in bounds)
        raise Refused(f"{node.sql('trino')!r} mixes {names}")
    return kind


# What a kind of node becomes, and what it may hold beside `this` and `expression`; any other part
# of it is refused.
NODES: dict[type[exp.Expression], Callable[..., Bound]] = {}
PARTS: dict[type[exp.Expression], tuple[str, ...]] = {}
