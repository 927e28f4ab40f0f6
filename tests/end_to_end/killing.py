"""Processes that are killed (-9) with all that they started, and what they left."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.end_to_end import runs

PATIENCE = 600  # seconds for a run that is not killed


def names(out: Path) -> set[str]:
    return {str(path.relative_to(out)) for path in out.rglob("*")}


def start(
    command: Sequence[str], log: Path, variables: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    """A process that leads a group of its own."""
    with log.open("wb") as file:
        return subprocess.Popen(
            command, cwd=runs.ROOT, env=variables, stdout=file, stderr=file, start_new_session=True
        )


def kill_after(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Kill it and its children, unless it ends before."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def shares(moments: int) -> list[float]:
    """The middles of so many equal parts of a run's time."""
    return [(number + 0.5) / moments for number in range(moments)]
