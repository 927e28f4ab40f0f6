"""TFRecord files as byte matrices: records of one length are rows, framed and unframed at once.

A record is its length (8 bytes), a checksum of that, its data and a checksum of these (4 each, the
masked CRC-32C). Source: TensorFlow, `record_writer.h`.
"""

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from td_mta.errors import DataError

Bytes = npt.NDArray[np.uint8]

HEAD, TAIL = 12, 4


def framed(data: Bytes) -> Bytes:
    """Records of one length, `(n, length)`, with their frames."""
    number = np.uint64(data.shape[1])
    length = np.frombuffer(number.tobytes(), np.uint8)[None]  # (1, 8)
    head = np.concatenate([length, _checksum(length)], axis=1)
    heads = np.tile(head, (len(data), 1))
    return np.concatenate([heads, data, _checksum(data)], axis=1)


def in_batches(files: list[Path], most: int) -> Iterator[list[bytes]]:
    """The records of all files, at most about `most` at a time.

    Raises `DataError` for a file that is missing, cut or damaged.
    """
    batch: list[bytes] = []
    for path in files:
        for records in _runs(path, most):
            batch += records
            if len(batch) >= most:
                yield batch
                batch = []
    if batch:
        yield batch


def _runs(path: Path, most: int) -> Iterator[list[bytes]]:
    """Records that follow each other and are of one length, at most `most` at a time."""
    if not path.exists():
        raise DataError(f"{path.parent}: records are incomplete: {path.name} is missing")
    content = np.fromfile(path, np.uint8)
    position = 0
    while position < len(content):
        frames = _alike_frames(content[position:], most)
        head = frames[:1, :HEAD]
        data = np.ascontiguousarray(frames[:, HEAD:-TAIL])
        checks = frames[:, -TAIL:]
        if not len(frames) or _damaged(head, data, checks):
            raise DataError(f"{path.parent}: records are incomplete: {path.name} is damaged")
        yield data.view(f"V{data.shape[1]}").ravel().tolist()
        position += frames.size


def _alike_frames(content: Bytes, most: int) -> Bytes:
    """The first records, as far as their heads are equal, `(n, bytes)`; none where one is cut."""
    head = content[:HEAD]
    # A cut head gives no length; that of all that is left then makes the record too long, thus cut.
    is_cut = len(head) < HEAD
    length = len(content) if is_cut else int(head[:8].view("<u8")[0])
    stride = HEAD + length + TAIL
    n = min(len(content) // stride, most)
    frames = content[: n * stride].reshape(-1, stride)
    alike = (frames[:, :HEAD] == head).all(axis=1)
    return frames if alike.all() else frames[: int(alike.argmin())]


def _damaged(head: Bytes, data: Bytes, checks: Bytes) -> bool:
    length = head[:, :8]
    length_check = head[:, 8:]
    if not np.array_equal(_checksum(length), length_check):
        return True
    return not np.array_equal(_checksum(data), checks)


def _checksum(rows: Bytes) -> Bytes:
    """The masked CRC-32C of every row, `(n, bytes)` to `(n, 4)`, little-endian.

    A remainder is linear: each byte changes it by what only its value and its place say, so that a
    step takes one byte of all rows, and most bytes are the same in all of them. The mask, a
    rotation and a constant, is TensorFlow's: a checksum over data that hold checksums.
    """
    number, length = rows.shape
    if not number:
        return np.empty((0, 4), np.uint8)
    start, effects = _remainders(1 << length.bit_length())
    effects = effects[:length][::-1]
    differs = (rows != rows[0]).any(axis=0)
    of_same = effects[~differs, rows[0, ~differs]]
    crc = np.full(number, start[length] ^ np.bitwise_xor.reduce(of_same), np.uint32)
    for column, effect in zip(
        np.ascontiguousarray(rows[:, differs].T), effects[differs], strict=True
    ):
        crc ^= effect[column]
    crc = ~crc
    rotated = (crc >> np.uint32(15)) | (crc << np.uint32(17))
    masked = rotated + np.uint32(0xA282EAD8)
    return masked.astype("<u4").view(np.uint8).reshape(-1, 4)


@functools.cache
def _remainders(most: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """What CRC-32C begins with, before up to `most` bytes of 0, `(most,)`; and the effect of every
    byte with up to so many bytes behind it, `(most, 256)`.
    """
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        shifted = table >> np.uint32(1)
        table = np.where(table & 1, np.uint32(0x82F63B78) ^ shifted, shifted)  # bits reversed
    remainders = np.empty((most, 257), np.uint32)
    remainders[0] = [0xFFFFFFFF, *table]
    for bytes_behind in range(1, most):
        crc = remainders[bytes_behind - 1]
        remainders[bytes_behind] = table[crc & np.uint32(255)] ^ (crc >> np.uint32(8))
    return remainders[:, 0], remainders[:, 1:]
