"""Window functions: `f(...) OVER (PARTITION BY ... ORDER BY ... frame)`, the frame written out.

No frame is left to DataFusion's defaults, which need not be Trino's.
"""

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion import casts
from td_mta.trino_on_datafusion.binding.aggregate_calls import AGGREGATES, aggregate
from td_mta.trino_on_datafusion.binding.expressions import Scope, bind
from td_mta.trino_on_datafusion.binding.keys import groupable, order_of, ordering
from td_mta.trino_on_datafusion.functions.aggregate_names import is_aggregate
from td_mta.trino_on_datafusion.parse import only
from td_mta.trino_on_datafusion.program import Bound, arrow_cast
from td_mta.trino_on_datafusion.types import BIGINT, DOUBLE, INTEGERS, Type, common

_RANKS = ("row_number", "rank", "dense_rank")  # bigints
_SHARES = ("percent_rank", "cume_dist")  # doubles
_OFFSETS = ("lag", "lead")
_IN_FRAME = ("first_value", "last_value", "nth_value")
_FRAME_BOUNDS = ("UNBOUNDED", "CURRENT ROW")


def window(node: exp.Window, scope: Scope) -> Bound:
    """A window function's value; `Refused` for a function or a form that is not known here."""
    only(node, "this", "partition_by", "order", "spec", "over")
    call, ignores_nulls = node.this, isinstance(node.this, exp.IgnoreNulls)
    if isinstance(call, exp.IgnoreNulls | exp.RespectNulls):
        call = call.this
    over = _over(node, scope)
    if is_aggregate(call) and not ignores_nulls:
        return _aggregate(call, node, scope)
    if not isinstance(call, exp.Anonymous):
        raise _refused(node, "OVER after anything but a function's call")
    name = call.name.lower()
    if name in (*_OFFSETS, *_IN_FRAME):
        return _value(name, call, node, scope, nulls=" IGNORE NULLS" if ignores_nulls else "")
    if ignores_nulls or node.args.get("spec"):
        raise _refused(node, f"IGNORE NULLS or a frame with {name}")
    if name in _RANKS and not call.expressions:
        return _as_bigint(f"({name}() OVER ({over}))")
    if name in _SHARES and not call.expressions:
        return Bound(f"({name}() OVER ({over}))", DOUBLE)
    if name == "ntile" and len(call.expressions) == 1:
        return _ntile(bind(call.expressions[0], scope), node, over, scope)
    raise Refused(f"window function {name}")


def _refused(node: exp.Window, reason: str) -> Refused:
    return Refused(f"{node.sql('trino')!r}: {reason}")


def _as_bigint(sql: str) -> Bound:
    return Bound(arrow_cast(sql, BIGINT), BIGINT)  # DataFusion counts in unsigned integers


def _over(node: exp.Window, scope: Scope) -> str:
    """What stands in OVER (...), without a frame."""
    partition = [bind(key, scope) for key in node.args.get("partition_by") or []]
    keys = [groupable(key, scope.program).sql for key in partition]
    items = [ordering(item, bind(item.this, scope), scope.program) for item in order_of(node)]
    parts = [f"PARTITION BY {', '.join(keys)}"] if keys else []
    parts += [f"ORDER BY {', '.join(items)}"] if items else []
    return " ".join(parts)


def _over_with_frame(node: exp.Window, scope: Scope) -> str:
    return f"{_over(node, scope)} {_frame(node, scope)}".strip()


def _frame(node: exp.Window, scope: Scope) -> str:
    """ROWS or RANGE with both ends; SQL's default where the query has none."""
    order = [bind(item.this, scope).type for item in order_of(node)]
    spec = node.args.get("spec")
    if spec is None:
        end = "CURRENT ROW" if order else "UNBOUNDED FOLLOWING"
        return f"{'RANGE' if order else 'ROWS'} BETWEEN UNBOUNDED PRECEDING AND {end}"
    only(spec, "kind", "start", "start_side", "end", "end_side")
    kind = str(spec.args.get("kind")).upper()
    # RANGE counts by values: only of one key that is an integer is that DataFusion's arithmetic.
    by_number = kind == "ROWS" or (len(order) == 1 and order[0].kind in INTEGERS)
    start = _bound(spec.args.get("start"), spec.args.get("start_side"), kind, by_number)
    end = _bound(spec.args.get("end") or "CURRENT ROW", spec.args.get("end_side"), kind, by_number)
    if not order or kind not in ("ROWS", "RANGE"):
        raise _refused(node, "a frame in GROUPS or without ORDER BY")
    return f"{kind} BETWEEN {start} AND {end}"


