"""Bytes and hashes. xxhash64 is computed on whole arrays, the rare ones value by value."""

import base64
import hashlib
import zlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.types import TrinoError
from td_mta.xxhash64 import xxhash64


def xxhash64_bytes(values: pa.Array) -> pa.Array:
    """xxhash64(bytes): eight bytes, big end first, with the seed 0."""
    return _eight_bytes(xxhash64(values), values)


def to_big_endian_64(values: pa.Array) -> pa.Array:
    """to_big_endian_64(bigint): eight bytes, big end first."""
    return _eight_bytes(pc.fill_null(values, 0).to_numpy(zero_copy_only=False), values)


def joined(*arrays: pa.Array) -> pa.Array:
    """concat of bytes; NULL where one of them is."""
    return pc.binary_join_element_wise(*arrays, b"")


def from_big_endian_64(values: pa.Array) -> pa.Array:
    """from_big_endian_64(bytes): eight bytes as one bigint."""
    lengths = pc.binary_length(values)
    if pc.any(pc.not_equal(lengths, 8)).as_py():
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", "8 bytes are needed")
    without_nulls = pc.fill_null(values, b"\0" * 8)
    packed = b"".join(without_nulls.to_pylist())
    numbers = np.frombuffer(packed, ">i8").astype(np.int64)
    return pa.array(numbers, mask=values.is_null().to_numpy(zero_copy_only=False))


def _eight_bytes(numbers: npt.NDArray[np.integer], values: pa.Array) -> pa.Array:
    """Each number, `(rows,)`, as bytes, big end first; null where a value is."""
    as_bytes = numbers.astype(numbers.dtype.newbyteorder(">")).tobytes()
    fixed = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(8), len(values), [_validity(values), pa.py_buffer(as_bytes)]
    )
    return fixed.cast(pa.binary())


def _validity(values: pa.Array) -> pa.Buffer | None:
    if not values.null_count:
        return None
    return values.is_valid().buffers()[1]


def to_hex(value: bytes) -> str:
    """to_hex(bytes), in capitals."""
    return value.hex().upper()


def from_hex(text: str) -> bytes:
    """from_hex(text), without the blanks that Python would allow."""
    try:
        if " " in text:
            raise ValueError
        return bytes.fromhex(text)
    except ValueError:
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", f"not hexadecimal: {text!r}") from None


def from_utf8(value: bytes) -> str:
    """from_utf8(bytes); Trino puts replacement characters for faults, which is refused here."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Refused("from_utf8 of bytes that are no UTF-8") from None


def to_base64(value: bytes) -> str:
    """to_base64(bytes)."""
    return base64.b64encode(value).decode()


def crc32(value: bytes) -> int:
    """crc32(bytes), unsigned."""
    return zlib.crc32(value)


def digest(name: str) -> Callable[[bytes], bytes]:
    """md5, sha1, sha256 or sha512 of bytes."""
    return lambda value: hashlib.new(name, value).digest()
