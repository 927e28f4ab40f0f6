"""Worlds with a known truth: simulated journeys, a pure function of a seed; numpy alone.

`worlds.py` names the worlds. To add one, write an entry of `WORLDS`, and nothing else: a hazard,
who is touched when, what drives both. Only page views of new channels need their URLs in
`output/shop.py`, and bought channels their price in `output/media.py`.

`plan.py`, `hazard.py`, `touching.py` and `drivers.py` are what a world is made of, `engine.py` runs
it, and `classic/` is the additive world of Poisson touches. `truth.py`, `credit.py` and
`predictor.py` are what each channel really gave; `output/` is what a warehouse would hold.
`python -m td_mta.simulate` writes files.
"""

from td_mta.simulate.classic.plan import ClassicPlan
from td_mta.simulate.credit import TrueCredit, ValueFunction, credit
from td_mta.simulate.drivers import Activity, Intent, LostIds, Renewal, Season
from td_mta.simulate.engine import Block, blocks
from td_mta.simulate.hazard import Hazard, Interaction
from td_mta.simulate.partners import Partner, partners
from td_mta.simulate.plan import TrialTime, WorldPlan
from td_mta.simulate.predictor import PerfectPredictor
from td_mta.simulate.touching import Touching
from td_mta.simulate.truth import Truth, TruthAccumulator
from td_mta.simulate.world import World, simulate
from td_mta.simulate.worlds import WORLDS

__all__ = [
    "WORLDS",
    "Activity",
    "Block",
    "ClassicPlan",
    "Hazard",
    "Intent",
    "Interaction",
    "LostIds",
    "Partner",
    "PerfectPredictor",
    "Renewal",
    "Season",
    "Touching",
    "TrialTime",
    "TrueCredit",
    "Truth",
    "TruthAccumulator",
    "ValueFunction",
    "World",
    "WorldPlan",
    "blocks",
    "credit",
    "partners",
    "simulate",
]
