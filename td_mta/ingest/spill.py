"""Rows on disk between the two passes over them: a file for each range of the random numbers.

A user's rows are all in one file, so that a page of whole users needs only a few of them.
"""

import contextlib
from pathlib import Path

import numpy as np
import pyarrow as pa

from td_mta.ingest.settings import TableSettings

BUCKETS = 64
SPILLED = pa.schema(
    [
        ("user", pa.string()),
        ("time", pa.int64()),  # unix seconds
        ("channel", pa.int32()),  # the scan's code, -1 for none
        ("conversion", pa.bool_()),
        ("value", pa.float64()),  # NaN for none
        ("rnd", pa.float64()),  # in [0, 1), one number per user
    ]
)
# Further columns, spilled where the table has them: those of `Marks`, the tie still as text.
MARKS = {"tie": pa.string(), "order": pa.int64(), "journey": pa.int64()}


def spilled_schema(settings: TableSettings) -> pa.Schema:
    """What is spilled of a table: `SPILLED`, those of `MARKS` that it has, and what describes users
    and days, as text.
    """
    marks = [pa.field(name, MARKS[name]) for name in settings.mark_columns]
    attributes = [pa.field(attribute(name), pa.string()) for name in settings.control_columns]
    return pa.schema([*SPILLED, *marks, *attributes])


def attribute(name: str) -> str:
    """The column that is spilled of a column that describes users or days."""
    return f"attribute {name}"


def read_bucket(spill: Path, bucket: int, schema: pa.Schema) -> pa.Table:
    """The rows spilled with `rnd` in `[bucket, bucket + 1) / BUCKETS`, in order of arrival."""
    path = spill / f"{bucket}.arrow"
    if not path.exists():
        return schema.empty_table()
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


class SpillFiles:
    """A file for each range of random numbers, opened with its first row."""

    def __init__(self, folder: Path, schema: pa.Schema, open_files: contextlib.ExitStack) -> None:
        self._folder, self._schema, self._open_files = folder, schema, open_files
        self._writers: dict[int, pa.ipc.RecordBatchFileWriter] = {}

    def write(self, rows: pa.RecordBatch) -> None:
        """Append rows of the schema to the files of their numbers, in order of arrival."""
        position = rows["rnd"].to_numpy() * BUCKETS  # in buckets, (rows,)
        bucket_of_row = position.astype(np.uint8)  # of one byte, which are sorted by counting
        order = np.argsort(bucket_of_row, kind="stable")
        sizes = np.bincount(bucket_of_row, minlength=BUCKETS)
        first = np.cumsum(sizes) - sizes
        by_bucket = rows.take(pa.array(order))
        for bucket in np.flatnonzero(sizes).tolist():
            of_bucket = by_bucket.slice(first[bucket], sizes[bucket])
            self._writer(bucket).write_batch(of_bucket)

    def _writer(self, bucket: int) -> pa.ipc.RecordBatchFileWriter:
        if bucket not in self._writers:
            path = self._folder / f"{bucket}.arrow"
            file = pa.ipc.new_file(path, self._schema)
            self._writers[bucket] = self._open_files.enter_context(file)
        return self._writers[bucket]
