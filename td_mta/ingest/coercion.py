"""One column of a stranger's table to what the model reads, or an error that shows a bad value.

Whole columns at a time; `place` names table and column in errors.
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
LATEST = 10**14
MOMENTS = "times from 1970 on, as unix seconds, milliseconds or ISO 8601"
TRUE, FALSE = ("1", "1.0", "true"), ("0", "0.0", "false")
NUMBER = r"^\s*[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?\s*$"


class Times(NamedTuple):
    """Unix seconds `(n,)`, which of them are missing, and what had to be converted."""

    seconds: Ints
    missing: Flags
    converted: str | None


class Names(NamedTuple):
    """Row `i` has the name `names[codes[i]]`, None for none; `trimmed` rows had blanks."""

    names: list[str | None]
    codes: Ints
    trimmed: int


def users(column: pa.Array) -> pa.Array:
    """Ids as strings; an empty one is missing."""
    ids = _text(column)
    return pc.if_else(pc.equal(ids, ""), pa.scalar(None, pa.string()), ids)


def names(column: pa.Array) -> Names:
    """Channel names without blanks around them; an empty one is missing."""
    encoded = pc.dictionary_encode(_text(column))
    raw = encoded.dictionary.to_pylist()
    codes = pc.fill_null(encoded.indices, len(raw)).to_numpy(zero_copy_only=False)
    clean = [name.strip() or None for name in raw]
    changed = [new != (old or None) for new, old in zip(clean, raw, strict=True)]
    return Names([*clean, None], codes, int(np.array([*changed, False])[codes].sum()))


def times(column: pa.Array, place: str) -> Times:
    """Seconds since 1970 from seconds, milliseconds, ISO 8601 text or timestamps, in UTC."""
    missing = _missing(column)
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        seconds = column.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
        return Times(_checked(_ints(seconds), missing, column, place), missing, "timestamps")
    if pa.types.is_boolean(kind):
        raise DataError(f"{place} must hold times, got true or false")
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return _times_of_text(_text(column), missing, place)
    seconds, converted = _seconds(_numbers(column))
    return Times(_checked(seconds, missing, column, place), missing, converted)


def flags(column: pa.Array, place: str) -> Flags:
    """0/1, also as text or true/false."""
    if pa.types.is_boolean(column.type) and not column.null_count:
        return np.asarray(column.to_numpy(zero_copy_only=False), bool)
    if pa.types.is_integer(column.type) and not column.null_count:
        known, truth = (column.to_numpy() >> 1) == 0, column.to_numpy() == 1
    else:
        text = pc.utf8_lower(pc.utf8_trim_whitespace(_text(column)))
        truth = _is_in(text, TRUE)
        known = truth | _is_in(text, FALSE)
    if not known.all():
        raise DataError(
            f"{place} must hold 0 or 1 (or true, false), got {_example(column, ~known)}"
        )
    return np.asarray(truth, bool)


def amounts(column: pa.Array, place: str) -> Floats:
    """Numbers; a missing one is NaN."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        text = pc.utf8_trim_whitespace(_text(column))
        empty = _missing(column) | _is_in(text, ("", "nan", "NaN"))
        good = _matches(text, NUMBER) | empty
        if not good.all():
            raise DataError(f"{place} must hold numbers, got {_example(column, ~good)}")
        column = pc.if_else(pa.array(empty), None, text).cast(pa.float64())
    numbers = np.asarray(_numbers(column), np.float64)
    if np.isinf(numbers).any():
        raise DataError(f"{place} must hold numbers, got {_example(column, np.isinf(numbers))}")
    return numbers


def _times_of_text(text: pa.Array, missing: Flags, place: str) -> Times:
    text = pc.utf8_trim_whitespace(text)
    missing = missing | _is_in(text, ("",))
    numeric = _matches(text, NUMBER)
    numbers = pc.if_else(pa.array(numeric), text, None).cast(pa.float64())
    seconds, _ = _seconds(_numbers(numbers))
    written = ~numeric & ~missing
    if written.any():
        stamp = text.filter(pa.array(written))
        stamps = pd.to_datetime(stamp.to_pandas(), utc=True, format="ISO8601", errors="coerce")
        unread = stamps.isna().to_numpy() | ~_matches(stamp, "^[0-9]")  # pandas reads "today" too
        if unread.any():
            raise DataError(f"{place} must hold {MOMENTS}, got {_example(stamp, unread)}")
        seconds[written] = pd.DatetimeIndex(stamps).as_unit("s").asi8
    converted = "ISO 8601 times" if written.any() else "times written as text"
    return Times(_checked(seconds, missing, text, place), missing, converted)


def _seconds(numbers: npt.NDArray[np.generic]) -> tuple[Ints, str | None]:
    with np.errstate(invalid="ignore"):
        seconds = np.floor(np.nan_to_num(numbers)).astype(np.int64)
    late = (seconds >= MILLISECONDS_FROM) & (seconds < LATEST)
    if not late.any():
        return seconds, None
    return np.where(late, seconds // 1000, seconds), "milliseconds"


def _checked(seconds: Ints, missing: Flags, column: pa.Array, place: str) -> Ints:
    bad = ((seconds < 0) | (seconds >= MILLISECONDS_FROM)) & ~missing
    if bad.any():
        raise DataError(f"{place} must hold {MOMENTS}, got {_example(column, bad)}")
    return seconds


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    return column.cast(pa.string())


def _numbers(column: pa.Array) -> npt.NDArray[np.generic]:
    """As numpy; where there are nulls, as floats with NaN."""
    return np.array(column.to_numpy(zero_copy_only=False))


def _ints(column: pa.Array) -> Ints:
    return np.array(pc.fill_null(column, 0).to_numpy(zero_copy_only=False), np.int64)


def _missing(column: pa.Array) -> Flags:
    return np.asarray(pc.is_null(column, nan_is_null=True).to_numpy(zero_copy_only=False), bool)


def _is_in(text: pa.Array, values: tuple[str, ...]) -> Flags:
    found = pc.is_in(text, value_set=pa.array(values))
    return np.asarray(found.to_numpy(zero_copy_only=False), bool)


def _matches(text: pa.Array, pattern: str) -> Flags:
    found = pc.fill_null(pc.match_substring_regex(text, pattern), False)
    return np.asarray(found.to_numpy(zero_copy_only=False), bool)


def _example(column: pa.Array, bad: Flags) -> str:
    value = column[int(np.flatnonzero(bad)[0])].as_py()
    shown = "nothing" if value is None else repr(value)
    rows = int(bad.sum())
    return f"{shown} in {rows} of the rows read" if rows > 1 else f"{shown} in one row"
