"""The simulated worlds obey their own hazard, and their truth is the product's definition."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from td_mta.journeys.touchpoints import SECONDS_PER_DAY
from td_mta.simulate import WORLDS, Hazard, Touching, World, WorldPlan, blocks, credit, simulate
from td_mta.simulate.rows import START, concatenate_rows
from tests.journeys import oracle

TRIAL_TIMES = ["day_end", "any_time"]
FEWEST = {"rare": 10, "lost_ids": 100, "delayed": 100}  # conversions of 2,000 users, else 200


DRIVEN = [name for name, plan in WORLDS.items() if plan.drivers]


def small_plan(trial_time: str, users: int = 1_500) -> WorldPlan:
    """A world that begins with its record, so that every window is in its rows."""
    hazard = WORLDS["hazard"]
    law = Hazard(base=0.02)
    return replace(hazard, hazard=law, trial_time=trial_time, users=users, burn_in=0)


def small_world(trial_time: str, users: int = 1_500) -> World:
    return simulate(small_plan(trial_time, users), seed=5)


def rows_of(world: World) -> list[oracle.Row]:
    rows, channels = world.rows, world.plan.channels
    columns = (rows.user, rows.time, rows.channel, rows.conversion, rows.value)
    return [
        (str(user), time, None if conversion else channels[channel], conversion, value)
        for user, time, channel, conversion, value in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]


def cells_of(hazard: Hazard, pattern: oracle.Pattern) -> np.ndarray:
    cells = np.zeros((hazard.window, len(hazard.channels)), bool)
    for days_before, channel in pattern:
        cells[days_before, hazard.channels.index(channel)] = True
    return cells


@pytest.mark.parametrize("trial_time", TRIAL_TIMES)
def test_credit_of_cells_and_baseline_sums_to_conversions_and_to_their_value(
    trial_time: str,
) -> None:
    world = small_world(trial_time)
    conversions = int(world.rows.conversion.sum())
    assert conversions > 500
    assert world.truth.conversions.total == pytest.approx(conversions, rel=1e-12)
    assert world.truth.value.total == pytest.approx(np.nansum(world.rows.value), rel=1e-12)


@pytest.mark.parametrize("trial_time", TRIAL_TIMES)
def test_the_same_seed_makes_the_same_bytes_and_another_does_not(trial_time: str) -> None:
    one, other = small_world(trial_time), small_world(trial_time)
    for column in one.rows._fields:
        assert getattr(one.rows, column).tobytes() == getattr(other.rows, column).tobytes()
    assert one.patterns.tobytes() == other.patterns.tobytes()
    assert one.truth.conversions.cells.tobytes() == other.truth.conversions.cells.tobytes()
    another = simulate(small_plan(trial_time), seed=6)
    assert another.rows.time.tobytes() != one.rows.time.tobytes()


@pytest.mark.parametrize("name", ["confounded", *DRIVEN, "counts", "lasting"])
def test_how_many_users_at_once_changes_nothing(name: str) -> None:
    plan = replace(WORLDS[name], users=50, days=10)
    sizes = [1, 7, 50]
    made = [list(blocks(plan, seed=5, users_per_block=size)) for size in sizes]
    assert [len(parts) for parts in made] == [50, 8, 1]
    rows = [concatenate_rows([part.rows for part in parts]) for parts in made]
    orders = [np.concatenate([part.orders for part in parts], axis=1) for parts in made]
    for other_rows, other_orders in zip(rows[1:], orders[1:], strict=True):
        assert all(map(np.array_equal, rows[0], other_rows))
        assert np.array_equal(orders[0], other_orders)


def test_a_user_has_the_same_fate_whoever_else_is_simulated() -> None:
    everyone = simulate(small_plan("any_time", users=50), seed=5).rows
    some = simulate(small_plan("any_time", users=50), seed=5, users=range(20, 30)).rows
    of_some = (everyone.user >= 20) & (everyone.user < 30)
    assert all(map(np.array_equal, some, everyone.take(of_some)))


@pytest.mark.parametrize("trial_time", TRIAL_TIMES)
def test_a_channel_that_hurts_has_negative_credit_on_every_day(trial_time: str) -> None:
    world = small_world(trial_time)
    harmful = np.array(world.plan.hazard.relative_risks) < 1
    assert harmful.sum() == 1
    cells = world.truth.conversions.cells
    assert (cells[:, harmful] < 0).all()
    assert (cells[:, ~harmful] > 0).all()


@pytest.mark.parametrize("trial_time", TRIAL_TIMES)
def test_conversions_saw_the_pattern_that_their_rows_give(trial_time: str) -> None:
    world = small_world(trial_time, users=400)
    expected_patterns = oracle.conversion_patterns(
        rows_of(world), lookback=world.plan.hazard.window, conversion_row_is_touch=False
    )
    saw = Counter(
        frozenset((int(d), world.plan.channels[c]) for d, c in np.argwhere(cells))
        for cells in world.patterns
    )
    assert saw == expected_patterns


@pytest.mark.parametrize("trial_time", TRIAL_TIMES)
def test_patterns_convert_at_the_rate_of_the_hazard(trial_time: str) -> None:
    """Of the days with a pattern, h convert: binomial, so the z of each has mean square 1."""
    world = small_world(trial_time)
    hazard = world.plan.hazard
    rng = np.random.default_rng(6)
    days = oracle.person_days(
        rows_of(world),
        lookback=hazard.window,
        cut_of=lambda user, day: (
            SECONDS_PER_DAY if trial_time == "day_end" else float(rng.integers(SECONDS_PER_DAY))
        ),
        conversion_row_is_touch=False,
    )
    patterns = {cells for _, cells in days}
    z = []
    for pattern in patterns:
        h = float(hazard.probability(cells_of(hazard, pattern)[None])[0])
        seen = days[0, pattern] + days[1, pattern]
        if seen * h > 5:
            z.append((days[1, pattern] - seen * h) / np.sqrt(seen * h * (1 - h)))
    assert len(z) > 15
    assert np.abs(z).max() < 4
    assert np.mean(np.square(z)) == pytest.approx(1, abs=4 * np.sqrt(2 / len(z)))


def test_at_any_time_more_convert_late_in_the_day_when_more_was_seen() -> None:
    at_end, any_time = (
        (world.rows.time[world.rows.conversion] - START) % SECONDS_PER_DAY
        for world in map(small_world, TRIAL_TIMES)
    )
    assert (at_end == SECONDS_PER_DAY - 1).all()
    assert any_time.min() < SECONDS_PER_DAY / 24
    assert 0.5 < (any_time > SECONDS_PER_DAY / 2).mean() < 0.6


@pytest.mark.parametrize("name", WORLDS)
def test_every_world_has_rows_of_all_channels_on_all_days(name: str) -> None:
    plan = WORLDS[name]
    world = simulate(plan, seed=1, users=range(2_000))
    assert set(world.rows.channel.tolist()) == {-1, *range(len(plan.channels))}
    assert set(((world.rows.time - START) // SECONDS_PER_DAY).tolist()) == set(range(plan.days))
    assert world.truth.conversions.total > FEWEST.get(name, 200)


def test_the_hazard_world_is_as_large_as_promised() -> None:
    """150,000 users on 30 days are 4.5 million user-days; a tenth of it has a tenth of the rows."""
    world = simulate(WORLDS["hazard"], seed=1, users=range(15_000))
    assert len(world.rows.user) == pytest.approx(135_000, rel=0.05)


def test_users_convert_again_for_more_and_values_are_a_gamma_of_shape_4() -> None:
    world = small_world("any_time", users=4_000)
    orders = world.rows.take(world.rows.conversion)
    first = np.diff(orders.user, prepend=-1) != 0
    values = orders.value
    assert 500 < (~first).sum() < first.sum()
    # mean m, standard deviation m / sqrt(4)
    assert values[first].mean() == pytest.approx(80, abs=4 * 40 / np.sqrt(first.sum()))
    assert values[~first].mean() == pytest.approx(100, abs=4 * 50 / np.sqrt((~first).sum()))
    assert values[first].std() == pytest.approx(40, rel=0.1)


def test_credit_is_the_average_over_all_orders() -> None:
    hazard = Hazard()
    rng = np.random.default_rng(2)
    for size in range(7):
        cells = np.zeros((5, 5), bool)
        cells.flat[rng.choice(25, size, replace=False)] = True
        players = [(int(d), hazard.channels[c]) for d, c in np.argwhere(cells)]

        def value_function(coalition: frozenset) -> float:
            return float(hazard.probability(cells_of(hazard, coalition)[None])[0])

        expected = oracle.credits(players, value_function)
        got = credit(hazard.probability, np.stack([cells, cells]))  # two alike get twice the credit
        value_full = value_function(frozenset(players))
        assert got.baseline == pytest.approx(2 * value_function(frozenset()) / value_full)
        assert got.cells[cells] == pytest.approx(
            [2 * expected[player] / value_full for player in players]
        )
        assert (got.cells[~cells] == 0).all()


def test_credit_of_amounts_is_that_of_conversions_weighted() -> None:
    cells = np.zeros((2, 5, 5), bool)
    cells[0, 0, 1] = cells[1, 2, 0] = True
    one, other = (credit(Hazard().probability, cells[i : i + 1]) for i in range(2))
    both = credit(Hazard().probability, cells, np.array([10.0, 0.5]))
    assert both.cells == pytest.approx(10 * one.cells + 0.5 * other.cells)
    assert both.total == pytest.approx(10.5)


def test_credit_refuses_patterns_that_it_cannot_sum_exactly() -> None:
    with pytest.raises(ValueError, match="at most 16 touched cells in a pattern, got 25"):
        credit(Hazard().probability, np.ones((1, 5, 5), bool))


def test_every_channel_fades_by_its_own_decay() -> None:
    hazard = Hazard(
        channels=("a", "b"),
        base=0.01,
        relative_risks=(4.0, 16.0),
        decay=(1.0, 0.5),
        window=3,
        interactions=(),
    )
    cells = np.zeros((3, 3, 2), bool)
    cells[0, 2, 0] = cells[1, 1, 1] = cells[2, 2, 1] = True
    assert hazard.probability(cells) == pytest.approx(
        [0.04, 0.04, 0.02]
    )  # 4, sqrt 16, fourth root 16


def test_several_interactions_count_once_each_and_the_probability_stops_at_1() -> None:
    hazard = Hazard(
        channels=("a", "b", "c"),
        base=0.01,
        relative_risks=(1.0, 1.0, 200.0),
        decay=0.0,
        window=2,
        interactions=((0, 1, 3.0), (1, 2, 0.5)),
    )
    cells = np.zeros((4, 2, 3), bool)
    cells[0, :, :2] = True  # both days of both channels: the risk of 3 comes once
    cells[1, 0, 1] = cells[1, 1, 2] = True
    cells[2, :, :] = True
    cells[3, 0, 2] = True
    assert hazard.probability(cells) == pytest.approx([0.03, 0.005, 1.0, 1.0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"base": 0.0}, "base must be between 0 and 1, got 0"),
        ({"window": 17}, "window must be 1 to 16 days, got 17"),
        (
            {"relative_risks": (1.0,)},
            "relative_risks: wanted 5 values, one per channel, got 1",
        ),
        ({"relative_risks": (1.0, 1.0, 1.0, 1.0, -2.0)}, "relative_risks must be above 0, got -2"),
        ({"decay": 1.5}, "decay must be within 0 and 1, got 1.5"),
        ({"decay": (0.5, 0.5)}, "decay: wanted 5 values, one per channel, got 2"),
        (
            {"interactions": ((0, 5, 2.0),)},
            "wanted two of the 5 channels, by index",
        ),
    ],
    ids=lambda case: next(iter(case)) if isinstance(case, dict) else "",
)
def test_a_hazard_that_cannot_be_is_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Hazard(**change)


def test_a_plan_whose_parts_do_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="rates: wanted 5 values, one per channel, got 2"):
        WorldPlan(hazard=Hazard(), touching=Touching(rates=(0.1, 0.1)))
    with pytest.raises(ValueError, match="users and days must be at least 1, got 0 and 28"):
        WorldPlan(hazard=Hazard(), touching=Touching(rates=(0.1,) * 5), users=0)
    with pytest.raises(ValueError, match="users_per_block must be at least 1, got 0"):
        next(blocks(small_plan("day_end"), seed=1, users_per_block=0))
