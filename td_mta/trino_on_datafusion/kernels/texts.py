"""Strings. Positions and lengths count code points; what Java calls whitespace is trimmed."""

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.kernels.distinct import each_once
from td_mta.trino_on_datafusion.types import Kernel, TrinoError

# What Trino's trim removes: Java's Character.isWhitespace, without the no-break spaces.
WHITESPACE = (
    "\t\n\x0b\f\r\x1c\x1d\x1e\x1f \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009"
    "\u200a\u2028\u2029\u205f\u3000"
)


def length(texts: pa.Array) -> pa.Array:
    """length(text), in code points."""
    return pc.utf8_length(texts).cast(pa.int64())


def upper(texts: pa.Array) -> pa.Array:
    """Letter by letter, so that ß stays (its capital is two letters)."""
    uppercase = pc.utf8_upper(texts)
    has_sharp_s = pc.fill_null(pc.match_substring(texts, "ß"), False)
    if not pc.any(has_sharp_s).as_py():
        return uppercase
    keeping_sharp_s = [
        text and "ß".join(pc.utf8_upper(pa.array(text.split("ß"))).to_pylist())
        for text in texts.to_pylist()
    ]
    return pc.if_else(has_sharp_s, pa.array(keeping_sharp_s, pa.string()), uppercase)


def trimmer(trim: Kernel, characters: str) -> Kernel:
    """trim, ltrim, rtrim of these characters by one of Arrow's functions."""
    return lambda texts: trim(texts, characters)


_BEYOND = 1 << 31  # no text is as long


def substring(start: int, count: int | None = None) -> Kernel:
    """From a position counted from 1, or from the end where it is negative."""
    start = max(-_BEYOND, min(start, _BEYOND))
    count = None if count is None else min(count, _BEYOND)
    is_empty = start == 0 or (count is not None and count <= 0)

    def kernel(texts: pa.Array) -> pa.Array:
        if is_empty:
            return pc.utf8_slice_codeunits(texts, 0, 0)
        if start > 0:
            stop = None if count is None else start - 1 + count
            return pc.utf8_slice_codeunits(texts, start - 1, stop)
        stop = None if count is None or start + count >= 0 else start + count
        too_short = pc.less(pc.utf8_length(texts), -start)
        return pc.if_else(too_short, "", pc.utf8_slice_codeunits(texts, start, stop))

    return kernel


def position(part: str) -> Kernel:
    """strpos(text, constant): 1 for the first letter, 0 where the part is not in the text."""
    if not part:
        return lambda texts: pc.if_else(texts.is_valid(), pa.scalar(1, pa.int64()), None)

    def kernel(texts: pa.Array) -> pa.Array:
        before = pc.find_substring(texts, part).cast(pa.int64())  # bytes; -1 where it is not there
        if pc.all(pc.string_is_ascii(texts)).as_py() is False:
            texts_before = pc.list_element(pc.split_pattern(texts, part, max_splits=1), 0)
            letters_before = pc.utf8_length(texts_before).cast(pa.int64())
            before = pc.if_else(pc.greater_equal(before, 0), letters_before, before)
        return pc.add(before, 1)

    return kernel


def positions(texts: pa.Array, parts: pa.Array) -> pa.Array:
    """strpos where the part differs by row."""
    pairs = zip(texts.to_pylist(), parts.to_pylist(), strict=True)
    results = [
        None if text is None or part is None else text.find(part) + 1 for text, part in pairs
    ]
    return pa.array(results, pa.int64())


def part_of(delimiter: str, index: int) -> Kernel:
    """split_part(text, delimiter, index): NULL past the end."""
    if not delimiter or index < 1:
        raise Refused("split_part with an empty delimiter or an index below 1")

    def kernel(texts: pa.Array) -> pa.Array:
        parts = pc.split_pattern(texts, delimiter)
        has_part = pc.fill_null(pc.greater_equal(pc.list_value_length(parts), index), False)
        rows = np.flatnonzero(has_part)
        values = pc.list_element(parts.take(pa.array(rows)), index - 1)
        index_of_row = np.full(len(texts), -1, np.int64)
        index_of_row[rows] = np.arange(len(rows))
        return values.take(pa.array(index_of_row, mask=index_of_row < 0))

    return kernel


def replacer(search: str, replacement: str = "") -> Kernel:
    """replace(text, search[, replacement])."""
    if not search and replacement:
        raise Refused("replace of the empty string")
    if not search:
        return lambda texts: texts

    def kernel(texts: pa.Array) -> pa.Array:
        if not pc.any(pc.match_substring(texts, search)).as_py():  # far quicker than to copy
            return texts
        return pc.replace_substring(texts, search, replacement)

    return each_once(kernel)


def joined(*texts: pa.Array) -> pa.Array:
    """concat: NULL where one part is NULL."""
    return pc.binary_join_element_wise(*texts, "")


def nullif(other: str) -> Kernel:
    """nullif(text, constant)."""
    return lambda texts: pc.if_else(pc.equal(texts, other), None, texts)


LONGEST_PADDED = 100_000  # characters, which every row would have


def padder(pad: Kernel, size: int, filling: str) -> Kernel:
    """lpad, rpad by one of Arrow's functions; a text longer than the size is cut at its end."""
    if len(filling) != 1 or not 0 <= size <= LONGEST_PADDED:
        raise Refused(
            f"lpad or rpad with a size that is not from 0 to {LONGEST_PADDED} or a filling that is "
            "not one character"
        )
    return lambda texts: pc.utf8_slice_codeunits(pad(texts, size, filling), 0, size)


def like(pattern: str, escape: str | None = None) -> Kernel:
    """LIKE: % any letters, _ one letter, no escape unless the query names one."""
    expression = rf"(?s)\A{_like_expression(pattern, escape)}\z"
    return lambda texts: pc.match_substring_regex(texts, expression)


def _like_expression(pattern: str, escape: str | None) -> str:
    if escape is not None and len(escape) != 1:
        raise Refused("LIKE with an ESCAPE that is not one character")
    pieces, characters = [], iter(pattern)
    for char in characters:
        if char == escape:
            escaped = next(characters, "")
            if not escaped or escaped not in ("%", "_", escape):
                raise Refused(f"LIKE {pattern!r}: its escape must be followed by %, _ or itself")
            pieces.append(re.escape(escaped))
        else:
            pieces.append({"%": ".*", "_": "."}.get(char) or re.escape(char))
    return "".join(pieces)


def splitter(delimiter: str, limit: int | None = None) -> Kernel:
    """split(text, delimiter[, limit]): `limit` parts at most, the last with all that is left."""
    if not delimiter or (limit is not None and limit < 1):
        raise Refused("split with an empty delimiter or a limit below 1")
    if limit == 1:
        raise Refused("split into one part")
    most_splits = None if limit is None else limit - 1
    return lambda texts: pc.split_pattern(texts, delimiter, max_splits=most_splits)


def translator(old: str, new: str) -> Callable[[str], str]:
    """translate: each letter of `old` becomes the one at its place in `new`, or nothing."""
    replacements: dict[int, str] = {}
    for index, char in enumerate(old):
        replacements.setdefault(ord(char), new[index : index + 1])  # the first of equal letters
    return lambda text: text.translate(replacements)


def character(code: int) -> str:
    """chr(code): the letter of a code point, surrogates are none."""
    if not 0 <= code <= 0x10FFFF or 0xD800 <= code < 0xE000:
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", f"no code point: {code}")
    return chr(code)


def code_point(text: str) -> int:
    """codepoint(text), of one letter."""
    if len(text) != 1:
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", "a text of one character is needed")
    return ord(text)
