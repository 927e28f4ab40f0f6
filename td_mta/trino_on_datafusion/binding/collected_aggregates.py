"""Aggregates that DataFusion has no equal of: the values of a group are collected, then looked at.

Those that are approximate in Trino are exact there while a group is small; a larger one is refused.
"""

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion import casts
from td_mta.trino_on_datafusion.binding.aggregates import Aggregate, AggregateCall
from td_mta.trino_on_datafusion.binding.keys import groupable
from td_mta.trino_on_datafusion.program import Bound, arrow_cast
from td_mta.trino_on_datafusion.types import (
    BIGINT,
    DOUBLE,
    INTEGERS,
    REAL,
    VARBINARY,
    TrinoError,
    Type,
    array,
    arrow,
    map_of,
    row,
)
from td_mta.xxhash64 import xxhash64

MOST_PERCENTILE = 40  # values of a group up to which Trino's digest keeps each of them
MOST_DISTINCT = 100  # and its sketch counts each of them
_CHECKSUM_PRIME = 0x9E3779B185EBCA87  # io.trino.operator.aggregation.ChecksumAggregationFunction
_LARGEST_EXACT = 2**53  # the digest keeps values as doubles
_KEY_KINDS = (*INTEGERS, "varchar")


def _of_list(
    call: AggregateCall,
    item: str,
    item_type: Type,
    function: Callable[[list[Any]], Any],
    kind: Type,
    *,
    test: str,
    key: object,
) -> Aggregate:
    """A Python function of the list of a group's items that pass a test; of no list NULL.

    The items stand in no order. Equal `key`s share one registered function.
    """
    program = call.program

    def kernel(lists: pa.Array) -> pa.Array:
        values = [None if items is None else function(items) for items in lists.to_pylist()]
        return pa.array(values, arrow(kind))

    return Aggregate(
        call.filtered(f"array_agg({item})", test),
        array(item_type),
        lambda bound: program.call(kernel, [bound], kind, fails=True, key=key),
    )


def _not_null(bound: Bound) -> str:
    return f"{bound.sql} IS NOT NULL"


def approx_percentile(call: AggregateCall) -> Aggregate:
    """approx_percentile(x, constant), exact as Trino's is while its digest keeps every value."""
    value, share = call.args
    is_integer = value.type.kind in INTEGERS
    if not (is_integer or value.type == DOUBLE) or not share.constant or share.value is None:
        raise Refused(f"approx_percentile({value.type}, {share.type}) in this form")
    quantile = float(share.value)
    if not 0 <= quantile <= 1:
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", "a percentile must be from 0 to 1")

    def percentile(values: list[Any]) -> Any:
        if len(values) > MOST_PERCENTILE:
            raise Refused(f"approx_percentile of more than {MOST_PERCENTILE} values")
        if any(abs(number) > _LARGEST_EXACT or number != number for number in values):
            raise Refused("approx_percentile of NaN or of values beyond 2^53")
        return sorted(values)[_percentile_index(quantile, len(values))]

    kind = BIGINT if is_integer else DOUBLE
    key = ("approx_percentile", kind, quantile)
    return _of_list(call, value.sql, value.type, percentile, kind, test=_not_null(value), key=key)


def _percentile_index(quantile: float, count: int) -> int:
    """Which of the sorted values Trino's T-digest gives while it keeps single values."""
    offset = quantile * count
    if offset < 1:
        return 0
    return count - 1 if offset > count - 1 else math.floor(offset)


def approx_distinct(call: AggregateCall) -> Aggregate:
    """approx_distinct(x), exact as Trino's is while its sketch holds few values."""
    program = call.program
    distinct_count = f"count(DISTINCT {groupable(call.arg, program).sql})"

    def refuse_many(counts: pa.Array) -> pa.Array:
        if pc.any(pc.greater(counts, MOST_DISTINCT)).as_py():
            raise Refused(f"approx_distinct of more than {MOST_DISTINCT} values")
        return counts

    return Aggregate(
        call.filtered(distinct_count),
        BIGINT,
        lambda bound: program.call(refuse_many, [bound], BIGINT, fails=True),
    )


def histogram(call: AggregateCall) -> Aggregate:
    """histogram(x): a map from each value to the number of its rows."""
    value = call.arg
    if value.type.kind not in _KEY_KINDS:
        raise call.refused()

    def counted(items: list[Any]) -> list[tuple[Any, int]]:
        return list(Counter(items).items())

    kind = map_of(value.type, BIGINT)
    return _of_list(call, value.sql, value.type, counted, kind, test=_not_null(value), key=kind)


def map_agg(call: AggregateCall) -> Aggregate:
    """Of several values of one key Trino keeps the first that comes: refused unless all are one."""
    key, value = call.args
    if key.type.kind not in _KEY_KINDS or value.type.kind not in (*_KEY_KINDS, "double", "boolean"):
        raise call.refused()

    def joined(pairs: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
        value_of: dict[Any, Any] = {}
        for pair in pairs:
            if value_of.setdefault(pair["f0"], pair["f1"]) != pair["f1"]:
                raise Refused("map_agg with several values of one key")
        return list(value_of.items())

    pair = f"named_struct('f0', {key.sql}, 'f1', {value.sql})"
    pair_type, kind = row(key.type, value.type), map_of(key.type, value.type)
    return _of_list(call, pair, pair_type, joined, kind, test=_not_null(key), key=("map_agg", kind))


def checksum(call: AggregateCall) -> Aggregate:
    """The sum of the values' hashes times a prime, NULLs counting as the prime; low byte first."""
    value = call.arg
    if value.type.kind != "varchar":
        raise call.refused()

    def summed(texts: list[str | None]) -> bytes:
        hashes = xxhash64(pa.array([text or "" for text in texts], pa.string())).tolist()
        factors = [1 if text is None else hash_ for text, hash_ in zip(texts, hashes, strict=True)]
        total = sum(factor * _CHECKSUM_PRIME for factor in factors) % 2**64
        return total.to_bytes(8, "little")

    return _of_list(call, value.sql, value.type, summed, VARBINARY, test="true", key="checksum")


def corr(call: AggregateCall) -> Aggregate:
    """The correlation: of doubles a double, of other numbers a real."""
    program = call.program
    if any(arg.type.kind not in (*INTEGERS, "double") for arg in call.args):
        raise call.refused()
    kind = DOUBLE if any(arg.type == DOUBLE for arg in call.args) else REAL
    # Trino reads the numbers as reals in the latter case, and computes in doubles.
    rounded = [arrow_cast(casts.coerce(arg, kind, program).sql, DOUBLE) for arg in call.args]

    def to_trino(bound: Bound) -> Bound:
        correlation = program.call(_null_unless_finite, [bound], DOUBLE)
        return correlation if kind == DOUBLE else Bound(arrow_cast(correlation.sql, REAL), REAL)

    return Aggregate(call.filtered(f"corr({', '.join(rounded)})"), DOUBLE, to_trino)


def _null_unless_finite(values: pa.Array) -> pa.Array:
    """Where nothing varies Trino gives NULL, DataFusion NaN."""
    return pc.if_else(pc.is_finite(values), values, None)


def geometric_mean(call: AggregateCall) -> Aggregate:
    """The exponential of the mean logarithm."""
    program = call.program
    if call.arg.type.kind not in (*INTEGERS, "double"):
        raise call.refused()
    logarithm = program.call(pc.ln, [casts.coerce(call.arg, DOUBLE, program)], DOUBLE)
    return Aggregate(
        call.filtered(f"avg({logarithm.sql})"),
        DOUBLE,
        lambda bound: program.call(pc.exp, [bound], DOUBLE),
    )
