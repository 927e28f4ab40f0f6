"""How often intervals hold the truth, on data like those at hand whose truth is the fit itself."""

from typing import NamedTuple

import numpy as np

from td_mta.mmm import draws, effects
from td_mta.mmm.fit import Fit, refit
from td_mta.mmm.transforms import Floats

DRAWS = 100  # of each data set


class Coverage(NamedTuple):
    """Share of data sets whose interval held the truth, by channel, `(c,)`."""

    contribution: Floats
    marginal_roi: Floats
    datasets: int


def coverage(fit: Fit, datasets: int, rng: np.random.Generator) -> Coverage:
    """Sales simulated from the fit, with its noise; each data set is fitted and has Laplace draws.

    It says how good the intervals are where the model is right, and nothing of where it is wrong.
    """
    model = fit.model
    truth = effects.answers(model, fit.p)
    held = np.zeros((2, model.channels))
    known = np.isfinite(model.data.sales)
    for _ in range(datasets):
        noise = fit.sigma * rng.standard_normal(len(known))
        sales = np.where(known, model.fitted(fit.p) + noise, np.nan)
        p, _ = refit(model, fit.p, fit.sigma, sales, model.prior[0])
        again = Fit(model=model, p=p, sigma=fit.sigma, agreeing=1.0, starts=1)
        best = effects.answers(model, p)
        of_draws = effects.answers(model, draws.laplace(again, rng, DRAWS))
        for row, name in zip(held, ("contribution", "marginal_roi"), strict=True):
            bounds = effects.interval(getattr(best, name), getattr(of_draws, name))
            row += effects.covers(bounds, getattr(truth, name))
    return Coverage(held[0] / max(datasets, 1), held[1] / max(datasets, 1), datasets)
