"""What names mean after FROM: after grouping, among the items, in ORDER BY."""

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.binding.aggregate_calls import aggregate
from td_mta.trino_on_datafusion.binding.expressions import Scope, bind
from td_mta.trino_on_datafusion.binding.relations import InputScope
from td_mta.trino_on_datafusion.binding.windows import window
from td_mta.trino_on_datafusion.functions.aggregate_names import is_aggregate
from td_mta.trino_on_datafusion.program import Bound


class GroupScope(InputScope):
    """Names after grouping: keys and aggregates; a bare column must be a key."""

    def __init__(self, inner: InputScope, keys: dict[str, Bound]) -> None:
        super().__init__(inner.columns, inner.context)
        self.inner, self.keys = inner, keys
        self.calls: dict[str, str] = {}

    def replaced(self, node: exp.Expression) -> Bound | None:
        if not self.keys or any(is_aggregate(part) for part in node.walk()):
            return None
        if any(isinstance(part, exp.Window | exp.Query) for part in node.walk()):
            return None
        if isinstance(node, exp.Literal | exp.Null | exp.Boolean):
            return None
        try:
            bound = bind(node, self.inner)
        except Refused:
            return None
        return self.keys.get(bound.sql)

    def column(self, node: exp.Column) -> Bound:
        if self.find(node) is not None:
            raise Refused(f"column {node.sql('trino')!r} is neither grouped nor in an aggregate")
        return super().column(node)

    def aggregate(self, node: exp.Expression) -> Bound | None:
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
        return window(node, self.inner)


class AliasScope:
    """In an ORDER BY expression the items' names come before the columns'."""

    def __init__(self, inner: Scope, items: list[tuple[str | None, Bound]]) -> None:
        self.inner, self.context, self.program = inner, inner.context, inner.program
        self.items = {name.lower(): bound for name, bound in items if name}
        self.query, self.window = inner.query, inner.window
        self.replaced, self.aggregate = inner.replaced, inner.aggregate

    def column(self, node: exp.Column) -> Bound:
        if not node.table and node.name.lower() in self.items:
            return self.items[node.name.lower()]
        return self.inner.column(node)


def mentions_aggregate(node: exp.Expression) -> bool:
    """Whether an aggregate stands in an expression, other than as a window function or below."""
    if isinstance(node, exp.Window):
        inner = node.this
        parts: list[exp.Expression] = [*node.args.get("partition_by", [])]
        parts += [*(node.args["order"].expressions if node.args.get("order") else [])]
        call = inner.this if isinstance(inner, exp.Filter | exp.IgnoreNulls) else inner
        parts += list(call.expressions) if isinstance(call, exp.Anonymous) else []
        return any(mentions_aggregate(part) for part in parts)
    if isinstance(node, exp.Query):
        return False
    if is_aggregate(node):
        return True
    return any(mentions_aggregate(child) for child in node.iter_expressions())
