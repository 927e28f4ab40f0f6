from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from td_mta.mmm.__main__ import main

WEEKS = 10


def orders(users: int = 3000) -> pd.DataFrame:
    rng = np.random.default_rng(8)
    number = 4 * users
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 7 * WEEKS, number), "D")
    who = rng.integers(0, users, number)
    return pd.DataFrame({"user_id": who, "time": days.astype(str), "amount": 60.0})


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def released(folder: Path, *options: str, frame: pd.DataFrame | None = None) -> int:
    (orders() if frame is None else frame).to_csv(folder / "orders.csv", index=False)
    words = ["private-release", str(folder / "orders.csv"), "--out", str(folder / "out")]
    words += ["--first-day", "2024-01-01", "--last-day", "2024-03-10"]
    words += ["--epsilon", "1", "--budget", "1.5", *options]
    return main(words)


def test_released_sums_are_near_the_true_ones_after_rescaling(tmp_path: Path) -> None:
    assert released(tmp_path, "--test-seed", "3", "--max-weeks", "2", "--cap", "100") == 0
    found = pd.read_csv(tmp_path / "out" / "private_revenue.csv")
    true = orders()
    week = (pd.to_datetime(true["time"]) - pd.Timestamp("2024-01-01")).dt.days // 7
    weekly = true.groupby(week)["amount"].sum()
    assert len(found) == WEEKS
    # Two orders in one week are cut from 120 to 100, which rescaling does not make up for.
    assert found["revenue"].to_numpy() == pytest.approx(weekly.to_numpy(), rel=0.12)


def test_the_statement_names_unit_bounds_and_what_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert released(tmp_path) == 0
    said = capsys.readouterr().out
    assert "Pure 1-differential privacy of a user" in said
    assert "at most 4 weeks, drawn at random, with at most 500.00 in each" in said
    assert "epsilon 0.5 is left" in said
    assert "TEST MODE" not in said


def test_a_second_release_that_would_overspend_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert released(tmp_path) == 0
    before = (tmp_path / "out" / "private_revenue.csv").read_bytes()
    assert released(tmp_path) == 2
    assert "1 more would be too much; nothing was released" in capsys.readouterr().err
    assert (tmp_path / "out" / "private_revenue.csv").read_bytes() == before


def test_a_deleted_ledger_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert released(tmp_path) == 0
    (tmp_path / "privacy_ledger.jsonl").unlink()
    assert released(tmp_path) == 2
    assert "it was deleted or rolled back" in capsys.readouterr().err


def test_test_mode_says_that_it_protects_nobody_and_charges_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert released(tmp_path, "--test-seed", "1") == 0
    assert "TEST MODE: the noise is seeded and protects nobody" in capsys.readouterr().out
    assert not (tmp_path / "privacy_ledger.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "frame", "said"),
    [
        (["--epsilon", "0"], None, "--epsilon must be a number above 0, got 0"),
        (["--epsilon", "much"], None, "--epsilon must be a number above 0, got much"),
        (["--max-weeks", "0"], None, "--max-weeks must be at least 1"),
        (["--last-day", "2024-01-02"], None, "--last-day must be at least a week after"),
        ([], orders(9).drop(columns="user_id"), "has no column for the user"),
        ([], orders(9).assign(user_id=["", *"abcdefghijk"] * 3), "some rows have no user"),
    ],
)
def test_what_cannot_be_released(
    tmp_path: Path,
    options: list[str],
    frame: pd.DataFrame | None,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert released(tmp_path, *options, frame=frame) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out" / "private_revenue.csv").exists()
    assert not (tmp_path / "privacy_ledger.jsonl").exists()
