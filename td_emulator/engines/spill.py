"""The rows of a query, put into a file at once and read from there as often as batches are asked
for: whatever happens to the tables meanwhile.
"""

import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from td_mta.trino_on_datafusion.types import Type


def spilled(
    rows: pa.RecordBatchReader, kinds: Sequence[Type], folder: Path
) -> Iterator[pa.RecordBatch]:
    """The same rows from a file in `folder`, which is gone once they are read."""
    schema = pa.schema([_zoned(f, kind) for f, kind in zip(rows.schema, kinds, strict=True)])
    path = folder / f"rows_{uuid.uuid4().hex}.arrow"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for batch in rows:
            writer.write_batch(pa.record_batch(list(_columns(batch, schema)), schema=schema))
    return _read(path)


def _read(path: Path) -> Iterator[pa.RecordBatch]:
    try:
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as reader:
            for place in range(reader.num_record_batches):
                yield reader.get_batch(place)
    finally:
        path.unlink(missing_ok=True)


def _zoned(field: pa.Field, kind: Type) -> pa.Field:
    """A time with a zone is carried as its instant; what shows it needs the zone too."""
    if kind.kind != "timestamp with time zone":
        return field
    return pa.field(field.name, pa.timestamp("us", kind.args[1]))


def _columns(batch: pa.RecordBatch, schema: pa.Schema) -> Iterator[pa.Array]:
    for column, field in zip(batch.columns, schema, strict=True):
        yield column if column.type == field.type else column.cast(field.type)
