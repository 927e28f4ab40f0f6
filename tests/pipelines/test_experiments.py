"""Experiments in whole runs: what they change, what is said, and what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from td_mta.errors import DataError
from tests.pipelines.test_laws_of_runs import by_channel, facts, read, run, shop

pytestmark = pytest.mark.slow
HISTORY = {"history_days": "2"}
HEADER = "channel,first_day,last_day,incremental_conversions,standard_error\n"
FIRST, LAST = "2023-12-09", "2024-01-01"  # of the shop's record


def given(folder: Path, table: str, options: dict[str, str] | None = None) -> Path:
    """The tables of a run on the shop, with this table of experiments."""
    (folder / "shop").mkdir()
    (folder / "shop" / "tests.csv").write_text(table)
    return run(folder / "shop", shop(), HISTORY | {"experiments_table": "tests"} | (options or {}))


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of a run without experiments."""
    return run(tmp_path_factory.mktemp("without") / "shop", shop(), HISTORY)


@pytest.fixture(scope="module")
def contradicted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those of a run whose experiment says less of Email than the model."""
    return given(
        tmp_path_factory.mktemp("contradicted"), f"{HEADER}Email,2023-12-11,{LAST},12,1.5\n"
    )


def experiment(out: Path) -> pd.Series:
    """The facts of the only experiment."""
    of = facts(out)["experiments"]
    return of[of.index.str.startswith("1 ")].rename(lambda name: name.removeprefix("1 "))


def test_an_experiment_that_the_model_contradicts_takes_over(
    without: Path, contradicted: Path
) -> None:
    before, after, of = by_channel(without), by_channel(contradicted), experiment(contradicted)
    assert of["conflict"] == "true" and float(of["z"]) < -1.96
    assert float(of["before"]) == pytest.approx(before["Email"])
    assert after["Email"] == pytest.approx(12, abs=0.5)
    others = ["Direct", "Search", "Social", "Banner"]
    assert after[others].to_numpy() == pytest.approx(before[others].to_numpy())
    assert after["(baseline)"] > before["(baseline)"]
    assert after.sum() == pytest.approx(before.sum())
    full, own = intervals(contradicted), intervals(without)
    width, own_width = full["upper"] - full["lower"], own["upper"] - own["lower"]
    assert width["Social"] > 2 * own_width["Social"]
    assert full.loc["Email", "lower"] < 12 < full.loc["Email", "upper"]
    warnings = [text for text in facts(contradicted)["warnings"] if "experiment on Email" in text]
    assert len(warnings) == 1 and "standard errors apart" in warnings[0]


def intervals(out: Path) -> pd.DataFrame:
    """The full ones by channel."""
    return read(out, "intervals").query("kind == 'full'").set_index("channel")


def test_an_experiment_that_agrees_narrows_and_is_a_note(without: Path, tmp_path: Path) -> None:
    before = by_channel(without)
    value = before["Email"] + 1
    out = given(tmp_path, f"{HEADER}EMAIL,2023-12-11,{LAST},{value},3\n")
    of, after = experiment(out), by_channel(out)
    assert of["conflict"] == "false" and abs(float(of["z"])) < 1
    assert before["Email"] < after["Email"] < value
    assert after.sum() == pytest.approx(before.sum())
    full, own = intervals(out), intervals(without)
    assert (full["upper"] - full["lower"])["Email"] < (own["upper"] - own["lower"])["Email"]
    info = facts(out)
    assert not any("experiment on" in text for text in info["warnings"])
    assert any("They agree" in text for text in info["notes"])
    assert any("EMAIL to Email" in text for text in info["notes"])
    assert float(info["experiments", "unknown_relative_error"]) == 0


def test_both_credits_stand_in_the_table_of_models(without: Path, contradicted: Path) -> None:
    before, after = by_channel(without), by_channel(contradicted)
    rows = read(contradicted, "models")
    models = rows.pivot(index="channel", columns="model", values="conversions")
    own = models["shapley_without_experiments"]
    assert own.to_numpy() == pytest.approx(before[own.index].to_numpy())
    assert models["shapley"].to_numpy() == pytest.approx(after[own.index].to_numpy())


@pytest.mark.parametrize("controls", ["calendar_day", "none"])
def test_an_experiment_of_some_days_is_compared_with_their_credit(
    controls: str, tmp_path: Path
) -> None:
    """A week with half of what the model credits in it: half of the whole period's credit."""
    options = HISTORY | {"controls": controls}
    whole = by_channel(run(tmp_path / "whole", shop(), options | {"credit_table": "true"}))
    rows = read(tmp_path / "whole" / "out", "credit")
    day = pd.to_datetime(rows["conversion_time"], unit="s").dt.strftime("%Y-%m-%d")
    week = rows[day.between("2023-12-15", "2023-12-21")]
    of_week = week.groupby("channel")["conversions"].sum()["Email"]
    table = f"{HEADER}Email,2023-12-15,2023-12-21,{of_week / 2},{of_week / 50}\n"
    out = given(tmp_path, table, options)
    of = experiment(out)
    if controls == "none":  # by the number of conversions on the days
        share = week["conversions"].sum() / rows["conversions"].sum()
        assert float(of["before"]) == pytest.approx(whole["Email"] * share)
    else:
        assert float(of["before"]) == pytest.approx(of_week)
        assert by_channel(out)["Email"] == pytest.approx(whole["Email"] / 2, rel=0.05)


