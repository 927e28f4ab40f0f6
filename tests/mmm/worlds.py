"""Worlds of known truth as the model's data."""

import numpy as np

from td_mta.mmm.controls import season_names, seasons, trend
from td_mta.mmm.media import MediaData, media_data
from td_mta.simulate.media_mix.world import MediaWorld

WAVES = 2


def data_of(world: MediaWorld) -> MediaData:
    """A world as its analyst sees it, with trend and seasons of 52 weeks to be estimated."""
    weeks = len(world.sales)
    columns = [trend(weeks), seasons(7.0 * np.arange(weeks), WAVES, 364.0)]
    names = ["trend", *season_names(WAVES), *world.controls]
    controls = np.hstack([*columns, *(column[:, None] for column in world.controls.values())])
    return media_data(world.sales, world.spend, world.channels, controls, names)
