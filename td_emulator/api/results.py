"""The rows of a query as files: nothing here holds all of them in memory."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgpack
import pyarrow as pa

from td_emulator.api import values
from td_emulator.engines.protocol import QueryResult

BATCH_ROWS = 10_000
PAGE_ROWS = 5_000
CHUNK_BYTES = 1 << 18


class JobResult:
    """The rows of a job: msgpack arrays one after another, gzipped, in one file."""

    def __init__(self, path: Path) -> None:
        self.path, self.rows, self.plain_bytes = path, 0, 0

    def fill(self, rows: QueryResult) -> Iterator[None]:
        """Write the rows; yields between batches, so that a job can be killed there."""
        with gzip.open(self.path, "wb", compresslevel=1) as file:
            for batch in _slices(rows, BATCH_ROWS):
                self.plain_bytes += file.write(_packed(batch, rows.types))
                self.rows += len(batch)
                yield

    @property
    def gzip_bytes(self) -> int:
        """The size of the file."""
        return self.path.stat().st_size

    def gzipped(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes of the file from `start` to before `end`."""
        with open(self.path, "rb") as file:
            file.seek(start)
            remaining = end - start
            while remaining > 0 and (chunk := file.read(min(CHUNK_BYTES, remaining))):
                remaining -= len(chunk)
                yield chunk

    def plain(self) -> Iterator[bytes]:
        """The msgpack bytes without gzip."""
        gunzip = zlib.decompressobj(wbits=31)  # 31: with gzip's header
        for chunk in self.gzipped(0, self.gzip_bytes):
            yield gunzip.decompress(chunk)


class Pages:
    """The rows of a statement: pages of JSON, which are served while later ones are written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ends = [0]  # page n is the bytes of the file from _ends[n] to before _ends[n + 1]

    def fill(self, rows: QueryResult) -> Iterator[None]:
        """Write the rows; yields between pages, so that a statement can be cancelled there."""
        with open(self.path, "wb") as file:
            for batch in _slices(rows, PAGE_ROWS):
                page = values.rows(batch, rows.types, json=True)
                file.write(json.dumps(page, ensure_ascii=False).encode())
                file.flush()
                self._ends.append(file.tell())
                yield

    def __len__(self) -> int:
        return len(self._ends) - 1

    def page(self, number: int) -> bytes:
        """The JSON of one page that is written."""
        start, end = self._ends[number : number + 2]
        with open(self.path, "rb") as file:
            file.seek(start)
            return file.read(end - start)


def _packed(batch: pa.RecordBatch, types: tuple[str, ...]) -> bytes:
    """The rows as msgpack arrays one after another."""
    packer = msgpack.Packer()
    # one array of all rows, without its header, is the same bytes and faster to make
    header_length = len(packer.pack_array_header(len(batch)))
    packed: bytes = packer.pack(values.rows(batch, types, json=False))
    return packed[header_length:]


def _slices(rows: QueryResult, size: int) -> Iterator[pa.RecordBatch]:
    for batch in rows.batches:
        for start in range(0, len(batch), size):
            yield batch.slice(start, size)
