"""UNION, INTERSECT, EXCEPT, and the ORDER BY and LIMIT that end any query."""

from collections.abc import Sequence

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion import casts
from td_mta.trino_on_datafusion.binding.keys import groupable, order_of, ordering
from td_mta.trino_on_datafusion.binding.relations import Column, Context, Relation
from td_mta.trino_on_datafusion.parse import only
from td_mta.trino_on_datafusion.program import Bound
from td_mta.trino_on_datafusion.types import Type, common


def set_operation(
    node: exp.SetOperation, left: Relation, right: Relation, context: Context
) -> Relation:
    """Rows of two queries, each column of the type that both sides turn into."""
    only(node, "this", "expression", "distinct", "order", "limit", "offset", "with_")
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
    keys = [_output_key(item, columns, outputs, context) for item in order_of(node)]
    return Relation(limited(text, keys, node), columns)


def _side(
    rows: Relation,
    kinds: Sequence[Type],
    columns: Sequence[Column],
    distinct: bool,
    context: Context,
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


def limited(text: str, keys: list[str], node: exp.Expression) -> str:
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
