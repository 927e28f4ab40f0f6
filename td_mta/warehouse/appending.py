"""Rows after rows: a stored table, then new rows by position, as one stream of one schema.

A column that held nothing but NULL takes the type of the new rows (a CSV file cannot tell it);
whole numbers and fractions make fractions; any other two types do not mix.
"""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from td_mta.errors import DataError

ROWS = 1 << 16


def appended(old: pq.ParquetFile, new: pa.RecordBatchReader, place: str) -> pa.RecordBatchReader:
    """The rows of both under the old names; `place` is what an error calls the stored table."""
    fields = list(old.schema_arrow)
    if len(fields) != len(new.schema):
        raise DataError(
            f"cannot insert {len(new.schema)} columns into {place}, which has {len(fields)}: "
            f"{', '.join(old.schema_arrow.names)}"
        )
    empty = _empty_columns(old)
    kinds = [pa.null() if i in empty else field.type for i, field in enumerate(fields)]
    merged = [
        pa.field(field.name, _merged(kind, came.type, f"{place}, column {field.name!r}"))
        for field, kind, came in zip(fields, kinds, new.schema, strict=True)
    ]
    schema = pa.schema(merged)
    return pa.RecordBatchReader.from_batches(schema, _rows(old, new, schema))


def _rows(
    old: pq.ParquetFile, new: pa.RecordBatchReader, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    for batches in (old.iter_batches(ROWS), new):
        for batch in batches:
            pairs = zip(batch.columns, schema, strict=True)
            columns = [_cast(column, field.type) for column, field in pairs]
            yield pa.record_batch(columns, schema=schema)


def _cast(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    return pa.nulls(len(column), kind) if column.null_count == len(column) else column.cast(kind)


def _merged(old: pa.DataType, new: pa.DataType, place: str) -> pa.DataType:
    if pa.types.is_null(old) or old == new:
        return new
    if pa.types.is_null(new):
        return old
    if pa.types.is_dictionary(old):
        return _merged(old.value_type, new, place)
    if pa.types.is_integer(old) and pa.types.is_integer(new):
        return pa.int64()
    if all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in (old, new)):
        return pa.float64()
    if all(pa.types.is_string(kind) or pa.types.is_large_string(kind) for kind in (old, new)):
        return pa.string()
    raise DataError(f"cannot append to {place}: it holds {old}, {new} came")


def _empty_columns(file: pq.ParquetFile) -> set[int]:
    """Columns that hold NULL alone, as far as the file's statistics tell."""
    groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
    return {
        column
        for column in range(len(file.schema_arrow))
        if file.metadata.num_columns == len(file.schema_arrow)
        and all(
            (found := group.column(column).statistics) is not None
            and found.null_count == group.num_rows
            for group in groups
        )
    }
