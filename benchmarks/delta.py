"""`python -m benchmarks.delta [--games N] [--cells K]`: full intervals by the delta method.

Games are random patterns of 1 to K cells of window 3 and 8 channels, in 2,000 strata with 150
columns of controls; f has 350 terms. Shown beside the time of the Shapley values themselves, whose
coalitions here cost next to nothing to score.

Expect 3 seconds and 0.3 GiB with the defaults.
"""

import argparse
import time

import numpy as np
from scipy import sparse

from td_mta.journeys import patterns
from td_mta.journeys.patterns import Grid, Patterns
from td_mta.shapley import delta
from td_mta.shapley.credit import amounts_of_games, attribute, shapley_values
from td_mta.shapley.games import games_of

GRID = Grid(3, 8)
TERMS, STRATA, COLUMNS = 350, 2000, 150


def main() -> None:
    """Print both times."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delta", description=__doc__)
    parser.add_argument("--games", type=int, default=100_000, help="about")
    parser.add_argument("--cells", type=int, default=5, help="of a game, at most")
    options = parser.parse_args()
    rng = np.random.default_rng(18)
    sets = _random_patterns(options.games, options.cells, rng)
    pattern, stratum = (rng.integers(0, n, options.games) for n in (len(sets.keys), STRATA))
    design = rng.normal(size=(STRATA, COLUMNS))
    offset = design @ rng.normal(0, 1 / 15, COLUMNS)
    games, game = games_of(sets, pattern, offset[stratum])
    weights = rng.normal(0, 0.5, GRID.cells)

    started = time.monotonic()
    values = shapley_values(
        games,
        GRID,
        lambda cells: cells.reshape(len(cells), -1) @ weights - 4,
        exact_cells=12,
        budget=2_000_000,
        permutations=200,
        rng=rng,
    )
    conversions = np.ones(options.games)
    amounts = amounts_of_games(game, np.stack([conversions, conversions]), games)
    credit = attribute(values, amounts, GRID)
    shapley = time.monotonic() - started

    started = time.monotonic()
    units = delta.Units(game, stratum, conversions, design)
    slopes = delta.gradient(values, GRID, units, _Features(rng), rng=rng)
    covariance = np.eye(TERMS + COLUMNS)
    delta.delta_intervals(credit, slopes, covariance, GRID, level=0.9)
    seconds = time.monotonic() - started
    print(
        f"{len(games.pattern)} games of {len(sets.keys)} patterns, {TERMS + COLUMNS} parameters: "
        f"Shapley values {shapley:.2f} s, intervals {seconds:.2f} s"
    )


class _Features:
    """An intercept, the cells, and products of random pairs of them."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.pairs = rng.integers(0, GRID.cells, (2, TERMS - GRID.cells - 1))

    def __call__(self, sets: Patterns) -> sparse.csr_array:
        n = len(sets.keys)
        ones = np.ones(len(sets.cells))
        cells = sparse.csr_array((ones, sets.cells, sets.offsets), shape=(n, GRID.cells))
        first, second = self.pairs
        products = cells[:, first].multiply(cells[:, second])
        intercept = sparse.csr_array(np.ones((n, 1)))
        return sparse.csr_array(sparse.hstack([intercept, cells, products], format="csr"))


def _random_patterns(n: int, most_cells: int, rng: np.random.Generator) -> Patterns:
    """At most `n` distinct patterns; cells of low number are touched more often."""
    pattern = np.repeat(np.arange(n), rng.integers(1, most_cells + 1, n))
    cell = (GRID.cells * rng.random(len(pattern)) ** 2).astype(np.int64)
    return patterns.distinct(patterns.of_cells(pattern, cell, n, GRID))[0]


if __name__ == "__main__":
    main()
