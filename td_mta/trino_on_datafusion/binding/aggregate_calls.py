"""The one table of aggregate functions, and how a call of one is bound.

A name here stands in `functions/aggregate_names.py` too, which files below this one ask.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.binding import aggregates, collected_aggregates
from td_mta.trino_on_datafusion.binding.aggregates import Aggregate, AggregateCall
from td_mta.trino_on_datafusion.binding.expressions import Scope, bind, condition
from td_mta.trino_on_datafusion.types import BIGINT


@dataclass(frozen=True)
class AggregateRule:
    """What a function becomes, and what its call may hold."""

    bind: Callable[[AggregateCall], Aggregate]
    arguments: int = 1
    distinct: bool = False  # DISTINCT before the argument
    ordered: bool = False  # ORDER BY after it
    over_window: bool = False  # OVER behind the call


_ARBITRARY = AggregateRule(aggregates.arbitrary, over_window=True)
_EXTREME = AggregateRule(aggregates.extreme, over_window=True)
_EVERY = AggregateRule(aggregates.of_booleans("bool_and"), over_window=True)
_STDDEV_OF_SAMPLE = AggregateRule(aggregates.of_doubles("stddev_samp"))
_VARIANCE_OF_SAMPLE = AggregateRule(aggregates.of_doubles("var_samp"))

AGGREGATES: Mapping[str, AggregateRule] = {
    "any_value": _ARBITRARY,
    "approx_distinct": AggregateRule(collected_aggregates.approx_distinct),
    "approx_percentile": AggregateRule(collected_aggregates.approx_percentile, arguments=2),
    "arbitrary": _ARBITRARY,
    "array_agg": AggregateRule(aggregates.array_agg, distinct=True, ordered=True),
    "avg": AggregateRule(aggregates.of_doubles("avg"), over_window=True),
    "bitwise_and_agg": AggregateRule(aggregates.of_bits("bit_and")),
    "bitwise_or_agg": AggregateRule(aggregates.of_bits("bit_or")),
    "bool_and": _EVERY,
    "bool_or": AggregateRule(aggregates.of_booleans("bool_or"), over_window=True),
    "checksum": AggregateRule(collected_aggregates.checksum),
    "corr": AggregateRule(collected_aggregates.corr, arguments=2),
    "count": AggregateRule(aggregates.count, distinct=True, over_window=True),
    "count_if": AggregateRule(aggregates.count_if, over_window=True),
    "every": _EVERY,
    "geometric_mean": AggregateRule(collected_aggregates.geometric_mean),
    "histogram": AggregateRule(collected_aggregates.histogram),
    "map_agg": AggregateRule(collected_aggregates.map_agg, arguments=2),
    "max": _EXTREME,
    "max_by": AggregateRule(aggregates.at_extreme, arguments=2),
    "min": _EXTREME,
    "min_by": AggregateRule(aggregates.at_extreme, arguments=2),
    "stddev": _STDDEV_OF_SAMPLE,
    "stddev_pop": AggregateRule(aggregates.of_doubles("stddev_pop")),
    "stddev_samp": _STDDEV_OF_SAMPLE,
    "sum": AggregateRule(aggregates.total, distinct=True, over_window=True),
    "var_pop": AggregateRule(aggregates.of_doubles("var_pop")),
    "var_samp": _VARIANCE_OF_SAMPLE,
    "variance": _VARIANCE_OF_SAMPLE,
}


def aggregate(node: exp.Expression, scope: Scope) -> Aggregate:
    """An aggregate's call, with its FILTER, whose arguments mean what the scope says."""
    where = None
    if isinstance(node, exp.Filter):
        where = condition(node.expression.this, scope).sql
        node = node.this
    name, parts = node.name.lower(), _parts(node)
    if name == "count" and _counts_rows(parts):
        return Aggregate(f"count(*) FILTER (WHERE {where})" if where else "count(*)", BIGINT)
    args = [bind(item, scope) for item in parts.items]
    if where is not None and any(arg.fails for arg in args):
        raise Refused(
            f"{name} with FILTER of an expression that may fail: Trino computes it for all rows"
        )
    rule = AGGREGATES[name]
    if parts.distinct and not rule.distinct:
        raise Refused(f"{name}(DISTINCT ...)")
    if parts.order and not rule.ordered:
        raise Refused(f"{name}(... ORDER BY ...)")
    if len(args) != rule.arguments:
        raise Refused(f"{name} with {len(args)} arguments")
    return rule.bind(AggregateCall(name, args, parts.distinct, parts.order, where, scope))


class _Parts(NamedTuple):
    """What stands between the parentheses of a call."""

    items: list[exp.Expression]
    distinct: bool
    order: list[exp.Ordered]


def _parts(node: exp.Expression) -> _Parts:
    items: list[exp.Expression] = list(node.expressions)
    order: list[exp.Ordered] = []
    if items and isinstance(items[-1], exp.Order):  # sqlglot puts ORDER BY around the last argument
        order = list(items[-1].expressions)
        items[-1] = items[-1].this
    distinct = bool(items) and isinstance(items[0], exp.Distinct)
    if distinct:
        if len(items) > 1 or len(items[0].expressions) != 1:
            raise Refused(f"{node.sql('trino')!r}: DISTINCT of several columns")
        items = list(items[0].expressions)
    return _Parts(items, distinct, order)


def _counts_rows(parts: _Parts) -> bool:
    """count(*) or count()."""
    of_all = len(parts.items) == 1 and isinstance(parts.items[0], exp.Star)
    return not parts.distinct and (of_all or not parts.items)
