"""Touchpoints as a shop's warehouse holds them: page views with URLs, and form fills.

Every page view is a touch, whose channel its `utm_*` parameters or the referrer tell; every form
fill is an order.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from td_mta.simulate.draws import Draws, Integers
from td_mta.simulate.rows import Rows

Strings = npt.NDArray[np.str_]

# Visits that the channel rules can tell: what follows `utm_` or, without any, the referrer alone.
SITE = "https://shop.example/"
VISITS: dict[str, tuple[tuple[str, str], ...]] = {
    "Affiliates": (
        ("medium=affiliate&utm_source=bestdeals&utm_campaign=spring", "https://bestdeals.example/"),
        ("medium=Affiliate&utm_source=couponhub", ""),
    ),
    "Direct": (("", ""),),
    "Display": (
        ("medium=cpm&utm_source=google&utm_campaign=banner", "https://news.example/sport"),
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


class Pages(NamedTuple):
    """Page views or form fills as columns, in the order of the rows they come from."""

    time: Integers
    user: Integers
    url: Strings
    referrer: Strings


def page_views(rows: Rows, channels: Sequence[str], *, seed: int) -> Pages:
    """The touches as visits: any of their channel's kinds of visit, each alike.

    Raises ValueError for a channel whose visits are not known here.
    """
    unknown = [name for name in channels if name not in VISITS]
    if unknown:
        known = ", ".join(VISITS)
        raise ValueError(f"page views: no URLs for channel {unknown[0]!r}, only for {known}")
    kinds = [VISITS[name] for name in channels]
    starts = np.cumsum([0, *map(len, kinds)])
    urls = np.array([f"{SITE}?utm_{utm}" if utm else SITE for kind in kinds for utm, _ in kind])
    referrers = np.array([referrer for kind in kinds for _, referrer in kind])
    touches = rows.take(rows.channel >= 0)
    place = Draws.of(seed).at("visit").at(touches.user).at(touches.time).at(touches.channel)
    kind = starts[touches.channel] + place.below(np.diff(starts)[touches.channel])
    return Pages(touches.time, touches.user, urls[kind], referrers[kind])


def form_fills(rows: Rows) -> Pages:
    """The conversions as orders."""
    orders = rows.take(rows.conversion)
    n = len(orders.user)
    thanks, form = np.full(n, SITE + "order/thanks"), np.full(n, SITE + "order")
    return Pages(orders.time, orders.user, thanks, form)
