"""Logistic regression on the cells: what the model starts at, and must beat on the same users."""

import warnings
from typing import NamedTuple

import numpy as np
import scipy.sparse
from sklearn.linear_model import LogisticRegression

from td_mta.journeys.patterns import Patterns
from td_mta.journeys.touchpoints import Floats


class Logistic(NamedTuple):
    """The chance of a conversion for patterns of up to `cells` cells, `(n,)`."""

    model: LogisticRegression
    cells: int

    @property
    def weights(self) -> Floats:
        """What a touch adds to the log-odds, `(cells,)`."""
        return np.asarray(self.model.coef_[0], np.float64)

    @property
    def intercept(self) -> float:
        return float(self.model.intercept_[0])

    def __call__(self, sets: Patterns) -> Floats:
        return np.asarray(self.model.predict_proba(_sparse(sets, self.cells))[:, 1], np.float64)


def logistic(sets: Patterns, negatives: Floats, positives: Floats, cells: int) -> Logistic:
    """Logistic regression on `n` patterns with counts of each class `(n,)`, at natural prevalence.

    `cells` is how many cells there are: days times channels.
    """
    rows = np.flatnonzero(negatives + positives)
    touched = _sparse(sets.take(rows), cells)
    features = scipy.sparse.vstack([touched, touched]).tocsr()
    label = np.repeat([0, 1], len(rows))
    weight = np.concatenate([negatives[rows], positives[rows]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = LogisticRegression(max_iter=300).fit(features, label, sample_weight=weight)
    return Logistic(model, cells)


def _sparse(sets: Patterns, cells: int) -> scipy.sparse.csr_matrix:
    ones = np.ones(len(sets.cells), np.float32)
    shape = len(sets.keys), cells
    return scipy.sparse.csr_matrix((ones, sets.cells, sets.offsets.astype(np.int32)), shape)
