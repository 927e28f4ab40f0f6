"""Tasks at the same time: _parallel, _background, waiting for each other, whole outputs, Ctrl-C."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from local_runner.__main__ import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(project: Path, dig: str, *more: str) -> int:
    (project / "main.dig").write_text(dig, encoding="utf-8")
    return main(["run", "main.dig", "--session", "2026-03-01", *more])


WAIT = "for i in $(seq 100); do test -e made && exit 0; sleep 0.1; done; exit 1"


@pytest.mark.parametrize(
    "dig",
    [
        f"+a: {{sh>: 'sleep 0.2; touch made', _background: true}}\n"
        f"+b: {{sh>: '{WAIT}', _background: true}}\n",
        f"+b: {{sh>: '{WAIT}'}}\n+a: {{sh>: 'sleep 0.2; touch made', _background: true}}\n",
        f"_parallel: true\n+b: {{sh>: '{WAIT}'}}\n+g:\n  +a: {{sh>: 'sleep 0.2; touch made'}}\n",
        f"_parallel: {{limit: 2}}\n+b: {{sh>: '{WAIT}'}}\n+a: {{sh>: touch made}}\n",
        "+l:\n  for_each>: {x: [wait, make]}\n  _parallel: true\n  _do:\n"
        f"    sh>: 'if [ $x = make ]; then touch made; fi; {WAIT}'\n",
    ],
    ids=["background", "beside the one before", "parallel", "limit", "for_each"],
)
def test_a_task_may_wait_for_what_one_beside_it_makes(dig: str, project: Path) -> None:
    assert run(project, dig) == 0


def test_what_tasks_print_appears_whole_and_they_take_the_time_of_the_longest(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    task = "{sh>: 'echo %s1; sleep 0.5; echo %s2'}"
    names = "abcd"
    dig = "_parallel: true\n" + "".join(f"+{n}: {task % (n, n)}\n" for n in names)
    start = time.monotonic()
    assert run(project, dig) == 0
    assert time.monotonic() - start < 1.9
    lines = capfd.readouterr().out.split()
    assert sorted(lines) == [f"{n}{i}" for n in names for i in "12"]
    assert all(lines[i + 1] == f"{lines[i][0]}2" for i in range(0, 8, 2))


def test_after_and_what_failed_hold_in_parallel(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dig = """
_parallel: true
+a: {sh>: sleep 0.2; exit 3}
+b: {echo>: b}
+c: {echo>: never, _after: [+a]}
+d: {echo>: d, _after: [+b]}
"""
    assert run(project, dig) == 1
    assert sorted(capfd.readouterr().out.split()) == ["b", "d"]


def test_a_table_is_waited_for_while_a_task_beside_may_make_it(
    project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "clicks.csv").write_text("n\n2\n", encoding="utf-8")
    dig = """
_parallel: true
+w: {td_wait_table>: made, rows: 1}
+m:
  +s: {sh>: sleep 0.5}
  +q: {td>: {data: "select n from clicks"}, create_table: made}
"""
    assert run(project, dig, "--data", str(tmp_path / "data")) == 0
    assert run(project, dig.replace("create_table: made", ""), "--data", "data", "--out", "o") == 1
    assert "no table made; nothing else writes local tables" in capfd.readouterr().err


def _heed_interrupts() -> None:
    """A shell that runs the tests in the background has them ignore Ctrl-C, and all they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("among", ["", "_parallel: true\n"])
def test_an_interrupted_run_ends_its_processes(among: str, project: Path) -> None:
    script = "'echo $$$$ >> pids; exec sleep 60'"
    (project / "main.dig").write_text(f"{among}+a: {{sh>: {script}}}\n+b: {{sh>: {script}}}\n")
    argv = [sys.executable, "-m", "local_runner", "run", "main.dig"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = subprocess.Popen(
        argv,
        cwd=project,
        env=environment,
        start_new_session=True,
        preexec_fn=_heed_interrupts,
    )
    pids = project / "pids"
    try:
        while not pids.exists() or len(pids.read_text().split()) < (2 if among else 1):
            time.sleep(0.05)
        os.killpg(started.pid, signal.SIGINT)
        assert started.wait(timeout=20) == 130
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
    for pid in map(int, pids.read_text().split()):
        is_gone = not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"
        assert is_gone


@pytest.mark.parametrize(
    "group",
    [
        "_parallel: true\n  +a: {sh>: sleep 0.3; exit 3}\n  +b: {sh>: exit 4}\n",
        "_retry: 1\n  +a: {sh>: 'test -e x && exit 4; touch x; exit 3'}\n",
    ],
    ids=["parallel", "retry"],
)
def test_of_several_errors_the_one_of_the_task_made_first_is_told(
    group: str, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(project, "_error: {echo>: '${error.message}'}\n+g:\n  " + group) == 1
    assert capfd.readouterr().out == "Command failed with code 3 (runtime)\n"