def test_days_of_history_count_as_their_share_of_the_conversions(tmp_path: Path) -> None:
    out = given(tmp_path, f"{HEADER}Email,{FIRST},{LAST},60,20\n", {"history_days": "5"})
    info = facts(out)
    credited = int(info["counts", "conversions"])
    every = credited + int(info["counts", "conversions_in_history"])
    assert every > credited
    assert float(experiment(out)["incremental"]) == pytest.approx(60 * credited / every)
    assert float(experiment(out)["error"]) == pytest.approx(20 * credited / every)


def test_a_lift_is_of_the_conversions_that_there_would_have_been(tmp_path: Path) -> None:
    """A quarter more than 100 without the channel are 125 with it, of which it brought 25."""
    table = f"channel,start,end,lift,lower,upper\nEmail,2023-12-11,{LAST},25%,5%,45%\n"
    out = given(tmp_path, table)
    conversions = int(facts(out)["counts", "conversions"])
    of = experiment(out)
    assert float(of["incremental"]) == pytest.approx(conversions * 0.2)
    error = 0.2 / 1.6448536
    assert float(of["error"]) == pytest.approx(conversions * error / 1.25**2)


def test_several_experiments_are_used_at_once(tmp_path: Path) -> None:
    rows = f"Email,2023-12-11,{LAST},12,1.5\nSocial,2023-12-11,{LAST},20,2\n"
    after = by_channel(given(tmp_path, HEADER + rows))
    assert after[["Email", "Social"]].to_numpy() == pytest.approx([12, 20], abs=1)


def test_a_table_without_rows_changes_nothing(without: Path, tmp_path: Path) -> None:
    before = by_channel(without)
    out = given(tmp_path, HEADER)
    assert by_channel(out).to_numpy() == pytest.approx(before.to_numpy())
    assert "experiments" not in facts(out).index.get_level_values(0)


def test_what_does_not_fit_the_touchpoints_is_refused_before_the_model(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no channel 'Fax', they have 'Banner'"):
        given(tmp_path, f"{HEADER}Fax,{FIRST},{LAST},1,1\n")
    assert not (tmp_path / "shop" / "out" / "shapley_detail.csv").exists()


def test_touch_days_take_experiments_too(tmp_path: Path) -> None:
    out = given(tmp_path, f"{HEADER}Email,{FIRST},{LAST},12,2\n", {"examples": "touch_days"})
    conversions = float(facts(out)["counts", "conversions"])
    assert by_channel(out).sum() == pytest.approx(conversions)
    assert np.isfinite(by_channel(out).to_numpy()).all()
