"""What the touches cost: impressions, clicks and spend per channel and day.

A touch is a visit, so a click. Impressions are the clicks over the channel's click rate, with a
lognormal noise of a tenth; spend is by click or by thousand impressions. A channel that is not
bought has clicks alone.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.simulate.random_streams import RandomStreams


class Price(NamedTuple):
    """What a channel's media cost, in money."""

    click_rate: float  # clicks per impression
    per_thousand: float = 0.0  # impressions
    per_click: float = 0.0


PRICES = {
    "Affiliates": Price(0.02, per_click=0.8),
    "Affiliate": Price(0.02, per_click=0.8),
    "Display": Price(0.004, per_thousand=3.0),
    "Display Network": Price(0.004, per_thousand=3.0),
    "Email": Price(0.03, per_thousand=2.0),
    "Other Advertising": Price(0.01, per_thousand=8.0),
    "Paid Search": Price(0.05, per_click=1.2),
    "Paid Social": Price(0.01, per_thousand=6.0),
    "Popup": Price(0.02, per_thousand=2.0),
    "Search": Price(0.05, per_click=1.2),
    "Social": Price(0.01, per_thousand=6.0),
    "Video": Price(0.01, per_thousand=8.0),
}
# an infinite click rate leaves no impressions
NOT_BOUGHT = Price(np.inf)


class Media(NamedTuple):
    """What was bought, each `(days, channels)`."""

    impressions: Ints
    clicks: Ints
    spend: Floats  # money, to the cent


def media(channels: Sequence[str], clicks: Ints, *, seed: int) -> Media:
    """What the `clicks` `(days, channels)` came with; a channel without a price costs nothing."""
    prices = [PRICES.get(name, NOT_BOUGHT) for name in channels]
    click_rate = np.array([price.click_rate for price in prices])
    per_thousand = np.array([price.per_thousand for price in prices])
    per_click = np.array([price.per_click for price in prices])

    days = np.arange(len(clicks))[:, None]
    streams = RandomStreams.of_seed(seed).fold_in("impressions").fold_in(days)
    normal = streams.fold_in(np.arange(len(channels))).normal()  # (days, channels)
    noise = np.exp(0.1 * normal)
    expected = clicks / click_rate * noise
    at_least = clicks * np.isfinite(click_rate)  # every click is of an impression
    impressions = np.maximum(np.rint(expected), at_least)
    for_impressions = impressions / 1000 * per_thousand
    spend = for_impressions + clicks * per_click
    return Media(impressions.astype(np.int64), clicks, np.round(spend, 2))
