"""A fit beside the truth of a simulated world: its data, its errors, and what its budget loses."""

import numpy as np

from td_mta.mmm import budget
from td_mta.mmm.controls import season_names, seasons, trend
from td_mta.mmm.effects import Answers
from td_mta.mmm.fit import Fit
from td_mta.mmm.media import MediaData, media_data
from td_mta.mmm.model import Model
from td_mta.mmm.transforms import Floats
from td_mta.simulate.media_mix.world import MediaWorld

WEEKS_PER_YEAR = 52


def data_of(world: MediaWorld) -> MediaData:
    """A world as its analyst sees it."""
    weeks = len(world.sales)
    columns = [trend(weeks), seasons(7.0 * np.arange(weeks), 2, 7.0 * WEEKS_PER_YEAR)]
    controls = np.hstack([*columns, *(column[:, None] for column in world.controls.values())])
    names = ["trend", *season_names(2), *world.controls]
    return media_data(world.sales, world.spend, world.channels, controls, names)


def errors(found: Answers, world: MediaWorld) -> Floats:
    """Relative errors of the contributions, then of the marginal ROIs, `(2c,)`."""
    contribution = found.contribution / world.contribution() - 1
    return np.concatenate([contribution, found.marginal_roi / world.marginal_roi() - 1])


def sales_lost(fitted: Fit, world: MediaWorld, total: float) -> float:
    """The share of the sales by the best split of a weekly total that the fit's split loses."""
    model: Model = fitted.model
    levels = budget.grid(total)
    rows = [
        model.held(fitted.p, c, levels / model.data.usual_spend[c]) for c in range(model.channels)
    ]
    free = budget.Limits(np.zeros(model.channels), np.full(model.channels, total))
    plan = budget.best_split(budget.Curves(levels, np.stack(rows)), total, free)
    return 1 - world.held(plan.spend) / world.held(world.best_split(total))
