"""A whole world in memory: its rows, what its conversions saw, and its truth."""

from dataclasses import dataclass

import numpy as np

from td_mta.simulate.draws import Integers
from td_mta.simulate.rows import Bools, Rows, joined
from td_mta.simulate.truth import Account, Truth
from td_mta.simulate.world import Plan, blocks


@dataclass(frozen=True, kw_only=True)
class World:
    """`rows` in the order of users and time, `truth` about them; the rest as in `Block`."""

    plan: Plan
    rows: Rows
    patterns: Bools
    clicks: Integers
    truth: Truth


def simulate(plan: Plan, *, seed: int, users: range | None = None) -> World:
    """All of the plan's users, or a range of them; to be held in memory, see `blocks` for more."""
    account = Account([plan])
    rows, patterns = [], []
    clicks = np.zeros((plan.days, len(plan.channels)), np.int64)
    for block in blocks(plan, seed=seed, users=users):
        account.add(block)
        rows.append(block.rows)
        patterns.append(block.patterns)
        clicks += block.clicks
    return World(
        plan=plan,
        rows=joined(rows),
        patterns=np.concatenate(patterns),
        clicks=clicks,
        truth=account.truth(),
    )
