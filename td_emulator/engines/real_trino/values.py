"""Rows between Arrow and Trino: into an INSERT's text, and out of a cursor into a file of batches.

In: each column is one JSON array, and UNNEST makes rows of them again, some thirty times as fast as
VALUES. Out: the rows wait in a file without a name until they are read, so that a query is over,
or has failed, before its first row is given away.
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

_TEXT_LIMIT = 8_000_000  # letters of one statement; the server takes 20,000,000
_BATCH_ROWS = 20_000


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


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
    arrays, items = [], []
    for place, column in enumerate(batch.columns):
        wanted = types.of_arrow(column.type)
        carried, back, show = _FORMS.get(types.parsed(wanted).kind, (wanted, "{}", _itself))
        values = [None if value is None else show(value) for value in column.to_pylist()]
        literal = json.dumps(values, ensure_ascii=False).replace("'", "''")
        arrays.append(f"cast(json_parse('{literal}') as array({carried}))")
        items.append(f"cast({back.format(f'c{place}')} as {wanted})")
    columns = ", ".join(f"c{place}" for place in range(len(names)))
    return (
        f"insert into {table} ({', '.join(names)}) select {', '.join(items)} "
        f"from unnest({', '.join(arrays)}) as t({columns})"
    )


def _itself(value: Any) -> Any:
    return value


def _double(value: float) -> float | str:
    return (
        value
        if math.isfinite(value)
        else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    )


def _moment(value: datetime.datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") + (" UTC" if value.tzinfo else "")


def _bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()


# Of a kind: the type that its JSON has, the way back from it, and a value as JSON.
_FORMS: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
    "double": ("double", "{}", _double),
    "real": ("real", "{}", _double),
    "decimal": ("varchar", "{}", str),
    "date": ("varchar", "{}", str),
    "timestamp": ("varchar", "{}", _moment),
    "timestamp with time zone": ("varchar", "{}", _moment),
    "varbinary": ("varchar", "from_base64({})", _bytes),
}


def spooled(rows: Iterator[Sequence[Any]], kinds: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """All rows of a cursor, kept in a file that is gone when they are read or forgotten."""
    arrows = [_arrow(kind) for kind in kinds]
    schema = pa.schema([(f"{place}", kind) for place, kind in enumerate(arrows)])
    file = tempfile.TemporaryFile(prefix="td_mta_")  # noqa: SIM115  (closed when read)
    with pa.ipc.new_stream(file, schema) as writer:
        for block in _blocks(rows):
            columns = zip(*block, strict=True)
            arrays = [_array(values, kind) for values, kind in zip(columns, arrows, strict=True)]
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
    """What has no Arrow type here is text, as in TD's results."""
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
