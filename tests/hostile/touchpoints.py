"""A small table of touchpoints whose columns a test replaces, and the command that reads it."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from td_mta import main

USERS, ROWS = 60, 300
FIRST = 1_767_225_600  # 2026-01-01
CONVERTS = 9  # one row in so many


def table(**columns: pa.Array) -> pa.Table:
    """Touches of a week; `columns` stand in the place of those of their names."""
    rows = range(ROWS)
    given = {
        "user_id": pa.array([f"u{row % USERS}" for row in rows]),
        "time": pa.array([FIRST + 2000 * row for row in rows]),
        "channel": pa.array([None if converts(row) else "ABCD"[row % 4] for row in rows]),
        "conversion": pa.array([int(converts(row)) for row in rows]),
    }
    return pa.table(given | columns)


def converts(row: int) -> bool:
    return row % CONVERTS == 0


def parquet(folder: Path, **columns: pa.Array) -> Path:
    """The table as a file."""
    file = folder / "touchpoints.parquet"
    pq.write_table(table(**columns), file)
    return file


def csv(folder: Path) -> Path:
    """The table as text."""
    file = folder / "touchpoints.csv"
    file.write_bytes(csv_bytes())
    return file


def csv_bytes() -> bytes:
    lines = [
        f"{user},{time},{channel or ''},{conversion}"
        for user, time, channel, conversion in zip(*table().to_pydict().values(), strict=True)
    ]
    return "\n".join(["user_id,time,channel,conversion", *lines, ""]).encode()


def run(file: Path, *options: str) -> int:
    """The exit code of a run with the smallest model."""
    small = ["--set", "network=logistic", "--set", "interval_draws=0", *options]
    return main.main([str(file), "--out", str(file.parent / "out"), *small])
