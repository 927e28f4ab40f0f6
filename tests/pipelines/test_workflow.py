"""The whole workflow on a public table: SQL, model and report, by nothing but parameters."""

import csv
import re
from pathlib import Path

import pytest

from local_runner import __main__ as local_runner
from td_mta import main
from tests.pipelines import public_table

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
EDITS = {
    "union_query": "union_touchpoints",
    "touchpoints_table": public_table.NAME,
    "touchpoints_user_column": "customer_id",
    "touchpoints_value_column": "conversion_value",
    "value_column": "value",
    "time_interval": "-31d",
    "network": "pairs",  # networks on this table: test_attribution_runs.py
}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a run of mta.dig fills."""
    folder = tmp_path_factory.mktemp("workflow")
    public_table.unpack(folder)
    assert run("mta.dig", folder, folder / "out", EDITS) == 0
    return folder / "out"


def run(workflow: str, data: Path, out: Path, edits: dict[str, str], *only: str) -> int:
    where = ["--data", str(data), "--out", str(out), "--session", "2018-08-01"]
    return local_runner.main(["run", workflow, *only, *where, *sets(edits)])


def sets(edits: dict[str, str]) -> list[str]:
    return [part for key, value in edits.items() for part in ("--set", f"{key}={value}")]


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as text:
        return list(csv.DictReader(text))


@pytest.mark.parametrize(("column", "total"), [("conversions", 1838), ("value", 11_423.5)])
def test_every_conversion_of_a_public_table_is_credited(
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
    given = rows(out.parent / f"{public_table.NAME}.csv")
    paid = [row for row in given if row["channel"] == "Paid Search"]
    assert int(report["Paid Search"]["touches"]) == len(paid)
    assert int(report["Paid Search"]["users"]) == len({row["customer_id"] for row in paid})


# A name that begins with a dot is what the runner keeps to resume.
def test_only_the_tables_that_users_read_are_left(out: Path) -> None:
    left = {path.name for path in out.glob("[!.]*") if path.is_file()}
    tables = {"metrics.csv", "channel_source_stats.csv", "mta_user_rnd.csv", "report.html"}
    parts = ("", "_channel", "_detail", "_intervals", "_models", "_report", "_run_info")
    assert left == tables | {f"shapley{part}.csv" for part in parts}


def test_the_model_may_run_elsewhere_between_two_workflows(
    out: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("mta.dig", out.parent, tmp_path, EDITS | {"run_model": "false"}) == 0
    assert "+mta+cleanup+of_counting\tif>: false\n" in capfd.readouterr().err  # none were made
    made = {path.stem for path in tmp_path.glob("[!.]*") if path.is_file()}
    assert made == {"mta_user_rnd", "channel_source_stats"}
    where = ["--warehouse", "local", "--data", str(out.parent), "--out", str(tmp_path)]
    assert main.main([*where, *sets(EDITS)]) == 0
    assert run("mta_report.dig", out.parent, tmp_path, EDITS) == 0
    names = {path.name for path in out.glob("*.csv")}
    assert {path.name for path in tmp_path.glob("*.csv")} == names
    for name in names - {"shapley_run_info.csv"}:  # it has the seconds
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes()


@pytest.mark.parametrize(
    ("read", "left"), [("mta_user_rnd", False), ("mta_union_conversions", True)]
)
def test_cleanup_keeps_what_the_model_reads(read: str, left: bool, tmp_path: Path) -> None:
    union = tmp_path / "mta_union_conversions.csv"
    union.write_text("time\n1\n")
    assert run("mta.dig", ROOT / "config", tmp_path, {"table": read}, "+cleanup") == 0
    assert union.exists() == left


@pytest.mark.parametrize(("count_in", "left"), [("python", True), ("auto", False)])
def test_cleanup_alone_drops_counts_that_there_may_be(
    count_in: str, left: bool, tmp_path: Path
) -> None:
    counts = tmp_path / "mta_counts_facts.csv"
    counts.write_text("fact\n1\n")
    assert run("mta.dig", ROOT / "config", tmp_path, {"count_in": count_in}, "+cleanup") == 0
    assert counts.exists() == left


@pytest.mark.parametrize(
    ("edits", "told"),
    [
        ({"metrics_table": "Metrics"}, "3 to 240 characters of a-z, 0-9 and _, got Metrics"),
        ({"metrics_table": "me"}, "3 to 240 characters of a-z, 0-9 and _, got me"),
        ({"db": "my-db"}, "3 to 240 characters of a-z, 0-9 and _, got my-db"),
        ({"in_db": "m" * 241}, "3 to 240 characters of a-z, 0-9 and _, got mmm"),
        ({"rand_shuffle": "mta_union_conversions"}, "must have distinct names"),
        ({"metrics_table": "shapley"}, "must have distinct names"),
        ({"metrics_table": "shapley_channel"}, "must have distinct names"),
        ({"union_table": "touchpoints"}, "none of them the name of an input table"),
        ({"spend_table": "metrics"}, "none of them the name of an input table"),
        ({"experiments_table": "shapley"}, "none of them the name of an input table"),
        ({"spend_table": "mta_counts_day"}, "no table's name may begin with mta_counts_"),
        ({"counts_table": "metrics"}, "must have distinct names"),
        ({"count_in": "warehouse", "credit_table": "true"}, "count_in must be python or auto"),
        ({"count_in": "warehouse", "control_columns": "sale"}, "count_in must be python or auto"),
        (
            {"count_in": "warehouse", "table": "mine", "orders_table": "orders"},
            "count_in must be python or auto",
        ),
        ({"count_in": "warehouse", "orders_table": "orders"}, ""),
        ({"order_id": "time"}, "must name columns other than those that the SQL"),
        (
            {"order_id": "order", "enriched_formfills": "none", "union_query": "union"},
            "order_id must name a column of orders_table or of enriched_formfills, got order",
        ),
        ({"channel_stats": "none", "spend_table": "none"}, ""),
        ({"direct_channel": "Men's", "null_words": "n'a"}, ""),
        ({"touchpoints_user_column": "user's"}, "alone, got touchpoints_user_column user's"),
        ({"time_format": "s'", "own_domains": 'a"'}, "got own_domains a\", time_format s'"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_names_are_checked_before_anything_is_made(
    edits: dict[str, str], told: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = run("mta.dig", ROOT / "config", tmp_path, edits, "+check_names")
    printed = capfd.readouterr().out
    assert code == (1 if told else 0)
    if told:
        task, why, *more = printed.splitlines()
        assert task == "Failed: +mta+check_names"
        assert why.startswith("config/params.yml: ") and told in why
        assert "td wf retry 1 --latest-revision --resume" in more


def dig_files() -> str:
    files = [*sorted(ROOT.glob("*.dig")), *sorted(ROOT.glob("workflows/*.dig"))]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def test_the_workflow_does_without_what_digdag_does_otherwise_than_one_thinks() -> None:
    """A group's _retry fails though it recovers; its _check never runs; its _env has no effect."""
    keys = set(re.findall(r"^\s*(_\w+):", dig_files(), re.MULTILINE))
    assert keys == {"_export", "_do", "_error", "_env"}


def test_key_and_server_stand_at_the_task_itself() -> None:
    task = dig_files().split("py>: td_mta.docker_main.run\n")[1]
    assert task.startswith(
        "      _env:\n"
        "        TD_API_KEY: ${secret:td.apikey}\n"
        "        TD_API_SERVER: ${td_api_server}\n"
    )


def test_only_trino_is_asked() -> None:
    assert not re.search(r"engine|hive", dig_files())
