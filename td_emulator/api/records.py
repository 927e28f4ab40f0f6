"""Uploaded parts (gzipped msgpack maps) as the rows of a table; read twice, in blocks.

A column is bigint, double or varchar by all of its values, as Treasure Data stores them: booleans
become the words true and false, a mixture of types becomes text. [The rules for mixtures, and that
a value which does not fit an existing column becomes NULL, were not verified on TD.]
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgpack
import pyarrow as pa

from td_emulator import names
from td_emulator.engines import types
from td_emulator.engines.protocol import TIME

BLOCK_RECORDS = 10_000
CHUNK_BYTES = 1 << 18
# A list that is empty takes a byte here and 56 in memory, so that a block of records is not large.
BLOCK_BYTES = MOST_RECORD_BYTES = 1 << 22
# What a part may come to: a few bytes of zeros would fill the disk.
LITTLE_BYTES, MOST_TIMES = 1 << 27, 200
MOST_ERRORS = 1_000  # so many wrong records are kept for bulk_import/error_records
MOST_ERROR_BYTES = 10_000  # of each of them
_NOT_MSGPACK = (
    OSError, EOFError, zlib.error, ValueError, TypeError, OverflowError, msgpack.UnpackException
)  # fmt: skip
INT64 = range(-(1 << 63), 1 << 63)


class BadPart(Exception):  # noqa: N818
    """A part that is incomplete, or not gzipped msgpack."""


@dataclass(kw_only=True)
class Imported:
    """The outcome of reading the parts; the rows are in an Arrow file."""

    path: Path
    valid_records: int = 0
    error_records: int = 0
    valid_parts: int = 0
    error_parts: int = 0
    errors: list[object] = field(default_factory=list)

    def table(self) -> pa.Table:
        """The rows, mapped from the file: only what is looked at comes into memory."""
        return pa.ipc.open_file(pa.memory_map(str(self.path))).read_all()


def read_parts(parts: Mapping[str, Path], columns: Mapping[str, str], path: Path) -> Imported:
    """The rows of all complete parts as a file at `path`.

    `columns` has the Trino types of the table's columns, which new rows keep.
    """
    imported = Imported(path=path)
    python_types: dict[str, set[str]] = {}  # of each column, over all parts
    complete = []
    for name in sorted(parts, key=_by_number):
        try:
            types_of_part = _python_types(parts[name])
        except BadPart:
            imported.error_parts += 1
            continue
        complete.append(parts[name])
        for column, names_of_types in types_of_part.items():
            python_types.setdefault(column, set()).update(names_of_types)
    imported.valid_parts = len(complete)
    trino_types = {
        column: columns.get(column) or _trino_type(python_types[column]) for column in python_types
    }
    trino_types.pop(TIME[0], None)
    _write(complete, {**trino_types, TIME[0]: TIME[1]}, imported)
    return imported


def _write(parts: Sequence[Path], trino_types: Mapping[str, str], imported: Imported) -> None:
    schema = pa.schema([(name, types.arrow(kind)) for name, kind in trino_types.items()])
    with (
        pa.OSFile(str(imported.path), "wb") as sink,
        pa.ipc.new_file(sink, schema) as writer,
    ):
        for part in parts:
            for block in _blocks(part):
                valid = [record for record in block if _is_valid(record)]
                wrong = [record for record in block if not _is_valid(record)]
                imported.valid_records += len(valid)
                imported.error_records += len(wrong)
                _keep(wrong, imported.errors)
                arrays = [_array(valid, name, kind) for name, kind in trino_types.items()]
                writer.write_batch(pa.record_batch(arrays, schema=schema))


def _keep(wrong: Sequence[object], errors: list[object]) -> None:
    """Keep the wrong records, as far as they are few and small."""
    for record in wrong:
        if len(errors) == MOST_ERRORS:
            return
        if len(msgpack.packb(record, datetime=True)) <= MOST_ERROR_BYTES:
            errors.append(record)


def _array(records: Sequence[dict[str, Any]], name: str, trino: str) -> pa.Array:
    values = [record.get(name) for record in records]
    return pa.array(_converted(values, trino), types.arrow(trino))


def _is_valid(record: object) -> bool:
    """A record is a map with a time in whole seconds."""
    return isinstance(record, dict) and type(record.get(TIME[0])) in (int, float)


def _by_number(name: str) -> list[tuple[int, str]]:
    """A sort key that puts part-2 before part-10."""
    return [(int(digits or -1), text) for text, digits in re.findall(r"(\D*)(\d*)", name)]


def _blocks(part: Path) -> Iterator[list[Any]]:
    """The objects of a part, some thousands at a time; raises `BadPart`."""
    unpacker = msgpack.Unpacker(
        raw=False, strict_map_key=False, max_buffer_size=MOST_RECORD_BYTES + CHUNK_BYTES
    )
    most_bytes = max(LITTLE_BYTES, MOST_TIMES * part.stat().st_size)
    total_bytes, block_began, block = 0, 0, []
    try:
        with gzip.open(part) as file:
            while chunk := file.read(CHUNK_BYTES):
                total_bytes += len(chunk)
                if total_bytes > most_bytes:
                    raise BadPart(f"more than {MOST_TIMES} times its size, unpacked")
                unpacker.feed(chunk)
                for record in unpacker:
                    block.append(record)
                    is_large = unpacker.tell() - block_began > BLOCK_BYTES
                    if len(block) == BLOCK_RECORDS or is_large:
                        yield block
                        block, block_began = [], unpacker.tell()
        if unpacker.tell() != total_bytes:
            raise BadPart("the last record is incomplete")
    except _NOT_MSGPACK as error:
        raise BadPart(str(error)) from error
    if block:
        yield block


def _python_types(part: Path) -> dict[str, set[str]]:
    """For each column of a part, the names of its values' types; raises `BadPart`."""
    by_column: dict[str, set[str]] = {}
    for block in _blocks(part):
        records = [record for record in block if _is_valid(record)]
        for name in dict.fromkeys(name for record in records for name in record):
            if isinstance(name, str) and names.COLUMN.fullmatch(name):
                values = [record.get(name) for record in records]
                by_column.setdefault(name, set()).update(_type_names(values))
    return by_column


