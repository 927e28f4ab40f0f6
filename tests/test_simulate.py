"""The simulated worlds obey their own hazard, and their truth is the product's definition."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from td_mta import config, sql
from td_mta.simulate import Hazard, World, credit, demo_tables, hazard_world
from td_mta.simulate.__main__ import main
from td_mta.simulate.shop import DEMO, SITE, VISITS
from td_mta.simulate.world import DAY, START
from td_mta.warehouse.local import LocalWarehouse
from tests import oracle

ROOT = Path(__file__).parent.parent
MOMENTS = ["day_end", "any_time"]


def small_world(moment: str, users: int = 1_500) -> World:
    return hazard_world(
        rng=np.random.default_rng(5), hazard=Hazard(base=0.02), moment=moment, users=users
    )


def rows_of(world: World) -> list[oracle.Row]:
    columns = (world.user, world.time, world.channel, world.conversion, world.value)
    return [
        (str(user), time, None if conversion else world.hazard.channels[channel], conversion, value)
        for user, time, channel, conversion, value in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]


def cells_of(hazard: Hazard, pattern: oracle.Pattern) -> np.ndarray:
    cells = np.zeros((hazard.window, len(hazard.channels)), bool)
    for days_before, channel in pattern:
        cells[days_before, hazard.channels.index(channel)] = True
    return cells


@pytest.mark.parametrize("moment", MOMENTS)
def test_credit_of_cells_and_baseline_sums_to_conversions(moment: str) -> None:
    world = small_world(moment)
    conversions = int(world.conversion.sum())
    assert conversions > 500
    assert world.truth.cells.sum() + world.truth.baseline == pytest.approx(conversions, rel=1e-12)


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_same_seed_makes_the_same_bytes(moment: str) -> None:
    one, other = small_world(moment), small_world(moment)
    for column in ("user", "time", "channel", "conversion", "value", "patterns"):
        assert getattr(one, column).tobytes() == getattr(other, column).tobytes()
    assert one.truth.cells.tobytes() == other.truth.cells.tobytes()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_channel_that_hurts_has_negative_credit_on_every_day(moment: str) -> None:
    world = small_world(moment)
    harmful = np.array(world.hazard.relative_risks) < 1
    assert harmful.sum() == 1
    assert (world.truth.cells[:, harmful] < 0).all()
    assert (world.truth.cells[:, ~harmful] > 0).all()


@pytest.mark.parametrize("moment", MOMENTS)
def test_conversions_saw_what_their_rows_tell(moment: str) -> None:
    world = small_world(moment, users=400)
    told = oracle.conversion_patterns(
        rows_of(world), lookback=world.hazard.window, conversion_row_is_touch=False
    )
    saw = Counter(
        frozenset((int(d), world.hazard.channels[c]) for d, c in np.argwhere(cells))
        for cells in world.patterns
    )
    assert saw == told


@pytest.mark.parametrize("moment", MOMENTS)
def test_patterns_convert_at_the_rate_of_the_hazard(moment: str) -> None:
    """Of the days with a pattern, h convert: binomial, so the z of each has mean square 1."""
    world = small_world(moment)
    rng = np.random.default_rng(6)
    days = oracle.person_days(
        rows_of(world),
        lookback=world.hazard.window,
        cut_of=lambda user, day: DAY if moment == "day_end" else float(rng.integers(DAY)),
        conversion_row_is_touch=False,
    )
    patterns = {cells for _, cells in days}
    z = []
    for pattern in patterns:
        h = float(world.hazard.worth(cells_of(world.hazard, pattern)[None])[0])
        seen = days[0, pattern] + days[1, pattern]
        if seen * h > 5:
            z.append((days[1, pattern] - seen * h) / np.sqrt(seen * h * (1 - h)))
    assert len(z) > 15
    assert np.abs(z).max() < 4
    assert np.mean(np.square(z)) == pytest.approx(1, abs=4 * np.sqrt(2 / len(z)))


def test_at_any_time_more_convert_late_in_the_day_when_more_was_seen() -> None:
    at_end, any_time = (
        (world.time[world.conversion] - START) % DAY for world in map(small_world, MOMENTS)
    )
    assert (at_end == DAY - 1).all()
    assert any_time.min() < DAY / 24
    assert 0.5 < (any_time > DAY / 2).mean() < 0.6


def test_the_default_world_is_as_large_as_promised() -> None:
    """150,000 users on 30 days are 4.5 million user-days; a tenth of it has a tenth of the rows."""
    world = hazard_world(rng=np.random.default_rng(1), users=15_000)
    assert len(world.user) == pytest.approx(135_000, rel=0.05)
    assert world.time.min() >= START
    assert world.time.max() < START + 30 * DAY


def test_credit_is_the_average_over_all_orders() -> None:
    hazard = Hazard()
    rng = np.random.default_rng(2)
    for size in range(7):
        cells = np.zeros((5, 5), bool)
        cells.flat[rng.choice(25, size, replace=False)] = True
        players = [(int(d), hazard.channels[c]) for d, c in np.argwhere(cells)]

        def worth(coalition: frozenset) -> float:
            return float(hazard.worth(cells_of(hazard, coalition)[None])[0])

        expected = oracle.credits(players, worth)
        got = credit(hazard, np.stack([cells, cells]))  # two alike get twice the credit
        whole = worth(frozenset(players))
        assert got.baseline == pytest.approx(2 * worth(frozenset()) / whole)
        assert got.cells[cells] == pytest.approx(
            [2 * expected[player] / whole for player in players]
        )
        assert (got.cells[~cells] == 0).all()


def test_credit_refuses_patterns_that_it_cannot_sum_exactly() -> None:
    with pytest.raises(ValueError, match="at most 16 touched cells in a pattern, got 25"):
        credit(Hazard(), np.ones((1, 5, 5), bool))


def test_the_shop_has_the_columns_and_days_of_a_warehouse() -> None:
    tables = demo_tables(rng=np.random.default_rng(3), users=2_000)
    views, fills = tables["enriched_pageviews"], tables["enriched_formfills"]
    assert list(views) == ["time", "canonical_id", "td_url", "td_referrer"]
    assert list(fills) == [*views, "form_id"]
    for table in (views, fills):
        assert {len(column) for column in table.values()} == {len(table["time"])}
        assert (np.diff(table["time"]) >= 0).all()
        assert table["time"].min() >= START
        assert table["time"].max() < START + 30 * DAY
    assert len(views["time"]) == pytest.approx(2_000 * 30 * 0.3, rel=0.1)
    assert 100 < len(fills["time"]) < 1_000


def test_the_shop_has_visits_of_every_channel_in_every_form() -> None:
    views = demo_tables(rng=np.random.default_rng(3), users=2_000)["enriched_pageviews"]
    kinds = set(zip(views["td_url"].tolist(), views["td_referrer"].tolist(), strict=True))
    assert len(kinds) == sum(len(kinds) for kinds in VISITS.values())
    assert list(VISITS) == list(DEMO.channels)


def test_the_rules_of_the_union_tell_the_channel_of_every_visit(tmp_path) -> None:
    main(["--out", str(tmp_path), "--users", "200"])
    warehouse = LocalWarehouse(tmp_path, tmp_path / "out", now=START + 30 * DAY)
    query = sql.statement(ROOT / "queries/union.sql", config.load(ROOT / "config/params.yml"))
    found = warehouse.query(query).to_pandas()
    views = pd.read_csv(tmp_path / "enriched_pageviews.csv", keep_default_na=False)
    channel_of = {
        (SITE + (f"?utm_{utm}" if utm else ""), referrer): channel
        for channel, kinds in VISITS.items()
        for utm, referrer in kinds
    }
    shown = zip(views["td_url"], views["td_referrer"], strict=True)
    expected = Counter(channel_of[visit] for visit in shown)
    assert set(expected) == set(DEMO.channels)
    assert Counter(found.loc[found["conversion"] == 0, "channels"]) == expected


def test_the_command_writes_the_same_shop_twice(tmp_path) -> None:
    for folder in ("one", "other"):
        main(["--out", str(tmp_path / folder), "--users", "300", "--seed", "4"])
    for name in ("enriched_pageviews.csv", "enriched_formfills.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_the_command_writes_a_world_with_its_truth(tmp_path) -> None:
    command = ["--world", "hazard", "--moment", "any_time", "--users", "500"]
    main([*command, "--out", str(tmp_path)])
    rows = pd.read_parquet(tmp_path / "mta_user_rnd.parquet")
    truth = pd.read_json(tmp_path / "truth.json", typ="series")
    assert list(rows) == ["time", "canonical_id", "channels", "conversion", "value"]
    assert rows["conversion"].sum() == truth["conversions"]
    assert rows.loc[rows["conversion"] == 1, "channels"].isna().all()
    assert set(rows["channels"].dropna()) == set(truth["channels"])
    assert rows["value"].notna().equals(rows["conversion"] == 1)
    assert sum(truth["channel_share"].values()) == pytest.approx(1)
