"""One number in [0, 1) per user: a hash of a seed and the user id alone, the same as in Trino.

In Trino, for seed 18: `cast(bitwise_and(from_big_endian_64(xxhash64(to_utf8('18:' || user))),
2^53-1) as double) / 2^53`.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.journeys.touchpoints import Flags, Floats
from td_mta.xxhash64 import xxhash64

MANTISSA = np.uint64(2**53 - 1)  # as many bits as a double holds exactly


def user_rnd(users: pa.Array | pa.ChunkedArray, seed: int) -> Floats:
    """The number of each user, `(n,)`; NaN for NULL.

    Takes strings `(n,)`, plain, dictionary-encoded or in chunks.

    >>> user_rnd(pa.array(["u1", None]), seed=18).round(6)
    array([0.291203,      nan])
    """
    if isinstance(users, pa.ChunkedArray):
        chunks = [user_rnd(chunk, seed) for chunk in users.chunks]
        return np.concatenate(chunks) if chunks else np.empty(0)
    if pa.types.is_dictionary(users.type):
        return _taken(user_rnd(users.dictionary, seed), users.indices)
    hashes = xxhash64(_prefixed(f"{seed}:", users))
    lowest_bits = hashes & MANTISSA
    numbers = lowest_bits.astype(np.float64) / 2.0**53
    numbers[_is_null(users)] = np.nan
    return numbers


def _prefixed(prefix: str, strings: pa.Array) -> pa.Array:
    text = pa.large_string()
    start, separator = pa.scalar(prefix, text), pa.scalar("", text)
    return pc.binary_join_element_wise(start, strings.cast(text), separator)


def _taken(values: Floats, indices: pa.Array) -> Floats:
    """The values at the indices; NaN where an index is NULL."""
    missing = _is_null(indices)
    taken = np.full(len(indices), np.nan)
    known = indices.drop_null().to_numpy(zero_copy_only=False)
    taken[~missing] = values[known]
    return taken


def _is_null(values: pa.Array) -> Flags:
    return np.asarray(values.is_null().to_numpy(zero_copy_only=False), bool)
