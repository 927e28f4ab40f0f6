"""Ids of orders and conversions as numbers: equal ids have equal numbers, nothing else matters."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.ingest import columns
from td_mta.journeys.touchpoints import NO_ID, Ints
from td_mta.xxhash64 import xxhash64

NOTHING = ("", "-1")  # no id, in any letter case; Criteo writes -1


def read(column: pa.Array, null_words: tuple[str, ...]) -> Ints:
    """A number for each id, `(rows,)`; `NO_ID` where there is none."""
    text = texts(column, null_words)
    none = np.asarray(text.is_null().to_numpy(zero_copy_only=False), np.bool_)
    numbers = xxhash64(pc.fill_null(text, "").cast(pa.large_string())).astype("int64")
    numbers[none] = NO_ID
    return numbers


def texts(column: pa.Array, null_words: tuple[str, ...]) -> pa.Array:
    """Each id without the blanks around it, null where there is none, `(rows,)`."""
    text = pc.fill_null(pc.utf8_trim_whitespace(columns.text(column)), "")
    none = pc.is_in(pc.utf8_lower(text), value_set=pa.array([*NOTHING, *null_words]))
    return pc.if_else(none, pa.scalar(None, pa.string()), text)


def tie_rank(column: pa.ChunkedArray) -> Ints:
    """A number for each row, `(rows,)`, that orders them as the column's text does.

    Numbers come first, by their size, then other text, by its code points, then what is missing.
    `queries/shapley_rules.sql` does the same.
    """
    encoded = pc.dictionary_encode(column).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):  # of a table without rows
        encoded = encoded.chunk(0)
    distinct = encoded.dictionary  # (n,)
    is_number = columns.matches(distinct, columns.NUMBER)
    digits = pc.if_else(pa.array(is_number), pc.utf8_trim_whitespace(distinct), None)
    number = np.nan_to_num(columns.numbers(digits.cast(pa.float64())), nan=np.inf)
    of_text = _rank(pc.sort_indices(distinct).to_numpy())
    rank = _rank(np.lexsort((of_text, number)))
    last = len(distinct)
    codes = pc.fill_null(encoded.indices, last).to_numpy(zero_copy_only=False)
    return np.append(rank, last)[codes]


def _rank(order: Ints) -> Ints:
    """The place of each element in an order of them, `(n,)`."""
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank
