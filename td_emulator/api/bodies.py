"""The body of a request, within bounds: nothing of a length that is no number, or beyond memory.

Who has no key sends little, since it is read before the answer: a client that still sends would not
see one.
"""

import tempfile
from collections.abc import Iterator, Mapping
from io import BufferedIOBase
from pathlib import Path
from typing import NamedTuple

from td_emulator.api.messages import ApiError

CHUNK_BYTES = 1 << 18
MOST_UNKNOWN = 1 << 20  # bytes of a body without a known key
MOST_BODY = 1 << 26  # of one that is held in memory: SQL, a form
MOST_UPLOAD = 1 << 32  # of a part, which goes to a file
_LONGEST_LINE = 1 << 10  # of a chunk's size


class Body(NamedTuple):
    """A body in memory, or that of an upload as a file; neither where it is incomplete."""

    content: bytes | None = None
    file: Path | None = None


def read(
    source: BufferedIOBase, headers: Mapping[str, str], *, folder: Path | None, known: bool
) -> Body:
    """The body of a request; into a file in `folder`, where that is given.

    Raises `ApiError` where its length is none, or too much; then the connection is of no more use.
    """
    most = MOST_UNKNOWN if not known else MOST_UPLOAD if folder else MOST_BODY
    length, coding = headers.get("content-length"), headers.get("transfer-encoding", "")
    if coding:
        if coding.strip().lower() != "chunked" or length is not None:
            raise ApiError(400, "Transfer-Encoding must be chunked, without a Content-Length")
        return Body(content=_chunked(source, min(most, MOST_BODY)))
    size = _number(length or "0", 10)
    _check(size, most)
    if folder is None:
        content = source.read(size)
        return Body(content=content if len(content) == size else None)
    return _upload(source, size, folder)


def _upload(source: BufferedIOBase, size: int, folder: Path) -> Body:
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        try:
            while size and (chunk := source.read(min(CHUNK_BYTES, size))):
                size -= file.write(chunk)
        except OSError:
            Path(file.name).unlink()
            raise
    if size:
        Path(file.name).unlink()
        return Body()
    return Body(file=Path(file.name))


def _chunked(source: BufferedIOBase, most: int) -> bytes | None:
    """A body in chunks: a line with the size (hexadecimal) before, an empty line after each."""
    body = bytearray()
    for size in _sizes(source):
        _check(len(body) + size, most)
        chunk = source.read(size)
        if len(chunk) < size:
            return None
        body += chunk
        source.readline(_LONGEST_LINE)
    source.readline(_LONGEST_LINE)
    return bytes(body)


def _sizes(source: BufferedIOBase) -> Iterator[int]:
    while size := _number(source.readline(_LONGEST_LINE).split(b";")[0].decode("latin-1"), 16):
        yield size


def _number(text: str, base: int) -> int:
    digits = text.strip()
    if not digits.isalnum() or not digits.isascii() or len(digits) > 18:
        raise ApiError(400, f"the length of the body is no number: {digits[:20]!r}")
    try:
        return int(digits, base)
    except ValueError:
        raise ApiError(400, f"the length of the body is no number: {digits!r}") from None


def _check(size: int, most: int) -> None:
    if size > most:
        raise ApiError(413, f"the body has more than {most:,} bytes")
