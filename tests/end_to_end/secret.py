"""Searches logs, files and tables, compressed ones too, for a key that must be in none of them."""

import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq


def files_with(folder: Path, key: str) -> list[str]:
    """The files below a folder that contain the key, or its second half, plain or packed."""
    secrets = {key.encode(), key.rpartition("/")[2].encode()}
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [
        f"{path.relative_to(folder)}{'' if not inside else ' ' + inside}"
        for path in files
        for inside, content in _contents(path)
        if any(secret in content for secret in secrets)
    ]


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """A file's bytes, and what is packed in them, each with a word for where."""
    raw = path.read_bytes()
    yield "", raw
    yield "in its name", str(path).encode()
    if raw[:2] == b"\x1f\x8b":
        yield from _of_gzip(raw)
    elif raw[:4] == b"PAR1":
        yield "as a table", repr(pq.read_table(path).to_pydict()).encode()
    elif raw[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(path) as packed:
            for name in packed.namelist():
                yield f"in {name}", packed.read(name)


def _of_gzip(raw: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        content = gzip.decompress(raw)
    except (EOFError, OSError, zlib.error):
        content = zlib.decompressobj(31).decompress(raw)  # cut: what is left of it
    yield "unpacked", content
    if tarfile.is_tarfile(io.BytesIO(content)):
        with tarfile.open(fileobj=io.BytesIO(content)) as packed:
            for member in packed:
                yield f"unpacked: {member.name}", member.name.encode()
