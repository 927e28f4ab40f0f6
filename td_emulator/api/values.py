"""Values as Treasure Data's job results (msgpack) and Trino's protocol (JSON) show them.

Numbers, text and booleans are themselves. Decimals, dates, times and binary values are text, as in
Trino's protocol [that job results show them so, too, was not verified].
"""

import base64
import datetime
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa

from td_emulator.engines.types import parsed

Convert = Callable[[Any], Any]


def rows(batch: pa.RecordBatch, types: tuple[str, ...], *, json: bool) -> list[tuple[Any, ...]]:
    """The rows of a batch as tuples of plain values."""
    columns = [
        _column(column, converter(kind, json=json))
        for column, kind in zip(batch.columns, types, strict=True)
    ]
    return list(zip(*columns, strict=True))


def _column(column: pa.Array, convert: Convert | None) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if convert is None:
        return values
    return [None if value is None else convert(value) for value in values]


def converter(trino: str, *, json: bool) -> Convert | None:
    """A function from a value of a type to a plain one; None where values are plain already."""
    name = parsed(trino)
    if name.kind in ("double", "real"):
        return _json_float if json else None
    if name.kind == "array":
        return _of_items(converter(name.args[0], json=json))
    if name.kind == "map":
        convert_key, convert_value = (_or_same(converter(arg, json=json)) for arg in name.args)
        return lambda pairs: {
            convert_key(key): convert_value(value) for key, value in dict(pairs).items()
        }
    if name.kind == "row":
        return lambda row: list(row.values()) if isinstance(row, dict) else list(row)
    if name.kind in ("timestamp", "timestamp with time zone"):
        digits = int(name.args[0]) if name.args else 3
        return lambda value: _timestamp(value, digits)
    return _TEXTS.get(name.kind)


def _of_items(convert: Convert | None) -> Convert | None:
    if convert is None:
        return None
    return lambda items: [None if item is None else convert(item) for item in items]


def _or_same(convert: Convert | None) -> Convert:
    return convert or (lambda value: value)


def _json_float(value: float) -> float | str:
    """JSON has no numbers for these: they are text."""
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


def _timestamp(value: datetime.datetime, digits: int) -> str:
    """A time with so many digits of a second; Trino knows up to 12, Arrow and Python 6."""
    text = value.replace(tzinfo=None).isoformat(" ", "microseconds")
    shown = text[: len("2026-01-31 00:00:00.") + digits].rstrip(".")
    if value.tzinfo is None:
        return shown
    return f"{shown} {str(value.tzinfo).removeprefix('UTC') or 'UTC'}"  # UTC+09:00 is +09:00


def _binary(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _decimal(value: Decimal) -> str:
    return format(value, "f")


_TEXTS: dict[str, Convert] = {
    "date": str,
    "time": str,
    "decimal": _decimal,
    "varbinary": _binary,
}
