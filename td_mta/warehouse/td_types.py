"""Values to and from Treasure Data: Trino's types and Arrow's, rows as msgpack.

A table stores long, double and string (and lists and maps). The type of a result's column is the
one that the job states, never guessed from values, so that an id of digits stays text.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterator, Sequence
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
# msgpack has no dates and no decimals: they come as text
_AS_TEXT = (pa.types.is_date, pa.types.is_timestamp, pa.types.is_decimal)
PART_ROWS = 100_000


class ResultColumn(NamedTuple):
    """A column of a result: its name and Trino's type, such as `varchar(3)`."""

    name: str
    type: str

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type that holds its values: text for a type without one of its own here.

        >>> ResultColumn("id", "varchar(8)").arrow, ResultColumn("price", "decimal(10,2)").arrow
        (DataType(string), Decimal128Type(decimal128(10, 2)))
        """
        if decimal := re.fullmatch(r"decimal\((\d+), ?(\d+)\)", self.type):
            return pa.decimal128(int(decimal[1]), int(decimal[2]))
        if "with time zone" in self.type:  # Arrow would not keep each value's own zone
            return pa.string()
        base_name, _, _ = self.type.partition("(")
        return _ARROW.get(base_name, pa.string())


def batch_of(rows: Sequence[Sequence[object]], columns: Sequence[ResultColumn]) -> pa.RecordBatch:
    """Rows as a record batch of the columns' types."""
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(columns)  # of each column
    arrays = [_array(values, column.arrow) for values, column in zip(cells, columns, strict=True)]
    return pa.record_batch(arrays, names=[column.name for column in columns])


def stored(frame: pd.DataFrame | pa.Table) -> pa.Table:
    """A frame as a table stores it: long, double or string."""
    table = frame
    if not isinstance(table, pa.Table):
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    columns = [_stored(column) for column in table.columns]
    return pa.table(columns, names=table.column_names)


def schema_of(table: pa.Table) -> list[list[str]]:
    """A schema as Treasure Data writes it: name, type, alias; every table has `time` too."""
    return [
        [field.name, _STORED[field.type], field.name]
        for field in table.schema
        if field.name != "time"
    ]


def parts(table: pa.Table) -> Iterator[bytes]:
    """Rows as gzipped msgpack maps, in parts for a bulk import."""
    packer = msgpack.Packer()
    for start in range(0, table.num_rows, PART_ROWS):
        rows = table.slice(start, PART_ROWS).to_pylist()
        packed = b"".join(packer.pack(row) for row in rows)
        yield gzip.compress(packed, compresslevel=6, mtime=0)  # the same rows: the same bytes


_STORED = {pa.int64(): "long", pa.float64(): "double", pa.string(): "string"}


def _stored(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_integer(kind):
        return column.cast(pa.int64())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    return column.cast(pa.string())


def _array(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    if any(is_such(kind) for is_such in _AS_TEXT):
        return pa.array(_converted(values, str)).cast(kind)
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # `NaN` as a word, or a list where text is due
        if pa.types.is_floating(kind):
            return pa.array(_converted(values, lambda value: float(str(value))), kind)
        return pa.array(_converted(values, _text)).cast(kind)


def _converted(values: Sequence[object], convert: Callable[[object], object]) -> list[object]:
    return [None if value is None else convert(value) for value in values]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
