"""`python -m td_mta.main FILE`: the table that a file is, and what is asked where it cannot be."""

import os
import re
from pathlib import Path

import pandas as pd
import pytest

from td_mta import main
from td_mta.config.attribution import Config
from td_mta.pipelines import attribution

TOUCHES = Path(__file__).parent / "cases" / "epoch_seconds" / "touches.csv"
SMALL = ["--set", "network=pairs", "--set", "interval_draws=0"]


@pytest.fixture
def configs(monkeypatch: pytest.MonkeyPatch) -> list[Config]:
    """The parameters with which a run would begin."""
    begun: list[Config] = []

    class BegunError(Exception):
        exit_code = 7

    def run(config: Config, *_: object, **__: object) -> None:
        begun.append(config)
        raise BegunError

    monkeypatch.setattr(attribution, "run", run)
    return begun


@pytest.mark.slow
def test_a_file_alone_gives_the_channels_and_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "touchpoints.csv").write_bytes(TOUCHES.read_bytes())
    monkeypatch.chdir(tmp_path)
    assert main.main(["data/touchpoints.csv", *SMALL]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"Search +\d+\.\d% +\d+\.\d +10\.0 +0\.0\n", printed)
    assert printed.endswith("report: out/report.html\n")
    assert (tmp_path / "out" / "report.html").is_file()
    info = pd.read_csv("out/shapley_run_info.csv")
    span = info[info["section"] == "span"].set_index("name")["value"]
    assert span.to_dict() == {
        "first_day": "2024-03-04",
        "last_day": "2024-03-24",
        "days": "21",
        "first_credited_day": "2024-03-04",
    }
    assert "<dd>2024-03-24</dd>" in (tmp_path / "out" / "report.html").read_text("utf-8")
    notes = info[info["section"] == "notes"]["value"].tolist()
    assert notes[0].startswith("Columns of touchpoints: user: customer_id, time: time")
    assert notes[1] == "Conversion rows have no channel, so they are no touches."


@pytest.mark.parametrize(
    "name", ["touches.parquet", "my touches (1).csv", "Touches.csv", "2024.csv"]
)
def test_the_name_of_the_file_is_the_table(
    name: str, tmp_path: Path, configs: list[Config]
) -> None:
    frame = pd.read_csv(TOUCHES)
    if name.endswith(".csv"):
        frame.to_csv(tmp_path / name, index=False)
    else:
        frame.to_parquet(tmp_path / name, index=False)
    assert main.main([str(tmp_path / name), "--out", str(tmp_path / "out")]) == 7
    assert configs[0].table == Path(name).stem
    assert configs[0].user_column == "customer_id"


def test_options_stay_beside_the_file(tmp_path: Path, configs: list[Config]) -> None:
    options = ["--set", "conversion_row_is_touch=false", "--set", "value_column=none"]
    options += ["--set", "lookback_window_days=7", "--out", str(tmp_path)]
    assert main.main([str(TOUCHES), *options]) == 7
    [config] = configs
    assert not config.conversion_row_is_touch and config.value_column is None
    assert (config.lookback_window_days, config.action_column) == (7, "channel")


def test_a_table_in_a_folder_has_its_columns_found_too(
    tmp_path: Path, configs: list[Config]
) -> None:
    options = ["--data", str(TOUCHES.parent), "--set", "table=touches", "--out", str(tmp_path)]
    assert main.main(options) == 7
    [config] = configs
    assert (config.user_column, config.action_column) == ("customer_id", "channel")
    assert config.value_column is None and config.conversion_row_is_touch


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["{folder}/none.csv"], "{folder}/none.csv: no such file"),
        (["{folder}"], "{folder} is a folder: name a file in it, or --data {folder}"),
        (["{folder}/notes.pdf"], "{folder}/notes.pdf: the name of a table ends in one of .csv"),
        (["{folder}/touches.csv", "--data", "{folder}"], "only one can say where tables are"),
        (["{folder}/touches.csv", "--warehouse", "td"], "only one can say where tables are"),
        (["{folder}/touches.csv", "--set", "table=other"], "--set table=other: only one can be"),
        (["{folder}/touches.csv", "--set", "user_column=u"], "no column 'u' (user_column); it has"),
        (["--data", "{folder}"], "no table was named: give its file, as in python -m td_mta.main"),
    ],
)
def test_a_file_that_is_no_table_is_said(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "touches.csv").write_bytes(TOUCHES.read_bytes())
    (tmp_path / "notes.pdf").write_text("notes")
    options = [option.format(folder=tmp_path) for option in options]
    assert main.main([*options, "--out", str(tmp_path / "out")]) == 2
    assert message.format(folder=tmp_path) in capsys.readouterr().err


def test_of_two_files_of_one_name_the_one_that_was_given_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.read_csv(TOUCHES)
    frame.to_csv(tmp_path / "touches.csv", index=False)
    frame.to_parquet(tmp_path / "touches.parquet", index=False)
    os.utime(tmp_path / "touches.csv", (0, 0))  # the newer one would be read
    assert main.main([str(tmp_path / "touches.csv"), "--out", str(tmp_path / "out")]) == 2
    assert "touches.parquet is newer and has the same name" in capsys.readouterr().err
