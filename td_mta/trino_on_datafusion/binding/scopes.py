"""What names mean after FROM: after grouping, among the items, in ORDER BY."""

from collections.abc import Sequence

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.binding.aggregate_calls import aggregate
from td_mta.trino_on_datafusion.binding.expressions import Scope, bind
from td_mta.trino_on_datafusion.binding.keys import order_of
from td_mta.trino_on_datafusion.binding.relations import InputScope
from td_mta.trino_on_datafusion.binding.windows import window
from td_mta.trino_on_datafusion.functions.aggregate_names import is_aggregate
from td_mta.trino_on_datafusion.program import Bound


class GroupScope(InputScope):
    """Names after grouping: keys and aggregates; a bare column must be a key.

    `keys` maps the text of an expression of GROUP BY to its column in the grouping step. `calls`
    maps DataFusion's text of each aggregate that was bound to its column there.
    """

    def __init__(self, inner: InputScope, keys: dict[str, Bound]) -> None:
        super().__init__(inner.columns, inner.context)
        self.inner, self.keys = inner, keys
        self.calls: dict[str, str] = {}

    def replaced(self, node: exp.Expression) -> Bound | None:
        """The key that an expression repeats: both have the same text once they are bound."""
        if not self.keys or isinstance(node, exp.Literal | exp.Null | exp.Boolean):
            return None
        if any(
            isinstance(part, exp.Window | exp.Query) or is_aggregate(part) for part in node.walk()
        ):
            return None
        try:
            bound = bind(node, self.inner)
        except Refused:
            return None
        return self.keys.get(bound.sql)

    def column(self, node: exp.Column) -> Bound:
        """A column of the outer query; one of this query would have been a key."""
        if self.find(node) is not None:
            raise Refused(f"column {node.sql('trino')!r} is neither grouped nor in an aggregate")
        return super().column(node)

    def aggregate(self, node: exp.Expression) -> Bound | None:
        """The column of an aggregate in the grouping step, to which its call is added."""
        if not is_aggregate(node):
            return None
        translated = aggregate(node, self.inner)
        name = self.calls.setdefault(translated.call, self.program.fresh())
        return translated.to_trino(Bound(name, translated.type))


class ItemScope:
    """Names among the items: as before, and window functions may stand there."""

    def __init__(self, inner: InputScope) -> None:
        self.inner, self.context, self.program = inner, inner.context, inner.program
        self.column, self.query = inner.column, inner.query
        self.replaced, self.aggregate = inner.replaced, inner.aggregate

    def window(self, node: exp.Window) -> Bound:
        """A window function over the rows that the items are computed of."""
        return window(node, self.inner)


class AliasScope:
    """In an ORDER BY expression the items' names come before the columns'."""

    def __init__(self, inner: Scope, items: Sequence[tuple[str | None, Bound]]) -> None:
        self.inner, self.context, self.program = inner, inner.context, inner.program
        self.items = {name.lower(): bound for name, bound in items if name}
        self.query, self.window = inner.query, inner.window
        self.replaced, self.aggregate = inner.replaced, inner.aggregate

    def column(self, node: exp.Column) -> Bound:
        """The item of that name, else the column."""
        if not node.table and node.name.lower() in self.items:
            return self.items[node.name.lower()]
        return self.inner.column(node)


def mentions_aggregate(node: exp.Expression) -> bool:
    """Whether an aggregate stands in an expression, other than as a window function or below."""
    if isinstance(node, exp.Query):
        return False
    if isinstance(node, exp.Window):
        return any(mentions_aggregate(part) for part in _parts_of_window(node))
    if is_aggregate(node):
        return True
    return any(mentions_aggregate(child) for child in node.iter_expressions())


def _parts_of_window(node: exp.Window) -> list[exp.Expression]:
    """What a window function is computed of: its arguments, PARTITION BY and ORDER BY."""
    function = node.this
    call = function.this if isinstance(function, exp.Filter | exp.IgnoreNulls) else function
    arguments = call.expressions if isinstance(call, exp.Anonymous) else []
    return [*node.args.get("partition_by", []), *order_of(node), *arguments]
