"""The truth about a world, added up block by block: true credit, and what would be lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.simulate.credit import TrueCredit, credits, product_credits
from td_mta.simulate.engine import Block
from td_mta.simulate.hazard import Cells, Hazard
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

    What drives a user or a day beside the touches is taken as given: its factor is in every v(S),
    so its effect is part of the baseline. With a latent intent this is the causal credit; a
    predictor that does not see the intent credits the channels that it drives instead:
    `predicted`, None where the plan has no intent.
    """

    by_date: tuple[TrueCredit, ...]  # in conversions, of those on each day of the record
    value: TrueCredit  # in money
    predicted_by_date: tuple[TrueCredit, ...] | None
    switched_off: SwitchedOff

    @property
    def conversions(self) -> TrueCredit:
        """The credit of all conversions of the record."""
        return TrueCredit.sum(self.by_date)

    @property
    def predicted(self) -> TrueCredit | None:
        """The same as a perfect predictor would see it."""
        by_date = self.predicted_by_date
        return None if by_date is None else TrueCredit.sum(by_date)


class TruthAccumulator:
    """Adds up blocks of users to their truth.

    The plans may differ in their touching alone, as those of partners do.
    """

    def __init__(self, plans: Sequence[WorldPlan]) -> None:
        self._plans = plans
        self._users = np.zeros(len(plans))
        self._conversions: list[_Conversions] = []
        channels = len(plans[0].channels)
        self._lost = np.zeros(channels + 1)
        self._lost_cents = np.zeros(channels + 1)
        self._lost_squares = np.zeros(channels + 1)

    def add(self, block: Block, plan: int = 0) -> None:
        """Count a block of users of the plan of that number."""
        self._users[plan] += block.users
        self._conversions.append(
            _Conversions(block.patterns, block.factors, block.dates, block.cents / 100)
        )
        lost = block.orders[:1] - block.orders[1:]  # (channels + 1, users)
        lost_cents = block.sold[:1] - block.sold[1:]
        self._lost += lost.sum(axis=1)
        self._lost_cents += lost_cents.sum(axis=1)
        self._lost_squares += (lost * lost).sum(axis=1)

    def truth(self) -> Truth:
        """The truth of all users that were added."""
        plan = self._plans[0]
        conversions = _Conversions.join(self._conversions)
        amounts = conversions.amounts(plan.days)
        *by_date, value = _credits(plan.hazard, conversions, amounts)
        return Truth(
            by_date=tuple(by_date),
            value=value,
            predicted_by_date=self._predicted(conversions.patterns, amounts),
            switched_off=self._switched_off(),
        )

    def _predicted(self, patterns: Cells, amounts: Floats) -> tuple[TrueCredit, ...] | None:
        if self._plans[0].intent is None:
            return None
        shares = self._users / self._users.sum()
        predictor = PerfectPredictor(self._plans, shares.tolist())
        no_factors = np.ones(len(patterns))
        return tuple(credits(predictor.probability, patterns, no_factors, amounts[:, :-1]))

    def _switched_off(self) -> SwitchedOff:
        # the variance of a sum of independent users: n times that of one of them
        variance = self._lost_squares - self._lost**2 / self._users.sum()
        value = self._lost_cents / 100
        return SwitchedOff(self._lost, value, error=np.sqrt(variance))


class _Conversions(NamedTuple):
    """`n` conversions of the record."""

    patterns: Cells  # (n, window, channels)
    factors: Floats  # (n,)
    dates: Ints  # (n,)
    value: Floats  # (n,), in money

    @staticmethod
    def join(parts: Sequence["_Conversions"]) -> "_Conversions":
        return _Conversions(*map(np.concatenate, zip(*parts, strict=True)))

    def amounts(self, days: int) -> Floats:
        """What is owed `(n, days + 1)`: a conversion on its day of the record, then its value."""
        is_on_date = self.dates[:, None] == np.arange(days)
        return np.column_stack([is_on_date, self.value])


def _credits(hazard: Hazard, conversions: _Conversions, amounts: Floats) -> list[TrueCredit]:
    """Credit under the hazard, over coalitions only where it is not a product of risks."""
    patterns, factors = conversions.patterns, conversions.factors
    may_be_cut = hazard.most_probable(patterns) * factors > 1
    is_product = ~may_be_cut & hazard.is_product
    # a factor that cuts no probability cancels in φ/v(N): 1 makes more of the patterns alike
    factors = np.where(may_be_cut, factors, 1.0)
    by_product = product_credits(hazard.cell_log_risks(patterns[is_product]), amounts[is_product])
    others = ~is_product
    by_coalition = credits(hazard.probability, patterns[others], factors[others], amounts[others])
    return [TrueCredit.sum(parts) for parts in zip(by_product, by_coalition, strict=True)]
