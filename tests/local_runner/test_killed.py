"""A runner that is ended, or killed: nothing that its tasks started goes on."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from local_runner.__main__ import main
from td_mta.publishing import run_lock

ROOT = Path(__file__).parents[2]
# A process that writes its number, leaves a child that does so too, and would change a table.
MODULE = """\
import os, subprocess, sys, time

CHILD = "import os, time; open('pids', 'a').write(f'{os.getpid()}\\\\n'); time.sleep(60)"

def f():
    subprocess.Popen([sys.executable, "-c", CHILD])
    try:
        with open("pids", "a") as file:
            file.write(f"{os.getpid()}\\n")
        time.sleep(60)
    except KeyboardInterrupt:
        open("cleaned", "w").close()
        raise
    open("table", "w").close()
"""


def _started(
    folder: Path, *before: str, options: Sequence[str] = ()
) -> tuple["subprocess.Popen[bytes]", list[int]]:
    """A run whose py> is at work, and the numbers of all processes that came of it."""
    (folder / "w.dig").write_text("+t:\n  py>: s.f\n", encoding="utf-8")
    (folder / "s.py").write_text(MODULE, encoding="utf-8")
    run = subprocess.Popen(
        [*before, sys.executable, "-m", "local_runner", "run", "w.dig", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )
    pids, deadline = folder / "pids", time.monotonic() + 60
    while not pids.exists() or len(pids.read_text().split()) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return run, [int(pid) for pid in pids.read_text().split()]


def _is_at_work(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


@pytest.mark.parametrize(
    ("kind", "code", "cleans"),
    [
        (signal.SIGKILL, -signal.SIGKILL, False),
        (signal.SIGTERM, 130, True),
        (signal.SIGHUP, 130, True),
    ],
    ids=["kill", "term", "hangup"],
)
def test_a_runner_takes_all_that_its_tasks_started_with_it(
    kind: signal.Signals, code: int, cleans: bool, tmp_path: Path
) -> None:
    run, pids = _started(tmp_path)
    run.send_signal(kind)
    assert run.wait(timeout=20) == code
    deadline = time.monotonic() + 10
    while any(map(_is_at_work, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in pids if _is_at_work(pid)]
    assert (tmp_path / "cleaned").exists() == cleans
    assert not (tmp_path / "table").exists()


def test_a_run_below_nohup_outlives_its_terminal(tmp_path: Path) -> None:
    run, pids = _started(tmp_path, "nohup")
    run.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert run.poll() is None and all(map(_is_at_work, pids))
    run.terminate()
    assert run.wait(timeout=20) == 130


def test_a_second_run_with_the_same_tables_is_refused_until_the_first_one_is_no_more(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    options = ("--data", ".", "--out", "tables")
    first, _ = _started(tmp_path, options=options)
    (tmp_path / "other.dig").write_text("+t:\n  echo>: done\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with first:
        assert main(["run", "other.dig", *options]) == 2
        assert main(["run", "other.dig", *options, "--dry-run"]) == 0
        assert main(["run", "other.dig", "--data", ".", "--out", "elsewhere"]) == 0
        first.kill()
    refused = capfd.readouterr().err.splitlines()
    assert f"error: another run writes to tables (process {first.pid} on " in "\n".join(refused)
    assert main(["run", "other.dig", *options]) == 0
    assert capfd.readouterr().out == "done\n"
    assert f"A run that wrote to tables was killed (process {first.pid} on " in caplog.text
    assert not (tmp_path / "tables" / run_lock.OF_WORKFLOW).exists()
