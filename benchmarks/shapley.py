"""`python -m benchmarks.shapley [--patterns N]`: coalitions a second beside the plain forward pass.

Both use the same model at the default width; the Shapley side includes finding the distinct
coalitions and weighting their worths.
"""

import argparse
import time

import numpy as np

from td_mta.journeys import patterns
from td_mta.journeys.patterns import Grid
from td_mta.model.network import Calibration, Predictor, build
from td_mta.shapley.credit import shapley_values


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shapley", description=__doc__)
    parser.add_argument("--patterns", type=int, default=20_000)
    n = parser.parse_args().patterns
    grid, rng = Grid(3, 8), np.random.default_rng(18)
    owner = np.repeat(np.arange(n), rng.integers(1, 9, n))
    drawn = patterns.of_cells(owner, rng.integers(0, grid.cells, len(owner)), n, grid)
    sets = patterns.distinct(drawn)[0]
    predictor = Predictor(build(grid, width=128, dropout=0.5), Calibration(0.0))
    cells = (rng.random((100_000, grid.days, grid.channels)) < 0.2).astype(np.float32)
    predictor(cells[:10_000])
    started = time.monotonic()
    predictor(cells)
    forward = len(cells) / (time.monotonic() - started)
    started = time.monotonic()
    values = shapley_values(
        sets, grid, predictor, exact_cells=12, budget=10**7, permutations=200, rng=rng
    )
    shapley = values.coalitions / (time.monotonic() - started)
    print(f"forward {forward:,.0f} sets a second, Shapley {shapley:,.0f} coalitions a second")
    print(
        f"{shapley / forward:.0%} of it; {len(sets.keys)} patterns, {values.coalitions} coalitions"
    )


if __name__ == "__main__":
    main()
