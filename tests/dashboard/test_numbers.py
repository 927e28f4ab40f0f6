"""Every number of the app is the library's, to the last digit."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from td_mta import main as td_mta_main
from td_mta.config.attribution import Config
from td_mta.dashboard.data import gathering, journeys_tables, spend
from td_mta.dashboard.data.source import Source
from td_mta.dataset.build import _add_paths, held_out_users, models_of
from td_mta.pipelines import given_table
from td_mta.reporting import frames
from td_mta.simulate import ClassicPlan
from td_mta.simulate.classic.engine import blocks
from td_mta.warehouse.local import LocalWarehouse

COLUMNS = ["model", "channel", "conversions", "value", "share"]


def by_the_library(file: Path, settings: dict[str, object], spill: Path) -> pd.DataFrame:
    """The models table of a file's rows, as a run adds them up page by page."""
    config = Config(table=file.name.split(".")[0], **settings)  # type: ignore[arg-type]
    warehouse = LocalWarehouse(file.parent, spill / "out", now=0)
    table = given_table.read(config, warehouse, spill)
    totals = models_of(table.channels, config)
    for page in table.pages("testing"):
        held_out = held_out_users(page.user_hash, config.validation_fraction, config.seed)
        days = config.rules_window_days
        _add_paths(totals, page.journeys, held_out, days, table.first_day)
    return frames.models(totals.credits(), table.channels, has_value=True)


OF_PUBLIC = {
    "user_column": "customer_id",
    "time_column": "time",
    "action_column": "channel",
    "value_column": "conversion_value",
}


def test_a_simulated_world_is_what_its_file_would_be_read_as(
    classic: Source, tmp_path: Path
) -> None:
    settings: dict[str, object] = {"value_column": "value"}
    library = by_the_library(Path(classic.facts["file"]), settings, tmp_path)
    pd.testing.assert_frame_equal(classic.models(), library, check_exact=True)


@pytest.mark.parametrize("days", [7, 30])
@pytest.mark.parametrize("order", [None, 1, 3])
def test_a_lookback_and_an_order_give_what_a_run_with_them_gives(
    public: Source, public_file: Path, tmp_path: Path, days: int, order: int | None
) -> None:
    settings = OF_PUBLIC | {"rules_window_days": days, "markov_order": order}
    library = by_the_library(public_file, settings, tmp_path)
    pd.testing.assert_frame_equal(public.models(days, order), library, check_exact=True)


def test_a_table_of_paths_has_the_credit_of_its_run(counted: Source) -> None:
    assert counted.run is not None
    run = counted.run.frames["models"]
    pd.testing.assert_frame_equal(
        counted.models()[COLUMNS], run[COLUMNS], check_dtype=False, rtol=1e-12
    )
    assert "time_decay" not in set(run["model"])


@pytest.mark.slow
def test_the_tables_of_a_run_have_the_same_digits(public: Source, tmp_path: Path) -> None:
    arguments = [public.facts["file"], "--out", str(tmp_path), "--set", "network=logistic"]
    for key, value in public.facts["sets"].items():
        arguments += ["--set", f"{key}={value}"]
    assert td_mta_main.main([*arguments, "--set", "interval_draws=0"]) == 0
    written = pd.read_csv(next(tmp_path.glob("*_models.csv")))
    ours = written[~written["model"].str.startswith("shapley")].reset_index(drop=True)
    pd.testing.assert_frame_equal(public.models(), ours, check_exact=True, check_dtype=False)


def test_the_classic_world_agrees_with_its_expectation_within_three_standard_errors() -> None:
    plan = ClassicPlan(users=60_000)
    parts = [block.rows for block in blocks(plan, seed=5)]
    converted = np.concatenate([rows.conversion for rows in parts])
    cents = np.concatenate([rows.cents for rows in parts])[converted]
    mean_rate = float(np.dot(plan.rates, plan.frequencies))
    # Nobody's sum of rates exceeds 1 here but by chance below one in a million.
    expected = plan.users * plan.touches * mean_rate
    probability = expected / plan.users
    error = np.sqrt(plan.users * probability * (1 - probability))
    assert abs(converted.sum() - expected) < 3 * error
    # The last touch is like any other, but users convert in proportion to their sum of rates,
    # which holds the last touch's own rate once: E[AOV] = sum f (r + (λ-1) m) v / (λ m), nearly.
    shares = np.array(plan.frequencies)
    rates, values = np.array(plan.rates), np.array(plan.order_values)
    size = plan.touches / (1 - np.exp(-plan.touches))  # of those who have a touch
    weights = shares * (rates + (plan.touches - 1 + plan.touches / size - 1 + 1) * mean_rate)
    aov = float(np.dot(weights, values) / weights.sum())
    spread = cents.std() / 100 / np.sqrt(len(cents))
    assert abs(cents.mean() / 100 - aov) < 3 * spread


def test_linear_credit_by_day_sums_to_the_linear_rule(public: Source) -> None:
    detail = journeys_tables.by_day(public.paths, public.channels)
    models = public.models()
    linear = models[models["model"] == "linear"].set_index("channel")["conversions"]
    sums = detail.groupby("channel")["conversions"].sum()
    assert np.allclose(sums, linear.reindex(sums.index), rtol=1e-12)


def test_roas_is_value_over_clicks_times_cpc() -> None:
    models = pd.DataFrame(
        {
            "model": ["linear"] * 3,
            "channel": ["Email", "Search", "(baseline)"],
            "conversions": [4.0, 6.0, 0.0],
            "value": [400.0, 900.0, 0.0],
            "share": [0.4, 0.6, 0.0],
        }
    )
    table = spend.table_of(["Email", "Search"], [100, 300], {})
    table["CPC"] = [0.5, 1.5]
    rows = spend.compared(models, table, "CPC").set_index("channel")
    assert rows.loc["Email", ["spend", "cpa", "roas", "roms"]].tolist() == [50, 12.5, 8, 7]
    assert rows.loc["Search", ["spend", "cpa", "roas", "roms"]].tolist() == [450, 75, 2, 1]
    assert rows.loc["Email", "conversion_rate"] == 0.04
    assert "(baseline)" not in rows.index


def test_cpm_counts_thousands_of_impressions() -> None:
    table = spend.table_of(["Email"], [100], {"Email": {"impressions": 50_000}})
    table["CPM"] = [4.0]
    assert spend.spend_of(table, "CPM").to_dict() == {"Email": 200.0}


def test_what_is_kept_comes_back_from_its_files(classic: Source, workspace: Path) -> None:
    folder = workspace / classic.key
    paths, once, every, facts = gathering.load(folder)
    assert facts == classic.facts
    assert paths.conversions.sum() == once.conversions.sum()
    assert set(every.credit) == set(classic.models()["model"])
