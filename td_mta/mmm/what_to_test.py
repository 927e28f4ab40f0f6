"""Which channel an experiment would teach most on, for the split of the budget.

Sums over channels j of Cov(b*_j, log ROI_c)² / (Var log ROI_c + s²), b* the best split by each
draw: how much an experiment on c, of standard error s, would narrow what the best split is. It
finds no demand that drives spend.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from td_mta.mmm import budget
from td_mta.mmm.effects import answers, held
from td_mta.mmm.model import Model
from td_mta.mmm.transforms import Floats

ERROR = 0.1  # standard error of an experiment's log ROI
DRAWS = 60
LEVELS = 100
SATURATED = 0.25  # marginal ROI over ROI below which a switch says little of the next unit


class Advice(NamedTuple):
    """Per channel, `(c,)` each."""

    gain: Floats  # how much it would teach, as a share of the most
    is_saturated: npt.NDArray[np.bool_]  # test a change of spend, not a switch


def advice(model: Model, p: Floats, draws: Floats, total: float, limits: budget.Limits) -> Advice:
    """From the best parameters and draws of them, for a total per period and its limits."""
    levels = budget.grid(total, LEVELS)
    samples = draws[:: max(len(draws) // DRAWS, 1)][:DRAWS]
    unit = np.where(model.data.usual_spend > 0, model.data.usual_spend, 1.0)
    of_channel = [held(model, samples, c, levels / unit[c]) for c in range(model.channels)]
    sales = np.stack(of_channel, axis=1)
    splits = np.stack(
        [budget.best_split(budget.Curves(levels, row), total, limits).spend for row in sales]
    )
    logs = np.log(np.maximum(np.nan_to_num(answers(model, samples).roi, nan=1.0), 1e-12))
    centred = logs - logs.mean(axis=0)
    covariance = (splits - splits.mean(axis=0)).T @ centred / len(samples)
    gain = (covariance**2).sum(axis=0) / (centred.var(axis=0) + ERROR**2)
    best = answers(model, p)
    ratio = np.nan_to_num(best.marginal_roi / best.roi, nan=1.0)
    return Advice(gain / max(gain.max(), 1e-300), ratio < SATURATED)
