"""XXH64 of whole columns: strings of equal byte length are hashed together, as rows of one matrix.

Source: the xxHash specification, version 0.1.1.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

U64 = npt.NDArray[np.uint64]

P1, P2, P3, P4, P5 = (
    np.uint64(prime)
    for prime in (
        0x9E3779B185EBCA87,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x85EBCA77C2B2AE63,
        0x27D4EB2F165667C5,
    )
)
BLOCK_BYTES = 1 << 24  # of one matrix of equally long strings


def xxhash64(strings: pa.Array) -> U64:
    """XXH64 with seed 0 of the bytes of each string or binary (n,); of no bytes for NULL."""
    blob, starts, lengths = _bytes(strings)
    hashes = np.empty(len(lengths), np.uint64)
    for rows, length in _equally_long(lengths):
        matrix = (
            blob[starts[rows, None] + np.arange(length)] if length else np.empty((len(rows), 0))
        )
        hashes[rows] = _hash_rows(np.ascontiguousarray(matrix, np.uint8))
    return hashes


def _equally_long(lengths: npt.NDArray[np.int64]) -> Iterator[tuple[npt.NDArray[np.int64], int]]:
    """Row numbers of one byte length at a time, in blocks of bounded memory."""
    order = np.argsort(lengths, kind="stable")
    cuts = np.flatnonzero(np.diff(lengths[order])) + 1
    for rows in np.split(order, cuts) if len(order) else []:
        length = int(lengths[rows[0]])
        step = max(1, BLOCK_BYTES // (8 * max(length, 8)))
        for first in range(0, len(rows), step):
            yield rows[first : first + step], length


def _hash_rows(matrix: npt.NDArray[np.uint8]) -> U64:
    """XXH64 of each row of bytes (n, length)."""
    count, length = matrix.shape
    with np.errstate(over="ignore"):
        long = length - length % 32
        state = _stripes(_words(matrix[:, :long], "<u8")) if long else np.full(count, P5)
        return _avalanche(_tail(state + np.uint64(length), matrix[:, long:]))


def _stripes(words: U64) -> U64:
    """Fold 32 bytes a step into four lanes, then the lanes into one state."""
    lanes = np.stack(
        [np.full(len(words), lane) for lane in (P1 + P2, P2, np.uint64(0), -P1)], axis=1
    )
    for first in range(0, words.shape[1], 4):
        lanes = _round(lanes, words[:, first : first + 4])
    state = np.zeros(len(words), np.uint64)
    for i, bits in enumerate((1, 7, 12, 18)):
        state += _rotl(lanes[:, i], bits)
    for i in range(4):
        state = (state ^ _round(np.uint64(0), lanes[:, i])) * P1 + P4
    return state


def _tail(state: U64, rest: npt.NDArray[np.uint8]) -> U64:
    """The last 0 to 31 bytes: by eight, then four, then one."""
    eights = rest.shape[1] // 8 * 8
    fours = eights + (rest.shape[1] - eights) // 4 * 4
    for word in _words(rest[:, :eights], "<u8").T:
        state = _rotl(state ^ _round(np.uint64(0), word), 27) * P1 + P4
    for word in _words(rest[:, eights:fours], "<u4").T:
        state = _rotl(state ^ word * P1, 23) * P2 + P3
    for byte in rest[:, fours:].astype(np.uint64).T:
        state = _rotl(state ^ byte * P5, 11) * P1
    return state


def _avalanche(state: U64) -> U64:
    state = (state ^ (state >> np.uint64(33))) * P2
    state = (state ^ (state >> np.uint64(29))) * P3
    return state ^ (state >> np.uint64(32))


def _round(lane: U64 | np.uint64, word: U64) -> U64:
    return _rotl(lane + word * P2, 31) * P1


def _rotl(x: U64, bits: int) -> U64:
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))


def _words(matrix: npt.NDArray[np.uint8], dtype: str) -> U64:
    """Rows of bytes as rows of little-endian words."""
    return np.ascontiguousarray(matrix).view(dtype).astype(np.uint64)


def _bytes(
    strings: pa.Array,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """All bytes, and each value's start and length in them."""
    values = pc.fill_null(strings.cast(pa.large_binary()), b"")
    _, offsets_buffer, data = values.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int64)[values.offset :][: len(values) + 1]
    blob = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    return blob, offsets[:-1], np.diff(offsets)
