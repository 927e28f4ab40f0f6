"""A simulated world in memory: its rows, what its conversions saw, and its truth."""

from dataclasses import dataclass

import numpy as np

from td_mta.journeys.touchpoints import Ints
from td_mta.simulate.engine import blocks
from td_mta.simulate.hazard import Cells
from td_mta.simulate.plan import WorldPlan
from td_mta.simulate.rows import TouchpointRows, concatenate_rows
from td_mta.simulate.truth import Truth, TruthAccumulator


@dataclass(frozen=True, kw_only=True)
class World:
    """What the users of a plan did, and which touches it is owed to."""

    plan: WorldPlan
    rows: TouchpointRows  # by user and time
    patterns: Cells  # (conversions, window, channels): the cells that each conversion saw
    dates: Ints  # (conversions,): the day of the record of each
    clicks: Ints  # (days, channels): numbers of touches
    truth: Truth


def simulate(plan: WorldPlan, *, seed: int, users: range | None = None) -> World:
    """All of the plan's users, or a range of them, in memory; `engine.blocks` needs less of it."""
    accumulator = TruthAccumulator([plan])
    rows, patterns, dates = [], [], []
    clicks = np.zeros((plan.days, len(plan.channels)), np.int64)
    for block in blocks(plan, seed=seed, users=users):
        accumulator.add(block)
        rows.append(block.rows)
        patterns.append(block.patterns)
        dates.append(block.dates)
        clicks += block.clicks
    return World(
        plan=plan,
        rows=concatenate_rows(rows),
        patterns=np.concatenate(patterns),
        dates=np.concatenate(dates),
        clicks=clicks,
        truth=accumulator.truth(),
    )