def _bound(value: object, side: object, kind: str, by_number: bool) -> str:
    """One end of a frame; sqlglot gives words as text, numbers as literals."""
    if isinstance(value, str) and value.upper() in _FRAME_BOUNDS:
        return f"{value.upper()} {str(side or '').upper()}".strip()
    if by_number and isinstance(value, exp.Literal) and value.is_int:
        return f"{int(value.this)} {str(side).upper()}"
    raise Refused(f"a {kind} frame with the bound {value}")


def _aggregate(call: exp.Expression, node: exp.Window, scope: Scope) -> Bound:
    if call.find(exp.Distinct, exp.Order):
        raise _refused(node, "DISTINCT or ORDER BY in a window's aggregate")
    if isinstance(call, exp.Filter):
        raise _refused(node, "FILTER over a window, which Trino does not have")
    name = call.name.lower()
    if not AGGREGATES[name].over_window:
        raise Refused(f"{name} over a window")
    translated = aggregate(call, scope)
    frame = _frame(node, scope)
    if translated.type == DOUBLE and "BETWEEN UNBOUNDED PRECEDING" not in frame:
        # DataFusion subtracts the rows that leave the frame, which rounds otherwise than a new sum.
        raise _refused(node, "a moving frame over doubles")
    text = f"({translated.call} OVER ({_over_with_frame(node, scope)}))"
    return translated.to_trino(Bound(text, translated.type))


def _value(name: str, call: exp.Anonymous, node: exp.Window, scope: Scope, *, nulls: str) -> Bound:
    """lag, lead, first_value, last_value, nth_value: the value of another row."""
    args = [bind(arg, scope) for arg in call.expressions]
    if not args or not node.args.get("order"):
        raise _refused(node, f"{name} needs an argument and ORDER BY")
    kind: Type | None = args[0].type
    if name in _OFFSETS:
        if node.args.get("spec") or len(args) > 3:
            raise _refused(node, f"{name} with a frame or with more than 3 arguments")
        if len(args) == 3:
            kind = common(args[0].type, args[2].type)
    elif len(args) != (2 if name == "nth_value" else 1):
        raise _refused(node, f"{name} with {len(args)} arguments")
    texts = [_whole_number(arg, node, 0 if name in _OFFSETS else 1) for arg in args[1:2]]
    if kind is None or kind.kind == "unknown":
        raise _refused(node, "values without one common type")
    value = casts.coerce(args[0], kind, scope.program)
    texts += [_default(arg, kind, node, scope) for arg in args[2:]]
    over = _over(node, scope) if name in _OFFSETS else _over_with_frame(node, scope)
    return Bound(f"({name}({', '.join([value.sql, *texts])}){nulls} OVER ({over}))", kind)


def _whole_number(arg: Bound, node: exp.Window, least: int) -> str:
    if not arg.constant or not isinstance(arg.value, int) or arg.value < least:
        raise _refused(node, f"its offset must be a constant of at least {least}")
    return str(arg.value)


def _default(arg: Bound, kind: Type, node: exp.Window, scope: Scope) -> str:
    if not arg.constant:
        raise _refused(node, "its default must be a constant")
    return casts.coerce(arg, kind, scope.program).sql


def _ntile(buckets: Bound, node: exp.Window, over: str, scope: Scope) -> Bound:
    """The first buckets take one more row where the rows do not divide."""
    if not buckets.constant or not isinstance(buckets.value, int) or buckets.value < 1:
        raise _refused(node, "its number of buckets must be a positive constant")
    count = buckets.value
    partition = over.split("ORDER BY")[0].strip()
    row_number = _as_bigint(f"(row_number() OVER ({over}))")
    rows_of_partition = _as_bigint(f"(count(*) OVER ({partition}))")

    def kernel(row_number: pa.Array, rows: pa.Array) -> pa.Array:
        rows_before = pc.subtract(row_number, 1)
        size = pc.divide(rows, count)
        larger_buckets = pc.subtract(rows, pc.multiply(size, count))
        larger_size = pc.add(size, 1)
        rows_in_larger = pc.multiply(larger_buckets, larger_size)
        larger_bucket = pc.divide(rows_before, larger_size)
        rows_after_larger = pc.subtract(rows_before, rows_in_larger)
        smaller_bucket = pc.divide(rows_after_larger, pc.max_element_wise(size, 1))
        is_in_larger = pc.less(rows_before, rows_in_larger)
        bucket = pc.if_else(is_in_larger, larger_bucket, pc.add(larger_buckets, smaller_bucket))
        return pc.add(bucket, 1)

    args = [row_number, rows_of_partition]
    return scope.program.call(kernel, args, BIGINT, key=("ntile", count))
