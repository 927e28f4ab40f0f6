"""A Trino query to DataFusion's: a chain of plain subqueries, one for each step of SELECT.

from and where -> group by with its keys and aggregates -> the items -> order and limit. Each step
names its columns afresh, so a later one can only see what SQL lets it see.
"""

from dataclasses import dataclass, replace

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.binding.expressions import Scope, bind, condition
from td_mta.trino_on_datafusion.binding.keys import groupable, order_of, ordering
from td_mta.trino_on_datafusion.binding.nodes import NODES
from td_mta.trino_on_datafusion.binding.relations import (
    Catalog,
    Column,
    Context,
    InputScope,
    Relation,
    WithQuery,
)
from td_mta.trino_on_datafusion.binding.scopes import (
    AliasScope,
    GroupScope,
    ItemScope,
    mentions_aggregate,
)
from td_mta.trino_on_datafusion.binding.set_operations import limited, set_operation
from td_mta.trino_on_datafusion.binding.sources import rows_of_values, source
from td_mta.trino_on_datafusion.parse import only, parse
from td_mta.trino_on_datafusion.program import Bound, Program
from td_mta.trino_on_datafusion.types import Type

_SELECT_PARTS = (
    "expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset",
    "distinct", "with_",
)  # fmt: skip


@dataclass(frozen=True)
class TranslatedQuery:
    """A translated query: the text, what it needs, and the columns that come out."""

    sql: str
    program: Program
    names: tuple[str | None, ...]
    types: tuple[Type, ...]
    in_order: bool
    certain: bool  # its errors are Trino's: there is nothing that Trino may leave out


def translate(sql: str, catalog: Catalog, now: int) -> TranslatedQuery:
    """DataFusion's text for a Trino query, or `Refused` with the name of what is not known."""
    tree = parse(sql)
    program = Program(now)
    rows = bind_query(tree, Context(program, catalog, NODES, bind_query))
    types = tuple(column.type for column in rows.columns)
    for kind in types:
        if kind.kind == "timestamp with time zone" and kind.args[1] is None:
            raise Refused("a timestamp whose time zone differs by row, in the result")
    names = tuple(column.name for column in rows.columns)
    in_order = tree.args.get("order") is not None
    return TranslatedQuery(
        rows.sql, program, names, types, in_order, _is_plain(tree) and not program.unsure
    )


def _is_plain(tree: exp.Expression) -> bool:
    """Whether it is one SELECT of all rows of one table or of VALUES."""
    queries = list(tree.find_all(exp.Query))
    values = [
        each for each in queries if each is not tree and not isinstance(each.this, exp.Values)
    ]
    parts = ("joins", "where", "having", "limit", "offset", "distinct", "with_")
    conditional = tree.find(exp.Predicate, exp.Connector, exp.DPipe, exp.Window)
    return not (values or conditional or any(tree.args.get(part) for part in parts))


def bind_query(node: exp.Expression, context: Context) -> Relation:
    """A query as text with its columns."""
    context = _with_queries(node, context)
    if isinstance(node, exp.Select):
        return _Select(node, context).rows()
    if isinstance(node, exp.SetOperation):
        left, right = bind_query(node.this, context), bind_query(node.expression, context)
        return set_operation(node, left, right, context)
    if isinstance(node, exp.Values):
        return rows_of_values(node, context)
    if isinstance(node, exp.Subquery):
        only(node, "this", "with_")
        return bind_query(node.this, context)
    raise Refused(f"{node.key.upper()} as a query")


def _with_queries(node: exp.Expression, context: Context) -> Context:
    clause = node.args.get("with_")
    if clause is None:
        return context
    only(clause, "expressions")
    defined = [query.alias.lower() for query in clause.expressions]
    if len(set(defined)) < len(defined):
        raise Refused(f"WITH names a query twice: {', '.join(sorted(defined))}")
    for query in clause.expressions:
        only(query, "this", "alias")
        named = WithQuery(query.this, query.args["alias"], context)
        context = replace(context, queries={**context.queries, query.alias.lower(): named})
    return context


