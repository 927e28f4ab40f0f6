"""Journeys with a known truth: `world.py` makes them and their credit, `shop.py` a shop's tables.

Both are numpy alone, arrays out, seeded by the caller; `python -m td_mta.simulate` writes files.
"""

from td_mta.simulate.shop import demo_tables
from td_mta.simulate.world import Credit, Hazard, Moment, World, credit, hazard_world

__all__ = ["Credit", "Hazard", "Moment", "World", "credit", "demo_tables", "hazard_world"]
