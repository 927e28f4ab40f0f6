"""The columns of a table in the types that reading knows, whatever type a Parquet file gave them.

Text in views, bytes and dictionaries becomes text; a value of several parts is refused.
"""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.types as kinds

from td_mta.errors import DataError
from td_mta.warehouse import Warehouse

LONGEST_SHOWN = 80  # characters of a type


def read(
    warehouse: Warehouse, table: str, columns: Sequence[str], *, lists: bool = False
) -> Iterator[pa.RecordBatch]:
    """The batches of `warehouse.read`, plain; with `lists` a column of lists stays one.

    Raises `DataError` for a column of lists, structs or maps, and for text that is no UTF-8.
    """
    for batch in warehouse.read(table, columns):
        arrays = [
            plain(batch.column(position), f"table {table}, column {name}", lists=lists)
            for position, name in enumerate(columns)
        ]
        yield pa.record_batch(arrays, names=list(columns))


def plain(column: pa.Array, location: str, *, lists: bool = False) -> pa.Array:
    """One column; `location` is what an error calls it."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return plain(column.storage, location, lists=lists)
    if kinds.is_dictionary(kind):
        return plain(column.dictionary_decode(), location, lists=lists)
    if kinds.is_nested(kind) and not (lists and (kinds.is_list(kind) or kinds.is_large_list(kind))):
        raise DataError(
            f"{location} must hold one value in each row, got {str(kind)[:LONGEST_SHOWN]}: make a "
            "column of each part that is needed"
        )
    try:
        column.validate(full=True)
        return column.cast(pa.string()) if _is_other_text(kind) else column
    except pa.ArrowInvalid:
        raise DataError(
            f"{location} holds bytes that are no UTF-8 text: write it again as UTF-8"
        ) from None


def _is_other_text(kind: pa.DataType) -> bool:
    """Text of another form than `string`: bytes and views."""
    return (
        kinds.is_large_string(kind)
        or kinds.is_string_view(kind)
        or kinds.is_binary(kind)
        or kinds.is_large_binary(kind)
        or kinds.is_binary_view(kind)
        or kinds.is_fixed_size_binary(kind)
    )
