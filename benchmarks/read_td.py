"""`python -m benchmarks.read_td [--rows N]`: a table read over pytd, rows a second and memory.

The touchpoints of `benchmarks.make_touchpoints` lie in an emulator of Treasure Data, a process of
its own, so that the memory is the reader's alone: its peak over what the imports took.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from td_emulator import API_KEY
from td_mta.warehouse.treasure_data import TreasureDataWarehouse

TABLE = "mta_user_rnd"
COLUMNS = ("time", "canonical_id", "channels", "source", "channel_source", "conversion", "ab_rnd")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.read_td", description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as folder:
        _make(Path(folder) / "mta", rows)
        with _emulator(Path(folder)) as server:
            warehouse = TreasureDataWarehouse(API_KEY, server, "mta", now=int(time.time()))
            before, started, first, read = _peak(), time.monotonic(), 0.0, 0
            computed = time.process_time()
            for batch in warehouse.read(TABLE, COLUMNS):
                first = first or time.monotonic() - started
                read += len(batch)
            seconds = time.monotonic() - started
            computed = time.process_time() - computed
            more = _peak() - before
    assert read == rows
    print(
        f"{read:,} rows of {len(COLUMNS)} columns in {seconds:.0f} s, of which {first:.0f} s are "
        f"the job: {read / seconds:,.0f} rows a second, download alone "
        f"{read / (seconds - first):,.0f}, {read / computed:,.0f} a second of the reader's own "
        f"computing; peak memory {more / 2**20:.0f} MiB over the imports"
    )


def _make(folder: Path, rows: int) -> None:
    folder.mkdir()
    made = [sys.executable, "-m", "benchmarks.make_touchpoints"]
    made += ["--out", str(folder / f"{TABLE}.parquet"), "--rows", str(rows)]
    subprocess.run([*made, "--users", str(rows * 14 // 100)], check=True)


@contextmanager
def _emulator(folder: Path) -> Iterator[str]:
    """Its address, while it runs."""
    command = [sys.executable, "-m", "td_emulator", "--port", "0", "--folder", str(folder)]
    said = folder / "emulator.log"
    with said.open("w") as log, subprocess.Popen(command, stdout=log) as process:
        try:
            while not (found := re.search(r"TD_API_SERVER=(\S+)\n", said.read_text())):
                if process.poll() is not None:
                    raise SystemExit(f"the emulator ended with {process.returncode}")
                time.sleep(0.1)
            yield found[1]
        finally:
            process.terminate()


def _peak() -> int:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    os.environ.pop("HTTP_PROXY", None)  # the emulator is on this machine
    main()
