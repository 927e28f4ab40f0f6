"""A few patterns, strata and groups of users with conversions drawn from known log-odds."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from td_mta.journeys import patterns as patterns_of
from td_mta.journeys.examples import GROUPS, Examples
from td_mta.journeys.patterns import Grid, Patterns
from td_mta.journeys.strata import Basis, Strata
from td_mta.journeys.touchpoints import Floats

GRID = Grid(2, 3)
WEIGHTS = np.array([-2.0, 1.0, 0.5, 0.0, 0.6, 0.0, -0.4])  # the intercept, then the cells
SEASON = np.array([-0.5, 0.0, 0.5])
STRATA = Strata(("season",), (Basis(np.eye(3), np.full(3, 1.0)),))
PLAIN = Strata((), ())


class World(NamedTuple):
    """Examples, and the true log-odds of its patterns without the season."""

    examples: Examples
    f: Floats


def all_patterns(grid: Grid = GRID) -> Patterns:
    """Every set of cells, by ascending key."""
    sets = np.arange(2**grid.cells)
    owner, cell = np.nonzero(sets[:, None] >> np.arange(grid.cells) & 1)
    return patterns_of.of_cells(owner, cell, len(sets), grid)


def draw(
    rng: np.random.Generator, *, each: int, product: float = 0.0, seasons: bool = True
) -> World:
    """So many examples of each (pattern, season, group); cells 0 and 1 add `product` together."""
    patterns = all_patterns()
    touched = patterns_of.dense(patterns, GRID).reshape(-1, GRID.cells)
    f = WEIGHTS[0] + touched @ WEIGHTS[1:] + product * touched[:, 0] * touched[:, 1]
    levels = len(SEASON) if seasons else 1
    shape = (len(f), levels, 2 * GROUPS)
    pattern, stratum, group = (index.ravel() for index in np.indices(shape))
    log_odds = f[pattern] + (SEASON[stratum] if seasons else 0)
    positives = rng.binomial(each, expit(log_odds))
    counts = np.stack([each - positives, positives, 0 * positives], axis=1)
    return World(Examples(patterns, pattern, stratum, group, counts), f)
