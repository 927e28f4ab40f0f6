"""The blocks of a Hessian: sums of products of sparse 0/1 terms over patterns, who are millions.

A product of sparse matrices seeks the place of each number anew, twice. Here the places of all
pairs in a block of rows are written out and counted; blocks are small enough for the cache.
"""

from collections.abc import Iterator

import numpy as np
import scipy.sparse

from td_mta.journeys.runs import positions
from td_mta.journeys.touchpoints import Floats, Ints

BLOCK = 200_000_000  # pairs


def gram(features: scipy.sparse.csr_matrix, weight: Floats) -> Floats:
    """X' diag(weight) X, `(terms, terms)`, of X with no other numbers than 0 and 1, `(n, terms)`.

    >>> X = scipy.sparse.csr_matrix([[1.0, 1.0], [1.0, 0.0]])
    >>> gram(X, np.array([2.0, 3.0])).tolist()
    [[5.0, 2.0], [2.0, 2.0]]
    """
    terms = features.shape[1]
    pairs = np.zeros(terms**2)
    for columns, rows in _blocks(features, weight):
        one, other = np.triu_indices(len(columns), 1)
        at = (columns * terms)[one]
        at += columns[other]
        pairs += np.bincount(at.ravel(), np.tile(weight[rows], len(one)), terms**2)
    half = pairs.reshape(terms, terms)  # each pair once, in whatever order
    return half + half.T + np.diag(features.T @ weight)


def cross(
    features: scipy.sparse.csr_matrix, pattern: Ints, stratum: Ints, values: Floats, design: Floats
) -> Floats:
    """X'VB, `(terms, columns)`, of X as above, a design B `(strata, columns)` and V `(n, strata)`.

    V has `values` `(cells,)` at its cells, which may be in any order.
    """
    terms, strata = features.shape[1], len(design)
    begin, table = features.indptr.astype(np.int64), np.zeros(terms * strata)
    of_rows = np.diff(begin)
    for first in range(0, len(values), BLOCK):
        cells = slice(first, first + BLOCK)
        rows = pattern[cells]
        ones = of_rows[rows]
        at = features.indices[positions(begin[rows], ones)].astype(np.int64)
        at *= strata
        at += np.repeat(stratum[cells], ones)
        table += np.bincount(at, np.repeat(values[cells], ones), len(table))
    return table.reshape(terms, strata) @ design


def _blocks(features: scipy.sparse.csr_matrix, weight: Floats) -> Iterator[tuple[Ints, Ints]]:
    """The columns `(size, rows)` of rows with as many ones, and which rows; about `BLOCK` pairs.

    Rows without weight or with a single one have no pair to count.
    """
    begin = features.indptr[:-1]
    sizes = np.where(weight != 0, np.diff(features.indptr), 0)
    order = np.argsort(sizes, kind="stable")
    first = np.cumsum(np.bincount(sizes))
    for size in range(2, len(first)):
        of_size = order[first[size - 1] : first[size]]
        step = max(1, 2 * BLOCK // size**2)
        for at in range(0, len(of_size), step):
            rows = of_size[at : at + step]
            columns = features.indices[begin[rows] + np.arange(size)[:, None]]
            yield columns.astype(np.int64), rows
