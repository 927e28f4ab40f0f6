import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from td_mta.mmm.budget import (
    Curves,
    Limits,
    NoPlanError,
    best_split,
    grid,
    least_spend,
    up_to_marginal,
)
from td_mta.simulate.media_mix.worlds import SHOP, shop

TOTAL, LEVELS = 12.0, 12
FREE = Limits(np.zeros(3), np.full(3, TOTAL))


def curves_of(rows: list[list[float]]) -> Curves:
    """Any rising curves, S-shaped or not, from their increments."""
    return Curves(grid(TOTAL, LEVELS), np.cumsum([[0.0, *row] for row in rows], axis=1))


increments = st.lists(st.floats(0, 10), min_size=LEVELS, max_size=LEVELS)
three_curves = st.lists(increments, min_size=3, max_size=3).map(curves_of)
bounds = st.tuples(st.integers(0, 3), st.integers(3, 12))


@settings(deadline=None, max_examples=40)
@given(curves=three_curves, limits=st.lists(bounds, min_size=3, max_size=3))
def test_no_split_on_the_grid_is_better(curves: Curves, limits: list[tuple[int, int]]) -> None:
    if sum(most for _, most in limits) < TOTAL:
        return
    least, most = (np.array(side, np.float64) for side in zip(*limits, strict=True))
    plan = best_split(curves, TOTAL, Limits(least, most))
    allowed = [range(low, high + 1) for low, high in limits]
    splits = [split for split in itertools.product(*allowed) if sum(split) == TOTAL]
    brute = max(curves.at(np.array(split)).sum() for split in splits)
    assert plan.sales == pytest.approx(brute)
    assert plan.spend.sum() == pytest.approx(TOTAL)
    assert (plan.spend >= least).all() and (plan.spend <= most).all()


@settings(deadline=None, max_examples=40)
@given(curves=three_curves, today=st.lists(st.floats(0.1, 1), min_size=3, max_size=3))
def test_a_plan_is_never_worse_than_todays(curves: Curves, today: list[float]) -> None:
    split = TOTAL * np.array(today) / sum(today)
    assert best_split(curves, TOTAL, FREE, split).sales >= curves.at(split).sum() - 1e-9


@settings(deadline=None, max_examples=40)
@given(curves=three_curves, share=st.floats(0.1, 0.9))
def test_the_least_spend_for_a_goal_reaches_it_and_one_step_less_does_not(
    curves: Curves, share: float
) -> None:
    goal = share * best_split(curves, TOTAL, FREE).sales
    plan = least_spend(curves, goal, FREE)
    assert plan.sales >= goal - 1e-9
    total = round(plan.spend.sum())
    splits = itertools.product(range(total), repeat=2)
    less = [(a, b, total - 1 - a - b) for a, b in splits if a + b <= total - 1]
    assert all(curves.at(np.array(split, float)).sum() < goal + 1e-9 for split in less)


def test_spending_stops_where_a_further_unit_earns_less() -> None:
    curves = curves_of([[5, 4, 3, 2, 1, *[0.0] * 7], [2.5] * 12, [0.5] * 12])
    plan = up_to_marginal(curves, 2.2, FREE)
    assert plan.spend == pytest.approx([3, 12, 0])


def test_frozen_channels_keep_their_spend() -> None:
    curves = curves_of([[1.0] * 12, [2.0] * 12, [3.0] * 12])
    frozen = Limits(np.array([2.5, 0, 0]), np.array([2.5, 12, 12]))
    plan = best_split(curves, TOTAL, frozen)
    assert plan.spend[0] == 2.5
    assert plan.spend.sum() == pytest.approx(TOTAL)


@pytest.mark.parametrize(
    ("least", "most", "said"),
    [
        ([9, 9, 0], [12, 12, 12], "a budget of 12 is below the least spend of all channels, 18"),
        ([0, 0, 0], [3, 3, 3], "a budget of 12 is above the most spend of all channels, 9"),
        ([5, 0, 0], [3, 12, 12], "the least spend of a channel is above its most"),
    ],
)
def test_what_no_plan_can_be(least: list[float], most: list[float], said: str) -> None:
    curves = curves_of([[1.0] * 12] * 3)
    with pytest.raises(NoPlanError, match=said):
        best_split(curves, TOTAL, Limits(np.array(least), np.array(most)))


def test_a_goal_out_of_reach_is_said() -> None:
    with pytest.raises(NoPlanError, match="no plan of at most 12 brings 99; the best brings 12"):
        least_spend(curves_of([[1.0] * 12] * 3), 99, FREE)


def test_the_shops_best_split_is_the_worlds_own() -> None:
    levels = grid(33_000, 400)
    plan = best_split(
        Curves(levels, np.stack([law.held(levels) for law in SHOP])),
        33_000,
        Limits(np.zeros(3), np.full(3, 33_000.0)),
    )
    world = shop(42)
    assert plan.sales == pytest.approx(world.held(world.best_split(33_000)), rel=1e-6)
