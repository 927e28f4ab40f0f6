"""What the touches cost: impressions, clicks and spend per channel and day.

A touch is a visit, so a click. Impressions are the clicks over the channel's click rate, a tenth up
or down; spend is by click or by thousand impressions. What is not bought has clicks alone.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from td_mta.simulate.draws import Draws, Floats, Integers


class Price(NamedTuple):
    """`click_rate` is clicks per impression; `per_thousand` and `per_click` are money."""

    click_rate: float
    per_thousand: float = 0.0
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


class Media(NamedTuple):
    """Per day and channel, shape `(days, channels)`; `spend` is in money, to the cent."""

    impressions: Integers
    clicks: Integers
    spend: Floats


def media(channels: Sequence[str], clicks: Integers, *, seed: int) -> Media:
    """What the `clicks` `(days, channels)` came with; a channel without a price costs nothing."""
    prices = [PRICES.get(name) for name in channels]
    rate = np.array([price.click_rate if price else np.inf for price in prices])
    per_thousand = np.array([price.per_thousand if price else 0.0 for price in prices])
    per_click = np.array([price.per_click if price else 0.0 for price in prices])
    days = np.arange(len(clicks))[:, None]
    place = Draws.of(seed).at("impressions").at(days).at(np.arange(len(channels)))
    luck = np.exp(0.1 * ndtri(np.maximum(place.uniform(), 2.0**-54)))
    impressions = np.maximum(np.rint(clicks / rate * luck), clicks * np.isfinite(rate))
    spend = impressions / 1000 * per_thousand + clicks * per_click
    return Media(impressions.astype(np.int64), clicks, np.round(spend, 2))
