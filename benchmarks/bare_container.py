"""`python -m benchmarks.bare_container --python PYTHON`: seconds of the Python task in a container.

A new environment of that interpreter, 3.10 or 3.12, replaces the container, the emulator replaces
Treasure Data, and a copy of the files that a push sends replaces the project. The task runs as
Digdag runs it: it installs its pinned packages, which must be within reach, reads the touchpoints,
and writes its tables back.

Expect two to three minutes and 2 GB of disk, most of it for the packages.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.make_touchpoints import CHANNELS, write_touchpoints
from local_runner.archive import archived
from td_emulator import API_KEY, EmbeddedEngine, Emulator

ROOT = Path(__file__).parent.parent
RUNNER = ROOT / "local_runner" / "processes" / "py_runner.py"
TOUCHPOINTS = {"rows": 50_000, "users": 7_000, "channels": len(CHANNELS), "days": 30, "seed": 18}


def main() -> None:
    """Print the run's counts and the seconds from the task's start to its tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bare_container")
    parser.add_argument("--python", default=sys.executable, help="an interpreter, 3.10 or 3.12")
    python = parser.parse_args().python
    with tempfile.TemporaryDirectory(prefix="td_mta_bare_") as temporary:
        folder = Path(temporary)
        (folder / "databases" / "mta").mkdir(parents=True)
        table = folder / "databases" / "mta" / "mta_user_rnd.parquet"
        write_touchpoints(table, **TOUCHPOINTS, ab_rnd=True)
        _push(folder / "project")
        subprocess.run([python, "-m", "venv", str(folder / "bare")], check=True)
        with Emulator(EmbeddedEngine(folder / "databases")) as td:
            started = time.monotonic()
            result = _run_task(folder, td.url)
            seconds = time.monotonic() - started
    if result["error"]:
        sys.exit(str(result["error"]["message"]))
    print(json.dumps(result["store"]["mta"]["counts"]))
    print(f"the task from its start to its tables: {seconds:.0f} s")


def _push(project: Path) -> None:
    """Copy the files that a push sends."""
    for path in archived(ROOT):
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, project / path)


def _run_task(folder: Path, server: str) -> dict[str, dict[str, Any]]:
    """What the py> task stored and, where it failed, its error."""
    params = {"train_epochs": "1", "model_width": "16", "dropout_rate": "0.5"}
    arguments, result = folder / "input.json", folder / "output.json"
    arguments.write_text(json.dumps({"params": params}), encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MTA_")}
    environment |= {"TD_API_KEY": API_KEY, "TD_API_SERVER": server, "TMPDIR": str(folder)}
    environment["PYTHONPATH"] = str(folder / "project")
    command = [str(folder / "bare" / "bin" / "python"), str(RUNNER)]
    command += ["td_mta.docker_main.run", str(arguments), str(result)]
    subprocess.run(command, cwd=folder / "project", env=environment)
    stored: dict[str, dict[str, Any]] = json.loads(result.read_text(encoding="utf-8"))
    return stored


if __name__ == "__main__":
    main()
