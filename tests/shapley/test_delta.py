"""The gradient against numerical differentiation, intervals by it against the truth."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit
from scipy.stats import t

from td_mta.journeys import patterns
from td_mta.journeys.patterns import Grid, Patterns
from td_mta.shapley import delta
from td_mta.shapley.credit import Credit, Values, amounts_of_games, attribute, shapley_values
from td_mta.shapley.delta import Units
from td_mta.shapley.games import Games, games_of

GRID = Grid(2, 3)
PAIRS = np.array([(0, 1), (1, 4), (2, 5), (3, 4)])


def features(sets: Patterns) -> sparse.csr_array:
    """An intercept, the cells, and some products of two."""
    x = patterns.dense(sets, GRID).reshape(len(sets.keys), -1).astype(float)
    ones = np.ones((len(x), 1))
    return sparse.csr_array(np.hstack([ones, x, x[:, PAIRS[:, 0]] * x[:, PAIRS[:, 1]]]))


def log_odds_of(weights: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    def log_odds(cells: np.ndarray) -> np.ndarray:
        x = cells.reshape(len(cells), -1).astype(float)
        products = x[:, PAIRS[:, 0]] * x[:, PAIRS[:, 1]]
        return weights[0] + x @ weights[1:7] + products @ weights[7:]

    return log_odds


class World:
    """Units of random patterns in five strata with two columns of controls."""

    def __init__(self, seed: int, units: int = 40) -> None:
        rng = np.random.default_rng(seed)
        owner, cell = np.nonzero(rng.random((units, GRID.cells)) < 0.5)
        made = patterns.of_cells(owner, cell, units, GRID)
        self.patterns, self.pattern = patterns.distinct(made)
        self.stratum = rng.integers(0, 5, units)
        self.design = rng.normal(size=(5, 2))
        self.conversions = rng.integers(1, 20, units).astype(float)
        self.weights = np.append(-3.0, rng.normal(size=10) * 0.7)
        self.controls = rng.normal(size=2)

    def games(self, controls: np.ndarray) -> tuple[Games, np.ndarray]:
        """A game of each unit, its offset not rounded."""
        units = np.arange(len(self.pattern))
        order = np.argsort(self.pattern, kind="stable")
        offset = self.design[self.stratum] @ controls
        game = np.empty_like(units)
        game[order] = units
        return Games(self.patterns, self.pattern[order], offset[order]), game

    def values(self, weights: np.ndarray, controls: np.ndarray, **options: object) -> Values:
        games, _ = self.games(controls)
        asked = {"exact_cells": 6, "budget": 10**6, "permutations": 4, **options}
        rng = np.random.default_rng(0)
        return shapley_values(games, GRID, log_odds_of(weights), rng=rng, **asked)

    def credit(self, parameters: np.ndarray, **options: object) -> np.ndarray:
        """By cell, the baseline last."""
        values = self.values(parameters[:11], parameters[11:], **options)
        _, game = self.games(parameters[11:])
        amounts = np.stack([self.conversions, self.conversions])
        credit = attribute(values, amounts_of_games(game, amounts, values.games), GRID)
        return np.append(credit.cells[0].ravel(), credit.baseline[0])

    def gradient(self, **options: object) -> np.ndarray:
        values = self.values(self.weights, self.controls, **options)
        _, game = self.games(self.controls)
        units = Units(game, self.stratum, self.conversions, self.design)
        rng = np.random.default_rng(0)
        return delta.gradient(values, GRID, units, features, rng=rng)

    def numerically(self, **options: object) -> np.ndarray:
        at, step = np.append(self.weights, self.controls), 1e-5
        moves = step * np.eye(len(at))
        columns = [
            (self.credit(at + move, **options) - self.credit(at - move, **options)) / (2 * step)
            for move in moves
        ]
        return np.transpose(columns)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("options", [{}, {"empty_is_zero": True}, {"lowest": -3.2}], ids=str)
def test_the_gradient_is_that_of_the_credit(seed: int, options: dict[str, object]) -> None:
    world = World(seed)
    found = world.gradient(**options)
    assert found.shape == (GRID.cells + 1, 13)
    assert found == pytest.approx(world.numerically(**options), abs=1e-5)


def test_credit_is_conserved_whatever_the_parameters() -> None:
    for limit in (6, 1):
        slopes = World(4).gradient(exact_cells=limit)
        assert np.abs(slopes.sum(axis=0)).max() < 1e-9


@pytest.mark.parametrize("most_prefixes", [200_000, 100], ids=["all", "drawn"])
def test_long_patterns_have_the_exact_gradient_on_average(
    most_prefixes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, seeds = World(5), 150
    exact = world.gradient()
    at = world.weights, world.controls
    # Its phi are exact, so that the orders of the gradient are all that is random.
    values = world.values(*at, exact_cells=1)._replace(phi=world.values(*at).phi)
    _, game = world.games(world.controls)
    units = Units(game, world.stratum, world.conversions, world.design)
    monkeypatch.setattr(delta, "MOST_PREFIXES", most_prefixes)
    rng = np.random.default_rng(0)
    by_seed = [delta.gradient(values, GRID, units, features, rng=rng) for _ in range(seeds)]
    error = np.std(by_seed, axis=0) / np.sqrt(seeds)
    assert error.max() > 0
    assert np.abs(np.sum(by_seed, axis=1)).max() < 1e-9
    assert (np.abs(np.mean(by_seed, axis=0) - exact) <= 4.5 * error + 1e-8).all()


def test_what_is_much_work_by_all_coalitions_is_done_by_orders(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(8)
    exact = world.gradient()
    monkeypatch.setattr(delta, "MOST_COALITIONS", 100)
    by_orders = world.gradient()
    assert 0 < np.abs(by_orders - exact).max() < 0.1 * np.abs(exact).max()
    assert np.abs(by_orders.sum(axis=0)).max() < 1e-9


def test_units_of_one_game_have_their_own_rows_of_the_design() -> None:
    sets, _ = patterns.distinct(patterns.of_cells(np.array([0]), np.array([2]), 1, GRID))
    games, game = games_of(sets, np.zeros(2, np.int64), np.array([0.30, 0.31]))
    assert len(games.pattern) == 1
    weights = np.append(-3.0, np.ones(10))
    values = shapley_values(
        games,
        GRID,
        log_odds_of(weights),
        exact_cells=6,
        budget=1000,
        permutations=4,
        rng=np.random.default_rng(0),
    )
    units = Units(game, np.array([0, 1]), np.array([3.0, 5.0]), np.eye(2))
    slopes = delta.gradient(values, GRID, units, features, rng=np.random.default_rng(0))
    of_one = slopes[:, -2:] / [3.0, 5.0]
    assert of_one[:, 0] == pytest.approx(of_one[:, 1])
    # C = 1 - v(0) / v(N), by hand: dC = -v(0) / v(N) * (v(N) - v(0))
    low, high = expit(games.offset[0] - 3), expit(games.offset[0] - 2)
    assert of_one[2, 0] == pytest.approx(-low / high * (high - low))


def test_intervals_are_students_around_the_credit() -> None:
    world = World(7)
    slopes = world.gradient()
    spread = np.random.default_rng(1).normal(size=(13, 13)) / 20
    covariance = spread @ spread.T
    flat = world.credit(np.append(world.weights, world.controls))
    credit = Credit(np.tile(flat[:-1].reshape(1, 2, 3), (2, 1, 1)), np.full(2, flat[-1]), 0.0)
    full = delta.delta_intervals(credit, slopes, covariance, GRID, level=0.9)
    half = t.ppf(0.95, 39) * np.sqrt(np.diag(slopes @ covariance @ slopes.T))
    assert full.cells.upper == pytest.approx((flat + half)[:-1].reshape(2, 3))
    assert full.channels.lower[-1] == pytest.approx((flat - half)[-1])
    of_channels = delta.channel_covariance(slopes, covariance, GRID)
    assert np.abs(of_channels.sum(axis=0)).max() < 1e-9
    width = full.channels.upper - full.channels.lower
    assert width == pytest.approx(2 * t.ppf(0.95, 39) * np.sqrt(np.diag(of_channels)))


def fitted(sets: Patterns, users: np.ndarray, converted: np.ndarray) -> tuple[np.ndarray, ...]:
    """Logistic regression by Newton's method: weights and the inverse of the Hessian."""
    x = features(sets).toarray()[:, :7]
    weights = np.zeros(7)
    hessian = np.eye(7)
    for _ in range(12):
        p = expit(x @ weights)
        hessian = (x * (users * p * (1 - p))[:, None]).T @ x + 1e-6 * np.eye(7)
        weights = weights + np.linalg.solve(hessian, x.T @ (converted - users * p))
    return weights, np.linalg.inv(hessian)


