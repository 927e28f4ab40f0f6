"""`python -m benchmarks.make_touchpoints --out FILE.parquet`: a large touchpoint table, seeded.

Not a benchmark: it makes the table that others read. A row is a visit to a site, which converted or
not: users, times and channels mixed as in a warehouse, conversion more likely through some
channels.

Expect 30 seconds for the default 20 million rows. A row group is written at a time: the memory is
that of the users (70 bytes each) and one row group.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from td_mta.ingest.user_hash import user_rnd
from td_mta.journeys.touchpoints import SECONDS_PER_DAY

START = 1_767_225_600  # 2026-01-01 00:00 UTC
ROWS_PER_GROUP = 1_000_000
CHANNELS = (
    *("Direct", "Paid Search", "Organic Search", "Email", "Social"),
    *("Display", "Affiliates", "Referral"),
)
SOURCES = ("google", "bing", "facebook", "newsletter", "partner", "direct")
USER_RND_SEED = 18


def write_in_subprocess(path: Path, *, rows: int, channels: int = len(CHANNELS)) -> None:
    """Write touchpoints of 7 rows per user in a process of its own, which takes no memory here."""
    users = rows * 14 // 100
    command = [sys.executable, "-m", "benchmarks.make_touchpoints", "--out", str(path)]
    command += ["--rows", str(rows), "--users", str(users), "--channels", str(channels)]
    subprocess.run(command, check=True)


def write_touchpoints(
    path: Path, *, rows: int, users: int, channels: int, days: int, seed: int, ab_rnd: bool
) -> None:
    """Write `rows` touchpoints of about `users` users over `days` days as Parquet."""
    rng = np.random.default_rng(seed)
    ids = pa.array(np.char.mod("%08x", _permuted(np.arange(users, dtype=np.uint32))))
    random_numbers = user_rnd(ids, USER_RND_SEED) if ab_rnd else None
    names = _channel_names(channels)
    writer: pq.ParquetWriter | None = None
    for first in range(0, rows, ROWS_PER_GROUP):
        size = min(ROWS_PER_GROUP, rows - first)
        user = (users * rng.random(size) ** 1.3).astype(np.int64)  # some come more often
        columns = {
            "time": START + rng.integers(days * SECONDS_PER_DAY, size=size),
            "canonical_id": ids.take(pa.array(user)),
            **_visits(rng, names, size),
        }
        if random_numbers is not None:
            columns["ab_rnd"] = random_numbers[user]
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def _visits(rng: np.random.Generator, names: list[str], size: int) -> dict[str, pa.Array]:
    """Channel, source, the two in words, and whether the visit converted: 1 to 5 percent do."""
    popularity = 1.0 / np.arange(2, len(names) + 2)
    channel = rng.choice(len(names), size, p=popularity / popularity.sum())
    source = rng.integers(len(SOURCES), size=size)
    channel_sources = [f"{name} {source.title()}" for name in names for source in SOURCES]
    channel_source = channel * len(SOURCES) + source
    rate = np.linspace(0.01, 0.05, len(names))[channel]
    return {
        "channels": pa.array(names).take(pa.array(channel)),
        "source": pa.array(SOURCES).take(pa.array(source)),
        "channel_source": pa.array(channel_sources).take(pa.array(channel_source)),
        "conversion": pa.array((rng.random(size) < rate).astype(np.int64)),
    }


def _channel_names(channels: int) -> list[str]:
    invented = [f"Channel {number:03d}" for number in range(len(CHANNELS) + 1, channels + 1)]
    return [*CHANNELS[:channels], *invented]


def _permuted(index: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Other numbers, one to one: an odd factor permutes the 32-bit integers."""
    return index * np.uint32(2_654_435_761)


def main() -> None:
    """Write the table that the command line describes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.make_touchpoints")
    parser.add_argument("--out", type=Path, required=True, help="Parquet file to write")
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--users", type=int, default=2_800_000)
    parser.add_argument("--channels", type=int, default=len(CHANNELS))
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=18)
    parser.add_argument("--without-ab-rnd", dest="ab_rnd", action="store_false")
    options = vars(parser.parse_args())
    write_touchpoints(options.pop("out"), **options)


if __name__ == "__main__":
    main()
