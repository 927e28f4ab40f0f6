"""The rows of a stored table, then new rows by position, as one stream of one schema.

A column that held nothing but NULL takes the type of the new rows (a CSV file cannot tell its
type); whole numbers and fractions together become fractions; any other two types do not mix.
"""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from td_mta.errors import DataError

BATCH_ROWS = 1 << 16


def appended(old: pq.ParquetFile, new: pa.RecordBatchReader, table: str) -> pa.RecordBatchReader:
    """The rows of both under the old names; `table` is what an error calls the stored table."""
    old_fields, new_fields = list(old.schema_arrow), list(new.schema)
    if len(old_fields) != len(new_fields):
        raise DataError(
            f"cannot insert {len(new_fields)} columns into {table}, which has {len(old_fields)}: "
            f"{', '.join(old.schema_arrow.names)}"
        )
    empty = _empty_columns(old)
    fields = []
    for position, (old_field, new_field) in enumerate(zip(old_fields, new_fields, strict=True)):
        old_type = pa.null() if position in empty else old_field.type
        column = f"{table}, column {old_field.name!r}"
        fields.append(pa.field(old_field.name, _common_type(old_type, new_field.type, column)))
    schema = pa.schema(fields)
    return pa.RecordBatchReader.from_batches(schema, _batches(old, new, schema))


def _batches(
    old: pq.ParquetFile, new: pa.RecordBatchReader, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    for source in (old.iter_batches(BATCH_ROWS), new):
        for batch in source:
            columns = [
                _cast(column, field.type)
                for column, field in zip(batch.columns, schema, strict=True)
            ]
            yield pa.record_batch(columns, schema=schema)


def _cast(column: pa.Array, to: pa.DataType) -> pa.Array:
    if column.type == to:
        return column
    # NULLs alone fit any type, also one that Arrow cannot cast them to
    return pa.nulls(len(column), to) if column.null_count == len(column) else column.cast(to)


def _common_type(old: pa.DataType, new: pa.DataType, column: str) -> pa.DataType:
    """What holds the values of both; raises `DataError`, which calls the column `column`."""
    if pa.types.is_null(old) or old == new:
        return new
    if pa.types.is_null(new):
        return old
    if pa.types.is_dictionary(old):
        return _common_type(old.value_type, new, column)
    both = (old, new)
    if all(pa.types.is_integer(kind) for kind in both):
        return pa.int64()
    if all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in both):
        return pa.float64()
    if all(pa.types.is_string(kind) or pa.types.is_large_string(kind) for kind in both):
        return pa.string()
    raise DataError(f"cannot append to {column}: it holds {old}, {new} came")


def _empty_columns(file: pq.ParquetFile) -> set[int]:
    """The positions of columns that hold NULL alone, as far as the file's statistics show it."""
    metadata, width = file.metadata, len(file.schema_arrow)
    if metadata.num_columns != width:  # nested columns count once per leaf: no way to match them
        return set()
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    return {
        position for position in range(width) if all(_is_empty(group, position) for group in groups)
    }


def _is_empty(group: pq.RowGroupMetaData, position: int) -> bool:
    statistics = group.column(position).statistics
    return statistics is not None and statistics.null_count == group.num_rows
