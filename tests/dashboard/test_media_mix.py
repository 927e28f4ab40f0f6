"""The page Media mix: a fit in the background, a finished run, and every way to be refused."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from td_mta.dashboard import report_file, show, uploads
from td_mta.dashboard.data import jobs, media_mix, run_folder
from td_mta.dashboard.screens import media_mix as screen
from td_mta.dashboard.view import Chart, Table
from td_mta.errors import DataError
from tests.dashboard.test_pages import HTML, app, errors, finding

WEEKS = 60
QUICK = {
    **{"date_column": "Woche", "kpi_column": "Umsatz", "spend_columns": f"TV, {HTML}"},
    **{"starts": "2", "draws": "40", "coverage_datasets": "2"},
    **{"adstock": "geometric", "saturation": "hill"},
}


def table() -> pd.DataFrame:
    """Weeks of a stranger's names, one of which is HTML; only the first channel does anything."""
    rng = np.random.default_rng(3)
    spend = rng.uniform(100, 900, (WEEKS, 2))
    sales = 2_000 + 2 * spend[:, 0] + rng.normal(0, 50, WEEKS)
    weeks = pd.date_range("2024-01-01", periods=WEEKS, freq="7D").strftime("%Y-%m-%d")
    return pd.DataFrame({"Woche": weeks, "TV": spend[:, 0], HTML: spend[:, 1], "Umsatz": sales})


def csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


def with_upload(content: bytes) -> AppTest:
    tested = app("media_mix")
    return tested.file_uploader[0].set_value(("media.csv", content, "text/csv")).run()


def fitted(tested: AppTest) -> str:
    """Press the button and wait for the end; how it ended."""
    next(button for button in tested.button if button.label == "Fit").click().run()
    status = jobs.wait(jobs.workspace() / tested.session_state["mix_fitting"], 120).status
    tested.run()
    return status


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A fit of the table, as the page starts one, with little searched and drawn."""
    file = tmp_path_factory.mktemp("upload") / "media.csv"
    file.write_bytes(csv(table()))
    key = media_mix.start({media_mix.TABLE: file}, QUICK, "media.csv")
    assert jobs.wait(jobs.workspace() / key, 120).status == "done"
    return key


@pytest.fixture
def run(key: str) -> Path:
    folder = media_mix.folder_of(key)
    assert folder is not None
    return folder


@pytest.mark.slow
def test_a_fit_is_shown_by_its_link_with_its_finding_first(key: str) -> None:
    done = app("media_mix", mix=key)
    assert errors(done) == []
    assert finding(done).startswith("Media brought ") and "most on TV" in finding(done)
    assert any("changes sales by" in text.value for text in done.markdown)
    assert any(caption.value == "media\\.csv" for caption in done.caption)
    assert not any("<img" in text.value.replace("\\<", "") for text in done.markdown)


def test_a_link_to_what_is_gone_says_so() -> None:
    gone = app("media_mix", mix="0123456789abcdef")
    assert errors(gone) == [] and "no longer held" in gone.warning[0].value


@pytest.mark.slow
def test_the_view_has_the_runs_own_numbers_and_is_exported_with_names_escaped(run: Path) -> None:
    frames = media_mix.read(run)
    view = screen.view(frames, "media.csv")
    charts = [block.name for block in view.blocks if isinstance(block, Chart)]
    assert charts[:3] == ["roi", "budget", "marginal_roi"] and "response_curve_2" in charts
    shown = next(block for block in view.blocks if isinstance(block, Table)).rows
    written = pd.read_csv(run / "mmm_channels.csv")
    assert shown["contribution"].tolist() == written["contribution"].tolist()
    page = report_file.html(view)
    assert "<img" not in page and "default-src 'none'" in page


@pytest.mark.slow
def test_a_folder_may_hold_a_media_mix_beside_another_run(run: Path, tmp_path: Path) -> None:
    both = Path(shutil.copytree(run, tmp_path / "both"))
    assert media_mix.is_run(both) and not run_folder.is_run(both)
    (both / "shapley_run_info.csv").write_text("section,name,value\n", encoding="utf-8")
    with pytest.raises(DataError, match="shapley_"):
        run_folder.read(both)


@pytest.mark.slow
def test_a_folder_of_another_version_is_one_sentence(run: Path, tmp_path: Path) -> None:
    old = Path(shutil.copytree(run, tmp_path / "old"))
    pd.read_csv(old / "mmm_budget.csv").drop(columns="plan").to_csv(old / "mmm_budget.csv")
    with pytest.raises(DataError, match=r"mmm_budget is of another version, it lacks plan\. Run"):
        media_mix.read(old)
    (old / "mmm_budget.csv").unlink()
    with pytest.raises(DataError, match="lacks the table mmm_budget"):
        media_mix.open_run(old)


def test_without_data_the_page_says_what_to_do() -> None:
    tested = app("media_mix")
    assert errors(tested) == [] and "No media mix yet" in tested.info[0].value


def test_an_empty_upload_and_a_folder_without_a_run_are_errors_and_the_page_lives_on(
    tmp_path: Path,
) -> None:
    tested = with_upload(b"")
    assert errors(tested) == [show.plain(uploads.EMPTY)]
    group = next(group for group in tested.button_group if group.label == "Open")
    group.set_value("Finished run").run()
    tested.text_input[0].set_value(str(tmp_path))
    next(button for button in tested.button if button.label == "Open the run").click().run()
    (sentence,) = errors(tested)
    assert "has no tables of a media mix run" in sentence.replace("\\", "")


def test_a_setting_that_is_none_is_a_sentence_and_nothing_is_fitted() -> None:
    tested = with_upload(csv(table()))
    next(box for box in tested.text_input if box.label == "Other settings").set_value("period")
    next(button for button in tested.button if button.label == "Fit").click().run()
    (sentence,) = errors(tested)
    assert "is no setting here" in sentence and "decimal" in sentence
    assert "mix_fitting" not in tested.session_state


@pytest.mark.slow
def test_a_table_that_cannot_be_fitted_is_one_sentence_and_another_can_be_opened() -> None:
    tested = with_upload(csv(table().assign(TV=-1.0).rename(columns={"Umsatz": "revenue"})))
    tested.selectbox[0].set_value("Woche")
    tested.multiselect[0].set_value(["TV", HTML])
    assert fitted(tested) == "failed"
    (sentence,) = errors(tested)
    assert "TV" in sentence and "\n" not in sentence
    assert [box.label for box in tested.selectbox] == ["Date", "Sales"]
