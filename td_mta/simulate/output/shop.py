"""Touchpoints as a shop's warehouse holds them: page views with URLs, and form fills.

Every page view is a touch; its `utm_*` parameters or the referrer identify the channel. Every form
fill is an order.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from td_mta.journeys.touchpoints import Ints
from td_mta.simulate.random_streams import RandomStreams
from td_mta.simulate.rows import TouchpointRows, UnfitWorldError

Strings = npt.NDArray[np.str_]

# The kinds of visit of each channel, as the channel rules distinguish them: what follows `utm_`
# in the URL, nothing where the referrer alone decides, and the referrer.
SITE = "https://shop.example/"
VISITS: dict[str, tuple[tuple[str, str], ...]] = {
    "Affiliates": (
        ("medium=affiliate&utm_source=bestdeals&utm_campaign=spring", "https://bestdeals.example/"),
        ("medium=Affiliate&utm_source=couponhub", ""),
    ),
    "Direct": (("", ""),),
    "Display": (
        ("medium=display&utm_source=google&utm_campaign=banner", "https://news.example/sport"),
        ("medium=cpm&utm_source=adnet&utm_campaign=retargeting", "https://weather.example/"),
    ),
    "Email": (
        ("medium=email&utm_source=newsletter&utm_campaign=weekly", ""),
        ("medium=EMAIL&utm_source=newsletter&utm_campaign=win%20back", ""),
    ),
    "Organic Search": (
        ("", "https://www.google.com/"),
        ("", "https://duckduckgo.com/"),
        ("medium=organic&utm_source=bing", "https://www.bing.com/search?q=shop"),
    ),
    "Other Advertising": (("medium=cpv&utm_source=streamly&utm_campaign=preroll", ""),),
    "Paid Search": (
        ("medium=cpc&utm_source=google&utm_campaign=brand", "https://www.google.com/"),
        ("medium=CPC&utm_source=bing&utm_campaign=generic", "https://www.bing.com/"),
    ),
    "Referral": (
        ("medium=referral&utm_source=partner", "https://partner.example/"),
        ("", "https://en.wikipedia.org/wiki/Shop"),
    ),
    "Social": (
        ("source=facebook&utm_campaign=spring", "https://www.facebook.com/"),
        ("source=instagram", ""),
        ("", "https://www.instagram.com/"),
    ),
}


class WebEvents(NamedTuple):
    """Page views or form fills as columns, in the order of the rows that they come from."""

    time: Ints  # unix seconds
    user: Ints
    url: Strings
    referrer: Strings


def page_views(rows: TouchpointRows, channels: Sequence[str], *, seed: int) -> WebEvents:
    """The touches as visits, of a random kind of their channel's.

    Raises ValueError for a channel without an entry in `VISITS`.
    """
    unknown = [name for name in channels if name not in VISITS]
    if unknown:
        known = ", ".join(VISITS)
        raise UnfitWorldError(f"page views: no URLs for channel {unknown[0]!r}, only for {known}")
    visits_by_channel = [VISITS[name] for name in channels]
    visits = [visit for of_channel in visits_by_channel for visit in of_channel]
    urls = np.array([f"{SITE}?utm_{utm}" if utm else SITE for utm, _ in visits])
    referrers = np.array([referrer for _, referrer in visits])

    touches = rows.take(rows.channel >= 0)
    streams = RandomStreams.of_seed(seed).fold_in("visit")
    streams = streams.fold_in(touches.user).fold_in(touches.time).fold_in(touches.channel)
    kinds = np.array([len(of_channel) for of_channel in visits_by_channel])  # (channels,)
    first = np.cumsum(kinds) - kinds  # (channels,): index of a channel's first visit
    visit = first[touches.channel] + streams.integers(kinds[touches.channel])
    return WebEvents(touches.time, touches.user, urls[visit], referrers[visit])


def form_fills(rows: TouchpointRows) -> WebEvents:
    """The conversions as orders."""
    orders = rows.take(rows.conversion)
    n = len(orders.user)
    url = np.full(n, SITE + "order/thanks")
    referrer = np.full(n, SITE + "order")
    return WebEvents(orders.time, orders.user, url, referrer)
