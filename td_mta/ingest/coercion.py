"""Users and channels as their owner wrote them to what the model reads.

Whole columns at a time, `(rows,)` in and out. The twin of `queries/union_touchpoints.sql`.
"""

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import DataError
from td_mta.ingest import columns
from td_mta.ingest.columns import BLANKS
from td_mta.journeys.touchpoints import Ints

LARGEST_ID = 9.2e18  # of a double: whole numbers of more digits are not exact


class Users(NamedTuple):
    """A column of users."""

    ids: pa.Array  # text without blanks around it, null where there is none, (rows,)
    null_words: Counter[str]  # words that stand for a missing user, and their rows


class Names(NamedTuple):
    """A column of names: row `i` has the name `names[codes[i]]`."""

    names: list[str | None]  # None, the last one, for rows without a name
    codes: Ints  # (rows,)
    trimmed: int  # rows whose name had spaces around it
    null_words: Counter[str]  # words that stand for a missing name, and their rows


def users(column: pa.Array, null_words: Collection[str] = (), location: str = "") -> Users:
    """Ids as text: a number without a fraction as a whole number, `null_words` as missing.

    Raises `DataError` for numbers with a fraction: each system writes them in another way.

    >>> users(pa.array(["c1 ", "NULL", ""]), ["null"]).ids.to_pylist()
    ['c1', None, None]
    """
    if pa.types.is_floating(column.type):
        _check_whole(column, location)
    ids = columns.trimmed(columns.identifier(column))
    is_word = _are_words(ids, {*null_words, ""})
    if not pc.any(is_word).as_py():
        return Users(ids, Counter())
    missing = pa.scalar(None, pa.string())
    counted = Counter(ids.filter(pc.fill_null(is_word, False)).to_pylist())
    del counted[""]
    return Users(pc.if_else(is_word, missing, ids), counted)


def names(column: pa.Array, null_words: Collection[str] = ()) -> Names:
    """Channel names without blanks around them; an empty one and `null_words` are missing."""
    encoded = pc.dictionary_encode(columns.identifier(column))
    raw = encoded.dictionary.to_pylist()
    indices = pc.fill_null(encoded.indices, len(raw))
    codes = indices.to_numpy(zero_copy_only=False)
    rows = np.bincount(codes, minlength=len(raw) + 1).tolist()
    trimmed = [name.strip(BLANKS) or None for name in raw]
    changed = [new != (old or None) for new, old in zip(trimmed, raw, strict=True)]
    words: Counter[str] = Counter()
    for place, name in enumerate(trimmed):
        if name is not None and name.lower() in null_words:
            words[name] += rows[place]
            trimmed[place] = None
    return Names([*trimmed, None], codes, int(np.dot(rows[:-1], changed)), words)


def _check_whole(column: pa.Array, location: str) -> None:
    number = np.asarray(columns.numbers(column), np.float64)
    bad = ~np.isnan(number) & ((np.floor(number) != number) | (abs(number) >= LARGEST_ID))
    if bad.any():
        raise DataError(
            f"{location} must hold ids, got {columns.example(column, bad)}, which is no whole "
            "number of up to 18 digits; write the ids as text"
        )


def _are_words(ids: pa.Array, words: Collection[str]) -> pa.Array:
    """Where an id is one of the words, in any letter case."""
    lower = pc.ascii_lower if all(word.isascii() for word in words) else pc.utf8_lower
    return pc.is_in(lower(ids), pa.array(sorted(words)))
