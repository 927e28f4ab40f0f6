"""Relations and the names in them.

Every column gets a name that occurs nowhere else in the query, so that the translated text needs
no rules of its own for what a name means.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.functions.aggregate_names import is_aggregate
from td_mta.trino_on_datafusion.program import Bound, Program
from td_mta.trino_on_datafusion.types import Type

Catalog = Callable[[str], Sequence[tuple[str, Type, str]]]  # table -> name, type, DataFusion text


@dataclass(frozen=True)
class Column:
    """A column: its Trino name (None where it has none), its type, its name in the translation."""

    name: str | None
    type: Type
    sql: str
    relation: str | None = None  # the alias or table, in lower case, that may stand before it


@dataclass(frozen=True)
class Relation:
    """A query, a table or a join: its DataFusion text and its columns.

    The text is a whole `SELECT ...`, or what follows FROM once the relation stands in a FROM.
    """

    sql: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class WithQuery:
    """A query of WITH, its name and column names, and what it sees."""

    query: exp.Expression
    alias: exp.TableAlias
    context: "Context"


class NodeRule(NamedTuple):
    """What a kind of syntax node becomes, and the parts that it may hold; any other is refused."""

    bind: Callable[..., Bound]  # (node, scope) -> Bound
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Context:
    """What a part of a query sees.

    `nodes` and `bind_query` are handed down, since expressions hold queries and queries hold
    expressions: neither file can import the other.
    """

    program: Program
    catalog: Catalog
    nodes: Mapping[type[exp.Expression], NodeRule]
    bind_query: "Callable[[exp.Expression, Context], Relation]"
    queries: Mapping[str, WithQuery] = field(default_factory=dict)  # of WITH, by lower-case name
    outer: "InputScope | None" = None  # the names of the outer query
    # The columns of outer queries that this query names, in itself or in a query inside it.
    outer_columns: list[exp.Column] = field(default_factory=list)


class InnerQuery(NamedTuple):
    """A query inside an expression: its text and the types of its columns."""

    sql: str
    types: list[Type]
    correlated: bool  # it, or a query inside it, names a column of the outer query


class InputScope:
    """Names before grouping: the columns of FROM, then those of the outer query."""

    def __init__(self, columns: Sequence[Column], context: Context) -> None:
        self.columns, self.context, self.program = columns, context, context.program

    def column(self, node: exp.Column) -> Bound:
        """The column that a name means, looked up from the inside out; `Refused` without one."""
        column = self.find(node)
        if column is not None:
            return Bound(column.sql, column.type)
        if self.context.outer is not None:
            self.context.outer_columns.append(node)
            return self.context.outer.column(node)
        names = ", ".join(sorted({column.name for column in self.columns if column.name}))
        raise Refused(f"no column {node.sql('trino')!r} here; there are {names or 'none'}")

    def find(self, node: exp.Column) -> Column | None:
        """The one column of FROM that a name means; None where there is none."""
        if node.args.get("db") or node.args.get("catalog"):
            raise Refused(f"{node.sql('trino')!r}: name the table by its alias")
        name, table = node.name.lower(), node.table.lower()
        matches = [
            column
            for column in self.columns
            if (column.name or "").lower() == name and (not table or column.relation == table)
        ]
        if len(matches) > 1:
            raise Refused(f"column {node.sql('trino')!r} is ambiguous: name its table")
        return matches[0] if matches else None

    def query(self, node: exp.Expression) -> InnerQuery:
        """A query inside an expression, which may name the columns of this scope."""
        outer_columns: list[exp.Column] = []
        inner = replace(self.context, outer=self, outer_columns=outer_columns)
        relation = self.context.bind_query(node, inner)
        self.context.outer_columns.extend(outer_columns)
        types = [column.type for column in relation.columns]
        return InnerQuery(relation.sql, types, correlated=bool(outer_columns))

    def replaced(self, node: exp.Expression) -> Bound | None:
        """Before grouping no expression stands for a computed column."""
        return None

    def aggregate(self, node: exp.Expression) -> Bound | None:
        """Before grouping no aggregate may stand."""
        if is_aggregate(node):
            raise Refused(
                f"{node.sql('trino')!r}: aggregates may stand in SELECT, HAVING and ORDER BY alone"
            )
        return None

    def window(self, node: exp.Window) -> Bound:
        """A window function stands among the items of SELECT and in ORDER BY alone."""
        raise Refused(
            f"{node.sql('trino')!r}: window functions may stand in SELECT and ORDER BY alone"
        )
