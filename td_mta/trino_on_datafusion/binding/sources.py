"""FROM: tables, WITH queries, subqueries, VALUES, UNNEST and joins, as text with columns."""

from dataclasses import replace
from typing import NamedTuple

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion import casts
from td_mta.trino_on_datafusion.binding.expressions import bind, common_type, condition
from td_mta.trino_on_datafusion.binding.relations import Column, Context, InputScope, Relation
from td_mta.trino_on_datafusion.kernels import arrays
from td_mta.trino_on_datafusion.parse import only
from td_mta.trino_on_datafusion.program import Bound
from td_mta.trino_on_datafusion.types import BIGINT, Type, array

MOST_JOINS = 100  # the engine's time to plan them grows with the square, its stack with each
_JOINS = {  # side and kind as sqlglot has them
    ("", ""): "INNER JOIN",
    ("", "INNER"): "INNER JOIN",
    ("LEFT", ""): "LEFT JOIN",
    ("LEFT", "OUTER"): "LEFT JOIN",
    ("RIGHT", ""): "RIGHT JOIN",
    ("RIGHT", "OUTER"): "RIGHT JOIN",
    ("FULL", ""): "FULL JOIN",
    ("FULL", "OUTER"): "FULL JOIN",
    ("", "CROSS"): "CROSS JOIN",
}


def source(select: exp.Select, context: Context) -> Relation | None:
    """FROM with its joins; None without FROM. Its `sql` is what follows the word FROM."""
    start = select.args.get("from_")
    if start is None:
        return None
    relation = _element(start.this, context)
    joins = select.args.get("joins") or []
    if len(joins) > MOST_JOINS:
        raise Refused(f"{len(joins)} joins in one FROM: {MOST_JOINS} at most")
    for position, join in enumerate(joins):
        relation = _joined(relation, join, context, is_first=not position)
    return relation


def _joined(left: Relation, join: exp.Join, context: Context, *, is_first: bool) -> Relation:
    only(join, "this", "on", "side", "kind", "using")
    side, kind = (str(join.args.get(name) or "").upper() for name in ("side", "kind"))
    on, using = join.args.get("on"), join.args.get("using")
    if isinstance(join.this, exp.Unnest):
        is_cross_join = (side, kind) == ("", "CROSS") or (on is None and not side)
        if not is_cross_join:
            raise Refused(f"{join.sql('trino')!r}: supported is CROSS JOIN UNNEST")
        return _unnested(join.this, left, context)
    word = _JOINS.get((side, kind))
    has_condition = on is not None or bool(using)
    if word == "INNER JOIN" and not has_condition and not kind:
        word = "CROSS JOIN"  # a comma
    if word is None or (word == "CROSS JOIN") == has_condition:
        raise Refused(f"{join.sql('trino')!r}: this kind of join, or one without a condition")
    right = _element(join.this, context)
    if using:
        return _joined_using(left, right, using, word, context)
    columns = (*left.columns, *right.columns)
    if word == "CROSS JOIN":
        # Trino holds the right side in memory, DataFusion the left.
        beside = left.sql if is_first else f"({left.sql})"
        return Relation(f"{right.sql} {word} {beside}", columns)
    return Relation(f"{left.sql} {word} {right.sql}{_on(on, columns, context)}", columns)


def _on(on: exp.Expression | None, columns: tuple[Column, ...], context: Context) -> str:
    if on is None:
        return ""
    test = condition(on, InputScope(columns, context))
    if test.fails:
        raise Refused(f"{on.sql('trino')!r}: an expression that may fail, in ON")
    return f" ON {test.sql}"


