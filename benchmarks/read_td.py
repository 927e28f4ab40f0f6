"""`python -m benchmarks.read_td [--rows N]`: rows a second, and memory, of a table read by pytd.

The touchpoints of `benchmarks.make_touchpoints` lie in the emulator of Treasure Data, a process of
its own, so that the memory is the reader's alone: its peak above what the imports took.

Expect a minute and 0.1 GiB above the imports with the defaults.
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
from typing import NamedTuple

from benchmarks.make_touchpoints import write_in_subprocess
from td_emulator import API_KEY
from td_mta.warehouse.treasure_data import TreasureDataWarehouse

TABLE = "mta_user_rnd"
COLUMNS = ("time", "canonical_id", "channels", "source", "channel_source", "conversion", "ab_rnd")


class Reading(NamedTuple):
    """What reading a table took."""

    rows: int
    seconds: float
    seconds_to_first: float  # until the first rows came: the job on the server
    core_seconds: float  # of this process
    memory: int  # bytes of the peak above that before reading


def main() -> None:
    """Print rows a second by the clock, without the job and of this process, and memory."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.read_td", description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as temporary:
        folder = Path(temporary)
        (folder / "mta").mkdir()
        write_in_subprocess(folder / "mta" / f"{TABLE}.parquet", rows=rows)
        with _emulator(folder) as server:
            reading = _read(server)
    assert reading.rows == rows
    download = reading.seconds - reading.seconds_to_first
    print(
        f"{rows:,} rows of {len(COLUMNS)} columns in {reading.seconds:.0f} s, of which "
        f"{reading.seconds_to_first:.0f} s are the job: {rows / reading.seconds:,.0f} rows a "
        f"second, download alone {rows / download:,.0f}, {rows / reading.core_seconds:,.0f} a "
        "second of the reader's own computing; "
        f"peak memory {reading.memory / 2**20:.0f} MiB above the imports"
    )


def _read(server: str) -> Reading:
    warehouse = TreasureDataWarehouse(API_KEY, server, "mta", now=int(time.time()))
    memory, started, computing = _peak_memory(), time.monotonic(), time.process_time()
    rows, seconds_to_first = 0, 0.0
    for batch in warehouse.read(TABLE, COLUMNS):
        seconds_to_first = seconds_to_first or time.monotonic() - started
        rows += len(batch)
    return Reading(
        rows=rows,
        seconds=time.monotonic() - started,
        seconds_to_first=seconds_to_first,
        core_seconds=time.process_time() - computing,
        memory=_peak_memory() - memory,
    )


@contextmanager
def _emulator(folder: Path) -> Iterator[str]:
    """Runs the emulator on the folder's databases and gives its address."""
    command = [sys.executable, "-m", "td_emulator", "--port", "0", "--folder", str(folder)]
    output = folder / "emulator.log"
    with output.open("w") as log, subprocess.Popen(command, stdout=log) as process:
        try:
            while not (address := re.search(r"TD_API_SERVER=(\S+)\n", output.read_text())):
                if process.poll() is not None:
                    raise SystemExit(f"the emulator ended with {process.returncode}")
                time.sleep(0.1)
            yield address[1]
        finally:
            process.terminate()


def _peak_memory() -> int:
    """The most memory that this process has had so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    os.environ.pop("HTTP_PROXY", None)  # the emulator is on this machine
    main()
