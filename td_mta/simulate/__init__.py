"""Journeys with a known truth, in numpy alone: arrays out, a function of the seed.

`classic.py` is the additive world of Poisson touches; `world.py` the engine of all others, which
`worlds.py` names; `truth.py` and `credit.py` tell what each channel really gave, `output/` what a
warehouse would hold. `python -m td_mta.simulate` writes files.
"""

from td_mta.simulate.classic import Classic
from td_mta.simulate.credit import Credit, Game, credit
from td_mta.simulate.hazard import Hazard, Interaction
from td_mta.simulate.partners import Partner, partners
from td_mta.simulate.perceived import Perceived
from td_mta.simulate.touching import Intent, Touching
from td_mta.simulate.truth import Account, Truth
from td_mta.simulate.whole import World, simulate
from td_mta.simulate.world import Block, Moment, Plan, blocks
from td_mta.simulate.worlds import WORLDS

__all__ = [
    "WORLDS",
    "Account",
    "Block",
    "Classic",
    "Credit",
    "Game",
    "Hazard",
    "Intent",
    "Interaction",
    "Moment",
    "Partner",
    "Perceived",
    "Plan",
    "Touching",
    "Truth",
    "World",
    "blocks",
    "credit",
    "partners",
    "simulate",
]
