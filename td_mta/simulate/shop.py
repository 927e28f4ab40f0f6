"""A shop's page views and form fills as a warehouse holds them: a small world in URLs.

Every page view is a touch, whose channel its `utm_*` parameters or the referrer tell; every form
fill is an order. The rows end at the session time 2026-01-31 00:00 UTC, 30 days after the first.
"""

import numpy as np
import numpy.typing as npt

from td_mta.simulate.world import Hazard, Integers, hazard_world

Table = dict[str, npt.NDArray[np.generic]]

DEMO = Hazard(
    channels=(
        *("Affiliates", "Direct", "Display", "Email", "Organic Search"),
        *("Other Advertising", "Paid Search", "Referral", "Social"),
    ),
    base=0.004,
    relative_risks=(1.8, 1.6, 0.8, 3.0, 2.2, 0.6, 4.0, 1.5, 1.2),
    window=3,
    pair=(3, 6),
)
DEMO_TOUCH_RATES = (0.02, 0.05, 0.04, 0.03, 0.05, 0.02, 0.03, 0.02, 0.04)

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


def demo_tables(*, rng: np.random.Generator, users: int = 20_000) -> dict[str, Table]:
    """Page views and form fills by table name, each its columns by name, in the order of time.

    A page view is a touch, its channel told by the URL or the referrer; a form fill is an order.
    """
    world = hazard_world(
        rng=rng, hazard=DEMO, moment="any_time", users=users, touch_rates=DEMO_TOUCH_RATES
    )
    order = np.argsort(world.time, kind="stable")
    views, fills = order[~world.conversion[order]], order[world.conversion[order]]
    urls, referrers = _visits(rng, world.channel[views])
    names = np.array([f"user-{i:06d}" for i in range(users)])
    return {
        "enriched_pageviews": {
            "time": world.time[views],
            "canonical_id": names[world.user[views]],
            "td_url": urls,
            "td_referrer": referrers,
        },
        "enriched_formfills": {
            "time": world.time[fills],
            "canonical_id": names[world.user[fills]],
            "td_url": np.full(len(fills), SITE + "order/thanks"),
            "td_referrer": np.full(len(fills), SITE + "order"),
            "form_id": np.full(len(fills), "order"),
        },
    }


def _visits(
    rng: np.random.Generator, channel: Integers
) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.str_]]:
    """URL and referrer of page views: any of their channel's kinds of visit, each alike."""
    kinds = [VISITS[name] for name in DEMO.channels]
    starts = np.cumsum([0, *map(len, kinds)])
    urls = np.array([f"{SITE}?utm_{utm}" if utm else SITE for kind in kinds for utm, _ in kind])
    referrers = np.array([referrer for kind in kinds for _, referrer in kind])
    kind = rng.integers(starts[channel], starts[channel + 1])
    return urls[kind], referrers[kind]
