"""The columns of a table in the types that reading knows, whatever type a Parquet file gave them.

Text in views, bytes and dictionaries becomes text; a value of several parts is refused. A name such
as `date + clock` stands for two columns, whose texts are read as one.
"""

from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from td_mta.errors import DataError
from td_mta.ingest import columns as of_columns
from td_mta.warehouse import Warehouse
from td_mta.warehouse.names import same_column

LONGEST_SHOWN = 80  # characters of a type
AND = " + "  # between the names of columns that are read as one


def read(
    warehouse: Warehouse, table: str, columns: Sequence[str], *, lists: bool = False
) -> Iterator[pa.RecordBatch]:
    """The batches of `warehouse.read`, plain; with `lists` a column of lists stays one.

    Raises `DataError` for a column of lists, structs or maps, and for text that is no UTF-8.
    """
    existing = warehouse.columns(table) if any(AND in name for name in columns) else columns
    parts = {name: parts_of(name, existing) or [name] for name in columns}
    wanted = list(dict.fromkeys(part for names in parts.values() for part in names))
    for batch in warehouse.read(table, wanted):
        arrays = {
            name: plain(column, f"table {table}, column {name}", lists=lists)
            for name, column in zip(wanted, batch.columns, strict=True)
        }
        joined = [joined_texts([arrays[part] for part in parts[name]]) for name in columns]
        yield pa.record_batch(joined, names=list(columns))


def parts_of(name: str, existing: Collection[str]) -> list[str]:
    """The columns that a name stands for: itself, or those of `date + clock`; none if one lacks.

    >>> parts_of("date + clock", ["clock", "Date"])
    ['Date', 'clock']
    """
    itself = same_column(name, existing)
    parts = [itself] if itself else [same_column(part, existing) for part in name.split(AND)]
    return [part for part in parts if part] if all(parts) else []


def joined_texts(parts: Sequence[pa.Array]) -> pa.Array:
    """One column as it is; several as texts with blanks between, null where the first one is.

    Of a first column of timestamps the day is taken.
    """
    if len(parts) == 1:
        return parts[0]
    first, *others = parts
    if kinds.is_timestamp(first.type):
        first = first.cast(pa.date32(), safe=False)
    texts = [of_columns.identifier(part) for part in (first, *others)]
    joined = pc.binary_join_element_wise(*texts, " ", null_handling="skip")
    return pc.if_else(pc.is_valid(texts[0]), joined, None)


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
