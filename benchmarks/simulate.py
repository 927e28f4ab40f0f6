"""`python -m benchmarks.simulate [--users N] [--world NAME]`: a simulated world to a Parquet file.

The classic world of ten touches a user unless another is named; in a process of its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulate", description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--world", default="classic")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as folder:
        world = ["--world", chosen.world, "--users", str(chosen.users)]
        command = [sys.executable, "-m", "td_mta.simulate", "--out", folder, *world]
        started = time.monotonic()
        process = psutil.Popen([*command, "--format", "parquet"], stderr=subprocess.DEVNULL)
        largest, seconds = 0, 0.0
        while process.poll() is None:
            with process.oneshot():
                largest = max(largest, process.memory_info().rss)
                times = process.cpu_times()
            seconds = times.user + times.system
            time.sleep(0.02)
        wall = time.monotonic() - started
        truth = json.loads((Path(folder) / "truth.json").read_text(encoding="utf-8"))
        size = (Path(folder) / "mta_user_rnd.parquet").stat().st_size
    print(f"{chosen.world}: {chosen.users:,} users, {truth['conversions']:,} conversions")
    print(f"{wall:.1f} s ({seconds:.1f} s of one core), {largest >> 20} MiB; file {size >> 20} MiB")


if __name__ == "__main__":
    main()
