"""Rows far from all others, or of days that cannot be: warned of, and left out by the period."""

import re
from pathlib import Path

import pytest

from td_mta import check
from td_mta.reporting import row_diagnostics

DAY, FIRST = 86_400, 1_767_225_600  # 2026-01-01
ROWS = 50  # a day
STRAY = "The last 22 days of the data (2026-01-11 to 2026-02-01) hold 1 row, where a day has 50"


def touches(*more: tuple[str, int, str, int]) -> list[tuple[str, int, str, int]]:
    """Ten days of touches, and every tenth row a conversion."""
    every = ((day, row) for day in range(10) for row in range(ROWS))
    rows = [
        (f"u{row}", FIRST + day * DAY + row * 600, "" if row % 10 == 0 else "AB"[row % 2], row)
        for day, row in every
    ]
    return [(user, time, name, int(row % 10 == 0)) for user, time, name, row in rows] + list(more)


def checked(folder: Path, rows: list[tuple[str, int, str, int]], *sets: str) -> int:
    lines = [",".join(map(str, row)) for row in rows]
    file = folder / "touches.csv"
    file.write_text("\n".join(["user_id,time,channel,conversion", *lines]))
    options = [part for pair in sets for part in ("--set", pair)]
    return check.main([str(file), "--out", str(folder / "out"), *options])


def test_stray_future_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stray = ("u1", FIRST + 31 * DAY, "A", 0)
    assert checked(tmp_path, touches(stray)) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^days +2026-01-01 to 2026-02-01: 32 days", printed, re.MULTILINE)
    assert STRAY in printed and "set last_day: 2026-01-10 to leave them out" in printed
    assert checked(tmp_path, touches(stray), "last_day=2026-01-10") == 0
    printed = capsys.readouterr().out
    assert re.search(r"^days +2026-01-01 to 2026-01-10: 10 days", printed, re.MULTILINE)
    assert STRAY not in printed and "Left out 1 row after last_day 2026-01-10." in printed


def test_a_stray_row_before_all_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stray = ("u1", 500_000_000, "A", 0)  # 1985
    assert checked(tmp_path, touches(stray)) == 0
    printed = capsys.readouterr().out
    assert "is of 1985-11-05, before the year 2000: check its unit (time_format)" in printed
    assert "set first_day: 2026-01-01 to leave them out" in printed
    assert checked(tmp_path, touches(stray), "first_day=2026-01-01", "last_day=2026-01-10") == 0
    printed = capsys.readouterr().out
    assert "1985" not in printed
    assert "Left out 1 row before first_day 2026-01-01." in printed


def test_a_row_of_the_future(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(tmp_path, touches(("u1", 9_000_000_000, "A", 0))) == 0
    assert "is of 2255-03-14, a day to come: check its unit" in capsys.readouterr().out


def test_days_are_those_of_the_zone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In Tokyo a day ends nine hours earlier: 2026-01-01 has 54 rows of ten minutes less."""
    zone = "day_timezone=Asia/Tokyo"
    assert checked(tmp_path, touches(), zone, "first_day=2026-01-01", "last_day=2026-01-09") == 0
    printed = capsys.readouterr().out
    assert re.search(r"^days +2026-01-01 to 2026-01-09: 9 days", printed, re.MULTILINE)
    assert f"Left out {ROWS} rows after last_day 2026-01-09." in printed


def test_a_period_without_rows_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(tmp_path, touches(), "first_day=2026-02-01", "last_day=2026-02-28") == 2
    assert "500 rows lie before first_day and 0 after last_day, and none between" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    "rows",
    [{}, {1: 19, 9: 1}, {1: 500, 2: 500, 3: 26}, {1: 26, 2: 500}, dict.fromkeys(range(9), 1)],
)
def test_a_quiet_day_at_the_end_is_no_stray(rows: dict[int, int]) -> None:
    assert row_diagnostics.edge_warnings(rows) == []
