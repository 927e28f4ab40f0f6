"""Parameters that fit about as well as the best ones, for intervals.

Laplace draws from the normal law around the best parameters. Randomised MAP perturbs sales and the
priors' means and fits again: slower, and it follows a bent posterior. Neither is exact.
"""

import numpy as np

from td_mta.mmm.fit import Fit, refit
from td_mta.mmm.model import Model
from td_mta.mmm.transforms import Floats

LAPLACE, RANDOMISED = 400, 100  # how many
MOST_STEPS = 60  # of a refit, which begins near its end


def laplace(fit: Fit, rng: np.random.Generator, number: int = LAPLACE) -> Floats:
    """Draws `(number, size)`; half of them mirror the others, so that their mean is the best."""
    root = np.linalg.cholesky(fit.covariance)
    half = rng.standard_normal((-(-number // 2), len(fit.p)))
    return np.asarray(fit.p + np.concatenate([half, -half])[:number] @ root.T, np.float64)


def randomised_map(fit: Fit, rng: np.random.Generator, number: int = RANDOMISED) -> Floats:
    """Draws `(number, size)`, each a fit of perturbed sales, priors and experiments."""
    model, data = fit.model, fit.model.data
    sales = data.sales / data.sales_scale
    mean, spread = model.prior
    draws = np.empty((number, model.size))
    for row in draws:
        noisy = sales + fit.sigma * rng.standard_normal(len(sales))
        shifted = mean + spread * rng.standard_normal(model.size)
        extra = fit.extra
        if extra is not None:
            shift = rng.standard_normal(len(extra(fit.p)[0]))

            def perturbed(p: Floats, shift: Floats = shift) -> tuple[Floats, Floats]:
                residuals, jacobian = fit.extra(p) if fit.extra else (shift, np.empty((0, len(p))))
                return residuals + shift, jacobian

            extra = perturbed
        row[:] = refit(model, fit.p, fit.sigma, noisy, shifted, extra, MOST_STEPS)[0]
    return draws


def from_prior(model: Model, rng: np.random.Generator, number: int = LAPLACE) -> Floats:
    """Draws of the prior, `(number, size)`."""
    mean, spread = model.prior
    return mean + spread * rng.standard_normal((number, model.size))


def share_from_prior(fit: Fit) -> Floats:
    """By how much each channel's effect follows its prior, `(c,)`: 0 not at all, 1 entirely.

    It is the derivative of the best log effect by its prior's mean: the ratio of the variances
    after and before the data.
    """
    model = fit.model
    effects = slice(model.media_size - model.channels, model.media_size)
    after = np.diag(fit.covariance)[effects]
    return np.asarray(np.clip(after / model.prior[1][effects] ** 2, 0, 1), np.float64)
