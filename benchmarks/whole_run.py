"""`python -m benchmarks.whole_run [--rows N]`: seconds and memory of a run from a Parquet table.

The table is that of `benchmarks.make_touchpoints`; the run is `python -m td_mta.main` in a process
of its own. Every `--set` goes to it, such as `--set lookback_window_days=7`.

Expect 3.5 minutes on two cores and 1.5 GiB with the defaults: half a minute for the table, the rest
for the run.
"""

import argparse
import csv
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.make_touchpoints import write_in_subprocess

DEFAULTS = ("examples=touch_days", "lookback_window_days=3", "train_epochs=2")


def main() -> None:
    """Print the run's counts and the seconds of its steps, then the whole run's."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.whole_run", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--data", type=Path, help="a folder that has mta_user_rnd.parquet already")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as folder:
        data, out = options.data or Path(folder), Path(folder) / "out"
        if options.data is None:
            table = data / "mta_user_rnd.parquet"
            write_in_subprocess(table, rows=options.rows, channels=options.channels)
        started = time.monotonic()
        _run(data, out, [*DEFAULTS, *options.set])
        seconds = time.monotonic() - started
        run_info = _run_info(out)
    # ru_maxrss is that of the largest child: the run, which takes more than making the table
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20  # GiB
    for section, name, value in run_info:
        print(f"{section:8} {name:28} {value}")
    print(f"whole run {seconds:.0f} s, peak memory {peak:.2f} GiB")


def _run(data: Path, out: Path, settings: list[str]) -> None:
    command = [sys.executable, "-m", "td_mta.main", "--data", str(data), "--out", str(out)]
    for setting in settings:
        command += ["--set", setting]
    subprocess.run(command, check=True)


def _run_info(out: Path) -> list[list[str]]:
    """Rows of section, name and value."""
    with (out / "shapley_run_info.csv").open(newline="", encoding="utf-8") as file:
        return [row for row in csv.reader(file) if row[0] in ("counts", "seconds", "shapley")]


if __name__ == "__main__":
    main()
