"""The model written for NUTS beside ours, by numpy; the benchmark checks what JAX makes of it."""

from typing import Any

import numpy as np
import pytest

from benchmarks import mmm_bayes
from td_mta.mmm.media import media_data
from td_mta.mmm.model import Form, Model

SIGMA = 0.3


@pytest.fixture
def model() -> Model:
    """Few weeks with a hole, weeks without spend, spend before, and a tested channel."""
    rng = np.random.default_rng(5)
    sales = rng.uniform(50, 100, 12)
    sales[3] = np.nan
    spend = rng.uniform(0, 9, (12, 2)) * (rng.random((12, 2)) < 0.7)
    spend[:2, 0] = 0.0
    controls = rng.normal(size=(12, 1))
    data = media_data(sales, spend, ["a", "b"], controls, ["x"], np.array([0.0, 1.0]))
    return Model(data=data, additive=(1,))


def points(model: Model) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    mean, spread = model.prior
    return list(mean + spread * np.random.default_rng(2).standard_normal((5, model.size)))


def ours(model: Model, p: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    sales = model.data.sales / model.data.sales_scale
    residuals = model.residuals(p, SIGMA, sales, model.prior[0])
    return float(-residuals @ residuals / 2 - model.data.known.sum() * np.log(SIGMA))


def test_the_density_is_that_of_the_fit(model: Model) -> None:
    for p in points(model):
        assert mmm_bayes.log_density(model, p, SIGMA, np) == pytest.approx(ours(model, p), rel=1e-9)


def test_other_forms_are_refused(model: Model) -> None:
    delayed = Model(data=model.data, form=Form("delayed", "hill"))
    with pytest.raises(ValueError, match="only geometric adstock and Hill curves"):
        mmm_bayes.fitted(delayed, delayed.prior[0], np)
