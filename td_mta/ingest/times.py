"""A column of times as its owner wrote it to unix seconds, or an error that shows a bad value.

Whole columns at a time, `(rows,)` in and out; `location` names table and column in errors.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import DataError
from td_mta.ingest import columns
from td_mta.journeys.touchpoints import Flags, Ints

MILLISECONDS_FROM = 10**11  # as seconds: the year 5138
MILLISECONDS_TO = 10**14
VALID_TIMES = "times from 1970 on, as unix seconds, milliseconds or ISO 8601"


class Times(NamedTuple):
    """A column of times."""

    seconds: Ints  # unix seconds, (rows,); of no meaning where missing
    missing: Flags  # (rows,)
    converted: str | None  # what had to be converted, in words


def read(column: pa.Array, location: str) -> Times:
    """Unix seconds from seconds, milliseconds, ISO 8601 text or timestamps; UTC without a zone."""
    missing = columns.missing(column)
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        stamps = column.cast(pa.timestamp("s"), safe=False)
        seconds = _filled_ints(stamps.cast(pa.int64()))
        return Times(_in_range(seconds, missing, column, location), missing, "timestamps")
    if pa.types.is_boolean(kind):
        raise DataError(f"{location} must hold {VALID_TIMES}, got true and false")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        seconds, converted = _seconds(columns.numbers(column))
        return Times(_in_range(seconds, missing, column, location), missing, converted)
    return _times_of_text(columns.text(column), missing, location)


def _times_of_text(text: pa.Array, missing: Flags, location: str) -> Times:
    text = pc.utf8_trim_whitespace(text)
    missing = missing | columns.is_in(text, ("",))
    numeric = columns.matches(text, columns.NUMBER)
    digits = pc.if_else(pa.array(numeric), text, None)
    numbers = columns.numbers(digits.cast(pa.float64()))
    seconds, _ = _seconds(numbers)
    iso = ~numeric & ~missing
    if iso.any():
        iso_text = text.filter(pa.array(iso))
        seconds[iso] = _iso_seconds(iso_text, location)
    converted = "ISO 8601 times" if iso.any() else "times written as text"
    return Times(_in_range(seconds, missing, text, location), missing, converted)


def _iso_seconds(text: pa.Array, location: str) -> Ints:
    stamps = pd.to_datetime(text.to_pandas(), utc=True, format="ISO8601", errors="coerce")
    unread = stamps.isna().to_numpy() | ~columns.matches(text, "^[0-9]")  # pandas reads "today" too
    if unread.any():
        raise DataError(f"{location} must hold {VALID_TIMES}, got {columns.example(text, unread)}")
    return np.asarray(pd.DatetimeIndex(stamps).as_unit("s").asi8)


def _seconds(numbers: npt.NDArray[np.generic]) -> tuple[Ints, str | None]:
    """Whole seconds of numbers that may be milliseconds, and what was converted."""
    with np.errstate(invalid="ignore"):  # infinities, which `_in_range` refuses
        floored = np.floor(np.nan_to_num(numbers))
        seconds = floored.astype(np.int64)
    milliseconds = (seconds >= MILLISECONDS_FROM) & (seconds < MILLISECONDS_TO)
    if not milliseconds.any():
        return seconds, None
    return np.where(milliseconds, seconds // 1000, seconds), "milliseconds"


def _in_range(seconds: Ints, missing: Flags, column: pa.Array, location: str) -> Ints:
    out_of_range = (seconds < 0) | (seconds >= MILLISECONDS_FROM)
    bad = out_of_range & ~missing
    if bad.any():
        raise DataError(f"{location} must hold {VALID_TIMES}, got {columns.example(column, bad)}")
    return seconds


def _filled_ints(column: pa.Array) -> Ints:
    filled = pc.fill_null(column, 0)
    return np.array(filled.to_numpy(zero_copy_only=False), np.int64)
