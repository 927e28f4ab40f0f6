"""Window functions: `f(...) OVER (PARTITION BY ... ORDER BY ... frame)`, the frame written out."""

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion import casts
from td_mta.trino_on_datafusion.binding.aggregate_calls import AGGREGATES, aggregate
from td_mta.trino_on_datafusion.binding.expressions import Scope, bind
from td_mta.trino_on_datafusion.binding.keys import groupable, ordering
from td_mta.trino_on_datafusion.functions.aggregate_names import is_aggregate
from td_mta.trino_on_datafusion.parse import only
from td_mta.trino_on_datafusion.program import Bound, arrow_cast
from td_mta.trino_on_datafusion.types import BIGINT, DOUBLE, INTEGERS, Type, common

_RANKS = ("row_number", "rank", "dense_rank")
_SHARES = ("percent_rank", "cume_dist")
_VALUES = ("first_value", "last_value", "nth_value", "lag", "lead")
_BOUNDS = ("UNBOUNDED", "CURRENT ROW")


def window(node: exp.Window, scope: Scope) -> Bound:
    """A window function's value."""
    only(node, "this", "partition_by", "order", "spec", "over")
    call, nulls = node.this, ""
    if isinstance(call, exp.IgnoreNulls):
        call, nulls = call.this, " IGNORE NULLS"
    elif isinstance(call, exp.RespectNulls):
        call = call.this
    over = _over(node, scope)
    if is_aggregate(call) and not nulls:
        return _aggregate(call, node, over, scope)
    if not isinstance(call, exp.Anonymous):
        raise Refused(f"{node.sql('trino')!r}")
    name = call.name.lower()
    if name in _VALUES:
        return _value(name, call, node, nulls, scope)
    if nulls or node.args.get("spec"):
        raise Refused(f"{node.sql('trino')!r}")
    if name in _RANKS and not call.expressions:
        return Bound(arrow_cast(f"({name}() OVER ({over}))", BIGINT), BIGINT)
    if name in _SHARES and not call.expressions:
        return Bound(f"({name}() OVER ({over}))", DOUBLE)
    if name == "ntile" and len(call.expressions) == 1:
        return _ntile(bind(call.expressions[0], scope), node, over, scope)
    raise Refused(f"window function {name}")


def _over(node: exp.Window, scope: Scope, *, framed: bool = False) -> str:
    keys = [
        groupable(bind(key, scope), scope.program).sql
        for key in node.args.get("partition_by") or []
    ]
    parts = [f"PARTITION BY {', '.join(keys)}"] if keys else []
    order = node.args.get("order")
    if order:
        items = [
            ordering(item, bind(item.this, scope), scope.program) for item in order.expressions
        ]
        parts.append(f"ORDER BY {', '.join(items)}")
    if framed:
        parts.append(_frame(node, _order_types(node, scope)))
    return " ".join(parts)


def _order_types(node: exp.Window, scope: Scope) -> list[Type]:
    order = node.args.get("order")
    return [bind(item.this, scope).type for item in order.expressions] if order else []


def _frame(node: exp.Window, order: list[Type]) -> str:
    spec = node.args.get("spec")
    if spec is None:
        end = "CURRENT ROW" if order else "UNBOUNDED FOLLOWING"
        return f"{'RANGE' if order else 'ROWS'} BETWEEN UNBOUNDED PRECEDING AND {end}"
    only(spec, "kind", "start", "start_side", "end", "end_side")
    kind = str(spec.args.get("kind")).upper()
    by_number = kind == "ROWS" or [key.kind for key in order] in ([name] for name in INTEGERS)
    start = _bound(spec.args.get("start"), spec.args.get("start_side"), kind, by_number)
    end = _bound(spec.args.get("end") or "CURRENT ROW", spec.args.get("end_side"), kind, by_number)
    if not order or kind not in ("ROWS", "RANGE"):
        raise Refused(f"{node.sql('trino')!r}: a frame in GROUPS or without ORDER BY")
    return f"{kind} BETWEEN {start} AND {end}"


def _bound(value: object, side: object, kind: str, by_number: bool) -> str:
    if isinstance(value, str) and value.upper() in _BOUNDS:
        return f"{value.upper()} {str(side or '').upper()}".strip()
    if by_number and isinstance(value, exp.Literal) and value.is_int:
        return f"{int(value.this)} {str(side).upper()}"
    raise Refused(f"a {kind} frame with the bound {value}")


