"""FROM: tables, WITH queries, subqueries, VALUES, UNNEST and joins, as text with columns."""

from dataclasses import replace

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion import casts
from td_mta.trino_on_datafusion.binding.expressions import bind, common_type, condition
from td_mta.trino_on_datafusion.binding.relations import (
    Column,
    Context,
    InputScope,
    Relation,
)
from td_mta.trino_on_datafusion.kernels import arrays
from td_mta.trino_on_datafusion.parse import only
from td_mta.trino_on_datafusion.program import Bound
from td_mta.trino_on_datafusion.types import BIGINT, Type, array

_JOINS = {
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
    """The rows of FROM with its joins; None without FROM. `sql` is what follows FROM."""
    start = select.args.get("from_")
    if start is None:
        return None
    rows = _relation(start.this, context)
    for join in select.args.get("joins") or []:
        rows = _join(rows, join, context)
    return rows


def _join(left: Relation, join: exp.Join, context: Context) -> Relation:
    only(join, "this", "on", "side", "kind", "using")
    side, kind = (str(join.args.get(name) or "").upper() for name in ("side", "kind"))
    if isinstance(join.this, exp.Unnest):
        if (side, kind) != ("", "CROSS") and not (join.args.get("on") is None and not side):
            raise Refused(f"{join.sql('trino')!r}: only CROSS JOIN UNNEST")
        return _unnested(join.this, left, context)
    word = _JOINS.get((side, kind))
    on, using = join.args.get("on"), join.args.get("using")
    if word == "INNER JOIN" and on is None and not using and not kind:
        word = "CROSS JOIN"  # a comma
    if word is None or (word == "CROSS JOIN") != (on is None and not using):
        raise Refused(f"{join.sql('trino')!r}")
    right = _relation(join.this, context)
    columns = (*left.columns, *right.columns)
    if using:
        return _using(left, right, using, word, context)
    return Relation(f"{left.sql} {word} {right.sql}{_on(on, columns, context)}", columns)


def _on(on: exp.Expression | None, columns: tuple[Column, ...], context: Context) -> str:
    if on is None:
        return ""
    test = condition(on, InputScope(columns, context))
    if test.fails:
        raise Refused(f"{on.sql('trino')!r}: what may fail, in ON")
    return f" ON {test.sql}"


def _using(
    left: Relation, right: Relation, names: list[exp.Identifier], word: str, context: Context
) -> Relation:
    """USING keeps one column of each name, which stands first."""
    if word not in ("INNER JOIN", "LEFT JOIN"):
        raise Refused(f"USING with {word}")
    wanted = [name.name.lower() for name in names]
    tests, kept = [], []
    for name in wanted:
        column = exp.column(name)
        mine = InputScope(left.columns, context).find(column)
        other = InputScope(right.columns, context).find(column)
        if mine is None or other is None or mine.type.kind != other.type.kind:
            raise Refused(f"USING ({name}): it needs one column of one type on both sides")
        tests.append(f"{mine.sql} = {other.sql}")
        kept.append(replace(mine, relation=None))
    rest = [c for c in (*left.columns, *right.columns) if (c.name or "").lower() not in wanted]
    return Relation(f"{left.sql} {word} {right.sql} ON {' AND '.join(tests)}", (*kept, *rest))


def _relation(node: exp.Expression, context: Context) -> Relation:
    if isinstance(node, exp.Table):
        return _table(node, context)
    if isinstance(node, exp.Subquery):
        only(node, "this", "alias", "with_")
        inner: exp.Expression = node.args["this"]
        if not isinstance(inner, exp.Query | exp.Values):
            raise Refused(f"{node.sql('trino')[:80]!r} in FROM")
        return _aliased(
            context.bind_query(inner, replace(context, outer=None)), node.args.get("alias"), context
        )
    if isinstance(node, exp.Values):
        return _aliased(rows_of_values(node, context), node.args.get("alias"), context)
    if isinstance(node, exp.Unnest):
        return _unnested(node, None, context)
    raise Refused(f"{node.key.upper()} in FROM")


def _table(node: exp.Table, context: Context) -> Relation:
    only(node, "this", "db", "catalog", "alias")
    if not isinstance(node.this, exp.Identifier):
        raise Refused(f"{node.sql('trino')!r} in FROM")
    name = node.name.lower()
    if node.db.lower() == "information_schema":
        raise Refused(f"{node.sql('trino')!r}")
    if name in context.queries and not node.db:
        named = context.queries[name]
        rows = context.bind_query(
            named.query, replace(named.context, outer=None, outer_columns=context.outer_columns)
        )
        rows = _renamed(rows, named.alias)
    else:
        rows = _scan(node.name, context)
    alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name))
    return _aliased(rows, alias, context)


