"""One column as its owner wrote it to what the model reads, or an error that shows a bad value.

Whole columns at a time, `(rows,)` in and out; `location` names table and column in errors.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import DataError
from td_mta.ingest import columns
from td_mta.journeys.touchpoints import Flags, Floats, Ints

TRUE, FALSE = ("1", "1.0", "true"), ("0", "0.0", "false")


class Names(NamedTuple):
    """A column of names: row `i` has the name `names[codes[i]]`."""

    names: list[str | None]  # None, the last one, for rows without a name
    codes: Ints  # (rows,)
    trimmed: int  # rows whose name had spaces around it


def users(column: pa.Array) -> pa.Array:
    """Ids as strings; an empty one is missing."""
    ids = columns.text(column)
    empty = pc.equal(ids, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), ids)


def names(column: pa.Array) -> Names:
    """Channel names without spaces around them; an empty one is missing."""
    encoded = pc.dictionary_encode(columns.text(column))
    raw = encoded.dictionary.to_pylist()
    indices = pc.fill_null(encoded.indices, len(raw))
    codes = indices.to_numpy(zero_copy_only=False)
    trimmed = [name.strip() or None for name in raw]
    changed = [new != (old or None) for new, old in zip(trimmed, raw, strict=True)]
    row_changed = np.array([*changed, False])[codes]  # (rows,)
    return Names([*trimmed, None], codes, int(row_changed.sum()))


def flags(column: pa.Array, location: str) -> Flags:
    """True and false from 0 and 1, as numbers or text, and from true and false."""
    if pa.types.is_boolean(column.type) and not column.null_count:
        return np.asarray(column.to_numpy(zero_copy_only=False), bool)
    if pa.types.is_integer(column.type) and not column.null_count:
        numbers = column.to_numpy()
        true, false = numbers == 1, numbers == 0
    else:
        trimmed = pc.utf8_trim_whitespace(columns.text(column))
        text = pc.utf8_lower(trimmed)
        true, false = columns.is_in(text, TRUE), columns.is_in(text, FALSE)
    known = true | false
    if not known.all():
        got = columns.example(column, ~known)
        raise DataError(f"{location} must hold 0 or 1 (or true, false), got {got}")
    return np.asarray(true, bool)


def amounts(column: pa.Array, location: str) -> Floats:
    """Finite numbers; a missing one is NaN."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = _parsed_amounts(column, location)
    numbers = np.asarray(columns.numbers(column), np.float64)
    infinite = np.isinf(numbers)
    if infinite.any():
        raise DataError(f"{location} must hold numbers, got {columns.example(column, infinite)}")
    return numbers


def _parsed_amounts(column: pa.Array, location: str) -> pa.Array:
    text = pc.utf8_trim_whitespace(columns.text(column))
    missing = columns.missing(column) | columns.is_in(text, ("", "nan", "NaN"))
    readable = missing | columns.matches(text, columns.NUMBER)
    if not readable.all():
        raise DataError(f"{location} must hold numbers, got {columns.example(column, ~readable)}")
    numbers = pc.if_else(pa.array(missing), None, text)
    return numbers.cast(pa.float64())
