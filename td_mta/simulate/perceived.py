"""What a perfect predictor would learn of a world whose intent it does not see.

Its worth is the chance to convert on a day on which just these cells are seen, averaged over the
moods that users have on such days. Who was touched today by what intent drives is more often in the
mood, so the predictor credits these channels with what the mood did. With no intent it is the
hazard itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from td_mta.simulate.draws import Floats
from td_mta.simulate.rows import Bools
from td_mta.simulate.world import Plan

NODES = 16  # of the integral over the moment of trial, a polynomial in it


@dataclass(frozen=True)
class Perceived:
    """A `Game` of plans that differ in their touching alone, each with its share of the users.

    Moods are drawn anew every day, so only day 0 tells of today's; P(mood | day 0) is Bayes' rule.
    Exact but for two things that it averages over: `follow`, taken as 1, and which plan a user is
    of, taken as known from day 0 alone.
    """

    plans: Sequence[Plan]
    shares: Sequence[float]

    def worth(self, cells: Bools) -> Floats:
        """Chance of a conversion `(n,)` with the cells `(n, window, channels)`, and only they."""
        plan = self.plans[0]
        return np.minimum(plan.hazard.worth(cells) * self.risk(cells[:, 0]), 1.0)

    def risk(self, today: Bools) -> Floats:
        """What the unseen mood multiplies the chance by, on average over days that show `today`.

        `today` is `(n, channels)`: touched on day 0, before the trial.
        """
        intent = self.plans[0].intent
        if intent is None:
            return np.ones(len(today))
        distinct, which = np.unique(today, axis=0, return_inverse=True)
        calm = self._chance_of(distinct, np.ones(today.shape[1]))
        driven = self._chance_of(distinct, np.array(intent.drives))
        mood = intent.chance * driven
        risk: Floats = (mood * intent.risk + (1 - intent.chance) * calm) / (
            mood + (1 - intent.chance) * calm
        )
        return risk[which]

    def _chance_of(self, today: Bools, drives: Floats) -> Floats:
        """P(just these channels are seen by the trial) `(n,)`, over plans and their days."""
        chances = np.zeros(len(today))
        for plan, share in zip(self.plans, self.shares, strict=True):
            chances += share * _chance_of(plan, today, drives)
        return chances


def _chance_of(plan: Plan, today: Bools, drives: Floats) -> Floats:
    """P(just these channels are seen by the trial) `(n,)`, all days of the plan alike."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    part = (nodes + 1) / 2 if plan.moment == "any_time" else np.ones(NODES)
    # the first touch of a day comes after this part of it; a second one is a second trial
    seen = 1 - (1 - part) * (1 - plan.touching.repeat * part)
    chances = np.zeros(len(today))
    for day in range(plan.days):
        touched = np.minimum(plan.touching.chances(day) * drives, 1.0) * seen[:, None]
        each = np.where(today[:, None], touched, 1 - touched).prod(axis=2)
        chances += each @ weights / 2 / plan.days
    return chances
