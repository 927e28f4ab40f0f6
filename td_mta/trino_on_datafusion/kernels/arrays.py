"""Arrays: made of a range, or of the places of another."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.trino_on_datafusion.types import TrinoError

MOST_ENTRIES = 10_000  # of a sequence


def ordinals(lists: pa.Array) -> pa.Array:
    """1, 2, ... for each list, up to its length."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    places = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths) + 1
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(places.astype(np.int64)))


def sequence(start: pa.Array, stop: pa.Array, step: pa.Array | None = None) -> pa.Array:
    """From start to stop, both included, down where stop is less."""
    steps = step.to_pylist() if step is not None else [None] * len(start)
    rows = zip(start.to_pylist(), stop.to_pylist(), steps, strict=True)
    told = step is not None
    return pa.array([_range(*row, told=told) for row in rows], pa.list_(pa.int64()))


def _range(start: int | None, stop: int | None, step: int | None, *, told: bool) -> range | None:
    if start is None or stop is None or (told and step is None):
        return None
    by = step if step is not None else 1 if stop >= start else -1
    if by == 0 or (stop - start) * by < 0:
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", "a sequence's step must lead to its end")
    found = range(start, stop + (1 if by > 0 else -1), by)
    if len(found) > MOST_ENTRIES:
        raise TrinoError(
            "INVALID_FUNCTION_ARGUMENT", f"a sequence has at most {MOST_ENTRIES} entries"
        )
    return found