def _aggregate(call: exp.Expression, node: exp.Window, over: str, scope: Scope) -> Bound:
    if any(
        isinstance(part, exp.Distinct | exp.Order)
        for part in call.find_all(exp.Distinct, exp.Order)
    ):
        raise Refused(f"{node.sql('trino')!r}: DISTINCT or ORDER BY in a window's aggregate")
    if isinstance(call, exp.Filter):
        raise Refused(f"{node.sql('trino')!r}: FILTER over a window, which Trino does not have")
    name = call.name.lower()
    if not AGGREGATES[name].over_window:
        raise Refused(f"{name} over a window")
    translated = aggregate(call, scope)
    frame = _frame(node, _order_types(node, scope))
    if translated.type == DOUBLE and "BETWEEN UNBOUNDED PRECEDING" not in frame:
        raise Refused(f"{node.sql('trino')!r}: a moving frame over doubles")
    text = f"({translated.call} OVER ({_over(node, scope, framed=True)}))"
    return translated.to_trino(Bound(text, translated.type))


def _value(name: str, call: exp.Anonymous, node: exp.Window, nulls: str, scope: Scope) -> Bound:
    args = [bind(arg, scope) for arg in call.expressions]
    if not args or not node.args.get("order"):
        raise Refused(f"{node.sql('trino')!r}: {name} needs an argument and ORDER BY")
    kind: Type | None = args[0].type
    texts = [args[0].sql]
    if name in ("lag", "lead"):
        if node.args.get("spec") or len(args) > 3:
            raise Refused(f"{node.sql('trino')!r}")
        if len(args) == 3:
            kind = common(kind, args[2].type) if kind else None
        texts += [_whole(args[1], node, 0)] if len(args) > 1 else []
    elif len(args) != (2 if name == "nth_value" else 1):
        raise Refused(f"{node.sql('trino')!r}")
    elif name == "nth_value":
        texts.append(_whole(args[1], node, 1))
    if kind is None or kind.kind == "unknown":
        raise Refused(f"{node.sql('trino')!r}")
    texts[0] = casts.coerce(args[0], kind, scope.program).sql
    if len(args) == 3:
        texts.append(_default(args[2], kind, node, scope))
    over = _over(node, scope, framed=name not in ("lag", "lead"))
    return Bound(f"({name}({', '.join(texts)}){nulls} OVER ({over}))", kind)


def _whole(arg: Bound, node: exp.Window, least: int) -> str:
    if not arg.constant or not isinstance(arg.value, int) or arg.value < least:
        raise Refused(f"{node.sql('trino')!r}: an offset that is no constant of {least} or more")
    return str(arg.value)


def _default(arg: Bound, kind: Type, node: exp.Window, scope: Scope) -> str:
    if not arg.constant:
        raise Refused(f"{node.sql('trino')!r}: a default that is no constant")
    return casts.coerce(arg, kind, scope.program).sql


def _ntile(buckets: Bound, node: exp.Window, over: str, scope: Scope) -> Bound:
    """The first buckets take one more row where the rows do not divide."""
    if not buckets.constant or not isinstance(buckets.value, int) or buckets.value < 1:
        raise Refused(f"{node.sql('trino')!r}: a number of buckets that is no positive constant")
    count = buckets.value
    partition = over.split("ORDER BY")[0].strip()
    place = Bound(arrow_cast(f"(row_number() OVER ({over}))", BIGINT), BIGINT)
    rows = Bound(arrow_cast(f"(count(*) OVER ({partition}))", BIGINT), BIGINT)

    def run(place: pa.Array, rows: pa.Array) -> pa.Array:
        before = pc.subtract(place, 1)
        size = pc.divide(rows, count)
        rest = pc.subtract(rows, pc.multiply(size, count))
        larger = pc.multiply(rest, pc.add(size, 1))
        in_larger = pc.divide(before, pc.add(size, 1))
        after = pc.divide(pc.subtract(before, larger), pc.max_element_wise(size, 1))
        return pc.add(pc.if_else(pc.less(before, larger), in_larger, pc.add(rest, after)), 1)

    return scope.program.call(run, [place, rows], BIGINT, key=("ntile", count))
