"""Relations and the names in them. Every column gets a name that occurs nowhere else in the query,
so that the translated text needs no rules of its own for what a name means.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.program import Bound, Program
from td_mta.trino_on_datafusion.types import Type

Catalog = Callable[[str], Sequence[tuple[str, Type, str]]]  # table -> name, type, DataFusion text


@dataclass(frozen=True)
class Column:
    """A column: its Trino name (None where it has none), its type, its name in the translation."""

    name: str | None
    type: Type
    sql: str
    relation: str | None = None


@dataclass(frozen=True)
class Rows:
    """A query or a table as `select ...` text with its columns."""

    sql: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class WithQuery:
    """A query of WITH, its name and column names, and what it sees."""

    query: exp.Expression
    alias: exp.TableAlias
    context: "Context"


@dataclass(frozen=True)
class Context:
    """What a part of a query sees: the program, the tables, the WITH queries, what is around."""

    program: Program
    catalog: Catalog
    queries: Mapping[str, WithQuery] = field(default_factory=dict)
    outer: "InputScope | None" = None


class InputScope:
    """Names before grouping: the columns of FROM, then those of the query around."""

    def __init__(self, columns: Sequence[Column], context: Context) -> None:
        self.columns, self.context, self.program = columns, context, context.program

    def column(self, node: exp.Column) -> Bound:
        found = self.find(node)
        if found is None and self.context.outer is not None:
            self.program.outer_names += 1
            return self.context.outer.column(node)
        if found is None:
            there = ", ".join(sorted({column.name for column in self.columns if column.name}))
            raise Refused(f"no column {node.sql('trino')!r} here; there are {there or 'none'}")
        return Bound(found.sql, found.type)

    def find(self, node: exp.Column) -> Column | None:
        """The one column that a name means; None where there is none."""
        if node.args.get("db") or node.args.get("catalog"):
            raise Refused(f"{node.sql('trino')!r}: name the table by its alias")
        name, table = node.name.lower(), node.table.lower()
        found = [
            column
            for column in self.columns
            if (column.name or "").lower() == name and (not table or column.relation == table)
        ]
        if len(found) > 1:
            raise Refused(f"column {node.sql('trino')!r} is ambiguous")
        return found[0] if found else None

    def query(self, node: exp.Expression) -> tuple[str, list[Type]]:
        from td_mta.trino_on_datafusion.binding.query import rows_of

        rows = rows_of(node, within(self.context, self))
        return rows.sql, [column.type for column in rows.columns]

    def replaced(self, node: exp.Expression) -> Bound | None:
        return None

    def aggregate(self, node: exp.Expression) -> Bound | None:
        from td_mta.trino_on_datafusion.functions.calls import is_aggregate

        if is_aggregate(node):
            raise Refused(f"{node.sql('trino')!r} where no aggregate may stand")
        return None

    def window(self, node: exp.Window) -> Bound:
        raise Refused(f"{node.sql('trino')!r} where no window function may stand")


def within(context: Context, outer: InputScope | None) -> Context:
    """The same context for a query inside another."""
    return Context(context.program, context.catalog, context.queries, outer)


def only(node: exp.Expression, *allowed: str) -> None:
    """Refuse a node with any other part than these."""
    for name, part in node.args.items():
        if name not in allowed and part not in (None, False, [], ""):
            raise Refused(f"{name.strip('_').upper()} in {node.sql('trino')[:80]!r}")
