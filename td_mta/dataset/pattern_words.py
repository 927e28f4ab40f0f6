"""Sets and counts as the warehouse's SQL writes them: pairs `number:number`, joined by commas.

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

    >>> pairs_of(pa.array(["3:1,7:2", "", "0:5"]))[0].tolist()
    [0, 0, 2]
    """
    parts = pc.split_pattern(texts, ",")
    owner, pair = pc.list_parent_indices(parts), pc.list_flatten(parts)
    is_there = pc.not_equal(pair, "")
    owner, pair = owner.filter(is_there), pair.filter(is_there)
    numbers = pc.list_flatten(pc.split_pattern(pair, ":")).cast(pa.int64()).to_numpy()
    return Pairs(owner.to_numpy().astype(np.int64), numbers[::2], numbers[1::2])


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
