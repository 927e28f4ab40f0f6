"""A runner that is ended, or killed: nothing that its tasks started goes on."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from local_runner.__main__ import main
from td_mta.publishing import run_lock

ROOT = Path(__file__).parents[2]
PATIENCE = 60  # seconds, on a machine with other work
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


def _in_the_foreground() -> None:
    """Heed what a shell has its background ignore, and with it these tests and all they start."""
    for kind in (signal.SIGINT, signal.SIGHUP):
        signal.signal(kind, signal.SIG_DFL)


def _in_the_background() -> None:
    """As a script's shell starts what ends in `&`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@contextlib.contextmanager
def _started(
    folder: Path,
    *before: str,
    options: Sequence[str] = (),
    first: Callable[[], None] = _in_the_foreground,
) -> Iterator[tuple["subprocess.Popen[bytes]", list[int]]]:
    """A run whose py> is at work, and the numbers of all processes that came of it."""
    (folder / "w.dig").write_text("+t:\n  py>: s.f\n", encoding="utf-8")
    (folder / "s.py").write_text(MODULE, encoding="utf-8")
    run = subprocess.Popen(
        [*before, sys.executable, "-m", "local_runner", "run", "w.dig", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
        preexec_fn=first,
    )
    pids, deadline = folder / "pids", time.monotonic() + PATIENCE
    with run:
        try:
            while not pids.exists() or len(pids.read_text().split()) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield run, [int(pid) for pid in pids.read_text().split()]
        finally:
            run.kill()


def _is_at_work(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


@pytest.mark.parametrize(
    ("kind", "first", "code", "cleans"),
    [
        (signal.SIGKILL, _in_the_foreground, -signal.SIGKILL, False),
        (signal.SIGTERM, _in_the_foreground, 130, True),
        (signal.SIGHUP, _in_the_foreground, 130, True),
        (signal.SIGTERM, _in_the_background, 130, True),
    ],
    ids=["kill", "term", "hangup", "term in the background"],
)
def test_a_runner_takes_all_that_its_tasks_started_with_it(
    kind: signal.Signals, first: Callable[[], None], code: int, cleans: bool, tmp_path: Path
) -> None:
    with _started(tmp_path, first=first) as (run, pids):
        run.send_signal(kind)
        assert run.wait(PATIENCE) == code
    deadline = time.monotonic() + PATIENCE
    while any(map(_is_at_work, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in pids if _is_at_work(pid)]
    assert (tmp_path / "cleaned").exists() == cleans
    assert not (tmp_path / "table").exists()


def test_a_run_below_nohup_outlives_its_terminal(tmp_path: Path) -> None:
    with _started(tmp_path, "nohup") as (run, pids):
        run.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert run.poll() is None and all(map(_is_at_work, pids))
        run.terminate()
        assert run.wait(PATIENCE) == 130


def test_a_second_run_with_the_same_tables_is_refused_until_the_first_one_is_no_more(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    options = ("--data", ".", "--out", "tables")
    (tmp_path / "other.dig").write_text("+t:\n  echo>: done\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with _started(tmp_path, options=options) as (first, _):
        assert main(["run", "other.dig", *options]) == 2
        assert main(["run", "other.dig", *options, "--dry-run"]) == 0
        assert main(["run", "other.dig", "--data", ".", "--out", "elsewhere"]) == 0
    refused = capfd.readouterr().err.splitlines()
    assert f"error: another run writes to tables (process {first.pid} on " in "\n".join(refused)
    assert main(["run", "other.dig", *options]) == 0
    assert capfd.readouterr().out == "done\n"
    assert f"A run that wrote to tables was killed (process {first.pid} on " in caplog.text
    assert not (tmp_path / "tables" / run_lock.OF_WORKFLOW).exists()


def test_what_a_killed_runner_left_in_the_temporary_folder_goes_with_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with _started(tmp_path) as (run, _):
        run.kill()
        run.wait(PATIENCE)
    assert list(temporary.glob("*/input.json"))
    (tmp_path / "w.dig").write_text("+t:\n  sh>: 'true'\n", encoding="utf-8")
    again = [sys.executable, "-m", "local_runner", "run", "w.dig"]
    done = subprocess.run(again, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0
    assert list(temporary.iterdir()) == []
