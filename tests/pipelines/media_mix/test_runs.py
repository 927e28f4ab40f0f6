"""The command on a simulated world, from its files to its tables."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from td_mta.mmm.__main__ import WORLDS, main
from td_mta.pipelines.media_mix import picture_files
from td_mta.reporting.media_mix import page
from td_mta.reporting.media_mix.frames import MEDIA_MIX_TABLES
from td_mta.simulate.media_mix.worlds import MEDIA_WORLDS

pytestmark = pytest.mark.slow  # fits models
ROOT = Path(__file__).parent.parent.parent.parent
QUICK = ("starts=2", "draws=40", "coverage_datasets=2", "adstock=geometric", "saturation=hill")
WITH_TRUTH = ("truth_table=media_truth", "spend_before=zero")


def command(name: str, folder: Path, *settings: str) -> list[str]:
    options = [word for setting in (*QUICK, *settings) for word in ("--set", setting)]
    return [name, str(folder / "media.csv"), "--out", str(folder / "out"), *options]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world with an experiment, and the run on it."""
    path = tmp_path_factory.mktemp("media")
    assert main(["simulate", "--out", str(path), "--experiment", "TikTok=0"]) == 0
    return path


@pytest.fixture(scope="module")
def frames(folder: Path) -> dict[str, pd.DataFrame]:
    settings = (*WITH_TRUTH, "experiments_table=media_experiments")
    assert main(command("fit", folder, *settings)) == 0
    return {name: pd.read_csv(folder / "out" / f"{name}.csv") for name in MEDIA_MIX_TABLES}


def test_the_command_knows_every_world() -> None:
    assert list(MEDIA_WORLDS) == list(WORLDS)


def test_every_table_has_its_columns(frames: dict[str, pd.DataFrame]) -> None:
    for name, table in MEDIA_MIX_TABLES.items():
        named = [column for column in table.columns if not column.startswith("one column per")]
        assert set(named) <= set(frames[name].columns), name


def test_pictures_stand_beside_the_tables(folder: Path, frames: dict[str, pd.DataFrame]) -> None:
    assert {path.name for path in (folder / "out").glob("*.png")} == set(picture_files.OF_RUN)


def test_the_parts_of_sales_sum_to_what_is_predicted(frames: dict[str, pd.DataFrame]) -> None:
    parts = frames["mmm_contribution_breakdown"].drop(columns="date").sum(axis=1)
    fitted = frames["mmm_predicted_vs_actual"]
    assert parts.to_numpy() == pytest.approx(fitted["predicted"])
    residuals = fitted["actual"] - fitted["predicted"]
    assert residuals.to_numpy() == pytest.approx(fitted["residual"])
    channels = frames["mmm_channels"].set_index("channel")
    breakdown = frames["mmm_contribution_breakdown"]
    for channel, row in channels.iterrows():
        assert breakdown[channel].sum() == pytest.approx(row["contribution"])
        assert row["contribution_lower"] <= row["contribution"] <= row["contribution_upper"]


def test_true_values_stand_beside_those_that_were_found(frames: dict[str, pd.DataFrame]) -> None:
    summary = frames["mmm_summary"].set_index(["channel", "parameter"])
    assert summary.loc[("Meta", "decay"), "true_value"] == 0.7
    assert summary["true_value"].notna().all()
    tiktok = summary.loc[("TikTok", "marginal_roi")]
    assert tiktok["fitted_value"] == pytest.approx(tiktok["true_value"], rel=0.2)


def test_the_plan_gains_by_its_own_figures(frames: dict[str, pd.DataFrame]) -> None:
    budget = frames["mmm_budget"]
    assert budget["plan"].sum() == pytest.approx(budget["today"].sum())
    assert budget["sales_plan"].sum() > budget["sales_today"].sum()


def test_the_report_is_a_function_of_the_tables(frames: dict[str, pd.DataFrame]) -> None:
    tables = {**frames, "mmm_run_info": frames["mmm_run_info"].astype(str)}
    text = page.render(tables, "Media mix")
    assert text == page.render(tables, "Media mix")
    for said in (
        "Media brought ",
        "What cannot be known",
        "before calibration",
        "switch it off for some weeks",
    ):
        assert said in text


def test_names_from_data_cannot_act_in_the_report(frames: dict[str, pd.DataFrame]) -> None:
    hostile = "<script>alert(1)</script>"
    tables = {name: frame.replace("TikTok", hostile) for name, frame in frames.items()}
    breakdown = tables["mmm_contribution_breakdown"]
    tables["mmm_contribution_breakdown"] = breakdown.rename(columns={"TikTok": hostile})
    tables["mmm_run_info"] = tables["mmm_run_info"].astype(str)
    assert hostile not in page.render(tables, "Media mix")


def test_a_plan_for_a_budget_with_frozen_channels(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ("budget=40000", "frozen_channels=Meta", "most_spend=TikTok=18000")
    assert main(command("optimize", folder, *settings)) == 0
    plan = pd.read_csv(folder / "out" / "mmm_budget.csv").set_index("channel")
    assert plan["plan"].sum() == pytest.approx(40_000)
    assert plan.loc["Meta", "plan"] == pytest.approx(plan.loc["Meta", "today"])
    assert plan.loc["TikTok", "plan"] <= 18_000
    assert "a gain with probability" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["budget=1e9"], "above the most spend of all channels"),
        (["frozen_channels=Print"], "frozen_channels: no channel Print; there are Shopify"),
        (["kpi_column=profit"], "profit"),
        (["decay=3"], "unknown parameter 'decay'"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_nothing_is_written(
    folder: Path,
    tmp_path: Path,
    settings: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = command("optimize", folder, *settings)
    words[words.index("--out") + 1] = str(tmp_path / "new")
    assert main(words) == 2
    assert said in capsys.readouterr().err
    assert not list((tmp_path / "new").glob("*.csv"))


def test_a_run_without_report_needs_neither_tensorflow_nor_jax_nor_plotly() -> None:
    program = (
        "import sys; import td_mta.mmm.__main__, td_mta.pipelines.media_mix.run; "
        "sys.exit(sorted({'tensorflow', 'keras', 'jax', 'plotly'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]


def test_two_runs_give_the_same_figures(folder: Path, frames: dict[str, pd.DataFrame]) -> None:
    settings = (*WITH_TRUTH, "experiments_table=media_experiments")
    assert main(command("fit", folder, *settings)) == 0
    again = pd.read_csv(folder / "out" / "mmm_channels.csv")
    numbers = again.select_dtypes(np.number)
    assert numbers.to_numpy() == pytest.approx(frames["mmm_channels"][numbers.columns].to_numpy())
