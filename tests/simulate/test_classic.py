"""The classic world: Poisson touches, rates that add up, a truth that is theirs in proportion."""

import math

import numpy as np
import pytest

from td_mta.journeys.touchpoints import SECONDS_PER_DAY
from td_mta.simulate import ClassicPlan
from td_mta.simulate.classic.engine import ClassicBlock, blocks
from td_mta.simulate.classic.truth import ClassicTruth, ClassicTruthAccumulator
from td_mta.simulate.rows import START, TouchpointRows, concatenate_rows
from tests.journeys import oracle


def made(
    world: ClassicPlan, seed: int = 3
) -> tuple[TouchpointRows, ClassicTruth, list[ClassicBlock]]:
    account, parts = ClassicTruthAccumulator([world]), list(blocks(world, seed=seed))
    for part in parts:
        account.add(part)
    return concatenate_rows([part.rows for part in parts]), account.truth(), parts


WORLD = ClassicPlan(users=20_000)
ROWS, TRUTH, _ = made(WORLD)


def test_the_defaults_are_those_of_the_original() -> None:
    columns = (WORLD.channels, WORLD.rates, WORLD.frequencies, WORLD.order_values)
    assert list(zip(*columns, strict=True)) == [
        ("Paid Social", 0.02, 0.2, 95),
        ("Paid Search", 0.02, 0.1, 90),
        ("Display Network", 0.025, 0.3, 100),
        ("Affiliate", 0.04, 0.3, 120),
        ("Email", 0.05, 0.1, 130),
    ]
    assert WORLD.touches == 10


@pytest.mark.parametrize("touches", [0.5, 10.0, 60.0])
def test_users_have_a_poisson_number_of_touches(touches: float) -> None:
    n = 20_000
    rows, _, _ = made(ClassicPlan(users=n, touches=touches))
    counts = np.bincount(rows.user, minlength=n)
    assert counts.mean() == pytest.approx(touches, abs=4 * np.sqrt(touches / n))
    spread = np.sqrt((touches + 2 * touches**2) / n)  # of a Poisson's sample variance
    assert counts.var() == pytest.approx(touches, abs=4 * spread)
    for k in {0, round(touches)}:
        p = math.exp(-touches + k * math.log(touches) - math.lgamma(k + 1))
        assert (counts == k).mean() == pytest.approx(p, abs=4 * np.sqrt(p / n) + 1 / n)


def test_channels_come_by_relative_frequency_whatever_came_before() -> None:
    n = len(ROWS.channel)
    found = np.bincount(ROWS.channel, minlength=5) / n
    assert found == pytest.approx(WORLD.frequencies, abs=4 * np.sqrt(0.25 / n))
    same = (ROWS.user[1:] == ROWS.user[:-1]) & (ROWS.channel[:-1] == 4)
    after_email = np.bincount(ROWS.channel[1:][same], minlength=5) / same.sum()
    assert after_email == pytest.approx(WORLD.frequencies, abs=4 * np.sqrt(0.25 / same.sum()))


def test_the_probability_to_convert_is_the_sum_of_rates() -> None:
    chance = np.bincount(ROWS.user, np.array(WORLD.rates)[ROWS.channel], WORLD.users)
    converts = np.bincount(ROWS.user, ROWS.conversion, WORLD.users)
    for low, high in [(0, 0.2), (0.2, 0.3), (0.3, 0.4), (0.4, 1.0)]:
        some = (chance > low) & (chance <= high)
        expected, spread = chance[some].sum(), np.sqrt((chance * (1 - chance))[some].sum())
        assert converts[some].sum() == pytest.approx(expected, abs=4 * spread)


