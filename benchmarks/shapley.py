"""`python -m benchmarks.shapley [--patterns N]`: coalitions a second, and plain predictions.

Both use the LSTM at the default width. The Shapley side includes finding the distinct
coalitions and weighting their values. Near 100 % says that nothing but the model costs time.

Expect 10 seconds and 0.9 GiB with the defaults.
"""

import argparse
import time

import numpy as np

from td_mta.journeys import patterns
from td_mta.journeys.patterns import Grid, Patterns
from td_mta.model import layers
from td_mta.model.predictor import Network, Predictor
from td_mta.shapley.credit import shapley_values
from td_mta.shapley.games import without_offsets


def main() -> None:
    """Print both speeds and their ratio."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shapley", description=__doc__)
    parser.add_argument("--patterns", type=int, default=20_000)
    n = parser.parse_args().patterns
    grid, rng = Grid(3, 8), np.random.default_rng(18)
    distinct = _random_patterns(n, grid, rng)
    model = layers.lstm(grid, width=128, dropout=0.5)
    predictor = Predictor(None, Network(model, layers.log_odds_of(model)))
    forward = _forward_speed(predictor, grid, rng)
    started = time.monotonic()
    games, log_odds = without_offsets(distinct), predictor.log_odds
    values = shapley_values(
        games, grid, log_odds, exact_cells=12, budget=10**7, permutations=200, rng=rng
    )
    shapley = values.coalitions / (time.monotonic() - started)
    print(f"forward {forward:,.0f} sets a second, Shapley {shapley:,.0f} coalitions a second")
    print(
        f"{shapley / forward:.0%} of it; {len(distinct.keys)} patterns, "
        f"{values.coalitions} coalitions"
    )


def _random_patterns(n: int, grid: Grid, rng: np.random.Generator) -> Patterns:
    """At most `n` distinct patterns of one to eight cells."""
    pattern = np.repeat(np.arange(n), rng.integers(1, 9, n))
    cell = rng.integers(0, grid.cells, len(pattern))
    return patterns.distinct(patterns.of_cells(pattern, cell, n, grid))[0]


def _forward_speed(predictor: Predictor, grid: Grid, rng: np.random.Generator) -> float:
    """Sets of cells a second."""
    cells = (rng.random((100_000, grid.days, grid.channels)) < 0.2).astype(np.float32)
    predictor(cells[:10_000])  # compiles
    started = time.monotonic()
    predictor(cells)
    return len(cells) / (time.monotonic() - started)


if __name__ == "__main__":
    main()
