"""The truth about a world, added up block by block: true credit, and what would be lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from td_mta.journeys.touchpoints import Flags, Floats
from td_mta.simulate.credit import TrueCredit, credit
from td_mta.simulate.engine import Block
from td_mta.simulate.plan import WorldPlan
from td_mta.simulate.predictor import PerfectPredictor


class SwitchedOff(NamedTuple):
    """What really disappears without a channel's touches; the last entry: without any touches."""

    conversions: Floats  # (channels + 1,)
    value: Floats  # (channels + 1,), in money
    error: Floats  # (channels + 1,): standard error of `conversions`, users being independent


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Shapley credit under the hazard itself, and what really disappears without a channel.

    With a latent intent the credit under the hazard is the causal one: a user's intent is taken as
    given, and its effect is part of the baseline. A predictor that does not see the intent credits
    the channels that it drives instead: `predicted`, None where the plan has no intent.
    """

    conversions: TrueCredit
    value: TrueCredit  # in money
    predicted: TrueCredit | None  # in conversions
    switched_off: SwitchedOff


class TruthAccumulator:
    """Adds up blocks of users to their truth.

    The plans may differ in their touching alone, as those of partners do.
    """

    def __init__(self, plans: Sequence[WorldPlan]) -> None:
        self._plans = plans
        self._users = np.zeros(len(plans))
        self._patterns: list[Flags] = []
        self._cents: list[Floats] = []
        channels = len(plans[0].channels)
        self._lost = np.zeros(channels + 1)
        self._lost_cents = np.zeros(channels + 1)
        self._lost_squares = np.zeros(channels + 1)

    def add(self, block: Block, plan: int = 0) -> None:
        """Count a block of users of the plan of that number."""
        self._users[plan] += block.users
        self._patterns.append(block.patterns)
        self._cents.append(block.cents.astype(np.float64))
        lost = block.orders[:1] - block.orders[1:]  # (channels + 1, users)
        lost_cents = block.sold[:1] - block.sold[1:]
        self._lost += lost.sum(axis=1)
        self._lost_cents += lost_cents.sum(axis=1)
        self._lost_squares += (lost * lost).sum(axis=1)

    def truth(self) -> Truth:
        """The truth of all users that were added."""
        plan = self._plans[0]
        probability = plan.hazard.probability
        patterns = np.concatenate(self._patterns)
        cents = credit(probability, patterns, np.concatenate(self._cents))
        return Truth(
            conversions=credit(probability, patterns),
            value=TrueCredit(cents.cells / 100, cents.baseline / 100),
            predicted=None if plan.intent is None else self._predicted(patterns),
            switched_off=self._switched_off(),
        )

    def _predicted(self, patterns: Flags) -> TrueCredit:
        shares = self._users / self._users.sum()
        predictor = PerfectPredictor(self._plans, shares.tolist())
        return credit(predictor.probability, patterns)

    def _switched_off(self) -> SwitchedOff:
        # the variance of a sum of independent users: n times that of one of them
        variance = self._lost_squares - self._lost**2 / self._users.sum()
        value = self._lost_cents / 100
        return SwitchedOff(self._lost, value, error=np.sqrt(variance))
