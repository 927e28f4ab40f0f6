"""Values on their way to and from Treasure Data: Trino's types and Arrow's, rows as msgpack.

A table stores long, double and string (and lists and maps); the type of a result comes from the
job, never from the values, so that an id that looks like a number stays a text.
"""

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgpack
import pandas as pd
import pyarrow as pa

_ARROW = {
    "tinyint": pa.int64(),
    "smallint": pa.int64(),
    "integer": pa.int64(),
    "int": pa.int64(),
    "bigint": pa.int64(),
    "long": pa.int64(),
    "real": pa.float64(),
    "float": pa.float64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}
_AS_TEXT = (pa.types.is_date, pa.types.is_timestamp, pa.types.is_decimal)
PART_ROWS = 100_000


class ResultColumn(NamedTuple):
    """A column of a result: its name and Trino's type, such as `varchar(3)`."""

    name: str
    type: str

    @property
    def arrow(self) -> pa.DataType:
        """What holds its values; whatever has no type of its own here is text.

        >>> ResultColumn("id", "varchar(8)").arrow, ResultColumn("price", "decimal(10,2)").arrow
        (DataType(string), Decimal128Type(decimal128(10, 2)))
        """
        if decimal := re.fullmatch(r"decimal\((\d+), ?(\d+)\)", self.type):
            return pa.decimal128(int(decimal[1]), int(decimal[2]))
        zoned = "with time zone" in self.type
        return pa.string() if zoned else _ARROW.get(self.type.partition("(")[0], pa.string())


def batch_of(rows: Sequence[Sequence[object]], columns: Sequence[ResultColumn]) -> pa.RecordBatch:
    """Rows as a record batch of the columns' types."""
    values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    arrays = [_array(cells, column.arrow) for cells, column in zip(values, columns, strict=True)]
    return pa.record_batch(arrays, names=[column.name for column in columns])


def stored(frame: pd.DataFrame) -> pa.Table:
    """A frame as a table stores it: long, double or string."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    columns = [_stored(column) for column in table.columns]
    return pa.table(columns, names=table.column_names)


def schema_of(table: pa.Table) -> list[list[str]]:
    """Treasure Data's way to write a schema; every table has `time` beside it."""
    return [
        [field.name, _STORED[field.type], field.name]
        for field in table.schema
        if field.name != "time"
    ]


def parts(table: pa.Table) -> Iterator[bytes]:
    """Rows as gzipped msgpack maps, in parts for a bulk import."""
    for start in range(0, table.num_rows, PART_ROWS):
        rows = table.slice(start, PART_ROWS).to_pylist()
        packer = msgpack.Packer()
        yield gzip.compress(b"".join(map(packer.pack, rows)), compresslevel=6, mtime=0)


_STORED = {pa.int64(): "long", pa.float64(): "double", pa.string(): "string"}


def _stored(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_integer(kind):
        return column.cast(pa.int64())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    return column.cast(pa.string())


def _array(cells: Sequence[object], kind: pa.DataType) -> pa.Array:
    if any(is_such(kind) for is_such in _AS_TEXT):
        return pa.array([None if cell is None else str(cell) for cell in cells]).cast(kind)
    try:
        return pa.array(cells, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # `NaN` as a word, or a list where text is due
        if pa.types.is_floating(kind):
            return pa.array([None if cell is None else float(str(cell)) for cell in cells], kind)
        return pa.array([None if cell is None else _text(cell) for cell in cells]).cast(kind)


def _text(cell: object) -> str:
    return cell if isinstance(cell, str) else json.dumps(cell, default=str)
