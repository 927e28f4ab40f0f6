"""Rows between Arrow and Trino: into an INSERT's text, and out of a cursor into a file of batches.

In: each column is one JSON array, and UNNEST makes rows of them again, some thirty times as fast as
VALUES. Out: the rows wait in a file without a name until they are read, so that a query has ended,
or failed, before its first row is passed on.
"""

import base64
import datetime
import json
import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from td_emulator.engines import types
from td_mta.warehouse.names import quoted

_TEXT_LIMIT = 8_000_000  # letters of one statement; the server takes 20,000,000
_BATCH_ROWS = 20_000


def inserts(table: str, rows: pa.Table) -> Iterator[str]:
    """INSERT statements that add these rows, by column name."""
    for batch in rows.to_batches(max_chunksize=_BATCH_ROWS):
        yield from _inserts(table, batch)


def _inserts(table: str, batch: pa.RecordBatch) -> Iterator[str]:
    if not batch.num_rows:
        return
    text = _insert(table, batch)
    if len(text) > _TEXT_LIMIT and batch.num_rows > 1:
        half = batch.num_rows // 2
        yield from _inserts(table, batch.slice(0, half))
        yield from _inserts(table, batch.slice(half))
    else:
        yield text


def _insert(table: str, batch: pa.RecordBatch) -> str:
    names = [quoted(name) for name in batch.schema.names]
    columns = [f"c{index}" for index in range(len(names))]  # of the unnested arrays
    arrays, items = [], []
    for name, column in zip(columns, batch.columns, strict=True):
        trino_type = types.of_arrow(column.type)
        unchanged = (trino_type, "{}", _unchanged)
        json_type, back, convert = _FORMS.get(types.parsed(trino_type).kind, unchanged)
        values = [None if value is None else convert(value) for value in column.to_pylist()]
        literal = json.dumps(values, ensure_ascii=False).replace("'", "''")
        arrays.append(f"cast(json_parse('{literal}') as array({json_type}))")
        items.append(f"cast({back.format(name)} as {trino_type})")
    return (
        f"insert into {table} ({', '.join(names)}) select {', '.join(items)} "
        f"from unnest({', '.join(arrays)}) as t({', '.join(columns)})"
    )


def _unchanged(value: Any) -> Any:
    return value


def _double(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")


def _timestamp(value: datetime.datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") + (" UTC" if value.tzinfo else "")


def _bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()


# By Trino's kind: the type of its JSON, the SQL that reads it back, a value as JSON.
_FORMS: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
    "double": ("double", "{}", _double),
    "real": ("real", "{}", _double),
    "decimal": ("varchar", "{}", str),
    "date": ("varchar", "{}", str),
    "timestamp": ("varchar", "{}", _timestamp),
    "timestamp with time zone": ("varchar", "{}", _timestamp),
    "varbinary": ("varchar", "from_base64({})", _bytes),
}


def spooled(rows: Iterator[Sequence[Any]], kinds: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """All rows of a cursor, from a file that is removed when they are read or dropped."""
    arrow_types = [_arrow(kind) for kind in kinds]
    schema = pa.schema([(str(index), kind) for index, kind in enumerate(arrow_types)])
    file = tempfile.TemporaryFile(prefix="td_mta_")  # noqa: SIM115  (closed when read)
    with pa.ipc.new_stream(file, schema) as writer:
        for block in _blocks(rows):
            pairs = zip(zip(*block, strict=True), arrow_types, strict=True)
            arrays = [_array(values, kind) for values, kind in pairs]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
    file.seek(0)
    return _read(file)


def _read(file: Any) -> Iterator[pa.RecordBatch]:
    with file, pa.ipc.open_stream(file) as reader:
        yield from reader


def _blocks(rows: Iterator[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    block: list[Sequence[Any]] = []
    for row in rows:
        block.append(row)
        if len(block) == _BATCH_ROWS:
            yield block
            block = []
    if block:
        yield block


def _arrow(kind: str) -> pa.DataType:
    """The Arrow type of a Trino type; text for one without, as in TD's results."""
    try:
        return types.arrow(kind)
    except ValueError:
        return pa.string()


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_string(kind):
        values = [value if value is None else _text(value) for value in values]
    elif pa.types.is_map(kind):
        values = [value if value is None else list(value.items()) for value in values]
    return pa.array(values, kind)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
