"""One run at a time writes to a folder; a run that was killed holds nothing."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from td_mta.errors import ConfigError
from td_mta.publishing import run_lock, scratch

HOLDS = """
import pathlib, sys, time
from td_mta.publishing import run_lock, scratch
with run_lock.held(pathlib.Path(sys.argv[1])), scratch.folder() as spill:
    print(spill, flush=True)
    time.sleep(600)
"""
MAKES_MANY = """
from td_mta.publishing import run_lock, scratch
for _ in range(200):
    path, remove = scratch.make()
    assert (path / run_lock.FILE).exists()
    remove()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary folders, of this process and its children."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


def holder(folder: Path) -> "subprocess.Popen[str]":
    """A process that holds the lock of the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline()
    return process


def test_a_second_run_is_refused_and_the_first_one_named(tmp_path: Path, temporary: Path) -> None:
    with holder(tmp_path / "out") as first:
        with pytest.raises(ConfigError) as caught, run_lock.held(tmp_path / "out"):
            pass
        first.kill()
    message = str(caught.value)
    assert message.startswith(f"another run writes to {tmp_path / 'out'} (process {first.pid} on ")
    assert ", 0 minutes ago): wait until it has ended, or set another folder with --out" in message


def test_what_a_killed_run_left_is_taken_over(
    tmp_path: Path, temporary: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with holder(tmp_path / "out") as first:
        first.kill()
    left = set(temporary.iterdir())
    with run_lock.held(tmp_path / "out"), scratch.folder() as spill:
        assert f"was killed (process {first.pid} on " in caplog.text
        assert len(left) == 1 and set(temporary.iterdir()) == {spill}
    assert list((tmp_path / "out").iterdir()) == [] and list(temporary.iterdir()) == []


def test_what_a_run_was_removing_when_it_was_killed_goes_too(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, remove = scratch.make()
    (path / "rows.arrow").touch()

    def killed(path: Path, **options: bool) -> None:
        (path / run_lock.FILE).unlink()  # the first of several files
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(scratch.shutil, "rmtree", killed)
        remove()
    assert len(list(temporary.rglob("rows.arrow"))) == 1
    with scratch.folder():
        pass
    assert list(temporary.iterdir()) == []


def test_a_folder_of_a_living_process_stays(tmp_path: Path, temporary: Path) -> None:
    with holder(tmp_path / "out") as first:
        left = set(temporary.iterdir())
        with scratch.folder() as spill:
            assert set(temporary.iterdir()) == {*left, spill}
        first.kill()


def test_processes_that_begin_at_once_do_not_sweep_each_other(temporary: Path) -> None:
    with contextlib.ExitStack() as stack:
        command = [sys.executable, "-c", MAKES_MANY]
        begun = [stack.enter_context(subprocess.Popen(command)) for _ in range(4)]
    assert [process.returncode for process in begun] == [0] * 4
    assert list(temporary.iterdir()) == []


def test_a_lock_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with run_lock.held(tmp_path):
            with pytest.raises(ConfigError), run_lock.held(tmp_path):
                pass
            (tmp_path / "table.csv").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"process": "x"}', '{"since": 1e400}'])
def test_a_file_that_says_nothing_is_no_lock(text: str, tmp_path: Path) -> None:
    (tmp_path / run_lock.FILE).write_text(text)
    with run_lock.held(tmp_path):
        pass


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "out"):
        with (
            pytest.raises(ConfigError, match="is no folder: set another one with --out"),
            run_lock.held(folder),
        ):
            pass


def _link(path: Path) -> None:
    path.symlink_to(path.parent / "file of others")


@pytest.mark.parametrize("make", [_link, os.mkfifo, Path.mkdir])
def test_what_is_no_file_is_no_lock(make: Callable[[Path], None], tmp_path: Path) -> None:
    (tmp_path / "file of others").write_text("theirs")
    make(tmp_path / run_lock.FILE)
    with pytest.raises(ConfigError, match="is a link or no file"), run_lock.held(tmp_path):
        pass
    assert (tmp_path / "file of others").read_text() == "theirs"


def test_temporary_files_of_libraries_lie_in_the_folder(tmp_path: Path) -> None:
    before = tempfile.gettempdir()
    with scratch.of_libraries(tmp_path):
        assert Path(tempfile.mkdtemp()).parent == tmp_path
    assert tempfile.gettempdir() == before
