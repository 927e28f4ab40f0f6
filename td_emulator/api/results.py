"""The rows of a finished query as files: nothing here holds a whole table in memory."""

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
PIECE = 1 << 18


class JobResult:
    """The rows of a job: msgpack arrays one after another, gzipped, in one file."""

    def __init__(self, path: Path) -> None:
        self.path, self.rows, self.plain_bytes = path, 0, 0

    def fill(self, rows: QueryResult) -> Iterator[None]:
        """Write the rows; yields between batches, so that a job can be killed there."""
        with gzip.open(self.path, "wb", compresslevel=1) as file:
            for batch in _pieces(rows):
                self.plain_bytes += file.write(_packed(batch, rows.types))
                self.rows += len(batch)
                yield

    @property
    def gzip_bytes(self) -> int:
        return self.path.stat().st_size

    def gzipped(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes of the file from start to before end."""
        with open(self.path, "rb") as file:
            file.seek(start)
            left = end - start
            while left > 0 and (piece := file.read(min(PIECE, left))):
                left -= len(piece)
                yield piece

    def plain(self) -> Iterator[bytes]:
        """The msgpack bytes without gzip."""
        unzip = zlib.decompressobj(wbits=31)
        for piece in self.gzipped(0, self.gzip_bytes):
            yield unzip.decompress(piece)


class Pages:
    """The rows of a statement: pages of JSON, which are served while later ones are made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ends = [0]

    def fill(self, rows: QueryResult) -> Iterator[None]:
        """Write the rows; yields between pages, so that a statement can be cancelled there."""
        with open(self.path, "wb") as file:
            for batch in _pieces(rows, PAGE_ROWS):
                page = values.rows(batch, rows.types, json=True)
                file.write(json.dumps(page, ensure_ascii=False).encode())
                file.flush()
                self._ends.append(file.tell())
                yield

    def __len__(self) -> int:
        return len(self._ends) - 1

    def page(self, number: int) -> bytes:
        """The JSON of one page that is there."""
        with open(self.path, "rb") as file:
            file.seek(self._ends[number])
            return file.read(self._ends[number + 1] - self._ends[number])


def _packed(batch: pa.RecordBatch, types: tuple[str, ...]) -> bytes:
    """The rows as arrays: one array of all of them without its header, which is faster."""
    packer = msgpack.Packer()
    header = len(packer.pack_array_header(len(batch)))
    packed: bytes = packer.pack(values.rows(batch, types, json=False))
    return packed[header:]


def _pieces(rows: QueryResult, size: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
    for batch in rows.batches:
        for start in range(0, len(batch), size):
            yield batch.slice(start, size)
