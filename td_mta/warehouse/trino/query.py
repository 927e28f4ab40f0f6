"""A Trino query to DataFusion's: a chain of plain subqueries, one for each step of SELECT.

from and where -> group by with its keys and aggregates -> the items -> order and limit. Each step
names its columns afresh, so a later one can only see what SQL lets it see.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.warehouse.trino import casts
from td_mta.warehouse.trino.aggregates import aggregate, groupable, ordering
from td_mta.warehouse.trino.calls import is_aggregate
from td_mta.warehouse.trino.expressions import Scope, bind, condition
from td_mta.warehouse.trino.parse import parse
from td_mta.warehouse.trino.program import Bound, Program
from td_mta.warehouse.trino.relations import (
    Catalog,
    Column,
    Context,
    InputScope,
    Rows,
    WithQuery,
    only,
)
from td_mta.warehouse.trino.sources import source, values
from td_mta.warehouse.trino.types import Type, common
from td_mta.warehouse.trino.windows import window

_SELECT_PARTS = (
    "expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset",
    "distinct", "with_",
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """A translated query: the text, what it needs, and the columns that come out."""

    sql: str
    program: Program
    names: tuple[str | None, ...]
    types: tuple[Type, ...]
    in_order: bool


def translate(sql: str, catalog: Catalog, now: int) -> Plan:
    """DataFusion's text for a Trino query, or `Refused` with the name of what is not known."""
    tree = parse(sql)
    program = Program(now)
    rows = rows_of(tree, Context(program, catalog))
    types = tuple(column.type for column in rows.columns)
    for kind in types:
        if kind.kind == "timestamp with time zone" and kind.args[1] is None:
            raise Refused("a timestamp whose time zone differs by row, in the result")
    names = tuple(column.name for column in rows.columns)
    return Plan(rows.sql, program, names, types, tree.args.get("order") is not None)


def rows_of(node: exp.Expression, context: Context) -> Rows:
    """A query as text with its columns."""
    context = _with_queries(node, context)
    if isinstance(node, exp.Select):
        return _Select(node, context).rows()
    if isinstance(node, exp.SetOperation):
        return _set_operation(node, context)
    if isinstance(node, exp.Values):
        return values(node, context)
    if isinstance(node, exp.Subquery):
        only(node, "this", "with_")
        return rows_of(node.this, context)
    raise Refused(f"{node.key.upper()} as a query")


def _with_queries(node: exp.Expression, context: Context) -> Context:
    clause = node.args.get("with_")
    if clause is None:
        return context
    only(clause, "expressions")
    for query in clause.expressions:
        only(query, "this", "alias")
        named = WithQuery(query.this, query.args["alias"], context)
        context = replace(context, queries={**context.queries, query.alias.lower(): named})
    return context


def _set_operation(node: exp.SetOperation, context: Context) -> Rows:
    only(node, "this", "expression", "distinct", "order", "limit", "offset", "with_")
    left, right = rows_of(node.this, context), rows_of(node.expression, context)
    if len(left.columns) != len(right.columns):
        raise Refused(f"{node.key.upper()} of {len(left.columns)} and {len(right.columns)} columns")
    distinct = bool(node.args.get("distinct"))
    if not distinct and not isinstance(node, exp.Union):
        raise Refused(f"{node.key.upper()} ALL")
    kinds = []
    for a, b in zip(left.columns, right.columns, strict=True):
        kind = common(a.type, b.type)
        if kind is None:
            raise Refused(f"{node.key.upper()} of {a.type} and {b.type}")
        kinds.append(kind)
    columns = tuple(
        Column(a.name, kind, context.program.fresh())
        for a, kind in zip(left.columns, kinds, strict=True)
    )
    sides = [_side(rows, kinds, columns, distinct, context) for rows in (left, right)]
    word = f"{node.key.upper()}{'' if distinct else ' ALL'}"
    names = ", ".join(column.sql for column in columns)
    text = f"SELECT {names} FROM ({sides[0]} {word} {sides[1]}) AS {context.program.fresh()}"
    outputs = {column.name.lower(): column for column in columns if column.name}
    keys = [_output_key(item, columns, outputs, context) for item in _order(node)]
    return Rows(_limited(text, keys, node), columns)


