"""The truth behind a world, added up block by block: who owes what, and what would have been."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from td_mta.simulate.credit import Credit, credit
from td_mta.simulate.draws import Floats
from td_mta.simulate.perceived import Perceived
from td_mta.simulate.rows import Bools
from td_mta.simulate.world import Block, Plan


class SwitchedOff(NamedTuple):
    """What really disappears without a channel `(channels + 1,)`; the last entry: without any.

    `error` is the standard error of `conversions`, over users, each beside himself.
    """

    conversions: Floats
    value: Floats
    error: Floats


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Credit under the hazard itself, of conversions and of value, and what really disappears.

    With an intent the hazard's credit is the causal one: a user's mood is given, and part of the
    baseline. `predicted` then is the credit that a perfect predictor finds, which sees no mood;
    else it is None.
    """

    conversions: Credit
    value: Credit
    predicted: Credit | None
    switched_off: SwitchedOff


class Account:
    """Blocks of users in, the truth out. Plans may differ in their touching alone (partners)."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self._plans = plans
        self._users = np.zeros(len(plans))
        self._patterns: list[Bools] = []
        self._cents: list[Floats] = []
        self._lost = np.zeros((3, len(plans[0].hazard.channels) + 1))

    def add(self, block: Block, plan: int = 0) -> None:
        """Count a block of users of the plan of that number."""
        self._users[plan] += block.users
        self._patterns.append(block.patterns)
        self._cents.append(block.cents.astype(np.float64))
        fewer = block.orders[:1] - block.orders[1:]
        cents = (block.sold[:1] - block.sold[1:]).sum(axis=1)
        self._lost += [fewer.sum(axis=1), cents, (fewer * fewer).sum(axis=1)]

    def truth(self) -> Truth:
        """The truth of all that was added."""
        hazard = self._plans[0].hazard
        patterns, cents = np.concatenate(self._patterns), np.concatenate(self._cents)
        conversions, lost_cents, squares = self._lost
        by_cents = credit(hazard, patterns, cents)
        predictor = Perceived(self._plans, (self._users / self._users.sum()).tolist())
        return Truth(
            conversions=credit(hazard, patterns),
            value=Credit(by_cents.cells / 100, by_cents.baseline / 100),
            predicted=None if self._plans[0].intent is None else credit(predictor, patterns),
            switched_off=SwitchedOff(
                conversions=conversions,
                value=lost_cents / 100,
                error=np.sqrt(squares - conversions**2 / self._users.sum()),
            ),
        )
