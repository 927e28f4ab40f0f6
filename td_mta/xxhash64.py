"""XXH64 of whole columns: strings of equal byte length are hashed together, as rows of one matrix.

Source: the xxHash specification, version 0.1.1, whose names (stripes, lanes, primes) are used here.
All arithmetic is modulo 2^64.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

U64 = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

P1 = np.uint64(0x9E3779B185EBCA87)
P2 = np.uint64(0xC2B2AE3D27D4EB4F)
P3 = np.uint64(0x165667B19E3779F9)
P4 = np.uint64(0x85EBCA77C2B2AE63)
P5 = np.uint64(0x27D4EB2F165667C5)
ZERO = np.uint64(0)
STRIPE = 32  # bytes that a step of the main loop takes, a word of 8 for each of four lanes
BLOCK_BYTES = 1 << 24  # most bytes of a matrix of equally long strings, as 8-byte indices


def xxhash64(strings: pa.Array) -> U64:
    """XXH64 with seed 0 of the bytes of each string or binary `(n,)`; of no bytes for NULL."""
    blob, starts, lengths = _bytes(strings)
    hashes = np.empty(len(lengths), np.uint64)
    for rows, length in _equally_long(lengths):
        positions = starts[rows, None] + np.arange(length)  # (rows, length)
        matrix = blob[positions] if length else np.empty((len(rows), 0), np.uint8)
        hashes[rows] = _hash_rows(np.ascontiguousarray(matrix))
    return hashes


def of_pairs(one: U64, other: U64) -> U64:
    """XXH64 with seed 0 of the 16 bytes of two numbers, big-endian; their shapes broadcast.

    In Trino: `xxhash64(concat(to_big_endian_64(one), to_big_endian_64(other)))`.
    """
    with np.errstate(over="ignore"):
        state = P5 + np.uint64(16)
        for number in (one, other):
            state = _eight_bytes(state, number.byteswap())
        return _avalanche(state)


def _bytes(strings: pa.Array) -> tuple[Bytes, Ints, Ints]:
    """The bytes of all values as one, and each value's start and length in them, `(n,)`."""
    values = pc.fill_null(strings.cast(pa.large_binary()), b"")
    _, offsets_buffer, data = values.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int64)
    offsets = offsets[values.offset :][: len(values) + 1]  # of a slice of a longer array
    blob = np.empty(0, np.uint8)
    if data is not None:
        blob = np.frombuffer(data, np.uint8)
    return blob, offsets[:-1], np.diff(offsets)


def _equally_long(lengths: Ints) -> Iterator[tuple[Ints, int]]:
    """Row numbers of one byte length at a time, in blocks of bounded memory."""
    if not len(lengths):
        return
    order = np.argsort(lengths, kind="stable")
    ascending = lengths[order]
    changes = np.flatnonzero(np.diff(ascending)) + 1
    for rows in np.split(order, changes):
        length = int(lengths[rows[0]])
        bytes_per_row = 8 * max(length, 8)
        block_rows = max(1, BLOCK_BYTES // bytes_per_row)
        for first in range(0, len(rows), block_rows):
            yield rows[first : first + block_rows], length


def _hash_rows(matrix: Bytes) -> U64:
    """XXH64 of each row of bytes, `(n, length)` to `(n,)`."""
    count, length = matrix.shape
    in_stripes = length - length % STRIPE
    with np.errstate(over="ignore"):
        if in_stripes:
            state = _stripes(_words(matrix[:, :in_stripes], "<u8"))
        else:
            state = np.full(count, P5)
        state = state + np.uint64(length)
        state = _tail(state, matrix[:, in_stripes:])
        return _avalanche(state)


def _stripes(words: U64) -> U64:
    """Fold stripes, four words each, into four lanes, then the lanes into one state."""
    starts = np.array([P1 + P2, P2, ZERO, -P1])
    lanes = np.tile(starts, (len(words), 1))  # (n, 4)
    for first in range(0, words.shape[1], 4):
        lanes = _round(lanes, words[:, first : first + 4])
    state = np.zeros(len(words), np.uint64)
    for lane, bits in enumerate((1, 7, 12, 18)):
        state += _rotl(lanes[:, lane], bits)
    for lane in range(4):
        merged = state ^ _round(ZERO, lanes[:, lane])
        state = merged * P1 + P4
    return state


def _tail(state: U64, tail: Bytes) -> U64:
    """The last 0 to 31 bytes: by eight, then four, then one."""
    length = tail.shape[1]
    eights_end = length // 8 * 8
    fours_end = eights_end + (length - eights_end) // 4 * 4
    for word in _words(tail[:, :eights_end], "<u8").T:
        state = _eight_bytes(state, word)
    for word in _words(tail[:, eights_end:fours_end], "<u4").T:
        mixed = state ^ word * P1
        state = _rotl(mixed, 23) * P2 + P3
    for byte in tail[:, fours_end:].astype(np.uint64).T:
        mixed = state ^ byte * P5
        state = _rotl(mixed, 11) * P1
    return state


def _eight_bytes(state: U64 | np.uint64, word: U64) -> U64:
    mixed = state ^ _round(ZERO, word)
    return _rotl(mixed, 27) * P1 + P4


def _avalanche(state: U64) -> U64:
    """Let every bit of the state reach every bit of the hash."""
    state = (state ^ (state >> np.uint64(33))) * P2
    state = (state ^ (state >> np.uint64(29))) * P3
    return state ^ (state >> np.uint64(32))


def _round(lane: U64 | np.uint64, word: U64) -> U64:
    return _rotl(lane + word * P2, 31) * P1


def _rotl(x: U64, bits: int) -> U64:
    """Rotate to the left."""
    high = x << np.uint64(bits)
    low = x >> np.uint64(64 - bits)
    return high | low


def _words(matrix: Bytes, dtype: str) -> U64:
    """Rows of bytes as rows of little-endian words."""
    words = np.ascontiguousarray(matrix).view(dtype)
    return words.astype(np.uint64)
