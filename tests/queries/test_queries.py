"""Every query on small tables: tests/queries/<query>/<case>/ holds inputs and `expected.csv`.

`params.yml` there names what differs from the defaults. Rows are compared without their order, as
text: numbers in full, nothing for null. The session is at 2026-03-01 00:00 UTC.
"""

import csv
from pathlib import Path

import pytest

from td_mta.config import attribution as configuration
from td_mta.config import placeholders
from td_mta.warehouse.local import LocalWarehouse

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
QUERIES = ROOT / "queries"
CASES = sorted(path.parent for path in HERE.glob("*/*/expected.csv"))
SESSION = 1772323200


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_a_query_gives_the_expected_rows(case: Path, tmp_path: Path) -> None:
    statement = placeholders.statement(
        QUERIES / f"{case.parent.name}.sql", configuration.load(case / "params.yml")
    )
    found = LocalWarehouse(case, tmp_path, now=SESSION).query(statement)
    with (case / "expected.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert found.column_names == header
    columns = [[text(value) for value in column.to_pylist()] for column in found.columns]
    assert sorted(zip(*columns, strict=True)) == sorted(tuple(row) for row in rows)


def text(value: object) -> str:
    return "" if value is None else str(value)


def test_every_query_has_a_case() -> None:
    assert {case.parent.name for case in CASES} == {path.stem for path in QUERIES.glob("*.sql")}


def test_the_workflow_makes_a_table_of_every_query() -> None:
    tasks = "".join(file.read_text() for file in sorted(ROOT.glob("workflows/*.dig")))
    tasks += "".join(f"queries/{union}.sql" for union in ("union", "union_touchpoints"))
    assert [path.name for path in sorted(QUERIES.glob("*.sql")) if path.name not in tasks] == []


def test_the_workflow_keeps_the_names_of_its_tasks() -> None:
    tasks = (ROOT / "workflows" / "mta_tasks.dig").read_text().splitlines()
    assert [line for line in tasks if line.startswith("+")] == [
        "+check_names:",
        "+create_union_table:",
        "+create_ab_rnd_table:",
        "+create_channel_stats_table:",
        "+count:",
        "+execute_python_code:",
        "+create_report_table:",
        "+cleanup:",
    ]
