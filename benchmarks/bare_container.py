"""`python -m benchmarks.bare_container --python PYTHON`: the Python task, nothing installed before.

A new environment of that interpreter, 3.10 or 3.12, stands for the container, the emulator for
Treasure Data, and a copy of the files that a push sends for the project. The task runs as Digdag
runs it: it installs its pinned packages, which must be within reach, reads the touchpoints, and
writes its tables back.
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
FEW = {"rows": 50_000, "users": 7_000, "channels": len(CHANNELS), "days": 30, "seed": 18}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bare_container")
    parser.add_argument("--python", default=sys.executable, help="an interpreter, 3.10 or 3.12")
    python = parser.parse_args().python
    with tempfile.TemporaryDirectory(prefix="td_mta_bare_") as name:
        folder = Path(name)
        (folder / "databases" / "mta").mkdir(parents=True)
        table = folder / "databases" / "mta" / "mta_user_rnd.parquet"
        write_touchpoints(table, **FEW, ab_rnd=True)
        _push(folder / "project")
        subprocess.run([python, "-m", "venv", str(folder / "bare")], check=True)
        with Emulator(EmbeddedEngine(folder / "databases")) as td:
            started = time.monotonic()
            done = _task(folder, td.url)
            seconds = time.monotonic() - started
    if done["error"]:
        sys.exit(str(done["error"]["message"]))
    print(json.dumps(done["store"]["mta"]["counts"]))
    print(f"the task from its start to its tables: {seconds:.0f} s")


def _push(project: Path) -> None:
    for path in archived(ROOT):
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, project / path)


def _task(folder: Path, server: str) -> dict[str, dict[str, Any]]:
    """What the py> task stored, or its error."""
    params = {"train_epochs": "1", "model_width": "16", "dropout_rate": "0.5"}
    (folder / "input.json").write_text(json.dumps({"params": params}), encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MTA_")}
    environment |= {"TD_API_KEY": API_KEY, "TD_API_SERVER": server, "TMPDIR": str(folder)}
    command = [str(folder / "bare" / "bin" / "python"), str(RUNNER)]
    command += ["td_mta.docker_main.run", str(folder / "input.json"), str(folder / "output.json")]
    environment["PYTHONPATH"] = str(folder / "project")
    subprocess.run(command, cwd=folder / "project", env=environment)
    found: dict[str, dict[str, Any]] = json.loads(
        (folder / "output.json").read_text(encoding="utf-8")
    )
    return found


if __name__ == "__main__":
    main()
