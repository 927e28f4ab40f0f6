"""Logistic regression with one of the controls left out in turn."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from td_mta.journeys.strata import Strata
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.model import glm
from td_mta.model.glm import Problem
from td_mta.model.terms import Terms

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
    logistic: Problem, strata: Strata, terms: Terms, parameters: Floats
) -> Iterator[LinearModel]:
    """The fit without each control, from the `parameters` of that with all of them."""
    for name in strata.names:
        kept = [other != name for other in strata.names for _ in range(strata.columns_of(other))]
        kept_parameters = np.append(np.ones(logistic.terms, np.bool_), kept)
        problem = replace(
            logistic,
            design=logistic.design[:, kept],
            precision=logistic.precision[kept_parameters],
        )
        found = glm.solve(problem, parameters[kept_parameters], near=NEAR).parameters
        weights, controls = np.split(found, [problem.terms])
        yield LinearModel(terms, weights, strata.without(name), controls)