def _side(
    rows: Rows, kinds: Sequence[Type], columns: Sequence[Column], distinct: bool, context: Context
) -> str:
    items = []
    for mine, kind, column in zip(rows.columns, kinds, columns, strict=True):
        bound = casts.coerce(Bound(mine.sql, mine.type), kind, context.program)
        if distinct:
            bound = groupable(bound, context.program)
        items.append(f"{bound.sql} AS {column.sql}")
    return f"SELECT {', '.join(items)} FROM ({rows.sql}) AS {context.program.fresh()}"


def _output_key(
    item: exp.Ordered,
    columns: Sequence[Column],
    outputs: dict[str, Column],
    context: Context,
) -> str:
    node = item.this
    if isinstance(node, exp.Literal) and node.is_int and 1 <= int(node.this) <= len(columns):
        column = columns[int(node.this) - 1]
    elif isinstance(node, exp.Column) and not node.table and node.name.lower() in outputs:
        column = outputs[node.name.lower()]
    else:
        raise Refused(f"ORDER BY {node.sql('trino')} after a set operation")
    return ordering(item, Bound(column.sql, column.type), context.program)


def _order(node: exp.Expression) -> list[exp.Ordered]:
    order = node.args.get("order")
    return list(order.expressions) if order is not None else []


def _limited(text: str, keys: list[str], node: exp.Expression) -> str:
    if keys:
        text += f" ORDER BY {', '.join(keys)}"
    for name in ("limit", "offset"):
        part = node.args.get(name)
        if part is None:
            continue
        if not isinstance(part, exp.Limit | exp.Offset) or not isinstance(
            part.expression, exp.Literal
        ):
            raise Refused(f"{part.sql('trino')!r}")
        only(part, "expression")
        text += f" {name.upper()} {int(part.expression.this)}"
    return text


class _GroupScope(InputScope):
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
        made = aggregate(node, self.inner)
        name = self.calls.setdefault(made.call, self.program.fresh())
        return made.finish(Bound(name, made.type))


class _ItemScope:
    """Names among the items: as before, and window functions may stand there."""

    def __init__(self, inner: InputScope) -> None:
        self.inner, self.program = inner, inner.program
        self.column, self.query = inner.column, inner.query
        self.replaced, self.aggregate = inner.replaced, inner.aggregate

    def window(self, node: exp.Window) -> Bound:
        return window(node, self.inner)


