"""One number in [0, 1) per user: a pure hash of a seed and the user id, the same here and in Trino.

Trino's twin: `cast(bitwise_and(from_big_endian_64(xxhash64(to_utf8('18:' || user))), 2^53-1) as
double) / 2^53`.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.xxhash64 import xxhash64

MANTISSA = np.uint64(2**53 - 1)


def user_rnd(users: pa.Array | pa.ChunkedArray, seed: int) -> npt.NDArray[np.float64]:
    """The number of each user; NULL users get NaN.

    Takes strings (n,), plain or dictionary-encoded; returns float64 (n,).

    >>> user_rnd(pa.array(["u1", None]), seed=18).round(6)
    array([0.291203,      nan])
    """
    if isinstance(users, pa.ChunkedArray):
        return _concat([user_rnd(chunk, seed) for chunk in users.chunks])
    if pa.types.is_dictionary(users.type):
        return _taken(user_rnd(users.dictionary, seed), users.indices)
    salted = _prefixed(f"{seed}:", users)
    numbers = (xxhash64(salted) & MANTISSA).astype(np.float64) / 2.0**53
    numbers[_nulls(users)] = np.nan
    return numbers


def _prefixed(prefix: str, strings: pa.Array) -> pa.Array:
    text = pa.large_string()
    return pc.binary_join_element_wise(
        pa.scalar(prefix, text), strings.cast(text), pa.scalar("", text)
    )


def _taken(values: npt.NDArray[np.float64], indices: pa.Array) -> npt.NDArray[np.float64]:
    missing = _nulls(indices)
    taken = np.full(len(indices), np.nan)
    taken[~missing] = values[indices.drop_null().to_numpy(zero_copy_only=False)]
    return taken


def _nulls(values: pa.Array) -> npt.NDArray[np.bool_]:
    return values.is_null().to_numpy(zero_copy_only=False)


def _concat(parts: list[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    return np.concatenate(parts) if parts else np.empty(0)
