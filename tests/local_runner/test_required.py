"""require>, and call> of a name that is known only in the run."""

from pathlib import Path

import pytest

from local_runner.__main__ import main

DEP = """
timezone: Asia/Tokyo
schedule: {daily>: 01:00:00}
+a: {echo>: "dep ${typeof seen} ${session_local_time} ${last_session_date}"}
"""
FAILS = "+a: {fail>: no}\n"
STORE = "import digdag\ndef f(value): digdag.env.store({'kept': value})\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.py").write_text(STORE, encoding="utf-8")
    return tmp_path


def run(project: Path, dig: str, dep: str, *more: str) -> int:
    (project / "main.dig").write_text(dig, encoding="utf-8")
    (project / "dep.dig").write_text(dep, encoding="utf-8")
    return main(["run", "main.dig", "--session", "2026-03-01", *more])


def test_a_required_workflow_runs_once_with_its_own_zone_and_parameters(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dig = "_export: {seen: 1}\n+a: {require>: dep}\n+b: {require>: dep}\n+c: {echo>: last}\n"
    assert run(project, dig, DEP) == 0
    out, err = capfd.readouterr()
    assert out == "dep undefined 2026-03-01 09:00:00 2026-03-01\nlast\n"
    assert err.count("+dep+a\t") == 1
    assert run(project, dig.replace("dep}", "dep, params: {seen: 2}}", 1), DEP) == 0
    assert capfd.readouterr().out.startswith("dep number")


def test_a_required_workflow_that_fails_fails_the_task_unless_it_is_ignored(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dig = "+a: {require>: dep}\n+c: {echo>: last}\n"
    assert run(project, dig, FAILS) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert (
        "  * +dep+a:\n    no\n  * +main+a:\n    Dependent workflow failed. Session id: 2, " in err
    )
    run(project, dig.replace("dep}", "dep, ignore_failure: true}"), FAILS)
    assert capfd.readouterr().out == "last\n"


@pytest.mark.parametrize(
    ("task", "dep", "message"),
    [
        ("require>: nope", DEP, "main.dig:2: require>: there is no workflow nope in the project's"),
        ("require>: main", DEP, "main.dig:2: require> of main.dig goes in a circle"),
        ("require>: dep", "+x: {require>: main}", "require> of main.dig goes in a circle"),
        ("require>: dep", "+x: {param_set>: }", "dep.dig:1: the operator param_set> is not"),
        ("require>: dep\n  rerun_on: all", DEP, "require> with rerun_on is not supported"),
        ("require>: '${kept}'", "+x: {ecko>: }", "main.dig:2: the name of require> is known only"),
        ("call>: '${kept}'", "+x: {ecko>: }", "dep.dig:1: the operator ecko> is not supported"),
    ],
)
def test_what_may_be_reached_is_checked_before_the_run(
    task: str, dep: str, message: str, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(project, f"+a:\n  {task}\n", dep) == 2
    assert message in capfd.readouterr().err


def test_a_stored_name_may_be_called_and_required(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dig = "+s: {py>: s.f, value: dep}\n+a: {call>: '${kept}'}\n+b: {require>: '${kept}'}\n"
    assert run(project, dig, DEP.replace("last_session", "session")) == 0
    sessions = ["2026-03-01 00:00:00", "2026-03-01 09:00:00"]
    expected = [f"dep undefined {session} 2026-03-01" for session in sessions]
    assert capfd.readouterr().out.splitlines() == expected
    assert run(project, dig.replace("value: dep", "value: nope"), DEP) == 1
    assert "nope.dig" in capfd.readouterr().err
