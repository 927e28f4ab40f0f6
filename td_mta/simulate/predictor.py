"""What a perfect predictor would learn of a world whose latent intent it does not see.

Its value function is the probability of a conversion on a day on which just these cells are seen,
averaged over the latent intent that users have on such days. Who was touched today by a channel
that intent drives is more likely to have intent, so the predictor credits these channels with what
the intent did. Without an intent it is the hazard itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from td_mta.journeys.touchpoints import Flags, Floats
from td_mta.simulate.hazard import Cells
from td_mta.simulate.plan import WorldPlan

NODES = 16  # of the integral over the trial's time of day, a polynomial in it


@dataclass(frozen=True)
class PerfectPredictor:
    """Learned from plans that differ in their touching alone, each with its share of the users.

    Intent is drawn anew every day, so only touches of day 0 carry information about today's;
    P(intent | day 0) is Bayes' rule. Exact but for two things that it averages over: `follow`,
    taken as 1, and which plan a user is of, taken as known from day 0 alone.
    """

    plans: Sequence[WorldPlan]
    shares: Sequence[float]  # of each plan; they sum to 1

    def probability(self, cells: Cells, factor: Floats | float = 1.0) -> Floats:
        """v(S): predicted probability of a conversion `(n,)` with just these cells touched.

        `cells` is `(n, window, channels)`.
        """
        hazard = self.plans[0].hazard
        risk = self.risk(cells[:, 0] > 0)
        return hazard.probability(cells, risk * factor)

    def risk(self, today: Flags) -> Floats:
        """E[risk of intent | day 0] `(n,)`: by what unseen intent multiplies the probability.

        `today` is `(n, channels)`: touched on day 0, before the trial.
        """
        intent = self.plans[0].intent
        if intent is None:
            return np.ones(len(today))
        distinct, which = np.unique(today, axis=0, return_inverse=True)
        no_drives = np.ones(today.shape[1])
        seen_without = self._likelihood(distinct, no_drives)
        seen_with = self._likelihood(distinct, np.array(intent.drives))
        # Bayes' rule: P(intent and day 0), P(no intent and day 0)
        with_intent = intent.probability * seen_with
        without_intent = (1 - intent.probability) * seen_without
        total = with_intent + without_intent
        risk: Floats = (with_intent * intent.risk + without_intent) / total
        return risk[which]

    def _likelihood(self, today: Flags, drives: Floats) -> Floats:
        """P(just these channels are seen by the trial) `(n,)`, over plans and their days."""
        likelihood = np.zeros(len(today))
        for plan, share in zip(self.plans, self.shares, strict=True):
            likelihood += share * _likelihood(plan, today, drives)
        return likelihood


def _likelihood(plan: WorldPlan, today: Flags, drives: Floats) -> Floats:
    """P(just these channels are seen by the trial) `(n,)`, a day of the plan drawn uniformly.

    The integral over the trial's time of day is a Gauss-Legendre quadrature.
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)  # on [-1, 1]
    part_of_day = (nodes + 1) / 2 if plan.trial_time == "any_time" else np.ones(NODES)
    after_trial = 1 - part_of_day  # probability of a touch of the day to come after the trial
    # unseen: the touch comes after the trial, and so does the repeated one, if there is one
    repeated_before = plan.touching.repeat * part_of_day
    seen = 1 - after_trial * (1 - repeated_before)  # (nodes,)
    likelihood = np.zeros(len(today))
    for day in range(plan.days):
        touched = np.minimum(plan.touching.probabilities(day) * drives, 1.0)
        channel_seen = touched * seen[:, None]  # (nodes, channels)
        matches = np.where(today[:, None], channel_seen, 1 - channel_seen)
        at_nodes = matches.prod(axis=2)  # (n, nodes)
        likelihood += at_nodes @ weights / 2 / plan.days
    return likelihood
