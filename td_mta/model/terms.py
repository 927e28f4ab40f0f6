"""Terms of a linear rung: what of a pattern adds to the log-odds, each with a weight.

Four kinds of *items* are 0 or 1 for a pattern: its cells, its channels (touched at all in the
window), its days (any touch), and a constant that is always 1. A term is the product of two items;
that of an item with itself is the item. So the log-odds of items z `(items,)` are z'Qz with an
upper triangular Q of weights: fast for dense cells, and three plain layers of Keras.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse

from td_mta.journeys.patterns import Cells, Grid, Patterns
from td_mta.journeys.touchpoints import Flags, Floats, Ints
from td_mta.model.grams import gram

CELL_PRECISION = 0.1  # weak: a channel never seen with a conversion stays finite
FEWEST_CONVERSIONS = 20  # observed or expected, of a product
MOST_PRODUCTS = 300  # keeps the Hessian small


class Terms(NamedTuple):
    """Products of two items each; the first term is the intercept."""

    grid: Grid
    first: Ints  # item, (terms,)
    second: Ints  # item, not below the first, (terms,)

    @property
    def is_product(self) -> Flags:
        """All but the intercept and the cells: also days, `(terms,)`."""
        is_cell = self.first < self.grid.cells
        is_item = self.first == self.second
        return ~is_item | ~(is_cell | (self.first == constant(self.grid)))

    def precision(self, products: float) -> Floats:
        """Of the Gaussian priors of the weights, given that of products, `(terms,)`."""
        precision = np.where(self.is_product, products, CELL_PRECISION)
        precision[0] = 0.0
        return precision

    def features(self, patterns: Patterns) -> scipy.sparse.csr_matrix:
        """0/1 per term, `(n, terms)`."""
        z = items(patterns, self.grid)
        if not self.is_product.any():
            return z[:, self.first].tocsr()
        columns = z.tocsc()
        return columns[:, self.first].multiply(columns[:, self.second]).tocsr()

    def quadratic(self, weights: Floats) -> Floats:
        """Q, `(items, items)`."""
        size = constant(self.grid) + 1
        q = np.zeros((size, size))
        q[self.first, self.second] = weights
        return q

    def log_odds(self, weights: Floats, cells: npt.NDArray[np.float32]) -> Floats:
        """z'Qz of dense cells `(n, days, channels)`, `(n,)`."""
        z, q = dense_items(cells), self.quadratic(weights)
        linear = z @ np.diag(q)
        off = np.triu(q, 1)
        left, right = off.any(axis=1), off.any(axis=0)  # items in products
        if not left.any():
            return linear
        return linear + ((z[:, left] @ off[np.ix_(left, right)]) * z[:, right]).sum(axis=1)


def constant(grid: Grid) -> int:
    """The number of the last item; cells, channels and days stand before it, in this order."""
    return grid.cells + grid.channels + grid.days


def dense_items(cells: npt.NDArray[np.float32]) -> Floats:
    """All items of dense cells `(n, days, channels)`, `(n, items)`."""
    n = len(cells)
    flat = cells.reshape(n, cells.shape[1] * cells.shape[2])
    channels, days = cells.max(axis=1), cells.max(axis=2)
    ones = np.ones((n, 1), np.float32)
    return np.concatenate([flat, channels, days, ones], axis=1).astype(np.float64)


def items(patterns: Patterns, grid: Grid) -> scipy.sparse.csr_matrix:
    """The same of patterns."""
    n, cell = len(patterns.keys), patterns.cells
    day, channel = np.divmod(cell, grid.channels)
    one = scipy.sparse.csr_matrix(np.ones((n, 1)))
    parts = [(cell, grid.cells), (channel, grid.channels), (day, grid.days)]
    z = scipy.sparse.hstack([*(_ones(patterns, *part) for part in parts), one], format="csr")
    z.data[:] = 1  # a channel touched on two days counts once
    return z


def _ones(patterns: Patterns, column: Cells, columns: int) -> scipy.sparse.csr_matrix:
    """1 at the columns of each pattern's cells, their number where they are the same."""
    ones, offsets = np.ones(len(column)), patterns.offsets
    found = scipy.sparse.csr_matrix((ones, column, offsets), (len(offsets) - 1, columns))
    found.sum_duplicates()
    return found


def cells_only(grid: Grid) -> Terms:
    """The intercept and a weight for each cell."""
    of_items = np.concatenate([[constant(grid)], np.arange(grid.cells)])
    return Terms(grid, of_items, of_items)


def with_products(patterns: Patterns, observed: Floats, expected: Floats, grid: Grid) -> Terms:
    """Also days and products of two cells or two channels, the most frequent with support.

    `observed` and `expected` conversions by pattern, `(n,)`, these by a model without products.
    """
    z = items(patterns, grid)
    support = np.maximum(gram(z, observed), gram(z, expected))
    support[~_admissible(grid)] = 0
    order = np.argsort(-support, axis=None, kind="stable")[:MOST_PRODUCTS]
    chosen = np.sort(order[support.ravel()[order] >= FEWEST_CONVERSIONS])
    first, second = np.divmod(chosen, len(support))
    simple = cells_only(grid)
    return Terms(
        grid, np.concatenate([simple.first, first]), np.concatenate([simple.second, second])
    )


def _admissible(grid: Grid) -> Flags:
    """Which pairs of items may be terms beyond the intercept and the cells, `(items, items)`."""
    after = grid.cells + grid.channels
    kind = np.repeat([0, 1, 2, 3], [grid.cells, grid.channels, grid.days, 1])
    pairs = np.triu(kind[:, None] == kind, 1) & (kind < 2)
    if grid.days > 1:
        day = np.arange(after, after + grid.days)
        pairs[day, day] = True
    else:
        pairs[grid.cells :, grid.cells :] = False  # a channel is its cell
    return pairs
