"""The SQL of mmm.dig on small tables, and the names that it refuses before anything is made."""

import csv
import re
from pathlib import Path

import pytest

from local_runner import __main__ as local_runner
from td_mta.reporting.media_mix.frames import MEDIA_MIX_TABLES

ROOT = Path(__file__).parents[2]
SPEND = "+create_media_table"
SALES = "+create_sales_table"
WEEK = [f"2024-01-{day:02},{day}" for day in range(1, 15)]  # two weeks from a Monday on


def run(task: str, folder: Path, session: str = "2024-03-01", **settings: str) -> int:
    sets = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    where = ["--data", str(folder), "--out", str(folder / "out"), "--session", session]
    return local_runner.main(["run", str(ROOT / "mmm.dig"), task, *where, *sets])


def write(folder: Path, table: str, *lines: str) -> Path:
    (folder / f"{table}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def made(folder: Path, table: str) -> list[tuple[str, ...]]:
    with (folder / "out" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return sorted(map(tuple, csv.reader(file)))


def test_spend_of_a_channel_is_summed_from_monday_to_sunday(tmp_path: Path) -> None:
    write(
        *(tmp_path, "spend", "day,channel,spend"),
        *("2024-01-07,TV,0.1", "2024-01-01,TV,0.2", "2024-01-08,TV,3", "2024-01-08,Radio,4"),
    )
    assert run(SPEND, tmp_path) == 0
    assert made(tmp_path, "media") == [
        ("2024-01-01", "TV", "0.3"),  # 0.1 + 0.2 in binary is not
        ("2024-01-08", "Radio", "4.0"),
        ("2024-01-08", "TV", "3.0"),
        ("week", "channel", "spend"),
    ]


def test_a_week_with_a_cell_without_spend_has_none(tmp_path: Path) -> None:
    write(tmp_path, "spend", "day,channel,spend", "2024-01-01,TV,1", "2024-01-02,TV,")
    assert run(SPEND, tmp_path) == 0
    assert made(tmp_path, "media")[0] == ("2024-01-01", "TV", "")


# 2024-01-07 23:30 UTC is Monday in Berlin.
@pytest.mark.parametrize(
    ("day", "zone", "week"),
    [
        ("2024-01-07", "UTC", "2024-01-01"),
        ("2024-01-08T00:30:00Z", "UTC", "2024-01-08"),
        ("20240107", "UTC", "2024-01-01"),
        ("1704670200", "UTC", "2024-01-01"),
        ("1704670200", "Europe/Berlin", "2024-01-08"),
    ],
)
def test_a_day_in_many_forms(day: str, zone: str, week: str, tmp_path: Path) -> None:
    write(tmp_path, "costs", "at,medium,money", f"{day},TV,1")
    columns = {"spend_day_column": "at", "spend_channel_column": "medium"}
    names = {"spend_table": "costs", "spend_amount_column": "money", "day_timezone": zone}
    assert run(SPEND, tmp_path, **columns, **names) == 0
    assert made(tmp_path, "media")[0] == (week, "TV", "1.0")


@pytest.mark.parametrize("day", ["07/01/2024", "", "1704670200000"])
def test_what_is_no_day_ends_the_run_with_the_forms_that_are(
    day: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "spend", "day,channel,spend", f"{day},TV,1", "2024-01-01,TV,1")
    assert run(SPEND, tmp_path) == 1
    assert "days must be like 2026-01-31, 20260131 or unix seconds" in capfd.readouterr().out
    assert not (tmp_path / "out" / "media.csv").exists()


def test_sales_are_of_whole_weeks_before_the_session(tmp_path: Path) -> None:
    early = ["2023-12-31,1000"]  # a Sunday: its week is not whole
    write(tmp_path, "sales", "day,revenue", *early, *WEEK, "2024-01-15,1", "2024-01-21,2")
    assert run(SALES, tmp_path) == 0
    weeks = [("2024-01-01", "28.0"), ("2024-01-08", "77.0"), ("2024-01-15", "3.0")]
    assert made(tmp_path, "media_sales")[:-1] == weeks
    assert run(SALES, tmp_path, "2024-01-14") == 0
    assert made(tmp_path, "media_sales")[:-1] == weeks[:1]  # of Sunday 14 nothing is known


def test_controls_are_means_of_a_week_under_their_names(tmp_path: Path) -> None:
    lines = [f"{line},{number % 2},{number}" for number, line in enumerate(WEEK)]
    write(tmp_path, "sales", "day,revenue,promo,Unit Price", *lines)
    assert run(SALES, tmp_path, control_columns="promo, Unit Price") == 0
    *weeks, header = made(tmp_path, "media_sales")
    assert header == ("week", "revenue", "promo", "unit price")  # lower case, as in Trino
    assert [float(cell) for cell in weeks[0][1:]] == pytest.approx([28, 3 / 7, 3])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, ""),
        ({"db": "TD"}, "db and media_table must have 3 to 240 characters"),
        ({"spend_day_column": "day's"}, "no quote may stand in"),
        ({"control_columns": 'a"b'}, 'got control_columns a"b'),
        ({"media_table": "spend"}, "must have distinct names"),
        ({"sales_table": "media_sales"}, "must have distinct names"),
        ({"experiments_table": "media"}, "must have distinct names"),
        ({"media_table": "mmm_models"}, "must have distinct names"),
        ({"spend_table": "mmm_run_info"}, "must have distinct names"),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else None,
)
def test_names_are_checked_before_anything_is_made(
    settings: dict[str, str], told: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("+check_names", tmp_path, **settings) == (1 if told else 0)
    printed = capfd.readouterr().out
    assert told in " ".join(printed.split())
    assert printed.startswith("Failed: +mmm+check_names\nconfig/mmm.yml: ") == bool(told)


def test_the_check_knows_every_output_table() -> None:
    checks = (ROOT / "workflows" / "mmm_check_names.dig").read_text(encoding="utf-8")
    listed = re.findall(r"\['_channels'[^]]*\]", checks)
    expected = [f"'{name.removeprefix('mmm')}'" for name in MEDIA_MIX_TABLES]
    assert [names.strip("[]").split(", ") for names in listed] == [expected]


def test_a_missing_table_is_named_with_its_parameter(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "orders", "day,revenue", *WEEK)
    assert run(SALES, tmp_path) == 1
    told = capfd.readouterr().err
    assert "no table 'sales'" in told and "there is orders" in told
    assert "sales is the value of the parameter sales_table" in told