class _Select:
    """One SELECT, step by step."""

    def __init__(self, node: exp.Select, context: Context) -> None:
        only(node, *_SELECT_PARTS)
        self.node, self.context, self.program = node, context, context.program
        self.input = source(node, context)
        self.scope = InputScope(self.input.columns if self.input else (), context)

    def rows(self) -> Rows:
        text, scope = self._from_where(), self.scope
        grouped = self._group_scope()
        scope = grouped or self.scope
        items = self._items(_ItemScope(scope))
        columns = tuple(Column(name, bound.type, self.program.fresh()) for name, bound in items)
        keys, hidden = self._keys(items, columns, _ItemScope(scope))
        having = self._having(grouped)
        if grouped is not None:
            text = self._grouped(text, grouped)
        shown = [f"{bound.sql} AS {c.sql}" for (_, bound), c in zip(items, columns, strict=True)]
        word = "SELECT DISTINCT" if self._distinct() else "SELECT"
        text = f"{word} {', '.join([*shown, *hidden])}{text}{having}"
        if keys or self.node.args.get("limit") or self.node.args.get("offset"):
            names = ", ".join(column.sql for column in columns)
            outer = f"SELECT {names} FROM ({text}) AS {self.program.fresh()}"
            text = _limited(outer, keys, self.node)
        return Rows(text, columns)

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
            items.append((item.output_name or None, bound))
        return items

    def _star(self, item: exp.Expression, scope: Scope) -> list[tuple[str | None, Bound]]:
        only(item, "this", "table")
        table = item.table.lower() if isinstance(item, exp.Column) else ""
        columns = [c for c in self.scope.columns if not table or c.relation == table]
        if not columns or (isinstance(scope, _ItemScope) and isinstance(scope.inner, _GroupScope)):
            raise Refused(f"{item.sql('trino')} here")
        found = [(c.name, Bound(c.sql, c.type)) for c in columns]
        if self._distinct():
            found = [(name, groupable(bound, self.program)) for name, bound in found]
        return found

    def _group_scope(self) -> _GroupScope | None:
        group = self.node.args.get("group")
        if group is None and not self.node.args.get("having") and not self._has_aggregates():
            return None
        keys: dict[str, Bound] = {}
        if group is not None:
            only(group, "expressions")
            for item in group.expressions:
                bound = groupable(bind(self._ordinal(item), self.scope), self.program)
                original = bind(self._ordinal(item), self.scope).sql
                keys[original] = Bound(self.program.fresh(), bound.type, value=bound.value)
                self._key_sql = {**getattr(self, "_key_sql", {}), original: bound.sql}
        keys = {sql: Bound(key.sql, key.type) for sql, key in keys.items()}
        return _GroupScope(self.scope, keys)

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
        parts: list[exp.Expression] = [*self.node.expressions, *_order(self.node)]
        return any(_mentions_aggregate(part) for part in parts)

    def _grouped(self, text: str, scope: _GroupScope) -> str:
        """The grouping step: keys are computed below it, aggregates in it."""
        inner = [column.sql for column in self.scope.columns]
        made = [f"{self._key_sql[sql]} AS {key.sql}" for sql, key in scope.keys.items()]
        below = f"SELECT {', '.join([*inner, *made]) or '1 AS ' + self.program.fresh()}{text}"
        keys = [key.sql for key in scope.keys.values()]
        calls = [f"{call} AS {name}" for call, name in scope.calls.items()]
        items = ", ".join([*keys, *calls]) or f"1 AS {self.program.fresh()}"
        by = f" GROUP BY {', '.join(keys)}" if keys else ""
        if not keys and not calls:
            raise Refused("HAVING without GROUP BY and aggregates")
        step = f"SELECT {items} FROM ({below}) AS {self.program.fresh()}{by}"
        return f" FROM ({step}) AS {self.program.fresh()}"

    def _having(self, scope: _GroupScope | None) -> str:
        having = self.node.args.get("having")
        if having is None or scope is None:
            return ""
        return f" WHERE {condition(having.this, scope).sql}"

    def _keys(
        self, items: list[tuple[str | None, Bound]], columns: tuple[Column, ...], scope: Scope
    ) -> tuple[list[str], list[str]]:
        """ORDER BY keys, and the hidden items that some of them need."""
        keys, hidden = [], []
        for item in _order(self.node):
            column = self._output(item.this, items, columns)
            if column is not None:
                bound = Bound(column.sql, column.type)
            else:
                bound = bind(item.this, _AliasScope(scope, items))
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
        found = {bound.sql: c for (alias, bound), c in named if (alias or "").lower() == name}
        if len(found) > 1:
            raise Refused(f"ORDER BY {node.sql('trino')} is ambiguous")
        return next(iter(found.values()), None)


class _AliasScope:
    """In an ORDER BY expression the items' names come before the columns'."""

    def __init__(self, inner: Scope, items: list[tuple[str | None, Bound]]) -> None:
        self.inner, self.program = inner, inner.program
        self.items = {name.lower(): bound for name, bound in items if name}
        self.query, self.window = inner.query, inner.window
        self.replaced, self.aggregate = inner.replaced, inner.aggregate

    def column(self, node: exp.Column) -> Bound:
        if not node.table and node.name.lower() in self.items:
            return self.items[node.name.lower()]
        return self.inner.column(node)


def _mentions_aggregate(node: exp.Expression) -> bool:
    """Whether an aggregate stands in an expression, other than as a window function or below."""
    if isinstance(node, exp.Window):
        inner = node.this
        parts: list[exp.Expression] = [*node.args.get("partition_by", [])]
        parts += [*(node.args["order"].expressions if node.args.get("order") else [])]
        call = inner.this if isinstance(inner, exp.Filter | exp.IgnoreNulls) else inner
        parts += list(call.expressions) if isinstance(call, exp.Anonymous) else []
        return any(_mentions_aggregate(part) for part in parts)
    if isinstance(node, exp.Query):
        return False
    if is_aggregate(node):
        return True
    return any(_mentions_aggregate(child) for child in node.iter_expressions())
