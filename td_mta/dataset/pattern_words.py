"""Sets and counts as the warehouse's SQL writes them: pairs `number:number`, joined by commas, of
which `:1` is left out where numbers are counted.

A pattern is words of 62 bits: of the pair `w:bits` bit b of `bits` says that cell `62 w + b` is in
the set. The empty text is the empty set.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.journeys.patterns import Grid, Patterns, of_cells
from td_mta.journeys.touchpoints import Ints

WORD_BITS = 62


class Pairs(NamedTuple):
    """The pairs of some texts, in their order, each array of shape `(pairs,)`."""

    owner: Ints  # the text that a pair is of
    left: Ints
    right: Ints


def pairs_of(texts: pa.Array) -> Pairs:
    """The pairs of all texts, `(n,)`.

    >>> [array.tolist() for array in pairs_of(pa.array(["3,7:2", "", "0:5"]))]
    [[0, 0, 2], [3, 7, 0], [1, 2, 5]]
    """
    parts = pc.split_pattern(texts, ",")
    owner, pair = pc.list_parent_indices(parts), pc.list_flatten(parts)
    is_there = pc.not_equal(pair, "")
    owner, pair = owner.filter(is_there), pair.filter(is_there)
    sides = pc.split_pattern(pair, ":")
    numbers = pc.list_flatten(sides).cast(pa.int64()).to_numpy()
    sizes = pc.list_value_length(sides).to_numpy()
    first, is_counted = np.cumsum(sizes) - sizes, sizes == 2
    right = np.ones(len(pair), np.int64)
    right[is_counted] = numbers[first[is_counted] + 1]
    return Pairs(owner.to_numpy().astype(np.int64), numbers[first], right)


def patterns_of(texts: pa.Array, grid: Grid) -> Patterns:
    """The set of every text, `(n,)`.

    >>> patterns_of(pa.array(["", "0:5", "1:1"]), Grid(9, 7)).cells.tolist()
    [0, 2, 62]
    """
    owner, word, bits = pairs_of(texts)
    set_bits = [np.flatnonzero(bits >> bit & 1) for bit in range(WORD_BITS)]
    at = np.concatenate(set_bits)
    bit = np.repeat(np.arange(WORD_BITS), [len(rows) for rows in set_bits])
    return of_cells(owner[at], word[at] * WORD_BITS + bit, len(texts), grid)
