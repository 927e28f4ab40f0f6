"""`python -m td_mta.check FILE`: what a table holds, as a run would take it, without a model."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from td_mta import check, main

ROOT = Path(__file__).parent.parent
TOUCHES = ROOT / "tests" / "cases" / "epoch_seconds" / "touches.csv"

FULL_WIDTH = {  # as Japanese keyboards write it
    name: "".join(chr(ord(letter) + 0xFEE0) for letter in name)
    for name in ("Email", "Social", "Search")
}


def checked(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert check.main(list(arguments)) == 0
    return capsys.readouterr().out.splitlines()


def table(folder: Path, **columns: object) -> str:
    """The table of the case with other columns, as a file."""
    frame = pd.read_csv(TOUCHES).assign(**columns)
    frame.to_csv(folder / "touches.csv", index=False)
    return str(folder / "touches.csv")


def test_a_table_is_described_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = checked(capsys, str(TOUCHES))
    facts = {line[:12].strip(): line[13:] for line in lines[2:13]}
    assert lines[0].startswith("Columns of touches: user: customer_id, time: time")
    assert facts["rows"] == "110, 0 of them without a user or a time"
    assert facts["days"] == "2024-03-04 to 2024-03-24: 21 days, cut in UTC"
    assert facts["users"] == "40, 10 of whom convert (25.00%)"
    assert facts["conversions"].startswith("10, value 205.00 in all, 0 without one")
    assert facts["channels"].endswith("Email 40 (10), Social 40 (10), Search 20 (10)")
    assert facts["ties"].startswith("0 of 10 conversions")
    assert "1: 33%, 3: 100%" in facts["window"]
    assert "The run will warn:" in lines
    assert lines[-2:] == ["Run:", f"  python -m td_mta.main {TOUCHES}"]


def test_channels_that_look_the_same_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.read_csv(TOUCHES)
    wide = frame["channel"].where(frame.index % 2 == 0, frame["channel"].map(FULL_WIDTH))
    lines = checked(capsys, table(tmp_path, channel=wide))
    assert any("look the same, but are stored as other characters" in line for line in lines)


def test_the_command_line_has_the_options_and_what_the_table_suggests(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.read_csv(TOUCHES)
    converts = frame["conversion"] == 1
    later = frame["time"] + 86400 * 10 * converts
    channel = frame["channel"].where(frame.index % 2 == 0, frame["channel"].str.upper())
    file = table(tmp_path, time=later, channel=channel)
    lines = checked(capsys, file, "--set", "day_timezone=Europe/Berlin")
    assert lines[-1] == (
        f"  python -m td_mta.main {file} --set day_timezone=Europe/Berlin "
        "--set lookback_window_days=13 --set channel_letter_case=join"
    )
    assert any(line.startswith("letter case  the same channel? EMAIL/Email") for line in lines)
    assert any("lie outside the model's window" in line for line in lines)
    chosen = checked(capsys, file, "--set", "lookback_window_days=7")
    assert chosen[-1].count("lookback_window_days") == 1


def test_main_with_check_is_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    lines = checked(capsys, str(TOUCHES))
    assert main.main([str(TOUCHES), "--check"]) == 0
    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"conversion": 0}, "no row has conversion = 1, so there is nothing to attribute"),
        ({"channel": None}, "no touch has a channel"),
        ({"time": "soon"}, "table touches, column time must hold times"),
    ],
    ids=["no conversion", "no channel", "no time"],
)
def test_what_would_stop_a_run_stops_the_check(
    columns: dict[str, object], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = table(tmp_path, **columns)
    assert check.main([file, "--set", "conversion_column=conversion"]) == 2
    assert message in capsys.readouterr().err


def test_no_model_is_loaded_and_nothing_is_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "td_mta.check", str(TOUCHES), "--out", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert not loaded & {"tensorflow", "keras", "sklearn", "plotly"}
    assert not out.exists()
