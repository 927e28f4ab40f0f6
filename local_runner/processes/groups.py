"""A task's process and all that it starts: one group, which ends with the task and with the run."""

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from local_runner import together

_GUARDIAN = Path(__file__).with_name("guardian.py")
_TURN = 0.1  # seconds between two looks at a process
_GRACE = 5.0  # seconds that an interrupted process has to clean up


def run(
    argv: Sequence[str], folder: Path, variables: Mapping[str, str], stdin: int | None = None
) -> int:
    """Run a process in a folder; its exit code. Raises `OSError` where it cannot start.

    Both of its streams go to standard output, as on Digdag: at once, or whole where others run.
    """
    sys.stdout.flush()
    if not together.among_others():
        return _run(argv, folder, variables, stdin, None)
    with TemporaryFile() as output:
        try:
            return _run(argv, folder, variables, stdin, output)
        finally:
            output.seek(0)
            together.write(output.read())


def _run(
    argv: Sequence[str],
    folder: Path,
    variables: Mapping[str, str],
    stdin: int | None,
    output: IO[bytes] | None,
) -> int:
    _guardian.start()  # before there is anything to watch
    started = subprocess.Popen(
        argv,
        cwd=folder,
        env=variables,
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        _guardian.watch(started.pid)
        return _ended(started)
    except BaseException:
        _interrupt(started)
        raise
    finally:
        _guardian.forget(started.pid)


def _ended(started: "subprocess.Popen[bytes]") -> int:
    if not together.among_others():
        return started.wait()
    while (code := started.poll()) is None:
        together.sleep(_TURN)
    return code


def _interrupt(started: "subprocess.Popen[bytes]") -> None:
    """As Ctrl-C would, which does not reach the group; then for good."""
    for kind in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(OSError):
            os.killpg(started.pid, kind)
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(_GRACE)


class _Guardian:
    """The process that outlives the runner, for as long as groups of it are left."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process, if it does not run yet."""
        with self._lock:
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(_GUARDIAN)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )

    def watch(self, group: int) -> None:
        """From now on the group ends with the runner."""
        self._tell(f"+{group}")

    def forget(self, group: int) -> None:
        """The group has ended."""
        self._tell(f"-{group}")

    def close(self) -> None:
        """Let the process end."""
        if self._process and self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            self._process.wait()

    def _tell(self, line: str) -> None:
        with self._lock, contextlib.suppress(BrokenPipeError):  # somebody ended it
            assert self._process and self._process.stdin
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()


_guardian = _Guardian()
atexit.register(_guardian.close)
