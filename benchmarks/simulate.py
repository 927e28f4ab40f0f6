"""`python -m benchmarks.simulate [--users N] [--world NAME]`: a simulated world to a Parquet file.

The classic world of ten touches a user unless another is named; in a process of its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulate", description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--world", default="classic")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as folder:
        world = ["--world", chosen.world, "--users", str(chosen.users)]
        command = [sys.executable, "-m", "td_mta.simulate", "--out", folder, *world]
        started = time.monotonic()
        subprocess.run([*command, "--format", "parquet"], check=True, stderr=subprocess.DEVNULL)
        wall = time.monotonic() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        truth = json.loads((Path(folder) / "truth.json").read_text(encoding="utf-8"))
        size = (Path(folder) / "mta_user_rnd.parquet").stat().st_size
    print(f"{chosen.world}: {chosen.users:,} users, {truth['conversions']:,} conversions")
    seconds = used.ru_utime + used.ru_stime
    memory = used.ru_maxrss / 2**10
    print(f"{wall:.1f} s, {seconds:.1f} s of one core, {memory:.0f} MiB; file {size >> 20} MiB")


if __name__ == "__main__":
    main()
