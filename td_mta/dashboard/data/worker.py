"""`python -m td_mta.dashboard.data.worker FOLDER`: the work that `FOLDER/job.json` describes.

`progress.json` says how far it is, `error.txt` why it ended; `done` stands where it succeeded.
"""

import json
import logging
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from td_mta import failures
from td_mta.atomic_files import replacing
from td_mta.visible_text import visible

JOB, PROGRESS, ERROR, DONE = "job.json", "progress.json", "error.txt", "done"
OFTEN = 0.2  # seconds between two lines of progress


def main(folder: Path) -> int:
    """Do the job; the exit code is 0 where `done` was written."""
    logging.basicConfig(level=logging.WARNING)
    job = json.loads((folder / JOB).read_text(encoding="utf-8"))
    say = _Progress(folder)
    try:
        _work(job, folder, say)
    except Exception as error:
        sentence = failures.expected(error) or failures.report(error, folder)[0]
        (folder / ERROR).write_text(visible(sentence), encoding="utf-8", errors="backslashreplace")
        return 1
    (folder / DONE).touch()
    return 0


def _work(job: Mapping[str, Any], folder: Path, say: "_Progress") -> None:
    say(0.01, "starting")
    from td_mta.dashboard.data import plans, sources

    if job["what"] == "simulate":
        plan = plans.plan_of(job)
        sources.simulate(plan, job["world"], job["seed"], folder, say, job["days"])
    else:
        sources.read(job, folder, say)


class _Progress:
    """Writes the share that is done, and what is being done, now and then."""

    def __init__(self, folder: Path) -> None:
        self._path, self._said = folder / PROGRESS, 0.0

    def __call__(self, share: float, what: str) -> None:
        now = time.monotonic()
        if now - self._said < OFTEN and share < 0.9:
            return
        self._said = now
        with replacing(self._path) as path:
            path.write_text(json.dumps({"share": share, "what": what}), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
