"""The names of the aggregate functions: many files ask whether a call is one before any binds it.

`binding/aggregate_calls.py` holds what each of them means; a test holds the two equal.
"""

from sqlglot import exp

AGGREGATE_NAMES = frozenset(
    {
        "any_value",
        "approx_distinct",
        "approx_percentile",
        "arbitrary",
        "array_agg",
        "avg",
        "bitwise_and_agg",
        "bitwise_or_agg",
        "bool_and",
        "bool_or",
        "checksum",
        "corr",
        "count",
        "count_if",
        "every",
        "geometric_mean",
        "histogram",
        "map_agg",
        "max",
        "max_by",
        "min",
        "min_by",
        "stddev",
        "stddev_pop",
        "stddev_samp",
        "sum",
        "var_pop",
        "var_samp",
        "variance",
    }
)


def is_aggregate(node: exp.Expr) -> bool:
    """Whether an expression is the call of an aggregate function, with or without FILTER."""
    call = node.this if isinstance(node, exp.Filter) else node
    return isinstance(call, exp.Anonymous) and call.name.lower() in AGGREGATE_NAMES
