"""Work in processes of their own: started, looked at, cancelled. A folder holds one job.

Equal work has an equal folder, so that nothing is done twice, whichever browser tab asks.
"""

import atexit
import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from td_mta.atomic_files import replacing
from td_mta.dashboard.data.worker import DONE, ERROR, JOB, PROGRESS
from td_mta.visible_text import visible

FOLDER = "TD_MTA_APP_FOLDER"  # the environment's variable
OPEN = "TD_MTA_APP_OPEN"  # another one: what the command line names
LOG = "log.txt"
HELD = "{}_path.json"
KILL_AFTER = 3.0  # seconds
CANCELLED = "cancelled"
# The lines of a run in their order, by what they begin with, and the share that is then done.
RUN_STEPS = {
    "reading": 0.05, "read:": 0.15, "extract": 0.25, "rung logistic": 0.3, "rung pairs": 0.4,
    "rung mlp": 0.55, "used:": 0.75, "train:": 0.75, "shapley": 0.85,
    "intervals": 0.9, "convergence": 0.95, "confounding": 0.98,
    "days from": 0.05, "weeks from": 0.05, "months from": 0.05, "adstock": 0.3, "fit:": 0.5,
    "coverage:": 0.6,
}  # fmt: skip
_PROCESSES: dict[Path, "subprocess.Popen[bytes]"] = {}
_LOCK = threading.Lock()


class State(NamedTuple):
    """How far a job is."""

    status: str  # none, running, done, failed or cancelled
    share: float = 0.0
    what: str = ""  # is being done, or went wrong


def workspace() -> Path:
    """The folder of all jobs; one of this process where the app's command has made none."""
    named = os.environ.get(FOLDER)
    if named is None:
        named = os.environ[FOLDER] = tempfile.mkdtemp(prefix="td_mta_app_")
        atexit.register(shutil.rmtree, named, ignore_errors=True)
    path = Path(named)
    path.mkdir(parents=True, exist_ok=True)
    return path


def key_of(job: Mapping[str, Any]) -> str:
    """The name of a job's folder, the same for the same work."""
    text = json.dumps(job, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def hold(what: str, path: Path) -> str:
    """The key of a finished run of this kind, whose folder is not the app's."""
    key = key_of({what: str(path)})
    folder = workspace() / key
    folder.mkdir(exist_ok=True)
    with replacing(folder / HELD.format(what)) as file:
        file.write_text(json.dumps(str(path)), encoding="utf-8")
    return key


def held(what: str, folder: Path) -> Path | None:
    """Where the run of this kind is that `folder` stands for, if it does for one."""
    file = folder / HELD.format(what)
    return Path(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def folder_of(key: str) -> Path | None:
    """The folder of a key, as a link may hold one; None for anything else."""
    if not key or not key.isalnum() or len(key) != 16:
        return None
    return workspace() / key


def start(job: Mapping[str, Any]) -> str:
    """Start the job unless it runs or is done; its key."""
    key = key_of(job)
    folder = workspace() / key
    command = [sys.executable, "-m", "td_mta.dashboard.data.worker", str(folder)]
    _begin(folder, command, job)
    return key


def start_run(folder: Path, words: Sequence[str], sets: Mapping[str, str]) -> None:
    """Start a command such as `td_mta.main FILE` into `folder/run`, unless it runs or is done."""
    command = [sys.executable, "-m", *words, "--out", str(folder / "run")]
    for name, value in sets.items():
        command += ["--set", f"{name}={value}"]
    _begin(folder, command, {"what": "run", "command": command})


def _begin(folder: Path, command: Sequence[str], job: Mapping[str, Any]) -> bool:
    with _LOCK:
        if state(folder).status in ("running", "done"):
            return False
        folder.mkdir(parents=True, exist_ok=True)
        for name in (PROGRESS, ERROR, CANCELLED, LOG):
            (folder / name).unlink(missing_ok=True)
        (folder / JOB).write_text(json.dumps(dict(job)), encoding="utf-8")
        with (folder / LOG).open("wb") as log:
            _PROCESSES[folder] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | {"PYTHONIOENCODING": "utf-8"},
            )
        return True


def state(folder: Path) -> State:
    """How far the job of a folder is."""
    process = _PROCESSES.get(folder)
    code = None if process is None else process.poll()
    if (folder / DONE).exists():
        return State("done", 1.0)
    if process is None:
        if (folder / ERROR).exists():
            return State("failed", what=(folder / ERROR).read_text(encoding="utf-8"))
        return State("none")
    if (folder / CANCELLED).exists():
        return State("cancelled", what="Cancelled: nothing was kept.")
    if code is None:
        return _running(folder)
    if code == 0 and _is_run(folder):
        (folder / DONE).touch()
    if (folder / DONE).exists():
        return State("done", 1.0)
    return State("failed", what=_error(folder, code))


def cancel(folder: Path) -> None:
    """End the job and all that it started; returns when it has ended."""
    process = _PROCESSES.get(folder)
    if process is None or process.poll() is not None:
        return
    (folder / CANCELLED).touch()
    _signal(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(KILL_AFTER)
    _signal(process, signal.SIGKILL)
    process.wait()
    for unfinished in folder.glob(".*.part"):
        unfinished.unlink(missing_ok=True)


def cancel_all() -> None:
    """End every job of this process."""
    for folder in list(_PROCESSES):
        cancel(folder)


atexit.register(cancel_all)


def wait(folder: Path, seconds: float) -> State:
    """How the job ended, or how far it is after so many seconds."""
    until = time.monotonic() + seconds
    while (now := state(folder)).status == "running" and time.monotonic() < until:
        time.sleep(0.05)
    return now


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)  # the process began a group of its own


def _is_run(folder: Path) -> bool:
    return (folder / "run").is_dir()


def _running(folder: Path) -> State:
    try:
        said = json.loads((folder / PROGRESS).read_text(encoding="utf-8"))
        return State("running", float(said["share"]), str(said["what"]))
    except (OSError, ValueError):
        pass
    share, said = 0.02, "starting"
    for line in _log(folder):
        words = line.partition(" INFO ")[2]
        said = words or said
        share = max(share, next((s for w, s in RUN_STEPS.items() if words.startswith(w)), share))
    return State("running", share, said)


def _error(folder: Path, code: int) -> str:
    if (folder / ERROR).exists():
        return (folder / ERROR).read_text(encoding="utf-8")
    said = [line.removeprefix("error: ") for line in _log(folder) if line.startswith("error: ")]
    if said:
        return said[-1]
    if code == -signal.SIGKILL:
        return "The process was killed, most likely for lack of memory: use fewer rows or users."
    return f"The process ended with code {code}; {folder / LOG} has its last lines."


def _log(folder: Path) -> list[str]:
    try:
        text = (folder / LOG).read_text(encoding="utf-8", errors="backslashreplace")
    except OSError:
        return []
    return [visible(line) for line in text.splitlines() if line.strip()]