def _joined_using(
    left: Relation, right: Relation, names: list[exp.Identifier], word: str, context: Context
) -> Relation:
    """USING keeps one column of each name, which stands first."""
    if word not in ("INNER JOIN", "LEFT JOIN"):
        raise Refused(f"USING with {word}")
    key_names = [name.name.lower() for name in names]
    tests, keys = [], []
    for name in key_names:
        column = exp.column(name)
        left_key = InputScope(left.columns, context).find(column)
        right_key = InputScope(right.columns, context).find(column)
        if left_key is None or right_key is None or left_key.type.kind != right_key.type.kind:
            raise Refused(f"USING ({name}): it needs one column of one type on both sides")
        tests.append(f"{left_key.sql} = {right_key.sql}")
        keys.append(replace(left_key, relation=None))
    others = [
        column
        for column in (*left.columns, *right.columns)
        if (column.name or "").lower() not in key_names
    ]
    return Relation(f"{left.sql} {word} {right.sql} ON {' AND '.join(tests)}", (*keys, *others))


def _element(node: exp.Expression, context: Context) -> Relation:
    """One element of FROM, under its alias."""
    if isinstance(node, exp.Table):
        return _table(node, context)
    if isinstance(node, exp.Subquery):
        return _subquery(node, context)
    if isinstance(node, exp.Values):
        return _aliased(values_relation(node, context), node.args.get("alias"), context)
    if isinstance(node, exp.Unnest):
        return _unnested(node, None, context)
    raise Refused(f"{node.key.upper()} in FROM")


def _subquery(node: exp.Subquery, context: Context) -> Relation:
    only(node, "this", "alias", "with_")
    query: exp.Expression = node.args["this"]
    if not isinstance(query, exp.Query | exp.Values):
        raise Refused(f"{node.sql('trino')[:80]!r} in FROM")
    # A subquery in FROM does not see the columns of the outer queries, unless it is LATERAL.
    relation = context.bind_query(query, replace(context, outer=None))
    return _aliased(relation, node.args.get("alias"), context)


def _table(node: exp.Table, context: Context) -> Relation:
    only(node, "this", "db", "catalog", "alias")
    if not isinstance(node.this, exp.Identifier):
        raise Refused(f"{node.sql('trino')!r} in FROM")
    name = node.name.lower()
    if node.db.lower() == "information_schema":
        raise Refused(f"{node.sql('trino')!r}: information_schema does not exist here")
    if name in context.queries and not node.db:
        relation = _with_query(name, context)
    else:
        relation = _scan(node.name, context)
    alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name))
    return _aliased(relation, alias, context)


def _with_query(name: str, context: Context) -> Relation:
    """A query of WITH, which sees what stood before it and no columns of the outer queries."""
    named = context.queries[name]
    inside = replace(
        named.context, program=context.program, outer=None, outer_columns=context.outer_columns
    )
    return _renamed(context.bind_query(named.query, inside), named.alias)


def _scan(table: str, context: Context) -> Relation:
    columns, items = [], []
    for name, kind, text in context.catalog(table):
        column = Column(name, kind, context.program.fresh())
        columns.append(column)
        items.append(f"{text} AS {column.sql}")
    scans = context.program.scans
    scan = scans.setdefault(table, f"t{len(scans)}")
    return Relation(f"SELECT {', '.join(items)} FROM {scan}", tuple(columns))


def _aliased(relation: Relation, alias: exp.TableAlias | None, context: Context) -> Relation:
    """As an element of FROM, under its alias and with the alias's column names."""
    named = _renamed(relation, alias)
    columns = tuple(replace(column, relation=_alias_name(alias)) for column in named.columns)
    return Relation(f"({relation.sql}) AS {context.program.fresh()}", columns)


def _alias_name(alias: exp.TableAlias | None) -> str | None:
    return alias.name.lower() if alias is not None and alias.this else None


def _renamed(relation: Relation, alias: exp.TableAlias | None) -> Relation:
    """The same rows under the column names that an alias gives, if it gives any."""
    names = [column.name for column in alias.columns] if alias is not None else []
    if not names:
        return relation
    if len(names) != len(relation.columns):
        raise Refused(f"{len(names)} column names for {len(relation.columns)} columns: {names}")
    columns = zip(relation.columns, names, strict=True)
    return Relation(relation.sql, tuple(replace(column, name=name) for column, name in columns))


