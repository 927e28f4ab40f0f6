"""What reading one column needs, whatever it holds: as text, as numbers, what is missing."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.journeys.touchpoints import Flags

# All white space of Unicode, and what has no width: Excel and web pages leave them around values.
BLANKS = (
    "\t\n\x0b\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u200b\u200c\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
LONGEST_SHOWN = 100  # characters of a value
NUMBER = r"^\s*[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?\s*$"


def text(column: pa.Array) -> pa.Array:
    """As strings; NaN, which pandas writes for a missing value, as null."""
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    return column.cast(pa.string())


def identifier(column: pa.Array) -> pa.Array:
    """As strings, a number without a fraction without a point: 12.0 as 12.

    >>> identifier(pa.array([12.0, 12.5, None])).to_pylist()
    ['12', '12.5', None]
    """
    if not pa.types.is_floating(column.type):
        return text(column)
    whole = pc.equal(pc.floor(column), column)
    small = pc.less(pc.abs(column), 2.0**63)
    is_whole = pc.fill_null(pc.and_(whole, small), False)
    integers = pc.if_else(is_whole, column, None).cast(pa.int64())
    return pc.coalesce(integers.cast(pa.string()), text(column))


def trimmed(text: pa.Array) -> pa.Array:
    """Without blanks around the strings.

    >>> trimmed(pa.array([" a b ", "c"])).to_pylist()
    ['a b', 'c']
    """
    # Most columns have none at all, as one look at their letters tells.
    letters = _letters(text)
    if not len(letters) or (letters.min() > ord(" ") and letters.max() < 128):
        return text
    return pc.utf8_trim(text, BLANKS)


def _letters(text: pa.Array) -> npt.NDArray[np.uint8]:
    """The bytes of all strings, one after the other."""
    _, offsets, letters = text.buffers()
    if not len(text) or letters is None:
        return np.empty(0, np.uint8)
    bounds = np.frombuffer(offsets, np.int32)[text.offset : text.offset + len(text) + 1]
    return np.frombuffer(letters, np.uint8)[bounds[0] : bounds[-1]]


def numbers(column: pa.Array) -> npt.NDArray[np.generic]:
    """As numpy; where there are nulls, as floats with NaN."""
    return np.array(column.to_numpy(zero_copy_only=False))


def missing(column: pa.Array) -> Flags:
    """Where there is null or NaN."""
    nulls = pc.is_null(column, nan_is_null=True)
    return np.asarray(nulls.to_numpy(zero_copy_only=False), bool)


def is_in(text: pa.Array, values: tuple[str, ...]) -> Flags:
    """Where a text is one of the values."""
    found = pc.is_in(text, value_set=pa.array(values, pa.string()))
    return np.asarray(found.to_numpy(zero_copy_only=False), bool)


def matches(text: pa.Array, pattern: str) -> Flags:
    """Where a text holds a match of an RE2 pattern."""
    found = pc.fill_null(pc.match_substring_regex(text, pattern), False)
    return np.asarray(found.to_numpy(zero_copy_only=False), bool)


def example(column: pa.Array, bad: Flags) -> str:
    """The first bad value, and how many rows of this batch have one."""
    first = int(np.flatnonzero(bad)[0])
    shown = _shown(column.slice(first, 1))
    rows = int(bad.sum())
    return f"{shown} in {rows} of the rows read" if rows > 1 else f"{shown} in one row"


def _shown(value: pa.Array) -> str:
    """A column of one value, as Python writes it, or Arrow where Python has no such time."""
    try:
        found = value[0].as_py()
    except (OverflowError, ValueError):
        found = value.cast(pa.string())[0].as_py()
    shown = "no value" if found is None else repr(found)
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}…"
