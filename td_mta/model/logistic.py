"""Logistic regression on the cells: the start of training, and a baseline that it must beat."""

import warnings
from typing import NamedTuple

import numpy as np
import scipy.sparse
from sklearn.linear_model import LogisticRegression

from td_mta.journeys.patterns import Patterns
from td_mta.journeys.touchpoints import Floats


class Logistic(NamedTuple):
    """The probability of a conversion for patterns `(n,)` of up to `cells` cells."""

    model: LogisticRegression
    cells: int

    @property
    def weights(self) -> Floats:
        """What a touch adds to the log-odds, `(cells,)`."""
        return np.asarray(self.model.coef_[0], np.float64)

    @property
    def intercept(self) -> float:
        """The log-odds of the empty pattern."""
        return float(self.model.intercept_[0])

    def __call__(self, patterns: Patterns) -> Floats:
        touched = _sparse(patterns, self.cells)
        by_class = self.model.predict_proba(touched)  # (n, 2): no conversion, conversion
        return np.asarray(by_class[:, 1], np.float64)


def logistic(patterns: Patterns, negatives: Floats, positives: Floats, cells: int) -> Logistic:
    """Logistic regression on `n` patterns with counts of each class `(n,)`, at natural prevalence.

    `cells` is how many cells there are: days times channels.
    """
    rows = np.flatnonzero(negatives + positives)
    touched = _sparse(patterns.take(rows), cells)
    # Each pattern twice, once as negative and once as positive, weighted by its count of each.
    features = scipy.sparse.vstack([touched, touched]).tocsr()
    label = np.repeat([0, 1], len(rows))
    weight = np.concatenate([negatives[rows], positives[rows]])
    with warnings.catch_warnings():
        # "failed to converge": 300 steps are near enough for a start that training goes on from
        warnings.simplefilter("ignore")
        model = LogisticRegression(max_iter=300).fit(features, label, sample_weight=weight)
    return Logistic(model, cells)


def _sparse(patterns: Patterns, cells: int) -> scipy.sparse.csr_matrix:
    """0/1 per cell, `(n, cells)`."""
    ones = np.ones(len(patterns.cells), np.float32)
    offsets = patterns.offsets.astype(np.int32)
    shape = (len(patterns.keys), cells)
    return scipy.sparse.csr_matrix((ones, patterns.cells, offsets), shape)
