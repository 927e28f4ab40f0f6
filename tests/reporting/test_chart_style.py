"""A channel's colour follows from its name."""

import pytest

from td_mta.reporting import chart_style
from td_mta.reporting.chart_style import COLOURS, GREY, INK, row_colour
from td_mta.tables import BASELINE

WORLDS = [
    ["Paid Social", "Paid Search", "Display Network", "Affiliate", "Email"],
    ["TV", "Digital", "Radio", "Print", "Social"],
    ["Shopify", "TikTok", "Meta"],
    [
        *("Affiliates", "Direct", "Display", "Email", "Organic Search", "Other Advertising"),
        *("Paid Search", "Referral", "Social"),
    ],
]
NAMES = sorted({name for world in WORLDS for name in world})


@pytest.mark.parametrize("channels", WORLDS, ids=["classic", "retail", "shop", "demo"])
def test_channels_of_our_worlds_keep_their_own_colour_whatever_stands_beside_them(
    channels: list[str],
) -> None:
    alone = {name: row_colour(name, [name]) for name in channels}
    assert {name: row_colour(name, channels) for name in reversed(channels)} == alone
    assert len(set(alone.values())) == len(channels)


def test_no_two_of_nine_channels_have_the_same_colour_and_their_order_does_not_matter() -> None:
    for first in range(len(NAMES) - 8):
        some = NAMES[first : first + 9]
        assert sorted(chart_style.places(some).values()) == list(range(9))
        assert chart_style.places(some[::-1]) == chart_style.places(some)


def test_beyond_the_colours_rows_are_grey_and_the_baseline_is_ink() -> None:
    many = [f"channel {number}" for number in range(12)]
    assert [row_colour(name, many) for name in many[9:]] == [GREY] * 3
    assert {row_colour(name, many) for name in many[:9]} == set(COLOURS)
    assert row_colour(BASELINE, many) == INK
