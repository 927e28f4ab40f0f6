"""Text that a spreadsheet would take for a formula, in CSV files that we write.

A text that begins with = + - @, a tab or a carriage return, and is no number, gets an apostrophe in
front; so does one that has apostrophes before such a character, so that reading takes off exactly
one and gives back what was written.
"""

import re

import pyarrow as pa
import pyarrow.compute as pc

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:[eE][-+]?[0-9]+)?")
_PREFIXED = r"^'('*[=+\-@\t\r])"


def prefixed(text: str) -> str:
    """The text as a cell that no spreadsheet runs.

    >>> prefixed("=1+1"), prefixed("-0.5"), prefixed("'@x"), prefixed("a=b")
    ("'=1+1", '-0.5', "''@x", 'a=b')
    """
    is_formula = _FORMULA.match(text) and not _NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text


def taken_off(column: pa.Array) -> pa.Array:
    """What was written, of a column of cells.

    >>> taken_off(pa.array(["'=1+1", "''@x", "'tis", None])).to_pylist()
    ['=1+1', "'@x", "'tis", None]
    """
    return pc.replace_substring_regex(column, _PREFIXED, r"\1")
