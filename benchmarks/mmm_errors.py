"""Worlds of media mix as an analyst sees them, and how far answers are from their truth."""

import numpy as np

from td_mta.mmm import budget
from td_mta.mmm.controls import season_names, seasons, trend
from td_mta.mmm.effects import Answers
from td_mta.mmm.fit import Fit
from td_mta.mmm.media import MediaData, media_data
from td_mta.mmm.transforms import Floats
from td_mta.simulate.media_mix.world import MediaWorld

BUDGET = 33_000.0  # per week


def data_of(world: MediaWorld) -> MediaData:
    """A world as its analyst sees it."""
    weeks = len(world.sales)
    columns = [trend(weeks), seasons(7.0 * np.arange(weeks), 2, 364.0)]
    controls = np.hstack([*columns, *(column[:, None] for column in world.controls.values())])
    names = ["trend", *season_names(2), *world.controls]
    return media_data(world.sales, world.spend, world.channels, controls, names)


def relative(found: Answers, world: MediaWorld) -> Floats:
    """Errors in shares of the truth, of contributions then of marginal ROIs, `(2 c,)`."""
    contribution = found.contribution / world.contribution() - 1
    return np.concatenate([contribution, found.marginal_roi / world.marginal_roi() - 1])


def regret(fitted: Fit, world: MediaWorld) -> float:
    """The share of sales that the best split by a model loses against the best one."""
    model = fitted.model
    levels = budget.grid(BUDGET)
    rows = [
        model.held(fitted.p, c, levels / model.data.usual_spend[c]) for c in range(model.channels)
    ]
    free = budget.Limits(np.zeros(model.channels), np.full(model.channels, BUDGET))
    plan = budget.best_split(budget.Curves(levels, np.stack(rows)), BUDGET, free)
    return 1 - world.held(plan.spend) / world.held(world.best_split(BUDGET))


def rms(errors: list[Floats]) -> str:
    """Root mean squares over data sets, in words."""
    return halves(np.sqrt(np.mean(np.square(errors), axis=0)), ".1%")


def halves(values: Floats, form: str) -> str:
    """Values of contributions then of marginal ROIs, `(2 c,)`, in words."""
    half = len(values) // 2
    texts = [" / ".join(format(value, form) for value in part) for part in np.split(values, [half])]
    return f"contribution {texts[0]}, marginal ROI {texts[1]}"
