"""The whole workflow on a stranger's table: SQL, model and report, by nothing but parameters."""

import csv
from pathlib import Path

import pytest
import strangers_table

from local_runner import __main__ as local_runner

EDITS = {
    "union_query": "union_touchpoints",
    "touchpoints_table": strangers_table.NAME,
    "touchpoints_user_column": "customer_id",
    "touchpoints_value_column": "conversion_value",
    "value_column": "value",
    "time_interval": "-31d",
    "model_width": "4",
    "train_epochs": "1",
    "train_batch_size": "100",
}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a run of mta.dig fills."""
    folder = tmp_path_factory.mktemp("workflow")
    strangers_table.unpack(folder)
    edits = [part for key, value in EDITS.items() for part in ("--set", f"{key}={value}")]
    where = ["--data", str(folder), "--out", str(folder / "out"), "--session", "2018-08-01"]
    assert local_runner.main(["run", "mta.dig", *where, *edits]) == 0
    return folder / "out"


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as text:
        return list(csv.DictReader(text))


@pytest.mark.parametrize(("column", "total"), [("conversions", 1838), ("value", 11_423.5)])
def test_every_conversion_of_a_strangers_table_is_credited(
    out: Path, column: str, total: float
) -> None:
    credit = [float(row[column]) for row in rows(out / "shapley_detail.csv")]
    assert sum(credit) == pytest.approx(total, rel=1e-9)


def test_the_report_table_counts_what_the_table_holds(out: Path) -> None:
    report = {row["channel"]: row for row in rows(out / "shapley_report.csv")}
    assert list(report) == [
        "Facebook",
        "Instagram",
        "Online Display",
        "Online Video",
        "Paid Search",
    ]
    given = rows(out.parent / f"{strangers_table.NAME}.csv")
    paid = [row for row in given if row["channel"] == "Paid Search"]
    assert int(report["Paid Search"]["touches"]) == len(paid)
    assert int(report["Paid Search"]["users"]) == len({row["customer_id"] for row in paid})


def test_only_the_tables_that_users_read_are_left(out: Path) -> None:
    left = {path.name for path in out.iterdir() if path.is_file()}
    tables = {"metrics.csv", "channel_source_stats.csv", "mta_user_rnd.csv", "report.html"}
    tables |= {f"shapley{part}.csv" for part in ("", "_channel", "_detail", "_models", "_report")}
    assert left == tables | {"shapley_run_info.csv"}
