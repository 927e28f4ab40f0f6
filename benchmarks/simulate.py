"""`python -m benchmarks.simulate [--users N] [--world NAME]`: a simulated world to a Parquet file.

Measures seconds and peak memory of `python -m td_mta.simulate`, a process of its own: the classic
world of ten touches per user unless another is named.

Expect 4 seconds and 0.2 GiB with the defaults.
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
    """Print conversions, seconds, memory and the size of the file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulate", description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--world", default="classic")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as folder:
        command = [sys.executable, "-m", "td_mta.simulate", "--out", folder]
        command += ["--world", options.world, "--users", str(options.users)]
        command += ["--tables", "touchpoints", "--format", "parquet"]
        started = time.monotonic()
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        seconds = time.monotonic() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        truth = json.loads((Path(folder) / "truth.json").read_text(encoding="utf-8"))
        size = (Path(folder) / "mta_user_rnd.parquet").stat().st_size
    print(f"{options.world}: {options.users:,} users, {truth['conversions']:,} conversions")
    core_seconds = used.ru_utime + used.ru_stime
    memory = used.ru_maxrss / 2**10  # MiB
    print(
        f"{seconds:.1f} s, {core_seconds:.1f} s of one core, {memory:.0f} MiB; "
        f"file {size >> 20} MiB"
    )


if __name__ == "__main__":
    main()
