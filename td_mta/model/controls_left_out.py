"""Logistic regression with one of the controls left out in turn."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from td_mta.journeys.examples import Examples
from td_mta.journeys.patterns import Grid
from td_mta.journeys.strata import Strata
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.model import counted, glm
from td_mta.model.counted import Counted
from td_mta.model.terms import Terms, cells_only

NEAR = 1.0  # nats that the last step still gains: far less than moves a share by a point


class LinearModel(NamedTuple):
    """A linear sum over the cells and one over the controls."""

    terms: Terms
    weights: Floats  # (terms,)
    strata: Strata
    controls: Floats  # (columns,)

    def log_odds(self, cells: npt.NDArray[np.float32]) -> Floats:
        """f of cells `(n, days, channels)`, `(n,)`."""
        return self.terms.log_odds(self.weights, cells)

    def offsets(self, code: Ints) -> Floats:
        """g of strata by their codes, `(n,)`."""
        return self.strata.design(code) @ self.controls


def models(
    examples: Examples, strata: Strata, grid: Grid, weights: Floats, controls: Floats
) -> Iterator[LinearModel]:
    """The fit without each control, from that with all of them, whose `weights` are the terms'."""
    train = counted.training(examples)
    for name in strata.names:
        kept = [other != name for other in strata.names for _ in range(strata.columns_of(other))]
        yield _fit(train, strata.without(name), grid, np.append(weights, controls[kept]))


def _fit(train: Counted, strata: Strata, grid: Grid, start: Floats) -> LinearModel:
    terms = cells_only(grid)
    precision = np.concatenate([terms.precision(0.0), strata.precision])
    design = strata.design(train.codes)
    problem = glm.Problem.of(train, terms.features(train.patterns), design, precision)
    parameters = glm.solve(problem, start, near=NEAR).parameters
    weights, controls = np.split(parameters, [problem.terms])
    return LinearModel(terms, weights, strata, controls)