class _Select:
    """One SELECT, step by step."""

    def __init__(self, node: exp.Select, context: Context) -> None:
        only(node, *_SELECT_PARTS)
        if not node.expressions:
            raise Refused("SELECT of nothing")
        self.node, self.context, self.program = node, context, context.program
        self.input = source(node, context)
        self.scope = InputScope(self.input.columns if self.input else (), context)
        self.key_texts: dict[str, str] = {}

    def rows(self) -> Relation:
        text, scope = self._from_where(), self.scope
        grouped = self._group_scope()
        scope = grouped or self.scope
        items = self._items(ItemScope(scope))
        columns = tuple(Column(name, bound.type, self.program.fresh()) for name, bound in items)
        keys, hidden = self._keys(items, columns, ItemScope(scope))
        having = self._having(grouped)
        if grouped is not None:
            text = self._grouped(text, grouped)
        shown = [f"{bound.sql} AS {c.sql}" for (_, bound), c in zip(items, columns, strict=True)]
        word = "SELECT DISTINCT" if self._distinct() else "SELECT"
        text = f"{word} {', '.join([*shown, *hidden])}{text}{having}"
        if keys or self.node.args.get("limit") or self.node.args.get("offset"):
            names = ", ".join(column.sql for column in columns)
            outer = f"SELECT {names} FROM ({text}) AS {self.program.fresh()}"
            text = limited(outer, keys, self.node)
        return Relation(text, columns)

    def _from_where(self) -> str:
        text = f" FROM {self.input.sql}" if self.input else ""
        where = self.node.args.get("where")
        if where is None:
            return text
        test = condition(where.this, self.scope)
        return self._after(text, test) if test.fails else f"{text} WHERE {test.sql}"

    def _after(self, text: str, test: Bound) -> str:
        """A condition that may fail is a column first: no earlier filter is merged with it."""
        name = self.program.fresh()
        columns = [column.sql for column in self.scope.columns]
        step = f"SELECT {', '.join([*columns, f'{test.sql} AS {name}'])}{text}"
        return f" FROM ({step}) AS {self.program.fresh()} WHERE {name}"

    def _distinct(self) -> bool:
        distinct = self.node.args.get("distinct")
        if distinct is not None and distinct.args.get("on") is not None:
            raise Refused("DISTINCT ON")
        return distinct is not None

    def _items(self, scope: Scope) -> list[tuple[str | None, Bound]]:
        items: list[tuple[str | None, Bound]] = []
        for item in self.node.expressions:
            if isinstance(item, exp.Star) or (
                isinstance(item, exp.Column) and isinstance(item.this, exp.Star)
            ):
                items += self._star(item, scope)
                continue
            bound = bind(item.unalias(), scope)
            if self._distinct():
                bound = groupable(bound, self.program)
            items.append((_name(item), bound))
        return items

    def _star(self, item: exp.Expression, scope: Scope) -> list[tuple[str | None, Bound]]:
        only(item, "this", "table")
        table = item.table.lower() if isinstance(item, exp.Column) else ""
        columns = [c for c in self.scope.columns if not table or c.relation == table]
        if not columns or (isinstance(scope, ItemScope) and isinstance(scope.inner, GroupScope)):
            raise Refused(f"{item.sql('trino')} here")
        found = [(c.name, Bound(c.sql, c.type)) for c in columns]
        if self._distinct():
            found = [(name, groupable(bound, self.program)) for name, bound in found]
        return found

    def _group_scope(self) -> GroupScope | None:
        group = self.node.args.get("group")
        if group is None and not self.node.args.get("having") and not self._has_aggregates():
            return None
        keys: dict[str, Bound] = {}
        if group is not None:
            only(group, "expressions")
            for item in group.expressions:
                original = bind(self._ordinal(item), self.scope)
                key = groupable(original, self.program)
                self.key_texts[original.sql] = key.sql
                keys[original.sql] = Bound(self.program.fresh(), key.type)
        return GroupScope(self.scope, keys)

    def _ordinal(self, item: exp.Expression) -> exp.Expression:
        if isinstance(item, exp.Literal) and item.is_int:
            place = int(item.this) - 1
            if not 0 <= place < len(self.node.expressions):
                raise Refused(f"GROUP BY {item.this}: there is no such item")
            if any(part.find(exp.Star) is part for part in self.node.expressions):
                raise Refused("GROUP BY a number beside *")
            return self.node.expressions[place].unalias()
        if isinstance(item, exp.Literal | exp.Tuple):
            raise Refused(f"GROUP BY {item.sql('trino')}")
        return item

    def _has_aggregates(self) -> bool:
        parts: list[exp.Expression] = [*self.node.expressions, *order_of(self.node)]
        return any(mentions_aggregate(part) for part in parts)

    def _grouped(self, text: str, scope: GroupScope) -> str:
        """The grouping step: keys are computed below it, aggregates in it."""
        inner = [column.sql for column in self.scope.columns]
        made = [f"{self.key_texts[sql]} AS {key.sql}" for sql, key in scope.keys.items()]
        below = f"SELECT {', '.join([*inner, *made]) or '1 AS ' + self.program.fresh()}{text}"
        keys = [key.sql for key in scope.keys.values()]
        calls = [f"{call} AS {name}" for call, name in scope.calls.items()]
        items = ", ".join([*keys, *calls]) or f"1 AS {self.program.fresh()}"
        by = f" GROUP BY {', '.join(keys)}" if keys else ""
        if not keys and not calls:
            raise Refused("HAVING without GROUP BY and aggregates")
        step = f"SELECT {items} FROM ({below}) AS {self.program.fresh()}{by}"
        return f" FROM ({step}) AS {self.program.fresh()}"

    def _having(self, scope: GroupScope | None) -> str:
        having = self.node.args.get("having")
        if having is None or scope is None:
            return ""
        return f" WHERE {condition(having.this, scope).sql}"

    def _keys(
        self, items: list[tuple[str | None, Bound]], columns: tuple[Column, ...], scope: Scope
    ) -> tuple[list[str], list[str]]:
        """ORDER BY keys, and the hidden items that some of them need."""
        keys, hidden = [], []
        for item in order_of(self.node):
            column = self._output(item.this, items, columns)
            if column is not None:
                bound = Bound(column.sql, column.type)
            else:
                bound = bind(item.this, AliasScope(scope, items))
                same = [c for (_, b), c in zip(items, columns, strict=True) if b.sql == bound.sql]
                if self._distinct() and not same:
                    raise Refused(f"ORDER BY {item.this.sql('trino')} beside DISTINCT")
                name = same[0].sql if same else self.program.fresh()
                hidden += [] if same else [f"{bound.sql} AS {name}"]
                bound = Bound(name, bound.type)
            keys.append(ordering(item, bound, self.program))
        return keys, hidden

    def _output(
        self,
        node: exp.Expression,
        items: list[tuple[str | None, Bound]],
        columns: tuple[Column, ...],
    ) -> Column | None:
        if isinstance(node, exp.Literal) and node.is_int:
            place = int(node.this)
            if not 1 <= place <= len(columns):
                raise Refused(f"ORDER BY {place}: there is no such item")
            return columns[place - 1]
        if not isinstance(node, exp.Column) or node.table:
            return None
        name = node.name.lower()
        named = zip(items, columns, strict=True)
        found = [column for (alias, _), column in named if (alias or "").lower() == name]
        if len(found) > 1:
            raise Refused(f"ORDER BY {node.sql('trino')} is ambiguous")
        return found[0] if found else None


def _name(item: exp.Expression) -> str | None:
    """An item's name: its alias, or the column that it is."""
    return item.output_name if isinstance(item, exp.Alias | exp.Column) else None
