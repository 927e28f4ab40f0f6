from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from td_mta.simulate.media_mix import output
from td_mta.simulate.media_mix.world import ChannelLaw
from td_mta.simulate.media_mix.worlds import MEDIA_WORLDS, shop


def test_the_shop_is_the_series_that_its_parameters_and_seed_42_have_always_given() -> None:
    world = shop(42)
    assert world.spend[0] == pytest.approx([8741.722139, 18336.196531, 2091.108509])
    assert world.sales[:2] == pytest.approx([37715.949167, 30711.159010])
    assert world.contribution() == pytest.approx([1.212e6, 1.365e6, 1.011e6], rel=1e-3)
    assert world.marginal_roi() == pytest.approx([0.460, 1.104, 0.037], abs=5e-4)


def test_a_law_worked_by_hand() -> None:
    law = ChannelLaw("x", decay=0.5, slope=1.0, half_at=10.0, most=100.0)
    assert law.of_spend(np.array([10.0, 0.0])) == pytest.approx([50.0, 100 / 3])
    assert law.held(np.array([10.0])) == pytest.approx([200 / 3])
    assert law._replace(curve="logistic").of_spend(np.array([10.0])) == pytest.approx([50.0])


def test_the_best_split_is_better_than_many_others() -> None:
    world = shop(42)
    best = world.held(world.best_split(33_000))
    rng = np.random.default_rng(1)
    others = 33_000 * rng.dirichlet(np.ones(3), size=200)
    assert best >= max(world.held(split) for split in others)
    assert best == pytest.approx(41_708, rel=1e-4)


@pytest.mark.parametrize("name", MEDIA_WORLDS)
def test_a_world_is_a_function_of_its_seed_and_adds_up(name: str) -> None:
    world = MEDIA_WORLDS[name](7, noise=0.0)
    assert (world.spend >= 0).all()
    assert world.sales == pytest.approx(world.base + world.effects().sum(axis=1))
    assert (world.sales == MEDIA_WORLDS[name](7, noise=0.0).sales).all()


def test_hidden_demand_drives_spend_and_sales() -> None:
    plain, driven = shop(3, noise=0.0), MEDIA_WORLDS["demand_a"](3, noise=0.0)
    demand = driven.base - plain.base
    assert np.corrcoef(demand, driven.spend[:, 1])[0, 1] > 0.7
    assert (driven.spend[:, [0, 2]] == plain.spend[:, [0, 2]]).all()


def test_days_of_the_long_form_sum_to_the_weeks_of_the_wide_one(tmp_path: Path) -> None:
    for is_long in (False, True):
        output.write("shop", tmp_path, seed=42, weeks=10, is_long=is_long)
    wide = pd.read_csv(tmp_path / "media.csv")
    spend, sales = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("spend", "sales"))
    by_week = [frame.assign(week=week_of(frame["day"])) for frame in (spend, sales)]
    assert len(sales) == 70
    summed = by_week[1].groupby("week")["revenue"].sum()
    assert summed.to_numpy() == pytest.approx(wide["revenue"], abs=1e-6)
    of_meta = by_week[0].query("channel == 'Meta'").groupby("week")["spend"].sum()
    assert of_meta.to_numpy() == pytest.approx(
        wide["spend_Meta"].to_numpy()[of_meta.index], abs=1e-6
    )
    assert (spend["spend"] > 0).all()


def week_of(days: "pd.Series[str]") -> "pd.Series[int]":
    return (pd.to_datetime(days) - pd.Timestamp("2024-01-01")).dt.days // 7
