"""Terms of patterns: the same for sparse patterns and dense cells, only those with support."""

import numpy as np

from td_mta.journeys.patterns import Grid, dense
from td_mta.model import terms
from tests.model.small_world import GRID, all_patterns

PATTERNS = all_patterns()
N = len(PATTERNS.keys)


def test_cells_alone_are_the_intercept_and_the_touched_cells() -> None:
    features = terms.cells_only(GRID).features(PATTERNS).toarray()
    touched = dense(PATTERNS, GRID).reshape(N, -1)
    np.testing.assert_array_equal(features, np.column_stack([np.ones(N), touched]))


def test_products_are_of_cells_and_of_channels_and_days_stand_alone() -> None:
    found = terms.with_products(PATTERNS, np.full(N, 100.0), np.zeros(N), GRID)
    cells, channels, days = 6, 3, 2
    assert len(found.first) == 1 + cells + cells * 5 // 2 + channels + days
    assert found.is_product.sum() == 15 + 3 + 2
    features = found.features(PATTERNS).toarray()
    touched = dense(PATTERNS, GRID)
    both_channels = touched[:, :, 0].max(axis=1) * touched[:, :, 1].max(axis=1)
    column = np.flatnonzero((found.first == cells) & (found.second == cells + 1))[0]
    np.testing.assert_array_equal(features[:, column], both_channels)
    day = np.flatnonzero(found.first == cells + channels + 1)[0]
    np.testing.assert_array_equal(features[:, day], touched[:, 1].max(axis=1))


def test_dense_cells_have_the_log_odds_of_their_patterns() -> None:
    found = terms.with_products(PATTERNS, np.full(N, 100.0), np.zeros(N), GRID)
    weights = np.random.default_rng(0).normal(size=len(found.first))
    by_pattern = found.features(PATTERNS) @ weights
    np.testing.assert_allclose(found.log_odds(weights, dense(PATTERNS, GRID)), by_pattern)


def test_products_without_support_are_left_out() -> None:
    touched = dense(PATTERNS, GRID).reshape(N, -1)
    both = touched[:, 0] * touched[:, 4]  # sixteen patterns
    expected = both * 2.0
    found = terms.with_products(PATTERNS, np.zeros(N), expected, GRID)
    assert (0, 4) in set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    fewer = terms.with_products(PATTERNS, np.zeros(N), expected / 2, GRID)
    assert not fewer.is_product.any()


def test_the_most_frequent_products_are_kept() -> None:
    found = terms.with_products(PATTERNS, np.full(N, 1e4), np.zeros(N), GRID)
    assert found.is_product.sum() < terms.MOST_PRODUCTS
    wide = Grid(1, 40)
    two = terms.with_products(pairs_of(wide), np.full(780, 1e4), np.zeros(780), wide)
    assert two.is_product.sum() == terms.MOST_PRODUCTS


def pairs_of(grid: Grid) -> terms.Patterns:
    from td_mta.journeys.patterns import of_cells

    first, second = np.triu_indices(grid.cells, 1)
    owner = np.repeat(np.arange(len(first)), 2)
    return of_cells(owner, np.stack([first, second], axis=1).ravel(), len(first), grid)


def test_priors_leave_the_intercept_alone() -> None:
    found = terms.with_products(PATTERNS, np.full(N, 100.0), np.zeros(N), GRID)
    precision = found.precision(16.0)
    assert precision[0] == 0
    assert set(precision[1:7]) == {terms.CELL_PRECISION}
    assert set(precision[7:]) == {16.0}