def test_intervals_cover_what_the_truth_gives_to_the_conversions() -> None:
    rng = np.random.default_rng(11)
    owner, cell = np.nonzero(rng.random((60, GRID.cells)) < 0.4)
    sets, _ = patterns.distinct(patterns.of_cells(owner, cell, 60, GRID))
    n = len(sets.keys)
    games, game = games_of(sets, np.arange(n), np.zeros(n))
    truth = np.array([-3.0, 0.8, 0.4, 0.0, 0.6, 1.0, -0.3])
    users = rng.integers(100, 1500, n)
    covered = []
    for _ in range(60):
        converted = rng.binomial(users, expit(features(sets).toarray()[:, :7] @ truth))
        weights, covariance = fitted(sets, users, converted)
        credits, slopes = [], np.zeros(0)
        for each in (truth, weights):
            f = log_odds_of(np.append(each, np.zeros(4)))
            values = shapley_values(
                games, GRID, f, exact_cells=6, budget=1000, permutations=4, rng=rng
            )
            credits.append(attribute(values, np.stack([converted, converted]) * 1.0, GRID))
            units = Units(game, np.zeros(n, np.int64), converted * 1.0, np.zeros((1, 0)))
            slopes = delta.gradient(values, GRID, units, features, rng=rng)
        true, found = credits
        full = delta.delta_intervals(found, slopes[:, :7], covariance, GRID, level=0.9)
        wanted = np.append(true.cells[0].sum(axis=0), true.baseline[0])
        covered.append((full.channels.lower <= wanted) & (wanted <= full.channels.upper))
    assert 0.85 < np.mean(covered) < 0.96
