"""A missing table or column is called by the parameter whose value it is."""

from pathlib import Path

import pytest
import yaml

from local_runner import __main__ as local_runner
from local_runner.missing_names import explained
from local_runner.task_request import RunContext, TaskRequest
from local_runner.workflow import templates
from local_runner.workflow.project import Project

ROOT = Path(__file__).parents[2]
PARAMETERS = yaml.safe_load((ROOT / "config/params.yml").read_text("utf-8"))
TOUCHES = ROOT / "tests" / "cases" / "epoch_seconds"
FROM_TOUCHES = {"union_query": "union_touchpoints", "touchpoints_table": "touches"}
MESSAGES = [
    ("no column '\"user_id\"' here; there are a, b", "touchpoints_user_column"),
    ("line 12:9: Column 'user_id' cannot be resolved", "touchpoints_user_column"),
    ("line 3:1: Table td-presto.mta.touches does not exist", "touchpoints_table"),
    ("line 3:1: Table 'local.mta.touches' does not exist", "touchpoints_table"),
    ('line 3:1: Table \'td-presto."mta"."touches"\' does not exist', "touchpoints_table"),
    ("no table 'touches': looked for x; there is y", "touchpoints_table"),
    ("line 2:2: Column 'time' cannot be resolved", "touchpoints_time_column"),
]


@pytest.mark.parametrize(("message", "parameter"), MESSAGES)
def test_the_parameter_of_a_missing_name_is_told(message: str, parameter: str) -> None:
    context = RunContext(project=Project(ROOT, {}), secrets={}, environment={})
    params = PARAMETERS | FROM_TOUCHES | {"td>": "queries/union_touchpoints.sql"}
    told = explained(message, TaskRequest("td>", params, context, False))
    assert told.startswith(message)
    assert f"is the value of the parameter {parameter}" in told
    assert f"--set {parameter}=…" in told


@pytest.mark.parametrize(
    "message",
    [
        "line 1:1: Column 'td_url' cannot be resolved",  # of the query itself
        "line 1:1: Division by zero",
        "401: the key is wrong",
    ],
)
def test_any_other_message_stays(message: str) -> None:
    context = RunContext(project=Project(ROOT, {}), secrets={}, environment={})
    params = PARAMETERS | {"td>": "queries/union.sql"}
    assert explained(message, TaskRequest("td>", params, context, False)) == message


@pytest.mark.parametrize(("message", "parameter"), MESSAGES[1:4])
def test_digdag_tells_it_too(message: str, parameter: str) -> None:
    """On Treasure Data the runner is not there: the workflow's own last words say it."""
    echo = yaml.safe_load((ROOT / "workflows/how_to_go_on.dig").read_text("utf-8"))["echo>"]
    scope = PARAMETERS | FROM_TOUCHES | {"task_name": "+mta^sub", "attempt_id": 1}
    said = templates.fill(echo, scope | {"error": {"message": message}}).splitlines()[1]
    assert said.startswith(f"{message}; ")
    assert f"is the value of {parameter} in config/params.yml" in said
    told = f"{message}; x is the value of the parameter {parameter}"
    again = templates.fill(echo, scope | {"error": {"message": told}}).splitlines()[1]
    assert f"{parameter} in config" not in again


@pytest.mark.parametrize(
    ("settings", "parameter"),
    [
        ({}, "touchpoints_user_column"),
        (
            {"touchpoints_user_column": "customer_id", "touchpoints_channel_column": "kanal"},
            "touchpoints_channel_column",
        ),
        ({"touchpoints_table": "nowhere"}, "touchpoints_table"),
        ({"union_query": "union"}, "enriched_pageviews"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_workflow_on_local_files_names_the_parameter(
    settings: dict[str, str], parameter: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = (FROM_TOUCHES | settings).items()
    options = [part for name, value in pairs for part in ("--set", f"{name}={value}")]
    folders = ["--data", str(TOUCHES), "--out", str(tmp_path)]
    assert local_runner.main(["run", "mta.dig", *folders, "--session", "2024-03-31", *options])
    assert f"the value of the parameter {parameter}: set it" in capsys.readouterr().err
