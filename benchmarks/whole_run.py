"""`python -m benchmarks.whole_run [--rows N]`: a run from a Parquet table, seconds and memory.

The table is that of `benchmarks.make_touchpoints`; the run is `python -m td_mta.main` in a process
of its own. Every `--set` goes to it, such as `--set lookback_window_days=7`.
"""

import argparse
import csv
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DEFAULTS = ("examples=touch_days", "lookback_window_days=3", "train_epochs=2")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.whole_run", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--data", type=Path, help="a folder that has mta_user_rnd.parquet already")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as folder:
        data, out = chosen.data or Path(folder), Path(folder) / "out"
        if chosen.data is None:
            _make(data, chosen.rows, chosen.channels)
        started = time.monotonic()
        settings = [part for pair in (*DEFAULTS, *chosen.set) for part in ("--set", pair)]
        command = [sys.executable, "-m", "td_mta.main", "--data", str(data), "--out", str(out)]
        subprocess.run([*command, *settings], check=True)
        seconds = time.monotonic() - started
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        with (out / "shapley_run_info.csv").open(newline="", encoding="utf-8") as file:
            facts = [row for row in csv.reader(file) if row[0] in ("counts", "seconds", "shapley")]
    for section, name, value in facts:
        print(f"{section:8} {name:28} {value}")
    print(f"whole run {seconds:.0f} s, peak memory {peak:.2f} GiB")


def _make(folder: Path, rows: int, channels: int) -> None:
    made = [sys.executable, "-m", "benchmarks.make_touchpoints"]
    made += ["--out", str(folder / "mta_user_rnd.parquet"), "--rows", str(rows)]
    made += ["--users", str(rows * 14 // 100), "--channels", str(channels)]
    subprocess.run(made, check=True)


if __name__ == "__main__":
    main()
