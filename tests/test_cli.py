"""Command line and py> entry: what is read, what is printed, which code is returned."""

import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from td_mta import cli, docker_main, main
from td_mta.config.attribution import PARAMETERS
from td_mta.errors import ConfigError

ROOT = Path(__file__).parent.parent


def test_the_last_of_two_overrides_counts_and_a_value_may_hold_equal_signs() -> None:
    assert cli.overrides(["a=1", "b=x=y", "a=2", "c="]) == {"a": "2", "b": "x=y", "c": ""}


def test_an_override_without_a_value_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--data", "tests", "--set", "lookback_window_days"]) == 2
    message = "error: --set must have the form key=value, got lookback_window_days\n"
    assert capsys.readouterr().err == message


def test_a_wrong_parameter_stops_before_anything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--data", "tests", "--set", "lookback_days=3"]) == 2
    assert "did you mean 'lookback_window_days'?" in capsys.readouterr().err


def test_a_missing_config_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--data", "tests", "--config", "no/params.yml"]) == 2
    assert "error: no/params.yml: the file cannot be read" in capsys.readouterr().err


def test_data_must_be_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--data", "no_such_folder"]) == 2
    message = "error: --data must be a folder of CSV or Parquet files, got no_such_folder\n"
    assert capsys.readouterr().err == message


@pytest.mark.parametrize("options", [[], ["--warehouse", "td", "--data", "tests"]])
def test_treasure_data_without_a_key_says_what_to_set(
    options: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TD_API_KEY", raising=False)
    assert main.main(options) == 2
    assert capsys.readouterr().err.startswith("error: TD_API_KEY is not set: export TD_API_KEY")


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "TD_API_KEY is not set: export TD_API_KEY"),
        ({"TD_API_KEY": "  "}, "TD_API_KEY is not set"),
        ({"TD_API_KEY": "1/secret part"}, "got one with a space or a character that no key has"),
        (
            {"TD_API_KEY": "1/abc", "TD_API_SERVER": "ftp://x"},
            "TD_API_SERVER must be an address such as https://api.treasuredata.com, got 'ftp://x'",
        ),
    ],
    ids=["none", "empty", "broken", "address"],
)
def test_key_and_address_of_treasure_data_are_checked_at_once(
    environment: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        cli.open_warehouse("td", None, Path("out"), 0, "mta", environment)
    assert message in str(caught.value)
    assert "secret part" not in str(caught.value)


def test_a_database_that_treasure_data_does_not_allow_is_reported() -> None:
    with pytest.raises(ConfigError, match=r"db must be the name of a database.*got 'My DB'"):
        cli.open_warehouse("td", None, Path("out"), 0, "My DB", {"TD_API_KEY": "1/abc"})


def test_a_wrong_option_returns_two() -> None:
    with pytest.raises(SystemExit) as caught:
        main.main(["--warehouse", "duckdb"])
    assert caught.value.code == 2


def test_a_copy_of_td_mta_alone_says_what_is_missing(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "td_mta", tmp_path / "td_mta")
    done = subprocess.run(
        [sys.executable, "-m", "td_mta.main"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "TD_API_KEY"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert (
        "config/params.yml does not exist: parameters that --set does not name have their"
        in done.stderr
    )
    assert done.stderr.splitlines()[-1].startswith("error: TD_API_KEY is not set")


def test_a_run_ends_with_the_channels_and_the_line_that_credit_adds_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    models = pd.DataFrame(
        [
            *(
                ("shapley", "Email", 6.0),
                ("shapley", "邮件", 1230.0),
                ("shapley", "(baseline)", 4.0),
            ),
            *(("last_touch", "Email", 10.0), ("last_touch", "邮件", 1230.0)),
            *(("first_touch", "Email", 1240.0), ("markov", "Email", 1240.0)),
        ],
        columns=["model", "channel", "conversions"],
    )
    cli.print_summary(
        SimpleNamespace(
            baseline=4, channels=1236, conversions=1240, models=models, report=Path("o/r")
        )
    )
    assert capsys.readouterr().out.splitlines() == [
        "channel     share  Shapley  last touch  first touch",
        "邮件        99.2%  1,230.0     1,230.0          0.0",
        "Email        0.5%      6.0        10.0      1,240.0",
        "(baseline)   0.3%      4.0         0.0          0.0",
        "",
        "baseline 4.0 + channels 1236.0 = conversions 1240.0",
        "report: o/r",
    ]


# What the real Digdag 0.10.5.1 passes to a function with **keywords beside the exports.
OF_DIGDAG = {
    "_command": "td_mta.docker_main.run",
    "_type": "py",
    "_env": {"TD_API_KEY": "x"},
    "_retry": 1,
    "py>": "td_mta.docker_main.run",
    "attempt_id": 1,
    "docker": {"image": "x"},
    "project_id": 1,
    "task_name": "+mta+execute_python_code",
    "timezone": "UTC",
    "session_id": 1,
    "session_uuid": "u",
    "session_time": "2026-03-01T00:00:00+00:00",
    "session_date": "2026-03-01",
    "session_date_compact": "20260301",
    "session_local_time": "2026-03-01 00:00:00",
    "session_tz_offset": "+0000",
    "session_unixtime": 1772323200,
    "last_session_time": "2026-02-28T00:00:00+00:00",
    "next_session_unixtime": 1772409600,
    "last_executed_session_time": "",
    "last_executed_session_tz_offset": "+0000",
    "td": {"last_job_id": "101"},
}


def test_digdags_own_parameters_are_not_ours() -> None:
    own = {"dropout_rate": "0.5", "value_column": None}
    assert docker_main.own_parameters(OF_DIGDAG | own, PARAMETERS, "params.yml") == own


def test_parameters_of_other_tasks_are_left_alone() -> None:
    assert docker_main.own_parameters({"slack_url": "x"}, PARAMETERS, "params.yml") == {}


def test_a_misspelt_parameter_is_reported_in_a_workflow_too() -> None:
    given = OF_DIGDAG | {"lookback_days": 3}
    with pytest.raises(ConfigError, match=r"params\.yml: .* did you mean 'lookback_window_days'"):
        docker_main.own_parameters(given, PARAMETERS, "params.yml")


def test_all_packages_that_the_docs_let_install_are_pinned_with_hashes() -> None:
    lines = (ROOT / "td_mta" / "requirements.txt").read_text().splitlines()
    packages = [line for line in lines if not line.startswith((" ", "#"))]
    assert [line for line in packages if not re.match(r"[a-z0-9.-]+==\S+ .*\\$", line)] == []
    hashed = [before for before, line in pairwise(lines) if line.startswith("    --hash=sha256:")]
    assert set(packages) <= set(hashed)
    pyproject = (ROOT / "pyproject.toml").read_text()
    extras = re.findall(r"^(?:dependencies|cpu|local|xlsx|td) = \[(.*?)\]$", pyproject, re.M | re.S)
    needed = {name for extra in extras for name in re.findall(r'"([\w-]+)', extra)}
    assert needed - {line.partition("==")[0] for line in packages} == set()


def test_a_folder_whose_name_is_no_text_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    assert main.main(["--data", "tests", "--out", out]) == 2
    assert "error: --out must be a name in UTF-8, got" in capsys.readouterr().err


def test_what_the_screen_cannot_write_is_escaped() -> None:
    print_channel = "from td_mta import cli; cli.log_to_stderr(); print('快手')"
    done = subprocess.run(
        [sys.executable, "-c", print_channel],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("\\u5feb\\u624b\n", "")
