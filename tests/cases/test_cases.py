"""Other people's files, one folder a case: their tables, and `case.yml` with what is right.

`case.yml` has `source` (where the symptom was reported), `run` (`main`: `td_mta.main`, `paths`: the
same on a table of paths, `workflow`: mta.dig, `union`: its first task alone), `set` (parameters),
`data` (options instead of `--data`, `{folder}` is the case's), and what is right: `counts` of
run_info; `models`: conversions by method and channel; `days` before the conversion that got credit;
`value` of all conversions; `touches`: the touchpoint table by user; `table: {name: rows}`; `times:
{table: [first, last, how many]}`; `warns`, `notes` and `error`: texts. The tables of a case with
`same_as` are those of another case's folder, beside its own.
"""

import csv
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from local_runner import __main__ as local_runner
from td_mta import main

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/case.yml"))
FAST = {"network": "logistic", "interval_draws": 0}
SESSION = "2024-03-31"


def _cases() -> list[Any]:
    """Only `union` and `paths` train no model."""
    return [
        pytest.param(
            folder,
            id=folder.name,
            marks=[] if _read(folder)["run"] in ("union", "paths") else pytest.mark.slow,
        )
        for folder in CASES
    ]


def _read(folder: Path) -> dict[str, Any]:
    case: dict[str, Any] = yaml.safe_load((folder / "case.yml").read_text("utf-8"))
    return case


@pytest.mark.parametrize("folder", _cases())
def test_a_file_as_people_have_them(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    case, data, out = _read(folder), tmp_path / "data", tmp_path / "out"
    for tables in dict.fromkeys((folder.parent / case.get("same_as", folder.name), folder)):
        ignored = shutil.ignore_patterns("case.yml")
        shutil.copytree(tables, data, ignore=ignored, dirs_exist_ok=True)
    code = _run(case, data, out)
    printed = capfd.readouterr().err
    assert "Traceback" not in printed
    if "error" in case:
        assert code and case["error"] in _one_line(printed)
        return
    assert code == 0, printed
    for text in [*case.get("warns", []), *case.get("notes", [])]:
        assert text in _one_line((out / "shapley_run_info.csv").read_text("utf-8"))
    _check_tables(case, out)


def _run(case: dict[str, Any], data: Path, out: Path) -> int:
    parameters = FAST | case.get("set", {})
    options = [text.format(folder=data) for text in case.get("data", ["--data", str(data)])]
    options += ["--out", str(out)]
    options += [part for name, value in parameters.items() for part in ("--set", f"{name}={value}")]
    if case["run"] in ("main", "paths"):
        return main.main(options)
    task = ["+create_union_table"] if case["run"] == "union" else []
    return local_runner.main(["run", "mta.dig", *task, *options, "--session", SESSION])


def _check_tables(case: dict[str, Any], out: Path) -> None:
    if "counts" in case:
        info = {
            row["name"]: row["value"]
            for row in _rows(out, "shapley_run_info")
            if row["section"] == "counts"
        }
        assert {name: int(info[name]) for name in case["counts"]} == case["counts"]
    for method, expected in case.get("models", {}).items():
        credit = {
            row["channel"]: float(row["conversions"])
            for row in _rows(out, "shapley_models")
            if row["model"] == method and float(row["conversions"])
        }
        assert credit == pytest.approx(expected, abs=0.002), method
    if "value" in case:
        values = [float(row["value"]) for row in _rows(out, "shapley_detail")]
        assert sum(values) == pytest.approx(case["value"])
    if "days" in case:
        days = {
            int(row["days_before_conversion"])
            for row in _rows(out, "shapley_detail")
            if row["days_before_conversion"] and abs(float(row["conversions"])) > 1e-9
        }
        assert days == set(case["days"])
    if "touches" in case:
        union = _rows(out, "mta_union_conversions")
        touches: dict[str, list[str]] = {user: [] for user in case["touches"]}
        for row in sorted(union, key=lambda row: (row["canonical_id"], int(row["time"]))):
            if row["channels"]:
                touches.setdefault(row["canonical_id"], []).append(_touch(row))
        assert touches == {user: list(rows) for user, rows in case["touches"].items()}
    for name, expected in case.get("times", {}).items():
        times = [int(row["time"]) for row in _rows(out, name)]
        assert [min(times), max(times), len(times)] == expected
    for name, expected in case.get("table", {}).items():
        columns = list(expected[0])
        found = [{column: row[column] for column in columns} for row in _rows(out, name)]
        text = [{column: _text(row[column]) for column in columns} for row in expected]
        assert sorted(found, key=str) == sorted(text, key=str)


def _touch(row: dict[str, str]) -> str:
    return " / ".join(row[name] for name in ("channels", "source", "campaign") if row[name])


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _rows(out: Path, name: str) -> list[dict[str, str]]:
    if (out / f"{name}.parquet").exists():  # CSV would not keep ids such as 12.10 as they are
        rows: list[dict[str, Any]] = pq.read_table(out / f"{name}.parquet").to_pylist()
        return [{column: _text(value) for column, value in row.items()} for row in rows]
    with (out / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _one_line(text: str) -> str:
    return " ".join(text.split())
