"""A Trino query to DataFusion's: a chain of plain subqueries, one for each step of SELECT.

from and where -> group by with its keys and aggregates -> the items -> order and limit. Each step
names its columns afresh, so a later one can only see what SQL lets it see.
"""

from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa
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
from td_mta.trino_on_datafusion.binding.set_operations import limited, set_operation, sides
from td_mta.trino_on_datafusion.binding.sources import source, values_relation
from td_mta.trino_on_datafusion.parse import only, parse
from td_mta.trino_on_datafusion.program import Bound, Program, TranslatedQuery

_SELECT_PARTS = (
    "expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset",
    "distinct", "with_",
)  # fmt: skip
_PARTS_THAT_SKIP_ROWS = ("joins", "where", "having", "limit", "offset", "distinct", "with_")


def translate(sql: str, catalog: Catalog, now: int) -> TranslatedQuery:
    """DataFusion's text for a Trino query; `Refused` names what is not known to mean the same.

    `catalog` gives the columns of a stored table (its errors pass through), `now` is the session's
    time in unix seconds. Raises `TrinoError` for constants with which Trino fails before it runs.
    """
    program = Program(now)
    try:
        tree = parse(sql)
        relation = bind_query(tree, Context(program, catalog, NODES, bind_query))
    except RecursionError:
        raise Refused("a query whose expressions or queries are nested too deep") from None
    except (ValueError, ArithmeticError, pa.ArrowException) as error:
        first_line = str(error).split("\n")[0]
        raise Refused(f"a constant that cannot be computed here: {first_line}") from error
    types = tuple(column.type for column in relation.columns)
    for kind in types:
        if kind.kind == "timestamp with time zone" and kind.args[1] is None:
            raise Refused("a timestamp whose time zone differs by row, in the result")
    return TranslatedQuery(
        sql=relation.sql,
        program=program,
        names=tuple(column.name for column in relation.columns),
        types=types,
        in_order=tree.args.get("order") is not None,
        certain=_computes_every_row(tree) and not program.unsure,
    )


def _computes_every_row(tree: exp.Expression) -> bool:
    """Whether it is one SELECT of all rows of one table or of VALUES, without conditions."""
    inner_queries = [
        query
        for query in tree.find_all(exp.Query)
        if query is not tree and not isinstance(query.this, exp.Values)
    ]
    conditional = tree.find(exp.Predicate, exp.Connector, exp.DPipe, exp.Window)
    skips_rows = any(tree.args.get(part) for part in _PARTS_THAT_SKIP_ROWS)
    return not (inner_queries or conditional or skips_rows)


def bind_query(node: exp.Expression, context: Context) -> Relation:
    """A query as DataFusion text with its columns."""
    context.program.count_query()
    context = _with_queries(node, context)
    if isinstance(node, exp.Select):
        return _Select(node, context).relation()
    if isinstance(node, exp.SetOperation):
        return set_operation(node, [bind_query(side, context) for side in sides(node)], context)
    if isinstance(node, exp.Values):
        return values_relation(node, context)
    if isinstance(node, exp.Subquery):
        only(node, "this", "with_")
        return bind_query(node.this, context)
    raise Refused(f"{node.key.upper()} as a query")


def _with_queries(node: exp.Expression, context: Context) -> Context:
    """The context with the queries of WITH, each of which sees those before it."""
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


class _Item(NamedTuple):
    """An item of SELECT: its name (None where it has none) and its value."""

    name: str | None
    bound: Bound


class _Sorting(NamedTuple):
    """ORDER BY: the keys' text, and the hidden items that some keys need."""

    keys: list[str]
    hidden_items: list[str]