def values_relation(node: exp.Values, context: Context) -> Relation:
    """VALUES as a query, each column of the type to which all its values are converted."""
    only(node, "expressions", "alias", "order", "limit", "offset")
    if any(node.args.get(name) for name in ("order", "limit", "offset")):
        raise Refused("ORDER BY or LIMIT right after VALUES: write SELECT * FROM (VALUES ...)")
    scope, program = InputScope((), context), context.program
    rows = [[bind(item, scope) for item in _row_items(row)] for row in node.expressions]
    if len({len(row) for row in rows}) != 1:
        raise Refused("VALUES with rows of different lengths")
    kinds = [_column_type(list(values), node) for values in zip(*rows, strict=True)]
    columns = tuple(Column(None, kind, program.fresh()) for kind in kinds)
    lines = [_line(row, kinds, context) for row in rows]
    names = ", ".join(column.sql for column in columns)
    values = f"(VALUES {', '.join(lines)}) AS {program.fresh()}({names})"
    return Relation(f"SELECT {names} FROM {values}", columns)


def _row_items(row: exp.Expression) -> list[exp.Expression]:
    return list(row.expressions) if isinstance(row, exp.Tuple) else [row]


def _column_type(values: list[Bound], node: exp.Values) -> Type:
    kind = common_type(values, node)
    if kind.kind == "unknown":
        raise Refused("VALUES with a column of NULLs alone: cast one of them")
    return kind


def _line(row: list[Bound], kinds: list[Type], context: Context) -> str:
    """One row of VALUES."""
    values = [
        casts.coerce(value, kind, context.program).sql
        for value, kind in zip(row, kinds, strict=True)
    ]
    return f"({', '.join(values)})"


class _List(NamedTuple):
    """A list whose elements UNNEST makes a column of: `sql` is that column's name."""

    sql: str
    bound: Bound


def _unnested(node: exp.Unnest, left: Relation | None, context: Context) -> Relation:
    """Each element of one array as a row; rows with an empty or no array vanish."""
    only(node, "expressions", "alias", "offset")
    lists = _lists(node, left, context)
    alias = node.args.get("alias")
    names = _names_of_elements(node, alias, len(lists))
    new_columns = tuple(
        Column(name, bound.type.args[0], sql, _alias_name(alias))
        for name, (sql, bound) in zip(names, lists, strict=True)
    )
    columns = left.columns if left else ()
    elements = [f"unnest({bound.sql}) AS {sql}" for sql, bound in lists]
    text = f"SELECT {', '.join([*(column.sql for column in columns), *elements])}"
    text += f" FROM {left.sql}" if left else ""
    return Relation(f"({text}) AS {context.program.fresh()}", (*columns, *new_columns))


def _lists(node: exp.Unnest, left: Relation | None, context: Context) -> list[_List]:
    """The array, and with WITH ORDINALITY the positions of its elements."""
    if len(node.expressions) != 1:
        raise Refused("UNNEST of several arrays")
    items = bind(node.expressions[0], InputScope(left.columns if left else (), context))
    if items.type.kind != "array":
        raise Refused(f"UNNEST of {items.type}")
    if items.type.args[0].kind == "unknown":
        raise Refused(f"{node.sql('trino')!r} of an array of NULLs alone")
    program = context.program
    lists = [_List(program.fresh(), items)]
    if node.args.get("offset"):
        name = program.fresh()
        positions = program.call(arrays.ordinals, [items], array(BIGINT))
        lists.append(_List(name, positions))
    return lists


def _names_of_elements(
    node: exp.Unnest, alias: exp.TableAlias | None, count: int
) -> list[str] | list[None]:
    """The column names of the alias; sqlglot keeps that of the ordinality apart."""
    names = [name.name.lower() for name in alias.columns] if alias is not None else []
    if isinstance(node.args.get("offset"), exp.Identifier):
        names.append(node.args["offset"].name.lower())
    if names and len(names) != count:
        raise Refused(f"{node.sql('trino')!r}: {len(names)} names for {count} columns")
    return names or [None] * count
