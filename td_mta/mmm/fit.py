"""The most probable parameters: Levenberg-Marquardt from several starts."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import norm

from td_mta.mmm.model import Model
from td_mta.mmm.transforms import Floats

STARTS = 8
AGREES = 0.05  # of -log posterior, for a start that ended in the same place as the best
ROUNDS = 12  # of finding the noise, at most
SIGMA_SETTLED = 1e-3  # relative
LEAST_SIGMA = 1e-6  # of the sales' standard deviation

Extra = Callable[[Floats], tuple[Floats, Floats]]
"""Further residuals and their derivatives, `(m,)` and `(m, size)`."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A fitted model."""

    model: Model
    p: Floats  # (size,)
    sigma: float  # of the noise, in units of the sales' standard deviation
    agreeing: float  # share of the starts that ended where the best one did
    starts: int
    extra: Extra | None = None

    @cached_property
    def covariance(self) -> Floats:
        """Of the parameters by Laplace's approximation, `(size, size)`."""
        jacobian = full_jacobian(self.model, self.p, self.sigma, self.extra)
        return np.linalg.inv(jacobian.T @ jacobian)

    @cached_property
    def log_evidence(self) -> float:
        """Log marginal likelihood by Laplace's approximation, up to a constant of the data.

        `sigma` is that of the fit; extra residuals are of standard deviation 1.
        """
        model, sales = self.model, self.model.data.sales / self.model.data.sales_scale
        residuals = model.residuals(self.p, self.sigma, sales, model.prior[0])
        misfit = residuals @ residuals
        if self.extra is not None:
            further = self.extra(self.p)[0]
            misfit += further @ further
        of_noise = model.data.known.sum() * np.log(self.sigma)
        narrowed = np.linalg.slogdet(self.covariance)[1] / 2 - np.log(model.prior[1]).sum()
        return float(narrowed - misfit / 2 - of_noise)

    @cached_property
    def fitted(self) -> Floats:
        """Expected sales, `(n,)`."""
        return self.model.fitted(self.p) * self.model.data.sales_scale


def fit(
    model: Model,
    rng: np.random.Generator,
    *,
    starts: int = STARTS,
    extra: Extra | None = None,
    first: Floats | None = None,
) -> Fit:
    """Fit from the prior's mean, or from `first`, and from draws of the prior."""
    sales = model.data.sales / model.data.sales_scale
    points = _starts(model, starts, rng)
    if first is not None:
        points[0] = first
    sigma = 0.3
    ends = [refit(model, point, sigma, sales, model.prior[0], extra) for point in points]
    costs = np.array([cost for _, cost in ends])
    best = int(costs.argmin())
    p = ends[best][0]
    for _ in range(ROUNDS):
        before, sigma = sigma, _sigma(model, p, sigma, sales, extra)
        p, _ = refit(model, p, sigma, sales, model.prior[0], extra)
        if abs(sigma / before - 1) < SIGMA_SETTLED:
            break
    # Starts are compared at the noise that was found: at the first guess of it all look alike.
    ends = [refit(model, end, sigma, sales, model.prior[0], extra) for end, _ in ends]
    ends.append(refit(model, p, sigma, sales, model.prior[0], extra))
    costs = np.array([cost for _, cost in ends])
    p = ends[int(costs.argmin())][0]
    agreeing = float((costs[:-1] < costs.min() + AGREES).mean())
    return Fit(model=model, p=p, sigma=sigma, agreeing=agreeing, starts=starts, extra=extra)


def refit(
    model: Model,
    start: Floats,
    sigma: float,
    sales: Floats,
    prior_mean: Floats,
    extra: Extra | None = None,
    most: int = 200,
) -> tuple[Floats, float]:
    """The best parameters from one start at a given `sigma`, and half the sum of squares there."""

    last: dict[bytes, Floats] = {}  # derivatives at the last point, which come with its residuals

    def residuals(p: Floats) -> Floats:
        own, jacobian = model.linearised(p, sigma, sales, prior_mean)
        last.clear()
        if extra is None:
            last[p.tobytes()] = jacobian
            return own
        values, gradient = extra(p)
        last[p.tobytes()] = np.concatenate([jacobian, gradient])
        return np.concatenate([own, values])

    def jacobian(p: Floats) -> Floats:
        known = last.get(p.tobytes())
        return full_jacobian(model, p, sigma, extra) if known is None else known

    with np.errstate(over="ignore", invalid="ignore"):
        found = least_squares(
            residuals, start, jacobian, method="lm", max_nfev=most, xtol=1e-9, ftol=1e-9, gtol=1e-9
        )
    return found.x, float(found.cost)


def full_jacobian(model: Model, p: Floats, sigma: float, extra: Extra | None) -> Floats:
    """Derivatives of all residuals."""
    own = model.jacobian(p, sigma)
    return own if extra is None else np.concatenate([own, extra(p)[1]])


def _starts(model: Model, starts: int, rng: np.random.Generator) -> Floats:
    """The prior's mean, then a Latin hypercube of the media parameters' prior."""
    mean, spread = model.prior
    points = np.tile(mean, (starts, 1))
    if starts > 1:
        media = slice(0, model.media_size)
        ranks = np.stack([rng.permutation(starts - 1) for _ in range(model.media_size)], axis=1)
        cube = (ranks + rng.random(ranks.shape)) / (starts - 1)
        points[1:, media] += norm.ppf(np.clip(cube, 0.02, 0.98)) * spread[media]
    return points


def _sigma(model: Model, p: Floats, sigma: float, sales: Floats, extra: Extra | None) -> float:
    """√(RSS / (n - effective parameters)); a parameter counts by how much the data narrow it."""
    jacobian = full_jacobian(model, p, sigma, extra)
    of_sales = jacobian[: len(sales)]
    freedom = np.trace(np.linalg.solve(jacobian.T @ jacobian, of_sales.T @ of_sales))
    misfit = of_sales_misfit(model, p, sales)
    known = int(model.data.known.sum())
    return max(float(np.sqrt(misfit @ misfit / max(known - freedom, 1.0))), LEAST_SIGMA)


def of_sales_misfit(model: Model, p: Floats, sales: Floats) -> Floats:
    """Scaled sales that the model misses, 0 where they are not known, `(n,)`."""
    return np.where(np.isfinite(sales), model.fitted(p) - sales, 0.0)
