"""Moves the rows of a query to a file at once, from where they are read batch by batch, whatever
happens to the tables meanwhile.
"""

import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from td_mta.trino_on_datafusion.types import Type


def spilled(
    rows: pa.RecordBatchReader, kinds: Sequence[Type], folder: Path
) -> Iterator[pa.RecordBatch]:
    """The same rows from a file in `folder`, which is removed once they are read."""
    pairs = zip(rows.schema, kinds, strict=True)
    schema = pa.schema([_with_zone(field, kind) for field, kind in pairs])
    path = folder / f"rows_{uuid.uuid4().hex}.arrow"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for batch in rows:
            writer.write_batch(pa.record_batch(list(_columns(batch, schema)), schema=schema))
    return _read(path)


def _read(path: Path) -> Iterator[pa.RecordBatch]:
    try:
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as reader:
            for number in range(reader.num_record_batches):
                yield reader.get_batch(number)
    finally:
        path.unlink(missing_ok=True)


def _with_zone(field: pa.Field, kind: Type) -> pa.Field:
    """The SQL engine carries a time with a zone as its instant; a client sees the zone too."""
    if kind.kind != "timestamp with time zone":
        return field
    return pa.field(field.name, pa.timestamp("us", kind.args[1]))


def _columns(batch: pa.RecordBatch, schema: pa.Schema) -> Iterator[pa.Array]:
    for column, field in zip(batch.columns, schema, strict=True):
        yield column if column.type == field.type else column.cast(field.type)
