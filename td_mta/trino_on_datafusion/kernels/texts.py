"""Strings. Positions and lengths count code points; what Java calls whitespace is trimmed."""

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.types import Kernel, TrinoError

WHITESPACE = (
    "\t\n\x0b\f\r\x1c\x1d\x1e\x1f \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009"
    "\u200a\u2028\u2029\u205f\u3000"
)


def length(texts: pa.Array) -> pa.Array:
    return pc.utf8_length(texts).cast(pa.int64())


def upper(texts: pa.Array) -> pa.Array:
    """Letter by letter, so that ß stays (its capital is two letters)."""
    raised = pc.utf8_upper(texts)
    has = pc.fill_null(pc.match_substring(texts, "ß"), False)
    if not pc.any(has).as_py():
        return raised
    odd = [
        text and "ß".join(pc.utf8_upper(pa.array(text.split("ß"))).to_pylist())
        for text in texts.to_pylist()
    ]
    return pc.if_else(has, pa.array(odd, pa.string()), raised)


def trimmer(trim: Callable[..., pa.Array], characters: str) -> Kernel:
    return lambda texts: trim(texts, characters)


def substring(start: int, count: int | None = None) -> Kernel:
    """From a position counted from 1, or from the end where it is negative."""

    def run(texts: pa.Array) -> pa.Array:
        if start == 0 or (count is not None and count <= 0):
            return pc.utf8_slice_codeunits(texts, 0, 0)
        if start > 0:
            stop = None if count is None else start - 1 + count
            return pc.utf8_slice_codeunits(texts, start - 1, stop)
        stop = None if count is None or start + count >= 0 else start + count
        short = pc.less(pc.utf8_length(texts), -start)
        return pc.if_else(short, "", pc.utf8_slice_codeunits(texts, start, stop))

    return run


def position(part: str) -> Kernel:
    def run(texts: pa.Array) -> pa.Array:
        before = pc.find_substring(texts, part).cast(pa.int64())
        if pc.all(pc.string_is_ascii(texts)).as_py() is False:
            texts_before = pc.list_element(pc.split_pattern(texts, part, max_splits=1), 0)
            found = pc.greater_equal(before, 0)
            before = pc.if_else(found, pc.utf8_length(texts_before).cast(pa.int64()), before)
        return pc.add(before, 1)

    return (
        run if part else lambda texts: pc.if_else(texts.is_valid(), pa.scalar(1, pa.int64()), None)
    )


def positions(texts: pa.Array, parts: pa.Array) -> pa.Array:
    """strpos where the part differs by row."""
    pairs = zip(texts.to_pylist(), parts.to_pylist(), strict=True)
    found = [None if text is None or part is None else text.find(part) + 1 for text, part in pairs]
    return pa.array(found, pa.int64())


def part_of(delimiter: str, index: int) -> Kernel:
    """split_part: NULL past the end."""
    if not delimiter or index < 1:
        raise Refused("split_part with an empty delimiter or an index below 1")

    def run(texts: pa.Array) -> pa.Array:
        parts = pc.split_pattern(texts, delimiter)
        enough = np.flatnonzero(
            pc.fill_null(pc.greater_equal(pc.list_value_length(parts), index), False)
        )
        values = pc.list_element(parts.take(pa.array(enough)), index - 1)
        where = np.full(len(texts), -1, np.int64)
        where[enough] = np.arange(len(enough))
        return values.take(pa.array(where, mask=where < 0))

    return run


def replacer(search: str, replacement: str = "") -> Kernel:
    if not search and replacement:
        raise Refused("replace of the empty string")
    if not search:
        return lambda texts: texts
    return lambda texts: pc.replace_substring(texts, search, replacement)


def joined(*texts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(*texts, "")


def padder(pad: Callable[..., pa.Array], size: int, filling: str) -> Kernel:
    if len(filling) != 1 or size < 0:
        raise Refused("lpad or rpad with a size below zero or a filling of several letters")
    return lambda texts: pc.utf8_slice_codeunits(pad(texts, size, filling), 0, size)


def like(pattern: str, escape: str | None = None) -> Kernel:
    """LIKE: % any letters, _ one letter, no escape unless it is given."""
    expression = rf"(?s)\A{_like_expression(pattern, escape)}\z"
    return lambda texts: pc.match_substring_regex(texts, expression)


def _like_expression(pattern: str, escape: str | None) -> str:
    if escape is not None and len(escape) != 1:
        raise Refused("LIKE with an ESCAPE that is not one letter")
    parts, rest = [], iter(pattern)
    for char in rest:
        if char == escape:
            char = next(rest, "")
            if not char or char not in ("%", "_", escape):
                raise Refused(f"LIKE {pattern!r}: what follows the escape is no %, _ or escape")
            parts.append(re.escape(char))
        else:
            parts.append({"%": ".*", "_": "."}.get(char) or re.escape(char))
    return "".join(parts)


def splitter(delimiter: str, limit: int | None = None) -> Kernel:
    if not delimiter or (limit is not None and limit < 1):
        raise Refused("split with an empty delimiter or a limit below 1")
    most = None if limit is None else limit - 1
    if most == 0:
        raise Refused("split into one part")
    return lambda texts: pc.split_pattern(texts, delimiter, max_splits=most)


def translator(old: str, new: str) -> Callable[[str], str]:
    """Each letter of old becomes the one at its place in new, or nothing."""
    table: dict[int, str] = {}
    for place, char in enumerate(old):
        table.setdefault(ord(char), new[place : place + 1])
    return lambda text: text.translate(table)


def character(code: int) -> str:
    if not 0 <= code <= 0x10FFFF or 0xD800 <= code < 0xE000:
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", f"no code point: {code}")
    return chr(code)


def code_point(text: str) -> int:
    if len(text) != 1:
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", "one letter was wanted")
    return ord(text)
