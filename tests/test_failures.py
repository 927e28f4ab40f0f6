"""How a command ends: a sentence and a code; a fault of the program never shows its traceback."""

import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from td_mta import docker_main, failures, main
from td_mta.errors import ConfigError, DataError, MtaError, WarehouseError
from td_mta.pipelines import attribution
from td_mta.simulate import __main__ as simulate

ROOT = Path(__file__).parent.parent


def raising(error: BaseException) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ConfigError("params.yml: no"), 2, "params.yml: no"),
        (DataError("table t: empty"), 2, "table t: empty"),
        (WarehouseError("gone"), 1, "gone"),
        (MtaError("two\n  lines"), 1, "two lines"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 1, "out of memory: lower users_per_tfrecord"),
        (OSError(errno.ENOSPC, "No space left on device", "out/x.csv"), 1, "the disk is full"),
        (OSError("Error writing: No space left on device"), 1, "the disk is full"),
        (
            OSError(errno.EIO, "Input/output error"),
            1,
            "a file cannot be read or written",
        ),
        (OSError(errno.EMFILE, "Too many open files", "x"), 1, "raise the limit with ulimit -n"),
        (PermissionError(errno.EACCES, "Permission denied", "out"), 1, "Permission denied: 'out'"),
        (
            ModuleNotFoundError("No module named 'keras'", name="keras"),
            1,
            "the package keras cannot be imported (No module named 'keras'): "
            "run pip install -r td_mta/requirements.txt",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_error_is_one_line_and_a_code(
    error: BaseException, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failures.exit_code(raising(error)) == code
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ") and message in lines[0]


def test_work_that_ends_returns_zero() -> None:
    assert failures.exit_code(lambda: None) == 0


class PanicError(BaseException):
    """Such as DataFusion's, which is no Exception."""


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyError("x"), "KeyError: 'x'"),
        (ValueError("two\n  lines"), "ValueError: two lines"),
        (AssertionError(), "AssertionError;"),
        (RecursionError("too deep"), "RecursionError: too deep"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "UnicodeDecodeError: "),
        (pa.ArrowInvalid("no"), "ArrowInvalid: no"),
        (OSError("a library's, of no file"), "OSError: a library's, of no file"),
        (PanicError("thread panicked"), "PanicError: thread panicked"),
        (type("Ünïcode", (Exception,), {})("\ud800"), "Ünïcode"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_a_fault_of_the_program_is_three_lines_and_a_file(
    error: BaseException, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert failures.exit_code(raising(error), tmp_path / "out") == 1
    printed = capfd.readouterr().err
    what, versions, how = printed.splitlines()
    assert what.startswith("error: a fault of the program: ") and message in what
    assert re.match(
        r"versions: td_mta [\d.]+, Python 3\.\d+\.\d+, numpy \d.*, pyarrow \d", versions
    )
    assert how.startswith("report it to whoever maintains td_mta for you")
    [file] = (tmp_path / "out").glob("failure_*.log")
    assert str(file) in how
    assert "Traceback" not in printed
    assert "Traceback (most recent call last)" in file.read_text("utf-8")


def test_without_a_folder_that_takes_it_the_traceback_is_in_the_temporary_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "out").write_text("a file")
    for folder in (None, tmp_path / "out"):
        assert failures.exit_code(raising(ValueError("x")), folder) == 1
    assert len(list((tmp_path / "temporary").glob("failure_*.log"))) == 2
    assert str(tmp_path / "temporary") in capsys.readouterr().err


def test_the_version_is_that_of_the_project() -> None:
    assert f'version = "{failures.VERSION}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_a_run_that_fails_inside_leaves_the_tables_of_the_last_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shapley.csv").write_text("the last run's\n")
    (tmp_path / "mta_user_rnd.csv").write_text("canonical_id,time,channels,conversion\na,1,b,1\n")
    monkeypatch.setattr(attribution, "run", lambda *_, **__: {}["no such key"])
    assert main.main(["--data", str(tmp_path), "--out", str(tmp_path)]) == 1
    assert "a fault of the program: KeyError: 'no such key'" in capsys.readouterr().err
    assert (tmp_path / "shapley.csv").read_text() == "the last run's\n"


def test_the_simulator_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulate, "write", lambda *_: 1 / 0)
    assert simulate.main(["--out", str(tmp_path), "--users", "10"]) == 1
    assert "ZeroDivisionError: division by zero" in capsys.readouterr().err


@pytest.mark.parametrize("local", [True, False], ids=["local", "container"])
def test_the_task_of_a_workflow_raises_a_message(
    local: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_main, "_attribute", lambda _: {}["no such key"])
    monkeypatch.setattr(docker_main.container, "install", lambda only: None)
    monkeypatch.delenv("MTA_WAREHOUSE", raising=False)
    if local:
        monkeypatch.setenv("MTA_WAREHOUSE", "local")
        monkeypatch.setenv("MTA_OUT", str(tmp_path))
    with pytest.raises(MtaError, match="a fault of the program: KeyError: 'no such key'") as caught:
        docker_main.run()
    files = list(tmp_path.glob("failure_*.log"))
    assert len(files) == local
    place = str(files[0]) if local else "the traceback in the log of this task"
    assert place in str(caught.value) and "Python 3." in str(caught.value)


def test_a_workflow_on_local_files_shows_no_traceback_of_ours(tmp_path: Path) -> None:
    """The task's process fails while it imports a part of td_mta that is broken."""
    (tmp_path / "sitecustomize.py").write_text(
        "import td_mta.pipelines.attribution as a\na.run = lambda *_, **__: {}['no such key']\n"
    )
    touches = tmp_path / "mta_user_rnd.csv"
    touches.write_text("canonical_id,time,channels,conversion\na,1,b,1\n")
    command = ["-m", "local_runner", "run", "mta.dig", "+execute_python_code"]
    folders = ["--data", str(tmp_path), "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, *command, *folders],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "a fault of the program: KeyError: 'no such key'" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    [file] = (tmp_path / "out").glob("failure_*.log")
    assert "KeyError" in file.read_text("utf-8")


def test_a_reader_that_has_enough_is_no_fault() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRINTS_MUCH], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (failures.READER_LEFT, "")


PRINTS_MUCH = """
import os, sys
from td_mta import failures
read, write = os.pipe()
os.close(read)
os.dup2(write, 1)
sys.exit(failures.exit_code(lambda: print("much", flush=True)))
"""
