"""One column as its owner wrote it to what the model reads, or an error that shows a bad value.

Whole columns at a time, `(rows,)` in and out; `location` names table and column in errors.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import DataError
from td_mta.journeys.touchpoints import Flags, Floats, Ints

MILLISECONDS_FROM = 10**11  # as seconds: the year 5138
MILLISECONDS_TO = 10**14
VALID_TIMES = "times from 1970 on, as unix seconds, milliseconds or ISO 8601"
TRUE, FALSE = ("1", "1.0", "true"), ("0", "0.0", "false")
NUMBER = r"^\s*[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?\s*$"


class Times(NamedTuple):
    """A column of times."""

    seconds: Ints  # unix seconds, (rows,); of no meaning where missing
    missing: Flags  # (rows,)
    converted: str | None  # what had to be converted, in words


class Names(NamedTuple):
    """A column of names: row `i` has the name `names[codes[i]]`."""

    names: list[str | None]  # None, the last one, for rows without a name
    codes: Ints  # (rows,)
    trimmed: int  # rows whose name had spaces around it


def users(column: pa.Array) -> pa.Array:
    """Ids as strings; an empty one is missing."""
    ids = _text(column)
    empty = pc.equal(ids, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), ids)


def names(column: pa.Array) -> Names:
    """Channel names without spaces around them; an empty one is missing."""
    encoded = pc.dictionary_encode(_text(column))
    raw = encoded.dictionary.to_pylist()
    indices = pc.fill_null(encoded.indices, len(raw))
    codes = indices.to_numpy(zero_copy_only=False)
    trimmed = [name.strip() or None for name in raw]
    changed = [new != (old or None) for new, old in zip(trimmed, raw, strict=True)]
    row_changed = np.array([*changed, False])[codes]  # (rows,)
    return Names([*trimmed, None], codes, int(row_changed.sum()))


def times(column: pa.Array, location: str) -> Times:
    """Unix seconds from seconds, milliseconds, ISO 8601 text or timestamps; UTC without a zone."""
    missing = _missing(column)
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        stamps = column.cast(pa.timestamp("s"), safe=False)
        seconds = _filled_ints(stamps.cast(pa.int64()))
        return Times(_in_range(seconds, missing, column, location), missing, "timestamps")
    if pa.types.is_boolean(kind):
        raise DataError(f"{location} must hold {VALID_TIMES}, got true and false")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        seconds, converted = _seconds(_numbers(column))
        return Times(_in_range(seconds, missing, column, location), missing, converted)
    return _times_of_text(_text(column), missing, location)


def flags(column: pa.Array, location: str) -> Flags:
    """True and false from 0 and 1, as numbers or text, and from true and false."""
    if pa.types.is_boolean(column.type) and not column.null_count:
        return np.asarray(column.to_numpy(zero_copy_only=False), bool)
    if pa.types.is_integer(column.type) and not column.null_count:
        numbers = column.to_numpy()
        true, false = numbers == 1, numbers == 0
    else:
        trimmed = pc.utf8_trim_whitespace(_text(column))
        text = pc.utf8_lower(trimmed)
        true, false = _is_in(text, TRUE), _is_in(text, FALSE)
    known = true | false
    if not known.all():
        got = _example(column, ~known)
        raise DataError(f"{location} must hold 0 or 1 (or true, false), got {got}")
    return np.asarray(true, bool)


def amounts(column: pa.Array, location: str) -> Floats:
    """Finite numbers; a missing one is NaN."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = _parsed_amounts(column, location)
    numbers = np.asarray(_numbers(column), np.float64)
    infinite = np.isinf(numbers)
    if infinite.any():
        raise DataError(f"{location} must hold numbers, got {_example(column, infinite)}")
    return numbers


def _parsed_amounts(column: pa.Array, location: str) -> pa.Array:
    text = pc.utf8_trim_whitespace(_text(column))
    missing = _missing(column) | _is_in(text, ("", "nan", "NaN"))
    readable = missing | _matches(text, NUMBER)
    if not readable.all():
        raise DataError(f"{location} must hold numbers, got {_example(column, ~readable)}")
    numbers = pc.if_else(pa.array(missing), None, text)
    return numbers.cast(pa.float64())


def _times_of_text(text: pa.Array, missing: Flags, location: str) -> Times:
    text = pc.utf8_trim_whitespace(text)
    missing = missing | _is_in(text, ("",))
    numeric = _matches(text, NUMBER)
    digits = pc.if_else(pa.array(numeric), text, None)
    numbers = _numbers(digits.cast(pa.float64()))
    seconds, _ = _seconds(numbers)
    iso = ~numeric & ~missing
    if iso.any():
        iso_text = text.filter(pa.array(iso))
        seconds[iso] = _iso_seconds(iso_text, location)
    converted = "ISO 8601 times" if iso.any() else "times written as text"
    return Times(_in_range(seconds, missing, text, location), missing, converted)


def _iso_seconds(text: pa.Array, location: str) -> Ints:
    stamps = pd.to_datetime(text.to_pandas(), utc=True, format="ISO8601", errors="coerce")
    unread = stamps.isna().to_numpy() | ~_matches(text, "^[0-9]")  # pandas reads "today" too
    if unread.any():
        raise DataError(f"{location} must hold {VALID_TIMES}, got {_example(text, unread)}")
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
        raise DataError(f"{location} must hold {VALID_TIMES}, got {_example(column, bad)}")
    return seconds


def _text(column: pa.Array) -> pa.Array:
    """As strings; NaN, which pandas writes for a missing value, as null."""
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    return column.cast(pa.string())


def _numbers(column: pa.Array) -> npt.NDArray[np.generic]:
    """As numpy; where there are nulls, as floats with NaN."""
    return np.array(column.to_numpy(zero_copy_only=False))


def _filled_ints(column: pa.Array) -> Ints:
    filled = pc.fill_null(column, 0)
    return np.array(filled.to_numpy(zero_copy_only=False), np.int64)


def _missing(column: pa.Array) -> Flags:
    missing = pc.is_null(column, nan_is_null=True)
    return np.asarray(missing.to_numpy(zero_copy_only=False), bool)


def _is_in(text: pa.Array, values: tuple[str, ...]) -> Flags:
    matches = pc.is_in(text, value_set=pa.array(values))
    return np.asarray(matches.to_numpy(zero_copy_only=False), bool)


def _matches(text: pa.Array, pattern: str) -> Flags:
    matches = pc.fill_null(pc.match_substring_regex(text, pattern), False)
    return np.asarray(matches.to_numpy(zero_copy_only=False), bool)


def _example(column: pa.Array, bad: Flags) -> str:
    """The first bad value, and how many rows of this batch have one."""
    first = int(np.flatnonzero(bad)[0])
    value = column[first].as_py()
    shown = "no value" if value is None else repr(value)
    rows = int(bad.sum())
    return f"{shown} in {rows} of the rows read" if rows > 1 else f"{shown} in one row"
