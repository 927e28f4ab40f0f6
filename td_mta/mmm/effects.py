"""What a channel's spend brings, all by one definition: sales with it less sales without it.

Both are the model's sales over the periods of the data, on two paths of spend: what was spent, and
the same with one channel's spend taken away, raised or changed on some periods. What was carried
over from a period is counted where it acts, as long as that is within the data. ROI divides by the
difference in spend.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from td_mta.mmm.model import Model
from td_mta.mmm.transforms import Floats

RAISE = 0.01  # of all spend of a channel, for marginal ROI
LEVEL = 0.9  # of intervals
CURVE_POINTS = 61
BEYOND = 1.5  # times the largest spend, where curves end


class Answers(NamedTuple):
    """What each channel brought; arrays `(..., c)`, the same leading shape as the parameters."""

    contribution: Floats  # sales within the data
    roi: Floats  # per unit of spend; NaN without any
    marginal_roi: Floats  # of a little more spend in every period that has some


class Interval(NamedTuple):
    """Bounds of an interval, and the best value between them."""

    lower: Floats
    value: Floats
    upper: Floats


@dataclass(frozen=True)
class Curve:
    """Sales per period by spend that is held, `(points,)` each."""

    spend: Floats
    sales: Interval
    observed: tuple[float, float]  # the central 90 % of periods with spend


def answers(model: Model, p: Floats) -> Answers:
    """For parameters `(size,)`, or for draws of them `(number, size)`."""
    draws = np.atleast_2d(p)
    contribution, raised = np.empty((2, len(draws), model.channels))
    for number, draw in enumerate(draws):
        for c in range(model.channels):
            path = model.scaled_spend[:, c]
            sales = model.effect(draw, c, path)
            contribution[number, c] = (sales - model.effect(draw, c, 0 * path)).sum()
            raised[number, c] = (model.effect(draw, c, (1 + RAISE) * path) - sales).sum()
    spend = np.where(model.data.spend.sum(axis=0) > 0, model.data.spend.sum(axis=0), np.nan)
    scale = model.data.sales_scale
    roi, marginal = contribution * scale / spend, raised * scale / (RAISE * spend)
    shape = (*p.shape[:-1], model.channels)
    parts = (contribution * scale, roi, marginal)
    return Answers(*(part.reshape(shape) for part in parts))


def by_period(model: Model, p: Floats) -> Floats:
    """Sales that each channel brought in each period, `(n, c)`."""
    columns = []
    for c in range(model.channels):
        path = model.scaled_spend[:, c]
        columns.append(model.effect(p, c, path) - model.effect(p, c, 0 * path))
    return np.stack(columns, axis=1) * model.data.sales_scale


def interval(best: Floats, draws: Floats, level: float = LEVEL) -> Interval:
    """Central interval of draws `(number, ...)` around the best values."""
    lower, upper = np.nanquantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Interval(np.minimum(lower, best), best, np.maximum(upper, best))


def curve(model: Model, p: Floats, draws: Floats, channel: int) -> Curve:
    """Sales by spend that is held, from nothing to beyond the largest spend."""
    unit = float(model.data.usual_spend[channel]) or 1.0
    spent = model.data.spend[:, channel][model.data.spend[:, channel] > 0]
    largest = float(spent.max()) if len(spent) else unit
    spend = np.linspace(0, BEYOND * largest, CURVE_POINTS)
    of_draws = held(model, draws, channel, spend / unit)
    best = model.held(p, channel, spend / unit) * model.data.sales_scale
    central = np.quantile(spent, [0.05, 0.95]) if len(spent) else np.zeros(2)
    return Curve(spend, interval(best, of_draws), (float(central[0]), float(central[1])))


def held(model: Model, draws: Floats, channel: int, scaled_spend: Floats) -> Floats:
    """Sales per period by held spend for each draw, `(number, points)`."""
    rows = [model.held(draw, channel, scaled_spend) for draw in draws]
    return np.stack(rows) * model.data.sales_scale


def covers(bounds: Interval, truth: Floats) -> npt.NDArray[np.bool_]:
    """Where an interval holds the truth."""
    return (bounds.lower <= truth) & (truth <= bounds.upper)