class _Select:
    """One SELECT, step by step."""

    def __init__(self, node: exp.Select, context: Context) -> None:
        only(node, *_SELECT_PARTS)
        if not node.expressions:
            raise Refused("SELECT without items")
        self.node, self.context, self.program = node, context, context.program
        self.is_distinct = _is_distinct(node)
        self.input = source(node, context)
        self.scope = InputScope(self.input.columns if self.input else (), context)
        self.key_texts: dict[str, str] = {}  # text of a GROUP BY key -> what rows are grouped by

    def relation(self) -> Relation:
        """The steps' text, from the inside out.

        Items, ORDER BY and HAVING are bound before the grouping step is written: each aggregate in
        them is added to that step.
        """
        from_where = self._from_where()
        grouped = self._group_scope()
        scope = ItemScope(grouped or self.scope)
        items = self._items(scope)
        columns = tuple(Column(name, bound.type, self.program.fresh()) for name, bound in items)
        sorting = self._sorting(items, columns, scope)
        having = self._having(grouped)
        rows = from_where if grouped is None else self._grouped(from_where, grouped)
        named_items = [
            f"{item.bound.sql} AS {column.sql}" for item, column in zip(items, columns, strict=True)
        ]
        word = "SELECT DISTINCT" if self.is_distinct else "SELECT"
        text = f"{word} {', '.join([*named_items, *sorting.hidden_items])}{rows}{having}"
        return Relation(self._sorted_and_limited(text, columns, sorting), columns)

    def _from_where(self) -> str:
        text = f" FROM {self.input.sql}" if self.input else ""
        where = self.node.args.get("where")
        if where is None:
            return text
        test = condition(where.this, self.scope)
        if test.fails:
            return self._filtered_by_column(text, test)
        return f"{text} WHERE {test.sql}"

    def _filtered_by_column(self, text: str, test: Bound) -> str:
        """A condition that may fail is a column first, then a filter.

        DataFusion would merge it with the filters of earlier steps, whose rows it must not see.
        """
        name = self.program.fresh()
        columns = [column.sql for column in self.scope.columns]
        step = f"SELECT {', '.join([*columns, f'{test.sql} AS {name}'])}{text}"
        return f" FROM ({step}) AS {self.program.fresh()} WHERE {name}"

    def _items(self, scope: ItemScope) -> list[_Item]:
        items: list[_Item] = []
        for item in self.node.expressions:
            if _is_star(item):
                items += self._star(item, scope)
            else:
                bound = bind(item.unalias(), scope)
                items.append(self._comparable(_Item(_name(item), bound)))
        return items

    def _star(self, item: exp.Expression, scope: ItemScope) -> list[_Item]:
        only(item, "this", "table")
        table = item.table.lower() if isinstance(item, exp.Column) else ""
        columns = [c for c in self.scope.columns if not table or c.relation == table]
        if not columns or isinstance(scope.inner, GroupScope):
            raise Refused(f"{item.sql('trino')} without a table of that name, or beside GROUP BY")
        items = [_Item(column.name, Bound(column.sql, column.type)) for column in columns]
        return [self._comparable(item) for item in items]

    def _comparable(self, item: _Item) -> _Item:
        """DISTINCT compares the items, so doubles have one zero and one NaN."""
        if not self.is_distinct:
            return item
        return _Item(item.name, groupable(item.bound, self.program))

    def _group_scope(self) -> GroupScope | None:
        """Names after grouping; None where the query does not group."""
        group = self.node.args.get("group")
        if group is None and not self.node.args.get("having") and not self._has_aggregates():
            return None
        keys: dict[str, Bound] = {}
        if group is not None:
            only(group, "expressions")
            for item in group.expressions:
                original = bind(self._group_expression(item), self.scope)
                key = groupable(original, self.program)
                self.key_texts[original.sql] = key.sql
                keys[original.sql] = Bound(self.program.fresh(), key.type)
        return GroupScope(self.scope, keys)

    def _group_expression(self, item: exp.Expression) -> exp.Expression:
        """What an item of GROUP BY stands for: a number is the position of an item of SELECT."""
        if isinstance(item, exp.Literal) and item.is_int:
            index = int(item.this) - 1
            if not 0 <= index < len(self.node.expressions):
                raise Refused(f"GROUP BY {item.this}: there is no such item")
            if any(isinstance(selected, exp.Star) for selected in self.node.expressions):
                raise Refused("GROUP BY a number beside *: write the column's name")
            return self.node.expressions[index].unalias()
        if isinstance(item, exp.Literal | exp.Tuple):
            raise Refused(f"GROUP BY {item.sql('trino')}")
        return item

    def _has_aggregates(self) -> bool:
        parts: list[exp.Expression] = [*self.node.expressions, *order_of(self.node)]
        return any(mentions_aggregate(part) for part in parts)

    def _grouped(self, text: str, scope: GroupScope) -> str:
        """The grouping step: keys are computed below it, aggregates in it."""
        keys = [key.sql for key in scope.keys.values()]
        if not keys and not scope.calls:
            raise Refused("HAVING without GROUP BY and aggregates")
        columns = [column.sql for column in self.scope.columns]
        computed_keys = [f"{self.key_texts[sql]} AS {key.sql}" for sql, key in scope.keys.items()]
        below = self._select([*columns, *computed_keys]) + text
        calls = [f"{call} AS {name}" for call, name in scope.calls.items()]
        group_by = f" GROUP BY {', '.join(keys)}" if keys else ""
        grouping = self._select([*keys, *calls])
        step = f"{grouping} FROM ({below}) AS {self.program.fresh()}{group_by}"
        return f" FROM ({step}) AS {self.program.fresh()}"

    def _select(self, items: list[str]) -> str:
        """SELECT with these items; count(*) without FROM needs none, DataFusion needs one."""
        return f"SELECT {', '.join(items) or '1 AS ' + self.program.fresh()}"

    def _having(self, scope: GroupScope | None) -> str:
        having = self.node.args.get("having")
        if having is None or scope is None:
            return ""
        return f" WHERE {condition(having.this, scope).sql}"

    def _sorting(
        self, items: list[_Item], columns: tuple[Column, ...], scope: ItemScope
    ) -> _Sorting:
        sorting = _Sorting([], [])
        for item in order_of(self.node):
            column = _output_column(item.this, items, columns)
            if column is not None:
                key = Bound(column.sql, column.type)
            else:
                key = self._computed_key(item, items, columns, scope, sorting)
            sorting.keys.append(ordering(item, key, self.program))
        return sorting

    def _computed_key(
        self,
        item: exp.Ordered,
        items: list[_Item],
        columns: tuple[Column, ...],
        scope: Scope,
        sorting: _Sorting,
    ) -> Bound:
        """An expression of ORDER BY: the item that it equals, else a hidden item."""
        key = bind(item.this, AliasScope(scope, items))
        for (_, bound), column in zip(items, columns, strict=True):
            if bound.sql == key.sql:
                return Bound(column.sql, key.type)
        if self.is_distinct:
            raise Refused(
                f"ORDER BY {item.this.sql('trino')} beside DISTINCT: sort by an item of SELECT"
            )
        name = self.program.fresh()
        sorting.hidden_items.append(f"{key.sql} AS {name}")
        return Bound(name, key.type)

    def _sorted_and_limited(self, text: str, columns: tuple[Column, ...], sorting: _Sorting) -> str:
        """The step that sorts and cuts, which leaves the hidden items out."""
        if not (sorting.keys or self.node.args.get("limit") or self.node.args.get("offset")):
            return text
        names = ", ".join(column.sql for column in columns)
        outer = f"SELECT {names} FROM ({text}) AS {self.program.fresh()}"
        return limited(outer, sorting.keys, self.node)


