"""Uploaded parts, gzipped msgpack maps, as the rows of a table; read twice, in blocks.

A column is bigint, double or varchar by all of its values, as Treasure Data stores them: truth
becomes the words true and false, a mixture becomes text. [The rules for mixtures, and that a value
which does not fit a column that is there already becomes NULL, were not verified on TD.]
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

BLOCK = 10_000
CHUNK = 1 << 18
ERRORS = 1_000  # so many wrong records are kept to be looked at
INT64 = range(-(1 << 63), 1 << 63)


class BadPart(Exception):  # noqa: N818
    """A part that is not whole, or not gzipped msgpack."""


@dataclass(kw_only=True)
class Imported:
    """What came of the parts; the rows lie in an Arrow file."""

    path: Path
    valid_records: int = 0
    error_records: int = 0
    valid_parts: int = 0
    error_parts: int = 0
    errors: list[object] = field(default_factory=list)

    def table(self) -> pa.Table:
        """The rows, in memory only as far as they are looked at."""
        return pa.ipc.open_file(pa.memory_map(str(self.path))).read_all()


def read_parts(parts: Mapping[str, Path], there: Mapping[str, str], path: Path) -> Imported:
    """The rows of all whole parts as a file at `path`. `there` has the columns of the table."""
    imported = Imported(path=path)
    seen: dict[str, set[str]] = {}
    whole = []
    for name in sorted(parts, key=_by_number):
        try:
            of_part = _seen(parts[name])
        except BadPart:
            imported.error_parts += 1
            continue
        whole.append(parts[name])
        for column, found in of_part.items():
            seen.setdefault(column, set()).update(found)
    imported.valid_parts = len(whole)
    kinds = {column: there.get(column) or _type(seen[column]) for column in seen}
    kinds.pop(TIME[0], None)
    _write(whole, {**kinds, TIME[0]: TIME[1]}, imported)
    return imported


def _write(parts: Sequence[Path], kinds: Mapping[str, str], imported: Imported) -> None:
    schema = pa.schema([(name, types.arrow(kind)) for name, kind in kinds.items()])
    with (
        pa.OSFile(str(imported.path), "wb") as sink,
        pa.ipc.new_file(sink, schema) as writer,
    ):
        for part in parts:
            for block in _blocks(part):
                rows = [record for record in block if _is_valid(record)]
                wrong = [record for record in block if not _is_valid(record)]
                imported.valid_records += len(rows)
                imported.error_records += len(wrong)
                imported.errors += wrong[: ERRORS - len(imported.errors)]
                columns = [
                    pa.array(_converted([row.get(name) for row in rows], kind), types.arrow(kind))
                    for name, kind in kinds.items()
                ]
                writer.write_batch(pa.record_batch(columns, schema=schema))


def _is_valid(record: object) -> bool:
    """A record is a map with a time in whole seconds."""
    return isinstance(record, dict) and type(record.get(TIME[0])) in (int, float)


def _by_number(name: str) -> list[tuple[int, str]]:
    """part-2 before part-10"""
    return [(int(piece or -1), text) for text, piece in re.findall(r"(\D*)(\d*)", name)]


def _blocks(part: Path) -> Iterator[list[Any]]:
    """The objects of a part, some thousands at a time."""
    unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
    total, block = 0, []
    try:
        with gzip.open(part) as file:
            while piece := file.read(CHUNK):
                total += len(piece)
                unpacker.feed(piece)
                for record in unpacker:
                    block.append(record)
                    if len(block) == BLOCK:
                        yield block
                        block = []
        if unpacker.tell() != total:
            raise BadPart("the last record is not whole")
    except (OSError, EOFError, zlib.error, ValueError, msgpack.UnpackException) as error:
        raise BadPart(str(error)) from error
    if block:
        yield block


def _seen(part: Path) -> dict[str, set[str]]:
    """For each column of a part, what kinds of values it has."""
    found: dict[str, set[str]] = {}
    for block in _blocks(part):
        rows = [record for record in block if _is_valid(record)]
        for name in dict.fromkeys(name for row in rows for name in row):
            if isinstance(name, str) and names.COLUMN.fullmatch(name):
                found.setdefault(name, set()).update(_kinds([row.get(name) for row in rows]))
    return found


def _kinds(values: Sequence[object]) -> set[str]:
    kinds = {kind.__name__ for kind in set(map(type, values))}
    if kinds <= {"int", "NoneType"} and not all(v is None or v in INT64 for v in values):
        return {"long int"}
    if "list" in kinds:
        lists = (value for value in values if isinstance(value, list))
        inner = {type(item).__name__ for items in lists for item in items}
        return (kinds - {"list"}) | {f"list of {_type(inner)}"}
    return kinds


def _type(kinds: set[str]) -> str:
    kinds = kinds - {"NoneType"}
    if kinds == {"int"}:
        return "bigint"
    if kinds in ({"float"}, {"int", "float"}):
        return "double"
    if kinds and all(kind.startswith("list of ") for kind in kinds):
        inner = {kind.removeprefix("list of ") for kind in kinds}
        element = (
            inner.pop() if len(inner) == 1 else "double" if "varchar" not in inner else "varchar"
        )
        return f"array({element})"
    return "varchar"


def _converted(values: list[Any], trino: str) -> list[Any]:
    """Values as the column holds them."""
    kind = types.parsed(trino)
    if kind.kind == "array":
        element = kind.args[0]
        return [_converted(v, element) if isinstance(v, list) else None for v in values]
    convert, own = _CONVERT.get(kind.kind, (_same, object))
    if all(type(value) is own or value is None for value in values):
        return values
    return [None if value is None else convert(value) for value in values]


def _whole(value: object) -> int | None:
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


def _same(value: object) -> object:
    return value


_CONVERT = {
    "bigint": (_whole, int),
    "double": (_number, float),
    "varchar": (_text, str),
}