def _scan(table: str, context: Context) -> Relation:
    columns, items = [], []
    for name, kind, text in context.catalog(table):
        column = Column(name, kind, context.program.fresh())
        columns.append(column)
        items.append(f"{text} AS {column.sql}")
    scan = context.program.scans.setdefault(table, f"t{len(context.program.scans)}")
    return Relation(f"SELECT {', '.join(items)} FROM {scan}", tuple(columns))


def _aliased(rows: Relation, alias: exp.TableAlias | None, context: Context) -> Relation:
    """As an element of FROM, under its alias and with the alias's column names."""
    relation = alias.name.lower() if alias is not None and alias.this else None
    named = _renamed(rows, alias)
    columns = tuple(replace(column, relation=relation) for column in named.columns)
    return Relation(f"({rows.sql}) AS {context.program.fresh()}", columns)


def _renamed(rows: Relation, alias: exp.TableAlias | None) -> Relation:
    """The same rows under the column names that an alias gives, if it gives any."""
    names = [column.name for column in alias.columns] if alias is not None else []
    if not names:
        return rows
    if len(names) != len(rows.columns):
        raise Refused(f"{len(names)} column names for {len(rows.columns)} columns: {names}")
    columns = zip(rows.columns, names, strict=True)
    return Relation(rows.sql, tuple(replace(column, name=name) for column, name in columns))


def rows_of_values(node: exp.Values, context: Context) -> Relation:
    """VALUES as a query, each column of the type that all its values turn into."""
    only(node, "expressions", "alias", "order", "limit", "offset")
    if any(node.args.get(name) for name in ("order", "limit", "offset")):
        raise Refused("ORDER BY or LIMIT right after VALUES")
    scope = InputScope((), context)
    rows = [[bind(item, scope) for item in _items(row)] for row in node.expressions]
    if len({len(row) for row in rows}) != 1:
        raise Refused("VALUES with rows of different lengths")
    kinds = [_known(common_type(list(column), node)) for column in zip(*rows, strict=True)]
    columns = tuple(Column(None, kind, context.program.fresh()) for kind in kinds)
    lines = [_line(row, kinds, context) for row in rows]
    names = ", ".join(column.sql for column in columns)
    table = context.program.fresh()
    return Relation(f"SELECT {names} FROM (VALUES {', '.join(lines)}) AS {table}({names})", columns)


def _items(row: exp.Expression) -> list[exp.Expression]:
    return list(row.expressions) if isinstance(row, exp.Tuple) else [row]


def _known(kind: Type) -> Type:
    if kind.kind == "unknown":
        raise Refused("VALUES with a column of NULLs alone")
    return kind


def _line(row: list[Bound], kinds: list[Type], context: Context) -> str:
    cast = [
        casts.coerce(value, kind, context.program).sql
        for value, kind in zip(row, kinds, strict=True)
    ]
    return f"({', '.join(cast)})"


def _unnested(node: exp.Unnest, left: Relation | None, context: Context) -> Relation:
    """Each element of one array as a row; rows with an empty or no array vanish."""
    only(node, "expressions", "alias", "offset")
    if len(node.expressions) != 1:
        raise Refused("UNNEST of several arrays")
    scope = InputScope(left.columns if left else (), context)
    items = bind(node.expressions[0], scope)
    if items.type.kind != "array":
        raise Refused(f"UNNEST of {items.type}")
    if items.type.args[0].kind == "unknown":
        raise Refused(f"{node.sql('trino')!r} of an array of NULLs alone")
    alias = node.args.get("alias")
    relation = alias.name.lower() if alias is not None and alias.this else None
    lists = {context.program.fresh(): items}
    names = [name.name.lower() for name in alias.columns] if alias is not None else []
    if node.args.get("offset"):
        places = array(BIGINT)
        lists[context.program.fresh()] = context.program.call(arrays.ordinals, [items], places)
        names += (
            []
            if not isinstance(node.args["offset"], exp.Identifier)
            else [node.args["offset"].name.lower()]
        )
    if names and len(names) != len(lists):
        raise Refused(f"{node.sql('trino')!r}")
    made = tuple(
        Column(names[at] if names else None, bound.type.args[0], name, relation)
        for at, (name, bound) in enumerate(lists.items())
    )
    kept = left.columns if left else ()
    shown = [f"unnest({bound.sql}) AS {name}" for name, bound in lists.items()]
    text = f"SELECT {', '.join([*(column.sql for column in kept), *shown])}"
    text += f" FROM {left.sql}" if left else ""
    return Relation(f"({text}) AS {context.program.fresh()}", (*kept, *made))
