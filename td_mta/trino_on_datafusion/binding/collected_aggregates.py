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
from td_mta.trino_on_datafusion.binding import aggregates
from td_mta.trino_on_datafusion.binding.aggregates import Aggregate, Finish, groupable
from td_mta.trino_on_datafusion.functions import calls
from td_mta.trino_on_datafusion.program import Bound, Program, arrow_cast
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
_PRIME = 0x9E3779B185EBCA87
_EXACT = 2**53
_KEYS = (*INTEGERS, "varchar")


def _collected(item: str, kind: Type, test: str, where: str | None, finish: Finish) -> Aggregate:
    """The list of a group's items that pass the test, in no order; NULL where there are none."""
    test = f"{test} AND {where}" if where else test
    return Aggregate(f"array_agg({item}) FILTER (WHERE {test})", array(kind), finish)


def _of_lists(
    function: Callable[[list[Any]], Any], kind: Type, program: Program, key: object
) -> Finish:
    """One list at a time; of no list NULL."""

    def run(lists: pa.Array) -> pa.Array:
        values = (None if items is None else function(items) for items in lists.to_pylist())
        return pa.array(list(values), arrow(kind))

    return lambda bound: program.call(run, [bound], kind, fails=True, key=key)


def _approx_percentile(args: list[Bound], where: str | None, program: Program) -> Aggregate:
    value, share = _arguments("approx_percentile", args, 2)
    whole = value.type.kind in INTEGERS
    if not (whole or value.type == DOUBLE) or not share.constant or share.value is None:
        raise Refused(f"approx_percentile({value.type}, {share.type}) in this form")
    quantile = float(share.value)
    if not 0 <= quantile <= 1:
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", "a percentile must be from 0 to 1")
    kind = BIGINT if whole else DOUBLE

    def chosen(values: list[Any]) -> Any:
        if len(values) > MOST_PERCENTILE:
            raise Refused(f"approx_percentile of more than {MOST_PERCENTILE} values")
        if any(abs(each) > _EXACT or each != each for each in values):
            raise Refused("approx_percentile of NaN or of values beyond 2^53")
        return sorted(values)[_place(quantile, len(values))]

    finish = _of_lists(chosen, kind, program, ("approx_percentile", kind, quantile))
    return _collected(value.sql, value.type, f"{value.sql} IS NOT NULL", where, finish)


def _place(quantile: float, count: int) -> int:
    """Which of the sorted values Trino's digest of single values gives."""
    offset = quantile * count
    return 0 if offset < 1 else count - 1 if offset > count - 1 else math.floor(offset)


def _approx_distinct(args: list[Bound], where: str | None, program: Program) -> Aggregate:
    (value,) = _arguments("approx_distinct", args, 1)
    call = f"count(DISTINCT {groupable(value, program).sql})"

    def small(counts: pa.Array) -> pa.Array:
        if pc.any(pc.greater(counts, MOST_DISTINCT)).as_py():
            raise Refused(f"approx_distinct of more than {MOST_DISTINCT} values")
        return counts

    return Aggregate(
        f"{call} FILTER (WHERE {where})" if where else call,
        BIGINT,
        lambda bound: program.call(small, [bound], BIGINT, fails=True),
    )


def _histogram(args: list[Bound], where: str | None, program: Program) -> Aggregate:
    (value,) = _arguments("histogram", args, 1)
    if value.type.kind not in _KEYS:
        raise Refused(f"histogram({value.type})")
    kind = map_of(value.type, BIGINT)
    finish = _of_lists(lambda items: list(Counter(items).items()), kind, program, kind)
    return _collected(value.sql, value.type, f"{value.sql} IS NOT NULL", where, finish)


def _map_agg(args: list[Bound], where: str | None, program: Program) -> Aggregate:
    """Of several values of one key Trino keeps the first that comes: refused unless all are one."""
    key, value = _arguments("map_agg", args, 2)
    if key.type.kind not in _KEYS or value.type.kind not in (*_KEYS, "double", "boolean"):
        raise Refused(f"map_agg({key.type}, {value.type})")
    kind = map_of(key.type, value.type)

    def joined(pairs: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
        found: dict[Any, Any] = {}
        for pair in pairs:
            if found.setdefault(pair["f0"], pair["f1"]) != pair["f1"]:
                raise Refused("map_agg with several values of one key")
        return list(found.items())

    item = f"named_struct('f0', {key.sql}, 'f1', {value.sql})"
    finish = _of_lists(joined, kind, program, ("map_agg", kind))
    return _collected(item, row(key.type, value.type), f"{key.sql} IS NOT NULL", where, finish)


def _checksum(args: list[Bound], where: str | None, program: Program) -> Aggregate:
    """The sum of the values' hashes times a prime, NULLs counting as the prime; low byte first."""
    (value,) = _arguments("checksum", args, 1)
    if value.type.kind != "varchar":
        raise Refused(f"checksum({value.type})")

    def summed(texts: list[str | None]) -> bytes:
        hashes = xxhash64(pa.array([text or "" for text in texts], pa.string())).tolist()
        parts = (1 if text is None else each for text, each in zip(texts, hashes, strict=True))
        return (sum(part * _PRIME for part in parts) % 2**64).to_bytes(8, "little")

    finish = _of_lists(summed, VARBINARY, program, "checksum")
    return _collected(value.sql, value.type, "true", where, finish)


def _corr(args: list[Bound], where: str | None, program: Program) -> Aggregate:
    """Of doubles a double, of other numbers a real."""
    pair = _arguments("corr", args, 2)
    if any(arg.type.kind not in (*INTEGERS, "double") for arg in pair):
        raise Refused(f"corr({', '.join(str(arg.type) for arg in pair)})")
    kind = DOUBLE if any(arg.type == DOUBLE for arg in pair) else REAL
    texts = [arrow_cast(casts.coerce(arg, kind, program).sql, DOUBLE) for arg in pair]
    call = f"corr({', '.join(texts)})"

    def finish(bound: Bound) -> Bound:
        told = program.call(_told_correlation, [bound], DOUBLE)
        return told if kind == DOUBLE else Bound(arrow_cast(told.sql, REAL), REAL)

    return Aggregate(f"{call} FILTER (WHERE {where})" if where else call, DOUBLE, finish)


def _told_correlation(values: pa.Array) -> pa.Array:
    """NULL where nothing varies."""
    return pc.if_else(pc.is_finite(values), values, None)


def _geometric_mean(args: list[Bound], where: str | None, program: Program) -> Aggregate:
    (value,) = _arguments("geometric_mean", args, 1)
    if value.type.kind not in (*INTEGERS, "double"):
        raise Refused(f"geometric_mean({value.type})")
    logarithm = program.call(pc.ln, [casts.coerce(value, DOUBLE, program)], DOUBLE)
    call = f"avg({logarithm.sql})"
    return Aggregate(
        f"{call} FILTER (WHERE {where})" if where else call,
        DOUBLE,
        lambda bound: program.call(pc.exp, [bound], DOUBLE),
    )


def _arguments(name: str, args: list[Bound], count: int) -> list[Bound]:
    if len(args) != count:
        raise Refused(f"{name} with {len(args)} arguments")
    return args


aggregates.MORE.update(
    {
        "approx_distinct": _approx_distinct,
        "approx_percentile": _approx_percentile,
        "checksum": _checksum,
        "corr": _corr,
        "geometric_mean": _geometric_mean,
        "histogram": _histogram,
        "map_agg": _map_agg,
    }
)
calls.AGGREGATES.update(aggregates.MORE)
