"""Cells of a table of paths to touches: texts with a separator, lists, or a column a touch.

Each function returns one flat array of names and how many of them each row has, `(rows,)`; names
may still be empty. `tidied` then reads what people write of touches: blanks, no names, `Email x 2`.
"""

import ast
import json
import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.ingest import columns
from td_mta.journeys.runs import owners
from td_mta.journeys.touchpoints import Ints

# The first that any cell holds: names hold no arrows, and rather a comma than a bar.
STRONG = ("->", "=>", "→", "»", ">", "::", "|")
WEAK = (";", ",", " / ", "\t")
LIST = r"""^\s*(?:\[.*\]|\{.*\}|\(['"].*\))\s*$"""
MARKERS = ("(start)", "(conversion)", "(null)")  # states of a Markov chain, which are no touches
TIMES = "\N{MULTIPLICATION SIGN}"
REPEATED = re.compile(rf"(.*\S)\s+x\s?(\d{{1,3}})|(.*\S)\s*{TIMES}\s*(\d{{1,3}})")


class Cells(NamedTuple):
    """Touches by row: those of row `i` follow those of row `i - 1`."""

    names: pa.Array  # (touches,)
    sizes: Ints  # (rows,)


class Tidied(NamedTuple):
    """Touches that have a name."""

    names: list[str]  # distinct
    codes: Ints  # (touches,): indices of names
    sizes: Ints  # (rows,)
    unnamed: int  # touches without a name, which were left out
    repeated: int  # touches that a count such as `x 2` stands for


def separator_of(text: pa.Array) -> str | None:
    """What separates the touches in cells of text; None where no cell holds a separator."""
    distinct = text.dictionary_encode().dictionary if len(text) else text
    return next((each for each in (*STRONG, *WEAK) if _any_holds(distinct, each)), None)


def are_lists(column: pa.Array) -> bool:
    """Whether the cells are lists, as a type or written as text: `['a', 'b']`."""
    if _is_list(column.type):
        return True
    if not pa.types.is_string(column.type):
        return False
    filled = column.drop_null()
    return bool(len(filled)) and bool(columns.matches(filled, LIST).all())


def are_single(column: pa.Array) -> bool:
    """Whether the cells are lists, as a type, of no more than one touch each."""
    return _is_list(column.type) and (pc.max(pc.list_value_length(column)).as_py() or 0) <= 1


def of_texts(column: pa.Array, separator: str) -> Cells:
    """Cells such as `a > b > c`; an empty one has no touch."""
    text = pc.fill_null(columns.text(column), "")
    parts = pc.split_pattern(text, separator)
    return Cells(parts.flatten(), _sizes(parts))


def of_lists(column: pa.Array) -> Cells:
    """Lists, as a type or as text; one without a value has no touch."""
    if not _is_list(column.type):
        encoded = pc.dictionary_encode(columns.text(column))
        lists = pa.array([_parsed(text) for text in encoded.dictionary.to_pylist()], _STRINGS)
        column = lists.take(encoded.indices)
    sizes = pc.fill_null(pc.list_value_length(column), 0)
    return Cells(columns.text(pc.list_flatten(column)), np.asarray(sizes, np.int64))


def of_columns(by_touch: Sequence[pa.Array]) -> Cells:
    """A column for the first touch, one for the second ..., empty ones at the end."""
    rows, touches = len(by_touch[0]), len(by_touch)
    together = pa.concat_arrays([columns.text(column) for column in by_touch])
    row_major = np.arange(rows * touches).reshape(touches, rows).T.ravel()
    return Cells(together.take(pa.array(row_major)), np.full(rows, touches, np.int64))


def tidied(cells: Cells, null_words: Collection[str] = ()) -> Tidied:
    """Names without blanks around them, once for each touch.

    Empty names, `null_words` in any letter case and the markers of chains are no touches.
    """
    encoded = pc.dictionary_encode(pc.fill_null(cells.names, ""))
    given = [name.strip() for name in encoded.dictionary.to_pylist()]
    code_of_touch = np.asarray(encoded.indices, np.int64)
    no_names = {"", *MARKERS, *null_words}
    read = [_repeats(name) for name in given]
    times = np.array([0 if name.lower() in no_names else n for name, n in read], np.int64)
    names = list(dict.fromkeys(name for name, n in read if name.lower() not in no_names))
    index = {name: code for code, name in enumerate(names)}
    code_of_given = np.array([index.get(name, -1) for name, _ in read], np.int64)
    times_of_touch = times[code_of_touch] if len(given) else np.zeros(0, np.int64)
    owner = owners(cells.sizes)
    is_word = np.array([name.lower() in no_names and name != "" for name in given], np.bool_)
    return Tidied(
        names=names,
        codes=np.repeat(code_of_given[code_of_touch], times_of_touch),
        sizes=np.bincount(owner, times_of_touch, len(cells.sizes)).astype(np.int64),
        unnamed=int(is_word[code_of_touch].sum()) if len(given) else 0,
        repeated=int(times_of_touch[times_of_touch > 1].sum()),
    )


_STRINGS = pa.list_(pa.string())


def _any_holds(distinct: pa.Array, separator: str) -> bool:
    return bool(pc.any(pc.match_substring(distinct, separator)).as_py())


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind)


def _sizes(lists: pa.Array) -> Ints:
    return np.asarray(pc.list_value_length(lists), np.int64)


def _parsed(text: str | None) -> list[str] | None:
    """JSON, Python, or bare words between brackets, as Trino and Postgres print arrays."""
    if text is None or not text.strip():
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text)
        except (ValueError, SyntaxError):
            continue
        if isinstance(found, list | tuple):
            return ["" if name is None else str(name) for name in found]
    inside = text.strip()[1:-1]
    return [name.strip().strip("'\"") for name in inside.split(",")] if inside.strip() else []


def _repeats(name: str) -> tuple[str, int]:
    """A name and how often it touched in a row: Google Analytics writes `Direct x 2`."""
    found = REPEATED.fullmatch(name)
    if not found:
        return name, 1
    words, number = [part for part in found.groups() if part is not None]
    return words, int(number)
