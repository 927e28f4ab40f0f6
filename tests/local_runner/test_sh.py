"""sh>, wait>, _background and _workdir: what Digdag does beyond its recorded cases."""

from pathlib import Path

import pytest

from local_runner.__main__ import main


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(project: Path, dig: str, *more: str) -> int:
    (project / "main.dig").write_text(dig, encoding="utf-8")
    return main(["run", "main.dig", "--session", "2026-03-01", *more])


def test_a_script_sees_parameters_as_text_and_the_tasks_own_env(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dig = """
_export: {n: 1, x: 1.0, list: [1, a], my-bad: 2}
+a:
  sh>: |
    echo "$n $x $list $session_date $_type [$KEY]"
    echo err >&2
  _env: {KEY: "${secret:k}"}
"""
    assert run(project, dig, "--secret", "k=value") == 0
    assert capfd.readouterr().out == '1 1.0 [1,"a"] 2026-03-01 sh [value]\nerr\n'


def test_a_null_parameter_fails_every_script(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(project, "_export: {gone: null}\n+a: {sh>: echo never}\n") == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert "Parameter 'gone' is required but null" in err


def test_a_script_that_fails_is_tried_again(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dig = "+a:\n  sh>: 'echo x >> tries; test $(wc -l < tries) -eq 3'\n  _retry: 2\n"
    assert run(project, dig) == 0
    assert (project / "tries").read_text(encoding="utf-8") == "x\n" * 3


def test_another_exit_code_is_reported(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(project, "+a: {sh>: exit 7}\n") == 1
    assert "Command failed with code 7 (runtime)" in capfd.readouterr().err


def test_a_missing_shell_is_reported(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(project, "+a: {sh>: ls, shell: [no-such-shell]}\n") == 1
    assert 'Cannot run program "no-such-shell"' in capfd.readouterr().err


def test_a_background_task_waits_for_nothing_and_the_next_one_for_all_before(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dig = """
+a: {fail>: no}
+b: {echo>: beside, _background: true}
+c: {echo>: never}
"""
    assert run(project, dig) == 1
    assert capfd.readouterr().out == "beside\n"


def test_a_background_task_sees_nothing_that_the_previous_one_stored(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "s.py").write_text("import digdag\ndef f():\n    digdag.env.store(k=1)\n")
    dig = """
+a: {py>: s.f}
+b: {echo>: "${typeof k}", _background: true}
+c: {echo>: "${typeof k}"}
"""
    assert run(project, dig) == 0
    assert capfd.readouterr().out == "undefined\nnumber\n"


def test_what_a_function_returned_is_kept_until_the_process_ends(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "m.py").write_text(
        "import atexit\natexit.register(print, 'at exit')\n"
        "class Kept:\n    def __del__(self): print('dropped')\n"
        "    def run(self): return Kept()\n"
        "def f(): return Kept()\n"
    )
    assert run(project, "+a: {py>: m.f}\n+b: {py>: m.Kept.run}\n") == 0
    assert capfd.readouterr().out == "at exit\ndropped\nat exit\ndropped\ndropped\n"


@pytest.mark.parametrize("where", ["_workdir: sub", "_export: {_workdir: sub}"])
def test_a_process_runs_in_its_folder(
    where: str, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "sub").mkdir()
    assert run(project, f"+a:\n  sh>: basename $(pwd)\n  {where}\n") == 0
    assert capfd.readouterr().out == "sub\n"


def test_waiting_takes_a_second_at_least(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(project, "+a: {wait>: 0s}\n+b: {echo>: after}\n") == 0
    assert capfd.readouterr().out == "after\n"


def test_what_an_sla_would_do_is_left_to_the_server(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dig = "sla:\n  time: 02:00\n  +notice: {echo>: late}\n+a: {echo>: a}\n"
    assert run(project, dig) == 0
    limits = "duration: 01:00:00\n  fail: true\n  alert: true"
    assert run(project, dig.replace("time: 02:00", limits)) == 0
    assert run(project, dig.replace("  time: 02:00\n", "")) == 2
    out, err = capfd.readouterr()
    assert out == "a\na\n"
    assert "main.dig:1: sla must have either time or duration" in err