def _is_distinct(node: exp.Select) -> bool:
    distinct = node.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        raise Refused("DISTINCT ON, which Trino does not have")
    return distinct is not None


def _is_star(item: exp.Expression) -> bool:
    """* or table.*"""
    is_of_table = isinstance(item, exp.Column) and isinstance(item.this, exp.Star)
    return isinstance(item, exp.Star) or is_of_table


def _name(item: exp.Expression) -> str | None:
    """An item's name: its alias, or the column that it is."""
    return item.output_name if isinstance(item, exp.Alias | exp.Column) else None


def _output_column(
    node: exp.Expression, items: list[_Item], columns: tuple[Column, ...]
) -> Column | None:
    """The column that a number or a name of ORDER BY means; None for any other expression."""
    if isinstance(node, exp.Literal) and node.is_int:
        position = int(node.this)
        if not 1 <= position <= len(columns):
            raise Refused(f"ORDER BY {position}: there is no such item")
        return columns[position - 1]
    if not isinstance(node, exp.Column) or node.table:
        return None
    name = node.name.lower()
    matches = [
        column
        for item, column in zip(items, columns, strict=True)
        if (item.name or "").lower() == name
    ]
    if len(matches) > 1:
        raise Refused(f"ORDER BY {node.sql('trino')} is ambiguous")
    return matches[0] if matches else None