def _type_names(values: Sequence[object]) -> set[str]:
    """Names of Python's types, with two of our own: `long int` and `list of <Trino type>`."""
    type_names = {kind.__name__ for kind in set(map(type, values))}
    only_integers = type_names <= {"int", "NoneType"}
    if only_integers and not all(value is None or value in INT64 for value in values):
        return {"long int"}  # no bigint holds it
    if "list" in type_names:
        lists = (value for value in values if isinstance(value, list))
        of_items = {type(item).__name__ for items in lists for item in items}
        return (type_names - {"list"}) | {f"list of {_trino_type(of_items)}"}
    return type_names


def _trino_type(type_names: set[str]) -> str:
    """The Trino type that holds values of all these types."""
    type_names = type_names - {"NoneType"}
    if type_names == {"int"}:
        return "bigint"
    if type_names in ({"float"}, {"int", "float"}):
        return "double"
    if type_names and all(name.startswith("list of ") for name in type_names):
        elements = {name.removeprefix("list of ") for name in type_names}
        return f"array({_common_element(elements)})"
    return "varchar"


def _common_element(elements: set[str]) -> str:
    if len(elements) == 1:
        return next(iter(elements))
    return "varchar" if "varchar" in elements else "double"


def _converted(values: list[Any], trino: str) -> list[Any]:
    """Values as a column of this Trino type holds them; NULL for one that does not fit."""
    name = types.parsed(trino)
    if name.kind == "array":
        (element,) = name.args
        return [_converted(value, element) if isinstance(value, list) else None for value in values]
    convert, python_type = _CONVERT.get(name.kind, (_unchanged, object))
    if all(type(value) is python_type or value is None for value in values):
        return values
    return [None if value is None else convert(value) for value in values]


def _integer(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and value in INT64 else None


def _number(value: object) -> float | None:
    return float(value) if type(value) in (int, float) else None  # type: ignore[arg-type]


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return json.dumps(value, ensure_ascii=False)  # true, 1, 0.5, [...], {...}


def _unchanged(value: object) -> object:
    return value


_CONVERT = {
    "bigint": (_integer, int),
    "double": (_number, float),
    "varchar": (_text, str),
}
