"""UNION, INTERSECT, EXCEPT, and the ORDER BY and LIMIT that end any query."""

from collections.abc import Sequence

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion import casts
from td_mta.trino_on_datafusion.binding.keys import groupable, order_of, ordering
from td_mta.trino_on_datafusion.binding.relations import Column, Context, Relation
from td_mta.trino_on_datafusion.parse import only
from td_mta.trino_on_datafusion.program import Bound, balanced
from td_mta.trino_on_datafusion.types import Type, common


def sides(node: exp.SetOperation) -> list[exp.Expression]:
    """The queries that a set operation joins; of a chain of UNION ALL all of them."""
    found: list[exp.Expression] = [node.expression]
    left = node.this
    while _is_plain_union_all(node) and _is_plain_union_all(left):
        found.append(left.expression)
        left = left.this
    return [left, *reversed(found)]


def _is_plain_union_all(node: exp.Expression) -> bool:
    parts = [part for name, part in node.args.items() if name not in ("this", "expression")]
    return isinstance(node, exp.Union) and not any(parts)


def set_operation(
    node: exp.SetOperation, relations: Sequence[Relation], context: Context
) -> Relation:
    """Rows of several queries, each column of the type to which all sides are converted."""
    only(node, "this", "expression", "distinct", "order", "limit", "offset", "with_")
    is_distinct = bool(node.args.get("distinct"))
    left, *others = relations
    kinds = [column.type for column in left.columns]
    for right in others:
        kinds = _column_types(node, kinds, right, is_distinct)
    columns = tuple(
        Column(column.name, kind, context.program.fresh())
        for column, kind in zip(left.columns, kinds, strict=True)
    )
    texts = [_side(side, kinds, columns, is_distinct, context) for side in relations]
    word = f"{node.key.upper()}{'' if is_distinct else ' ALL'}"
    names = ", ".join(column.sql for column in columns)
    rows = f"{balanced(word, texts)} AS {context.program.fresh()}"
    keys = [_output_key(item, columns, context) for item in order_of(node)]
    return Relation(limited(f"SELECT {names} FROM {rows}", keys, node), columns)


def _column_types(
    node: exp.SetOperation, left: Sequence[Type], right: Relation, is_distinct: bool
) -> list[Type]:
    word = node.key.upper()
    if len(left) != len(right.columns):
        raise Refused(f"{word} of {len(left)} and {len(right.columns)} columns")
    if not is_distinct and not isinstance(node, exp.Union):
        raise Refused(f"{word} ALL")
    kinds = []
    for left_kind, right_column in zip(left, right.columns, strict=True):
        kind = common(left_kind, right_column.type)
        if kind is None:
            raise Refused(f"{word} of {left_kind} and {right_column.type}")
        kinds.append(kind)
    return kinds


def _side(
    relation: Relation,
    kinds: Sequence[Type],
    columns: Sequence[Column],
    is_distinct: bool,
    context: Context,
) -> str:
    items = []
    for column, kind, output in zip(relation.columns, kinds, columns, strict=True):
        value = casts.coerce(Bound(column.sql, column.type), kind, context.program)
        if is_distinct:
            value = groupable(value, context.program)
        items.append(f"{value.sql} AS {output.sql}")
    return f"SELECT {', '.join(items)} FROM ({relation.sql}) AS {context.program.fresh()}"


def _output_key(item: exp.Ordered, columns: Sequence[Column], context: Context) -> str:
    """A key of ORDER BY after a set operation: the number or the name of an output column."""
    node = item.this
    column_of = {column.name.lower(): column for column in columns if column.name}
    if isinstance(node, exp.Literal) and node.is_int and 1 <= int(node.this) <= len(columns):
        column = columns[int(node.this) - 1]
    elif isinstance(node, exp.Column) and not node.table and node.name.lower() in column_of:
        column = column_of[node.name.lower()]
    else:
        raise Refused(
            f"ORDER BY {node.sql('trino')} after a set operation: only the number or "
            "the name of an output column"
        )
    return ordering(item, Bound(column.sql, column.type), context.program)


def limited(text: str, keys: list[str], node: exp.Expression) -> str:
    """A query's text with these keys of ORDER BY and the node's LIMIT and OFFSET, if any."""
    if keys:
        text += f" ORDER BY {', '.join(keys)}"
    for name in ("limit", "offset"):
        part = node.args.get(name)
        if part is not None:
            text += f" {name.upper()} {_row_count(part)}"
    return text


def _row_count(part: exp.Expression) -> int:
    """The number of LIMIT or OFFSET; FETCH FIRST is another node, LIMIT ALL no number."""
    is_count = isinstance(part, exp.Limit | exp.Offset) and isinstance(part.expression, exp.Literal)
    if not is_count:
        raise Refused(f"{part.sql('trino')!r}: only LIMIT and OFFSET with a number")
    only(part, "expression")
    return int(part.expression.this)
