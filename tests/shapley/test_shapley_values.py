"""Shapley values against all orders of all players, and the laws they obey."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit

from td_mta.journeys import patterns
from td_mta.journeys.patterns import Grid, Patterns
from td_mta.shapley.credit import Values, attribute, shapley_values
from td_mta.shapley.games import without_offsets
from tests.journeys import oracle

Game = Callable[[np.ndarray], np.ndarray]


def sets_of(groups: list[set[int]], grid: Grid) -> Patterns:
    owner = np.concatenate([np.full(len(g), i) for i, g in enumerate(groups)]).astype(np.int64)
    cells = np.array([cell for group in groups for cell in sorted(group)], np.int64)
    return patterns.distinct(patterns.of_cells(owner, cells, len(groups), grid))[0]


def random_game(grid: Grid, seed: int) -> Game:
    """Worths in (0, 1) with interactions of every pair, in float64."""
    rng = np.random.default_rng(seed)
    one, two = rng.normal(size=grid.cells), rng.normal(size=(grid.cells, grid.cells)) / 2

    def v(cells: np.ndarray) -> np.ndarray:
        x = cells.reshape(len(cells), -1).astype(float)
        return 1 / (1 + np.exp(3 - x @ one - np.einsum("ni,ij,nj->n", x, two, x)))

    return v


def values_of(groups: list[set[int]], grid: Grid, v: Game, **limits: int) -> Values:
    asked = {"exact_cells": 12, "budget": 10**6, "permutations": 200, **limits}
    games, rng = without_offsets(sets_of(groups, grid)), np.random.default_rng(0)
    return shapley_values(games, grid, lambda cells: logit(v(cells)), rng=rng, **asked)


groups = st.lists(st.sets(st.integers(0, 11), max_size=7), min_size=1, max_size=5)


@settings(max_examples=25, deadline=None)
@given(groups=groups, channels=st.sampled_from([3, 40]), seed=st.integers(0, 99))
def test_exact_values_equal_the_average_over_all_orders(groups, channels, seed):
    grid = Grid(4, channels)
    v = random_game(grid, seed)
    values = values_of(groups, grid, v)

    @cache
    def of_set(players: frozenset) -> float:
        cells = np.zeros((1, grid.cells), np.float32)
        cells[0, list(players)] = 1
        return float(v(cells.reshape(1, 4, channels))[0])

    for i in range(len(values.games.patterns.keys)):
        at = slice(values.games.patterns.offsets[i], values.games.patterns.offsets[i + 1])
        cells = values.games.patterns.cells[at].tolist()
        expected = oracle.credits(cells, of_set)
        assert values.phi[at] == pytest.approx([expected[cell] for cell in cells], abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(groups=groups, exact_cells=st.integers(1, 7), seed=st.integers(0, 99))
def test_every_pattern_is_efficient_exact_or_sampled(groups, exact_cells, seed):
    grid = Grid(4, 3)
    values = values_of(
        groups, grid, random_game(grid, seed), exact_cells=exact_cells, permutations=4
    )
    owner = values.games.owner
    total = np.bincount(owner, values.phi, len(values.value_full))
    assert (
        np.abs(total - (values.value_full - values.value_empty)).max()
        <= 1e-9 * values.value_full.min()
    )


def test_sampled_values_lie_within_three_standard_errors_of_exact_ones():
    grid = Grid(3, 4)
    v = random_game(grid, 5)
    groups = [set(range(k)) for k in range(8, 12)]
    exact = values_of(groups, grid, v)
    sampled = values_of(groups, grid, v, exact_cells=1, permutations=400)
    assert exact.sampled == 0
    assert sampled.sampled == 4
    error = np.sqrt(sampled.variance)
    assert (error > 0).all()
    assert (np.abs(sampled.phi - exact.phi) <= 3 * error).mean() >= 0.99


def test_equal_cells_get_equal_values_and_a_cell_that_changes_nothing_gets_none():
    grid = Grid(2, 3)

    def v(cells: np.ndarray) -> np.ndarray:
        x = cells.reshape(len(cells), -1).astype(float)
        return 0.1 + 0.2 * np.maximum(x[:, 0], x[:, 4])

    for exact_cells in (1, 12):
        values = values_of([{0, 2, 4}], grid, v, exact_cells=exact_cells)
        assert values.phi == pytest.approx([0.1, 0.0, 0.1], abs=0.03 if exact_cells == 1 else 1e-12)


def test_the_glove_game_by_hand():
    """One left glove, two right ones; v of a pair is 1: two thirds, and a sixth each."""

    def v(cells: np.ndarray) -> np.ndarray:
        x = cells.reshape(len(cells), -1)
        return (x[:, 0] * np.maximum(x[:, 1], x[:, 2])).astype(float)

    assert values_of([{0, 1, 2}], Grid(1, 3), v).phi == pytest.approx([4 / 6, 1 / 6, 1 / 6])


def test_more_coalitions_than_the_budget_lower_the_exact_limit():
    grid = Grid(3, 4)
    values = values_of([set(range(9))], grid, random_game(grid, 1), budget=300)
    assert values.largest_exact == 8
    assert values.sampled == 1


def test_credit_sums_to_the_conversions_and_their_value():
    grid = Grid(3, 4)
    groups = [set(), {0}, {1, 5}, {2, 3, 8, 11}]
    values = values_of(groups, grid, random_game(grid, 2))
    amounts = np.array([[5.0, 7.0, 2.0, 1.0], [50.0, 0.0, 3.5, -2.0]])
    credit = attribute(values, amounts, grid)
    assert credit.cells.sum(axis=(1, 2)) + credit.baseline == pytest.approx(
        amounts.sum(axis=1), rel=1e-12
    )


def test_conversions_without_a_touch_are_the_baselines():
    grid = Grid(2, 2)
    credit = attribute(
        values_of([set()], grid, random_game(grid, 3)), np.array([[4.0], [8.0]]), grid
    )
    assert credit.baseline.tolist() == [4.0, 8.0]
    assert not credit.cells.any()


def test_distinct_coalitions_are_scored_once_for_all_patterns():
    grid, scored = Grid(2, 4), []
    game = random_game(grid, 4)

    def v(cells: np.ndarray) -> np.ndarray:
        scored.extend(map(bytes, cells))
        return game(cells)

    values_of([{0, 1, 2}, {0, 1, 3}, {0, 1, 2, 3}], grid, v)
    assert len(scored) == len(set(scored)) == 16
