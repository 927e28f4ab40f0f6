"""TFRecord files as byte matrices: records of one length are rows, framed and unframed at once.

A record is its length (8 bytes), a checksum of that, its data and a checksum of these (4 each, the
masked CRC-32C). Source: TensorFlow, `record_writer.h`.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from td_mta.errors import DataError

Bytes = npt.NDArray[np.uint8]

HEAD, TAIL = 12, 4


def framed(data: Bytes) -> Bytes:
    """Records of one length, `(n, length)`, with their frames."""
    length = np.frombuffer(np.uint64(data.shape[1]).tobytes(), np.uint8)[None]
    head = np.concatenate([length, _checksum(length)], axis=1)
    return np.concatenate([np.tile(head, (len(data), 1)), data, _checksum(data)], axis=1)


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
    """Records that follow each other and are of one length."""
    if not path.exists():
        raise DataError(f"{path.parent}: records are not whole: {path.name} is missing")
    blob, at = np.fromfile(path, np.uint8), 0
    while at < len(blob):
        head = blob[at : at + HEAD]
        length = int(head[:8].view("<u8")[0]) if len(head) == HEAD else len(blob)
        stride = HEAD + length + TAIL
        rows = blob[at : at + min((len(blob) - at) // stride, most) * stride].reshape(-1, stride)
        alike = (rows[:, :HEAD] == head).all(axis=1)
        rows = rows[: len(rows) if alike.all() else int(alike.argmin())]
        data = np.ascontiguousarray(rows[:, HEAD:-TAIL])
        if not len(rows) or _damaged(head, data, rows[:, -TAIL:]):
            raise DataError(f"{path.parent}: records are not whole: {path.name} is damaged")
        yield data.view(f"V{length}").ravel().tolist()
        at += rows.size


def _damaged(head: Bytes, data: Bytes, checks: Bytes) -> bool:
    whole = np.array_equal(_checksum(head[None, :8])[0], head[8:])
    return not (whole and np.array_equal(_checksum(data), checks))


def _checksum(rows: Bytes) -> Bytes:
    """The masked CRC-32C of every row, `(n, bytes)` to `(n, 4)`, little-endian."""
    crc = np.full(len(rows), 0xFFFFFFFF, np.uint32)
    for column in rows.T:
        crc = CRC_TABLE[(crc ^ column) & np.uint32(255)] ^ (crc >> np.uint32(8))
    crc = ~crc
    masked = ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(0xA282EAD8)
    return masked.astype("<u4").view(np.uint8).reshape(-1, 4)


def _crc_table() -> npt.NDArray[np.uint32]:
    crc = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        crc = np.where(crc & 1, np.uint32(0x82F63B78) ^ (crc >> np.uint32(1)), crc >> np.uint32(1))
    return crc


CRC_TABLE = _crc_table()
