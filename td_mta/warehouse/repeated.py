"""A column of one value for tables of any length, in little memory."""

import pyarrow as pa

CHUNK_ROWS = 1 << 16


def repeated(value: str | int, rows: int) -> pa.ChunkedArray:
    """The value so many times: all chunks are one array.

    >>> repeated("a", 3).to_pylist()
    ['a', 'a', 'a']
    """
    chunk = pa.array([value] * min(rows, CHUNK_ROWS))
    whole, rest = divmod(rows, CHUNK_ROWS)
    return pa.chunked_array([*[chunk] * whole, chunk.slice(0, rest)], chunk.type)