def test_the_last_touch_converts_and_no_second_of_a_user_comes_twice() -> None:
    same_user = ROWS.user[1:] == ROWS.user[:-1]
    assert not (ROWS.conversion[:-1] & same_user).any()
    assert (ROWS.time[1:] > ROWS.time[:-1])[same_user].all()
    assert ROWS.time.min() >= START
    assert ROWS.time.max() < START + 30 * SECONDS_PER_DAY
    by_day = np.bincount((ROWS.time - START) // SECONDS_PER_DAY) / len(ROWS.time)
    assert by_day == pytest.approx(np.full(30, 1 / 30), abs=0.002)


def test_orders_are_normal_around_what_the_last_channel_sells_for() -> None:
    orders = ROWS.take(ROWS.conversion)
    for channel in range(5):
        values = orders.value[orders.channel == channel]
        mean, deviation = WORLD.order_values[channel], WORLD.deviations[channel]
        assert values.mean() == pytest.approx(mean, abs=4 * deviation / np.sqrt(len(values)))
        assert values.std() == pytest.approx(deviation, rel=4 / np.sqrt(2 * len(values)))


def test_no_order_has_a_negative_value() -> None:
    rows, _, _ = made(ClassicPlan(users=2_000, deviations=(500.0,) * 5))
    values = rows.value[rows.conversion]
    assert (values >= 0).all()
    assert 0.3 < (values == 0).mean() < 0.5


def test_credit_is_the_shapley_value_of_the_sum_by_brute_force() -> None:
    world = ClassicPlan(users=60, touches=2.5, rates=(0.05, 0.1, 0.02, 0.1, 0.15))
    rows, truth, _ = made(world)
    credit = np.zeros((world.days, 5))
    value = np.zeros((world.days, 5))
    capped = 0
    for user in set(rows.user[rows.conversion].tolist()):
        own = rows.take(rows.user == user)
        assert len(own.user) <= 8  # else another seed: brute force takes all orders

        def value_function(touches: frozenset, own: TouchpointRows = own) -> float:
            return sum(world.rates[own.channel[touch]] for touch in touches)

        players = list(range(len(own.user)))
        value_full = value_function(frozenset(players))
        capped += value_full > 1
        day = (own.time - START) // SECONDS_PER_DAY
        for touch, phi in oracle.credits(players, value_function).items():
            cell = day[-1] - day[touch], own.channel[touch]
            credit[cell] += phi / value_full
            value[cell] += phi / value_full * own.value[-1]
    assert capped == truth.capped == 0
    assert truth.conversions.cells == pytest.approx(credit)
    assert truth.value.cells == pytest.approx(value)


def test_credit_sums_to_conversions_and_value_and_nears_the_closed_form() -> None:
    by_channel = TRUTH.conversions.cells.sum(axis=0)
    assert TRUTH.conversions.total == pytest.approx(ROWS.conversion.sum(), rel=1e-12)
    assert TRUTH.value.total == pytest.approx(np.nansum(ROWS.value), rel=1e-12)
    assert TRUTH.conversions.baseline == 0
    # 20,000 users with 10 touches, of these 30 % Affiliate at 4 %: 2,400 conversions
    assert TRUTH.expected[3] == pytest.approx(2400)
    assert by_channel == pytest.approx(TRUTH.expected, abs=4 * np.sqrt(TRUTH.expected.max()))


def test_without_a_channel_about_its_credit_disappears_since_rates_add_up() -> None:
    by_channel = TRUTH.conversions.cells.sum(axis=0)
    assert (np.abs(TRUTH.lost - by_channel) < 4 * np.sqrt(by_channel)).all()
    assert (TRUTH.lost_value > 80 * TRUTH.lost).all()


def test_a_channel_with_a_rate_of_0_loses_nothing_and_gets_nothing() -> None:
    _, truth, _ = made(ClassicPlan(users=5_000, rates=(0.0, 0.02, 0.025, 0.04, 0.05)))
    assert truth.lost[0] == truth.lost_value[0] == 0
    assert (truth.conversions.cells[:, 0] == 0).all()


def test_a_probability_above_1_is_cut_and_counted() -> None:
    rows, truth, _ = made(ClassicPlan(users=500, rates=(0.5,) * 5))
    touched = len(set(rows.user.tolist()))
    assert rows.conversion.sum() == pytest.approx(touched, abs=5)  # one touch alone fails by half
    assert 0.9 * touched < truth.capped <= touched
    assert truth.conversions.total == pytest.approx(rows.conversion.sum())


def test_how_many_users_at_once_changes_no_row_and_no_truth() -> None:
    world = ClassicPlan(users=100)
    made_by = [list(blocks(world, seed=3, users_per_block=n)) for n in (1, 33, 100)]
    rows = [concatenate_rows([part.rows for part in parts]) for parts in made_by]
    assert [len(parts) for parts in made_by] == [100, 4, 1]
    assert all(map(np.array_equal, rows[0], rows[1]))
    assert all(map(np.array_equal, rows[0], rows[2]))
    credits = [sum(part.credit for part in parts) for parts in made_by]
    assert credits[0] == pytest.approx(credits[1])
    assert credits[0] == pytest.approx(credits[2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"frequencies": (0.2, 0.1, 0.3, 0.3, 0.2)},
            "frequencies must sum to 100 %, got 110 %",
        ),
        ({"rates": (0.02, 0.02)}, "rates: wanted 5 values, one per channel, got 2"),
        ({"rates": (0.02, 0.02, 2.5, 0.04, 0.05)}, "rates must be at most 1, got 2.5"),
        ({"deviations": (1.0, 1.0, 1.0, 1.0, -1.0)}, "deviations must not be negative, got -1"),
        ({"touches": 0.0}, "touches must be above 0 and at most 1000 per user, got 0"),
        ({"users": 49}, "users must be 50 to 10,000,000, got 49"),
        ({"users": 10_000_001}, "users must be 50 to 10,000,000, got 10,000,001"),
        ({"days": 0}, "days must be at least 1, got 0"),
    ],
    ids=["frequencies", "too few", "rates", "deviations", "touches", "few", "many", "days"],
)
def test_a_classic_world_that_cannot_be_is_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ClassicPlan(**change)


def test_three_thirds_are_100_percent() -> None:
    third = 1 / 3
    world = ClassicPlan(
        channels=("a", "b", "c"),
        rates=(0.1,) * 3,
        frequencies=(third,) * 3,
        order_values=(1.0,) * 3,
        deviations=(0.0,) * 3,
        users=50,
    )
    rows, _, _ = made(world)
    assert set(rows.cents[rows.conversion].tolist()) == {100}
