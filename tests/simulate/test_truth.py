"""What drives the touches, what really disappears, and what a predictor would learn."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timezone

import numpy as np
import pytest

from td_mta.journeys.touchpoints import SECONDS_PER_DAY
from td_mta.simulate import (
    WORLDS,
    Hazard,
    Intent,
    PerfectPredictor,
    Touching,
    TruthAccumulator,
    WorldPlan,
    blocks,
    credit,
    simulate,
)
from td_mta.simulate.random_streams import RandomStreams
from td_mta.simulate.rows import START
from tests.journeys import oracle
from tests.simulate.test_worlds import cells_of, rows_of

PLAIN = Hazard(
    channels=("a", "b", "c"), base=0.01, relative_risks=(3.0, 1.0, 0.4), decay=1.0, interactions=()
)


def test_draws_are_uniform_independent_and_never_the_same() -> None:
    n = 200_000
    streams = RandomStreams.of_seed(18).fold_in(np.arange(n))
    one, other, neighbour = (
        streams.fold_in("one").uniform(),
        streams.fold_in("other").uniform(),
        RandomStreams.of_seed(19).fold_in(np.arange(n)).fold_in("one").uniform(),
    )
    assert len(np.unique(one)) == n
    for drawn in (one, other):
        assert drawn.mean() == pytest.approx(0.5, abs=4 / np.sqrt(12 * n))
        assert np.bincount((drawn * 20).astype(int)) / n == pytest.approx(
            np.full(20, 0.05), abs=4 * np.sqrt(0.05 / n)
        )
    for pair in ((one, other), (one, neighbour), (one[1:], one[:-1])):
        assert abs(np.corrcoef(*pair)[0, 1]) < 4 / np.sqrt(n)


def test_draws_know_the_order_of_their_keys_and_any_seed() -> None:
    assert (
        RandomStreams.of_seed(1).fold_in(2).fold_in(3).state
        != RandomStreams.of_seed(1).fold_in(3).fold_in(2).state
    )
    assert len({int(RandomStreams.of_seed(seed).state[0]) for seed in (-1, 0, 1, 2**40)}) == 4


def test_weekdays_have_their_share_of_touches() -> None:
    weekday = (2.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.0)
    plan = WorldPlan(hazard=PLAIN, touching=Touching(rates=(0.05, 0.1, 0.02), weekday=weekday))
    rows = simulate(plan, seed=1, users=range(3_000)).rows
    times = rows.time[~rows.conversion].tolist()
    found = Counter(datetime.fromtimestamp(time, timezone.utc).weekday() for time in times)
    assert 6 not in found
    expected = np.array(weekday[:6]) / sum(weekday) * len(times)
    assert [found[day] for day in range(6)] == pytest.approx(expected, abs=5 * len(times) ** 0.5)


def test_the_next_channel_depends_on_the_last_one() -> None:
    follow = ((3.0, 1.0, 0.0), (1.0, 1.0, 1.0), (0.5, 4.0, 1.0))
    rates = (0.1, 0.1, 0.1)
    touching = Touching(rates=rates, follow=follow, repeat=0.0)
    plan = WorldPlan(hazard=PLAIN, touching=touching, burn_in=0)
    rows = simulate(plan, seed=1, users=range(2_000)).rows
    touched = rows.take(~rows.conversion)
    journeys: dict[int, dict[int, list[int]]] = {}
    for user, time, channel in zip(
        touched.user.tolist(), touched.time.tolist(), touched.channel.tolist(), strict=True
    ):
        journeys.setdefault(user, {}).setdefault((time - START) // SECONDS_PER_DAY, []).append(
            channel
        )
    days, hits = np.zeros(4), np.zeros((4, 3))
    for user in range(2_000):
        last = 3  # none yet
        for day in range(plan.days):
            today = journeys.get(user, {}).get(day, [])
            days[last] += 1
            for channel in today:
                hits[last, channel] += 1
            last = today[-1] if today else last
    expected = 0.1 * np.array([*follow, (1.0, 1.0, 1.0)])
    spread = np.sqrt(expected * (1 - expected) / days[:, None])
    assert (np.abs(hits / days[:, None] - expected) <= 4 * spread).all()


def test_intent_drives_its_channels_and_leaves_the_others_as_they_were() -> None:
    idle = replace(PLAIN, relative_risks=(1.0, 1.0, 1.0))
    plan = WorldPlan(hazard=idle, touching=Touching(rates=(0.05,) * 3), users=4_000)
    intent = Intent(probability=0.2, drives=(5.0, 1.0, 1.0), risk=3.0)
    calm, driven = simulate(plan, seed=1), simulate(replace(plan, intent=intent), seed=1)
    one, other = calm.clicks.sum(axis=0), driven.clicks.sum(axis=0)
    assert other[0] / one[0] == pytest.approx(1.8, rel=0.1)  # .8 + .2 · 5
    assert one[1:].tolist() == other[1:].tolist()
    assert len(driven.patterns) / len(calm.patterns) == pytest.approx(1.4, rel=0.2)  # .8 + .2 · 3


@pytest.mark.parametrize(
    "intent", [None, Intent(probability=0.1, drives=(4.0, 1.0, 1.0), risk=4.0)]
)
def test_switched_off_is_a_world_in_which_the_touches_were_never_made(
    intent: Intent | None,
) -> None:
    hazard = replace(PLAIN, interactions=((0, 2, 2.0),))
    rates = (0.1, 0.08, 0.1)
    plan = WorldPlan(hazard=hazard, touching=Touching(rates=rates), intent=intent, users=800)
    orders = np.concatenate([block.orders for block in blocks(plan, seed=4)], axis=1)
    sold = np.concatenate([block.sold for block in blocks(plan, seed=4)], axis=1)
    never = [tuple(rate * (c != off) for c, rate in enumerate(rates)) for off in range(3)]
    for arm, left in enumerate([rates, *never, (0.0, 0.0, 0.0)]):
        without = replace(plan, touching=Touching(rates=left))
        block = next(blocks(without, seed=4, users_per_block=800, switch_off=False))
        assert (block.orders[0] == orders[arm]).all()
        assert (block.sold[0] == sold[arm]).all()


def test_a_channel_that_does_nothing_loses_nothing_exactly() -> None:
    world = simulate(WORLDS["confounded"], seed=2, users=range(3_000))
    direct = world.plan.channels.index("Direct")
    off = world.truth.switched_off
    assert world.clicks[:, direct].sum() > 2_000
    assert off.conversions[direct] == off.value[direct] == off.error[direct] == 0
    assert world.truth.conversions.cells[:, direct] == pytest.approx(np.zeros(5), abs=1e-9)
    assert world.truth.predicted is not None
    assert world.truth.predicted.cells[0, direct] > 10


def test_without_interactions_or_second_touches_what_disappears_is_the_credit() -> None:
    plan = WorldPlan(hazard=PLAIN, touching=Touching(rates=(0.006, 0.006, 0.006)), users=30_000)
    truth = simulate(plan, seed=3).truth
    by_channel = truth.conversions.cells.sum(axis=0)
    lost, error = truth.switched_off.conversions, truth.switched_off.error
    assert by_channel[0] > 300
    assert by_channel[2] < -50
    assert (np.abs(lost[:3] - by_channel) <= 4 * error[:3] + 0.05 * np.abs(by_channel)).all()
    assert lost[1] == 0
    assert abs(lost[3] - by_channel.sum()) < 4 * error[3]
    assert error[0] == pytest.approx(np.sqrt(lost[0]), rel=0.1)  # nearly a count


def test_a_predictor_is_right_about_the_days_on_which_it_sees_a_pattern() -> None:
    """Of the days with a pattern so many convert as `PerfectPredictor` says, not the hazard."""
    world = WORLDS["confounded"]
    plan = replace(world, hazard=replace(world.hazard, base=0.01), users=3_000, burn_in=0)
    made = simulate(plan, seed=5)
    rng = np.random.default_rng(6)
    days = oracle.person_days(
        rows_of(made),
        lookback=plan.hazard.window,
        cut_of=lambda user, day: float(rng.integers(SECONDS_PER_DAY)),
        conversion_row_is_touch=False,
    )
    patterns = sorted({cells for _, cells in days}, key=sorted)
    cells = np.stack([cells_of(plan.hazard, pattern) for pattern in patterns])
    converted = np.array([days[1, pattern] for pattern in patterns])
    seen = converted + [days[0, pattern] for pattern in patterns]
    z = {}
    for name, game in {"predictor": PerfectPredictor([plan], [1.0]), "hazard": plan.hazard}.items():
        h = game.probability(cells)
        z[name] = ((converted - seen * h) / np.sqrt(seen * h * (1 - h)))[seen * h > 5]
    n = len(z["predictor"])
    assert n > 15
    assert np.abs(z["predictor"]).max() < 4
    assert np.mean(np.square(z["predictor"])) == pytest.approx(1, abs=4 * np.sqrt(2 / n))
    assert np.mean(np.square(z["hazard"])) > 3


def test_intent_seen_at_the_end_of_a_day_is_bayes_rule() -> None:
    """Intent on 1 of 10 days, touched on 4 of 10 with it, on 1 without: so 4 of 13 touched days."""
    plan = WorldPlan(
        hazard=Hazard(channels=("a",), relative_risks=(1.0,), interactions=()),
        touching=Touching(rates=(0.1,)),
        intent=Intent(probability=0.1, drives=(4.0,), risk=11.0),
        trial_time="day_end",
    )
    touched = 0.1 * 0.4 / (0.1 * 0.4 + 0.9 * 0.1)
    untouched = 0.1 * 0.6 / (0.1 * 0.6 + 0.9 * 0.9)
    risk = PerfectPredictor([plan], [1.0]).risk(np.array([[True], [False]]))
    assert risk == pytest.approx([1 + 10 * touched, 1 + 10 * untouched])
    later = replace(plan, trial_time="any_time", touching=Touching(rates=(0.1,), repeat=0.0))
    seen = PerfectPredictor([later], [1.0]).risk(np.array([[True], [False]]))
    assert seen[0] == pytest.approx(risk[0])  # a touch seen carries the same information
    half = 0.1 * 0.8 / (0.1 * 0.8 + 0.9 * 0.95)  # none: half of the touches are still to come
    assert seen[1] == pytest.approx(1 + 10 * half)


def test_without_intent_a_predictor_finds_the_truth_and_none_is_reported() -> None:
    plan = replace(WORLDS["confounded"], intent=None)
    world = simulate(plan, seed=2, users=range(1_000))
    assert world.truth.predicted is None
    seen = credit(PerfectPredictor([plan], [1.0]).probability, world.patterns)
    assert seen.cells == pytest.approx(world.truth.conversions.cells)


def test_the_truth_of_parts_is_that_of_all_users() -> None:
    plan = replace(WORLDS["interactions"], users=900)
    accumulator = TruthAccumulator([plan, plan])
    for part, users in enumerate([range(300), range(300, 900)]):
        for block in blocks(plan, seed=5, users=users):
            accumulator.add(block, part)
    pooled, whole = accumulator.truth(), simulate(plan, seed=5).truth
    assert pooled.conversions.cells == pytest.approx(whole.conversions.cells)
    assert pooled.value.baseline == pytest.approx(whole.value.baseline)
    for one, other in zip(pooled.switched_off, whole.switched_off, strict=True):
        assert one == pytest.approx(other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rates": (0.1, 1.2)}, r"rates must be within 0 and 1, got \(0.1, 1.2\)"),
        ({"repeat": -0.1}, "repeat must be within 0 and 1, got -0.1"),
        ({"weekday": (1.0,) * 5}, "weekday: wanted 7 factors, Monday first"),
        ({"follow": ((1.0, 1.0),)}, "follow: wanted 2 values, one per channel, got 1"),
        (
            {"follow": ((1.0,), (1.0,))},
            "follow: wanted 2 values, one per channel, got 1",
        ),
    ],
    ids=["rates", "repeat", "weekday", "follow", "follow rows"],
)
def test_touching_that_cannot_be_is_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Touching(**{"rates": (0.1, 0.2), **change})


def test_intent_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="probability must be within 0 and 1, got 2"):
        Intent(probability=2.0, drives=(1.0,), risk=2.0)
    with pytest.raises(ValueError, match=r"risk must be at least 1, got 0\.5"):
        Intent(probability=0.2, drives=(1.0,), risk=0.5)
