"""What is said of users who come back comes in the world that it is about, and in no other."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from td_mta.journeys.controls import Period
from td_mta.journeys.patterns import Grid
from td_mta.journeys.returns.counts import Returns, returns_of
from td_mta.journeys.touchpoints import SECONDS_PER_DAY, Touchpoints
from td_mta.journeys.windows import Journeys
from td_mta.reporting.returning import (
    buying_warnings,
    lasting_warnings,
    lost_id_warnings,
    second_order_warnings,
)
from td_mta.simulate.drivers import LostIds
from td_mta.simulate.engine import blocks
from td_mta.simulate.rows import TouchpointRows, concatenate_rows
from td_mta.simulate.worlds import CHANNELS, WORLDS

DEFAULTS = ("calendar_day", "user_activity", "since_conversion")
PAST = ("calendar_day", "user_activity_past", "since_conversion")
USERS = {"lost_ids": 4_000, "lasting": 8_000, "renewals": 2_000, "heavy_users": 8_000}


@cache
def counts_of(world: str, lost: float | None = None) -> Returns:
    plan = replace(WORLDS[world], users=USERS[world])
    if lost is not None:
        plan = replace(plan, drivers=(LostIds(share=lost),))
    parts = [block.rows for block in blocks(plan, seed=18, switch_off=False)]
    journeys = journeys_of(concatenate_rows(parts), plan.users)
    day = journeys.rows.day
    return returns_of(journeys, Grid(3, len(plan.channels)), Period(int(day.min()), int(day.max())))


def journeys_of(rows: TouchpointRows, users: int) -> Journeys:
    day, second = np.divmod(rows.time, SECONDS_PER_DAY)
    touchpoints = Touchpoints(
        user=rows.user,
        time=rows.time,
        day=day,
        second=second,
        channel=rows.channel,
        conversion=rows.conversion,
        value=rows.value,
    )
    return Journeys(touchpoints, users, conversion_row_is_touch=True)


def lost(counts: Returns) -> list[str]:
    return lost_id_warnings(counts, "all")


def lasting(counts: Returns) -> list[str]:
    return lasting_warnings(counts, "cut")


def buying(counts: Returns) -> list[str]:
    return buying_warnings(counts, CHANNELS, DEFAULTS, 0)


def second_orders(counts: Returns) -> list[str]:
    return second_order_warnings(counts, order_id=False)


TOPICS = {"lost_ids": lost, "lasting": lasting, "renewals": buying, "second orders": second_orders}


@pytest.mark.parametrize("world", USERS)
@pytest.mark.parametrize("topic", TOPICS)
def test_each_warning_comes_in_its_own_world_alone(topic: str, world: str) -> None:
    assert bool(TOPICS[topic](counts_of(world))) == (topic == world)


def test_lost_ids_are_named_with_their_share() -> None:
    [sentence] = lost(counts_of("lost_ids"))
    assert "of the ids are seen on one day only" in sentence
    assert sentence.endswith("Set days_at_risk: returning.")
    assert not lost_id_warnings(counts_of("lost_ids"), "returning")


def test_a_third_of_lost_ids_is_enough() -> None:
    assert "about 3" in lost(counts_of("lost_ids", 0.3))[0]


def test_touches_that_outlive_a_conversion_are_kept() -> None:
    [sentence] = lasting(counts_of("lasting"))
    assert "times as high" in sentence
    assert sentence.endswith("Set window_after_conversion: keep.")
    assert not lasting_warnings(counts_of("lasting"), "keep")


def test_touches_that_buying_causes_name_their_channel_and_the_controls() -> None:
    [sentence] = buying(counts_of("renewals"))
    assert "more touches of Email (0." in sentence
    assert "Display" not in sentence
    assert "controls: calendar_day, user_activity_past, since_conversion" in sentence
    assert "history_days: 28" in sentence


@pytest.mark.parametrize(
    ("controls", "history_days", "missing"),
    [(PAST, 28, []), (PAST, 0, ["history_days"]), (DEFAULTS, 28, ["controls"])],
    ids=["all is set", "no history", "the future is used"],
)
def test_only_what_is_missing_is_asked_for(
    controls: tuple[str, ...], history_days: int, missing: list[str]
) -> None:
    sentences = buying_warnings(counts_of("renewals"), CHANNELS, controls, history_days)
    assert len(sentences) == len(missing)
    for name in ("controls: ", "history_days: "):
        assert any(name in sentence for sentence in sentences) == (name[:-2] in missing)


@pytest.mark.parametrize("soon", [0, 20, 60])
def test_second_orders_are_said_above_a_twentieth(soon: int) -> None:
    counts = counts_of("lost_ids")._replace(conversions=np.array([1000, soon]))
    assert bool(second_orders(counts)) == (soon == 60)


def test_second_orders_ask_for_an_order_id_where_there_is_none() -> None:
    counts = counts_of("lost_ids")._replace(conversions=np.array([1000, 120]))
    [sentence] = second_orders(counts)
    assert sentence.startswith("12% of the conversions come within an hour")
    assert "Set order_id" in sentence
    [of_ids] = second_order_warnings(counts, order_id=True)
    assert "Set order_id" not in of_ids
    assert "repeat_orders_within: 1h" in sentence
    assert "repeat_orders_within: 1h" in of_ids
