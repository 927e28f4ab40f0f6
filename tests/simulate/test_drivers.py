"""What drives touches and conversions beside the cells, and the record's beginning."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from td_mta.journeys.touchpoints import SECONDS_PER_DAY
from td_mta.simulate import (
    WORLDS,
    Activity,
    Hazard,
    Intent,
    LostIds,
    Renewal,
    Season,
    Touching,
    World,
    WorldPlan,
    blocks,
    simulate,
)
from td_mta.simulate.credit import credits, product_credits
from td_mta.simulate.rows import START
from tests.journeys import oracle
from tests.simulate.test_worlds import rows_of

FIRST_DAY = START // SECONDS_PER_DAY
LAW = Hazard(
    channels=("a", "b"), base=0.02, relative_risks=(2.0, 1.0), decay=0.7, window=4, interactions=()
)
PLAN = WorldPlan(hazard=LAW, touching=Touching(rates=(0.1, 0.1)), users=4_000)


def days_of(world: World) -> np.ndarray:
    return world.rows.time // SECONDS_PER_DAY - FIRST_DAY


def counts_that_rows_give(world: World, first: int) -> Counter[bytes]:
    """Touches by cell before each conversion since the day `first`, over and over from the rows."""
    plan = world.plan
    found: Counter[bytes] = Counter()
    for journey in oracle.journeys(rows_of(world)).values():
        for index, event in enumerate(journey):
            if not event.converts or event.day - FIRST_DAY < first:
                continue
            cells = np.zeros((plan.hazard.window, len(plan.channels)), np.uint8)
            for touch in reversed(journey[:index]):
                if touch.converts and plan.window_after_conversion == "cut":
                    break
                days_before = event.day - touch.day
                if not touch.converts and days_before < plan.hazard.window:
                    cells[days_before, plan.channels.index(touch.channel)] += 1
            found[cells.tobytes()] += 1
    return found


@pytest.mark.parametrize("trial_time", ["day_end", "any_time"])
@pytest.mark.parametrize("after_conversion", ["cut", "keep"])
def test_after_the_first_window_conversions_saw_what_their_rows_give(
    trial_time: str, after_conversion: str
) -> None:
    """With second touches counted, `patterns` are numbers of touches."""
    hazard = replace(LAW, base=0.08, second_risks=(3.0, 1.5))
    plan = replace(
        PLAN,
        hazard=hazard,
        touching=Touching(rates=(0.2, 0.2), repeat=0.4),
        trial_time=trial_time,
        window_after_conversion=after_conversion,
        users=400,
    )
    world = simulate(plan, seed=3)
    first = hazard.window - 1
    saw = Counter(cells.tobytes() for cells in world.patterns[world.dates >= first])
    assert sum(saw.values()) > 500
    assert saw == counts_that_rows_give(world, first)
    assert {0, 1, 2} == set(np.unique(world.patterns).tolist())


def test_the_record_begins_in_the_middle_of_a_running_world() -> None:
    """Of the first day's conversions as many cells of earlier days are known as of the last's."""
    plan = replace(PLAN, hazard=replace(LAW, base=0.05, window=7), users=8_000)
    world = simulate(plan, seed=3)
    earlier = world.patterns[:, 1:].sum(axis=(1, 2))
    first, others = earlier[world.dates == 0], earlier[world.dates > 7]
    spread = others.std() / np.sqrt(len(first))
    assert first.mean() == pytest.approx(others.mean(), abs=4 * spread)
    per_day = np.bincount(world.dates)
    assert per_day[0] == pytest.approx(per_day.mean(), rel=0.15)
    empty = simulate(replace(plan, burn_in=0), seed=3)
    assert empty.patterns[empty.dates == 0, 1:].sum() == 0


def test_no_row_and_no_conversion_is_older_than_the_record() -> None:
    world = simulate(replace(PLAN, burn_in=40), seed=3, users=range(500))
    assert days_of(world).min() == world.dates.min() == 0
    assert len(world.dates) == world.rows.conversion.sum()
    assert world.truth.conversions.total == pytest.approx(len(world.dates))
    assert world.clicks.sum() == (~world.rows.conversion).sum()


def test_credit_by_date_is_that_of_the_conversions_of_that_day() -> None:
    world = simulate(PLAN, seed=3, users=range(2_000))
    truth = world.truth
    on_each_day = [credit.total for credit in truth.by_date]
    assert on_each_day == pytest.approx(np.bincount(world.dates, minlength=28))
    assert truth.conversions.baseline == pytest.approx(sum(c.baseline for c in truth.by_date))


def test_credit_of_a_product_is_that_over_all_coalitions() -> None:
    hazard = Hazard(base=1e-4, interactions=())
    cells = np.random.default_rng(4).random((40, 5, 5)) < 0.3
    amounts = np.stack([np.ones(40), np.arange(40.0)], axis=1)
    slow = credits(hazard.probability, cells, np.full(40, 2.0), amounts)
    fast = product_credits(hazard.cell_log_risks(cells), amounts)
    for one, other in zip(slow, fast, strict=True):
        assert other.cells == pytest.approx(one.cells, abs=1e-9)
        assert other.baseline == pytest.approx(one.baseline)


def test_credit_of_a_product_of_many_equal_cells_is_shared_equally() -> None:
    log_risks = np.full((1, 6, 10), np.log(1.1))
    (found,) = product_credits(log_risks, np.ones((1, 1)))
    assert found.baseline == pytest.approx(1.1**-60)
    assert found.cells == pytest.approx(np.full((6, 10), (1 - 1.1**-60) / 60))


def test_a_factor_matters_only_where_it_cuts_the_probability() -> None:
    """Risk 4 from 1 %: a quarter is baseline. From 50 % it would be 200 %, cut to 100: a half."""
    hazard = Hazard(
        channels=("a",), base=0.01, relative_risks=(4.0,), window=1, interactions=(), decay=1.0
    )
    one = np.ones((1, 1, 1), bool)
    (small,) = credits(hazard.probability, one, np.ones(1), np.ones((1, 1)))
    (large,) = credits(hazard.probability, one, np.full(1, 50.0), np.ones((1, 1)))
    assert (small.baseline, large.baseline) == pytest.approx((0.25, 0.5))
    assert hazard.most_probable(one) == pytest.approx([0.04])


def test_truth_is_exact_where_a_driver_cuts_probabilities() -> None:
    """All by coalitions, one conversion at a time, with the factors that the engine used."""
    intent = Intent(probability=0.3, drives=(2.0, 1.0), risk=20.0)
    plan = replace(PLAN, intent=intent, users=300)
    world = simulate(plan, seed=1)
    block = next(blocks(plan, seed=1, users_per_block=300))
    n = len(block.factors)
    assert set(block.factors.tolist()) == {1.0, 20.0}
    assert (plan.hazard.most_probable(block.patterns) * block.factors > 1).any()
    (expected,) = credits(plan.hazard.probability, block.patterns, block.factors, np.ones((n, 1)))
    assert world.truth.conversions.cells == pytest.approx(expected.cells)
    assert world.truth.conversions.baseline == pytest.approx(expected.baseline)


def test_season_lifts_conversions_and_the_touches_that_follow_it() -> None:
    season = Season(spend=(1.0, 0.0), swing=0.5, period=28, special_days=(3,), special=2.0)
    plan = replace(PLAN, drivers=(season,), burn_in=0, users=10_000)
    world = simulate(replace(plan, hazard=replace(LAW, relative_risks=(1.0, 1.0))), seed=3)
    demand = np.exp(0.5 * np.sin(2 * np.pi * np.arange(28) / 28)) * np.where(
        np.arange(28) == 3, 2.0, 1.0
    )
    touched = world.clicks / (10_000 * 0.1 * 1.05)  # some are repeated
    assert touched[:, 0] == pytest.approx(demand, rel=0.15)
    assert touched[:, 1] == pytest.approx(np.ones(28), rel=0.15)
    bought = np.bincount(world.dates, minlength=28) / (10_000 * 0.02)
    assert bought == pytest.approx(demand, rel=0.4)
    # no touch does anything, so all is baseline, whatever coincides with it
    assert world.truth.conversions.baseline == pytest.approx(len(world.dates))


def test_heavy_users_are_touched_and_buy_more_for_good() -> None:
    activity = Activity(spread=0.8, touches=(1.0, 0.0), most=4.0)
    idle = replace(LAW, relative_risks=(1.0, 1.0))
    plan = replace(PLAN, hazard=idle, drivers=(activity,), days=56, users=6_000)
    rows = simulate(plan, seed=3).rows
    users = np.arange(6_000)
    touches = np.stack([np.bincount(rows.user[rows.channel == c], minlength=6_000) for c in (0, 1)])
    orders = np.bincount(rows.user[rows.conversion], minlength=6_000)
    assert touches[0].mean() == pytest.approx(touches[1].mean(), rel=0.1)  # mean activity about 1
    assert touches[0].std() > 2 * touches[1].std()
    heavy = users[touches[0] > np.quantile(touches[0], 0.8)]
    assert orders[heavy].mean() > 1.5 * orders.mean()
    assert touches[1][heavy].mean() == pytest.approx(touches[1].mean(), rel=0.05)


def test_subscribers_renew_on_their_day_and_get_more_mail() -> None:
    renewal = Renewal(drives=(1.0, 4.0), risk=20.0, every=7, lapse=14)
    idle = replace(LAW, relative_risks=(1.0, 1.0))
    plan = replace(PLAN, hazard=idle, drivers=(renewal,), days=42, trial_time="day_end")
    rows = simulate(plan, seed=3).rows
    orders, last = Counter(), Counter()
    mails, days = Counter(), Counter()
    by_user = np.split(np.arange(len(rows.user)), np.flatnonzero(np.diff(rows.user)) + 1)
    for of_user in by_user:
        bought = None
        day = (rows.time[of_user] - START) // SECONDS_PER_DAY
        for today in range(42):
            here = of_user[day == today]
            since = None if bought is None else today - bought
            last[since] += 1
            orders[since] += rows.conversion[here].any()
            subscribes = since is not None and since <= 14
            days[subscribes] += bought is not None  # before that, it is unknown
            mails[subscribes] += bought is not None and (rows.channel[here] == 1).any()
            if rows.conversion[here].any():
                bought = today
    rate = {since: orders[since] / last[since] for since in last}
    assert rate[7] == pytest.approx(0.4, rel=0.15)
    assert rate[14] == pytest.approx(0.4, rel=0.15)
    assert rate[8] == pytest.approx(0.02, rel=0.4)
    assert rate[21] == pytest.approx(0.02, rel=0.5)
    assert mails[True] / days[True] == pytest.approx(0.4, rel=0.05)
    assert mails[False] / days[False] == pytest.approx(0.1, rel=0.05)


def test_seven_of_ten_lost_ids_have_rows_of_one_day() -> None:
    world = simulate(WORLDS["lost_ids"], seed=3, users=range(6_000))
    user_days = np.unique(np.stack([world.rows.user, days_of(world)]), axis=1)
    users, active_days = np.unique(user_days[0], return_counts=True)
    assert (active_days == 1).mean() == pytest.approx(0.7, abs=0.02)
    # they come on any day of the record
    of_lost = user_days[1][np.isin(user_days[0], users[active_days == 1])]
    per_week = np.bincount(of_lost // 7)
    assert per_week[1:] == pytest.approx(np.full(3, per_week[1:].mean()), rel=0.15)


def test_a_lost_id_saw_no_touch_of_another_day() -> None:
    plan = replace(PLAN, drivers=(LostIds(share=1.0),), users=3_000)
    world = simulate(plan, seed=3)
    assert len(world.patterns) > 30
    assert world.patterns[:, 1:].sum() == 0


def test_a_second_touch_brings_its_own_risk_to_its_cell() -> None:
    hazard = replace(LAW, base=0.01, second_risks=(3.0, 1.0))
    cells = np.zeros((3, 4, 2), np.uint8)
    cells[0, 0, 0] = 1
    cells[1, 0, 0] = 2
    cells[2, 1, 0] = 2
    expected = [0.02, 0.06, 0.01 * 6**0.7]
    assert hazard.probability(cells) == pytest.approx(expected)
    assert 0.01 * np.exp(hazard.cell_log_risks(cells).sum(axis=(1, 2))) == pytest.approx(expected)
    twice, once = (
        credits(hazard.probability, cells[i : i + 1], np.ones(1), np.ones((1, 1)))[0]
        for i in (1, 0)
    )
    assert (once.baseline, twice.baseline) == pytest.approx((1 / 2, 1 / 6))
    assert twice.cells[0, 0] == pytest.approx(5 / 6)


def test_a_delayed_effect_is_strongest_on_its_day() -> None:
    hazard = replace(LAW, decay=0.5, peaks=(2.0, 0.0))
    cells = np.zeros((4, 4, 2), bool)
    cells[range(4), range(4), 0] = True
    powers = [0.5**4, 0.5, 1, 0.5]  # of the distance from day 2, squared
    assert hazard.probability(cells) == pytest.approx(0.02 * 2 ** np.array(powers))


def test_what_does_nothing_is_owed_nothing_among_forty_channels() -> None:
    world = simulate(WORLDS["forty_channels"], seed=3, users=range(1_000))
    noise = np.array(world.plan.hazard.relative_risks) == 1
    assert (len(noise), noise.sum()) == (40, 30)
    assert np.abs(world.truth.conversions.cells[:, noise]).max() < 1e-9
    assert (world.truth.switched_off.conversions[:-1][noise] == 0).all()


def test_the_rare_world_converts_on_one_of_two_thousand_days() -> None:
    world = simulate(WORLDS["rare"], seed=3, users=range(40_000))
    assert len(world.dates) / (40_000 * 28) == pytest.approx(0.0005, rel=0.15)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"drivers": (Season(spend=(1.0,), swing=0.1, period=7),)}, "spend: wanted 2 values"),
        ({"drivers": (Activity(touches=(1.0,), spread=0.1),)}, "touches: wanted 2 values"),
        ({"drivers": (Renewal(drives=(1.0,), risk=2.0),)}, "drives: wanted 2 values"),
        ({"burn_in": -1}, "burn_in must not be negative, got -1"),
    ],
)
def test_drivers_that_do_not_fit_are_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(PLAN, **change)


def test_an_intent_beside_other_drivers_is_refused() -> None:
    intent = Intent(probability=0.1, drives=(1.0, 1.0), risk=2.0)
    with pytest.raises(ValueError, match="a plan with an intent has no other drivers"):
        replace(PLAN, intent=intent, drivers=(LostIds(share=0.5),))
    with pytest.raises(ValueError, match="lost ids: share must be within 0 and 1, got 2"):
        LostIds(share=2.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"peaks": (1.0,)}, "peaks: wanted 2 values, one per channel, got 1"),
        ({"second_risks": (1.0, 0.0)}, "second_risks must be above 0, got 0"),
    ],
)
def test_a_law_of_delays_or_counts_that_cannot_be_is_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(LAW, **change)


def test_many_touches_on_a_day_do_less_each_on_others_they_do_not() -> None:
    hazard = replace(LAW, relative_risks=(2.0, 3.0), decay=1.0, saturation=0.5)
    cells = np.zeros((4, 4, 2), bool)
    cells[1, 0, 0] = cells[2, 0, :] = cells[3, 0, 0] = cells[3, 1, 1] = True
    of_two, of_three, of_both = (0.5 * np.tanh(np.log(x) / 0.5) for x in (2.0, 3.0, 6.0))
    log_risks = np.array([0.0, of_two, of_both, of_two + of_three])
    assert hazard.probability(cells) == pytest.approx(0.02 * np.exp(log_risks))
    assert not hazard.is_product
    assert (hazard.probability(cells) <= hazard.most_probable(cells) * (1 + 1e-12)).all()
    with pytest.raises(ValueError, match="saturation must be above 0, got 0"):
        replace(hazard, saturation=0.0)
