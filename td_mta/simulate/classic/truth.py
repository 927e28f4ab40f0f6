"""The truth about a classic world, added up block by block."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.simulate.classic.engine import ClassicBlock
from td_mta.simulate.classic.plan import ClassicPlan
from td_mta.simulate.credit import TrueCredit


class ClassicTruth(NamedTuple):
    """What is owed to what, and what would be lost; nothing is owed to the baseline.

    The closed form, λ · frequency · rate conversions per user, holds where no probability is cut
    to 1.
    """

    conversions: TrueCredit
    value: TrueCredit  # in money
    expected: Floats  # (channels,): credit in closed form, in conversions
    capped: int  # conversions with a probability cut to 1
    lost: Ints  # (channels,): conversions that disappear without the channel
    lost_value: Floats  # (channels,), in money


class ClassicTruthAccumulator:
    """Adds up blocks of users to their truth; the plans may differ in their frequencies alone."""

    def __init__(self, plans: Sequence[ClassicPlan]) -> None:
        self._plans = plans
        days, channels = plans[0].days, len(plans[0].channels)
        self._credit = np.zeros((days, channels))
        self._cents_credit = np.zeros((days, channels))
        self._lost = np.zeros(channels, np.int64)
        self._lost_cents = np.zeros(channels, np.int64)
        self._expected = np.zeros(channels)
        self._capped = 0

    def add(self, block: ClassicBlock, plan: int = 0) -> None:
        """Count a block of users of the plan of that number."""
        self._credit += block.credit
        self._cents_credit += block.cents_credit
        self._lost += block.lost
        self._lost_cents += block.lost_cents
        self._capped += block.capped
        of_plan = self._plans[plan]
        per_touch = np.multiply(of_plan.frequencies, of_plan.rates)
        self._expected += block.users * of_plan.touches * per_touch

    def truth(self) -> ClassicTruth:
        """The truth of all users that were added."""
        return ClassicTruth(
            conversions=TrueCredit(self._credit, 0.0),
            value=TrueCredit(self._cents_credit / 100, 0.0),
            expected=self._expected,
            capped=self._capped,
            lost=self._lost,
            lost_value=self._lost_cents / 100,
        )
