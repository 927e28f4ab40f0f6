"""Queries as values that read no stored table: they run while the outer query is translated.

A pattern or a map that a query makes of its own lists is so a constant, as Trino's optimizer makes
it one.
"""

from dataclasses import replace
from typing import Any

from sqlglot import exp

from td_mta.trino_on_datafusion import engine
from td_mta.trino_on_datafusion.binding.relations import Context, InnerQuery
from td_mta.trino_on_datafusion.program import Bound, Program, has_literal, literal

_KINDS = (["varchar"], ["bigint"], ["map"])


class _Found(dict[object, list[Any]]):
    """Answers by the query and its functions: a list is often looked up in several places."""


def rows(node: exp.Expression, query: InnerQuery, context: Context) -> list[Any] | None:
    """The values of a query's one column; None where it names outer columns or stored tables."""
    if query.correlated or [kind.kind for kind in query.types] not in _KINDS:
        return None
    program = Program(context.program.now)
    inside = replace(context, program=program, outer=None, outer_columns=[])
    sql = context.bind_query(node, inside).sql
    if program.scans:
        return None
    found, key = context.program.shared(_Found), (sql, *program.functions)
    if key not in found:
        found[key] = engine.constant(sql, program)
    return found[key]


def bound(value: Bound, rows: list[Any]) -> Bound:
    """The value with what it is known to be: NULL of no row."""
    known = rows[0] if rows else None
    if known is None or has_literal(value.type):
        return literal(known, value.type)
    return replace(value, value=known)
