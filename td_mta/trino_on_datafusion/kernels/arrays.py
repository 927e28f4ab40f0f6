"""Arrays: made of a range, or of the positions of another array's elements."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.types import Kernel, TrinoError

MOST_ENTRIES = 10_000  # Trino's limit for sequence
MOST_AT_ONCE = 1 << 25  # 268 MB


def ordinals(lists: pa.Array) -> pa.Array:
    """WITH ORDINALITY: 1, 2, ... for each list, up to its length."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)  # (rows,)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)  # (rows + 1,)
    start_of_element = np.repeat(offsets[:-1], lengths)  # (elements,)
    positions = np.arange(offsets[-1]) - start_of_element + 1  # (elements,)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(positions.astype(np.int64)))


def sequence(start: pa.Array, stop: pa.Array, step: pa.Array | None = None) -> pa.Array:
    """sequence(start, stop[, step]): both included; without a step down where stop is less."""
    if step is None:
        pairs = zip(start.to_pylist(), stop.to_pylist(), strict=True)
        ranges = [_range(first, last, _unit_step(first, last)) for first, last in pairs]
    else:
        rows = zip(start.to_pylist(), stop.to_pylist(), step.to_pylist(), strict=True)
        ranges = [_range(*row) for row in rows]
    return _lists(ranges)


def joiner(separator: str) -> Kernel:
    """array_join(texts, separator), which leaves out NULLs."""

    def joined(lists: pa.Array) -> pa.Array:
        texts = [
            None if row is None else separator.join(text for text in row if text is not None)
            for row in lists.to_pylist()
        ]
        return pa.array(texts, pa.string())

    return joined


def bin_of(values: pa.Array, bins: pa.Array) -> pa.Array:
    """width_bucket(x, bins): how many of the ascending bins are x or less."""
    of_row = bins.flatten().to_numpy(zero_copy_only=False)
    sizes = pc.fill_null(pc.list_value_length(bins), 0).to_numpy(zero_copy_only=False)
    row = np.repeat(np.arange(len(sizes)), sizes)
    x = pc.fill_null(values, 0.0).to_numpy(zero_copy_only=False)
    is_ascending = (np.diff(of_row) > 0) | (np.diff(row) > 0)  # false for NaN
    if not is_ascending.all() or np.isnan(x).any() or np.isnan(of_row).any() or (sizes == 0).any():
        raise Refused("width_bucket of NaN, or of bins that do not ascend")
    reached = np.bincount(row[of_row <= x[row]], minlength=len(sizes))
    known = pc.and_(values.is_valid(), bins.is_valid())
    return pc.if_else(known, pa.array(reached.astype(np.int64)), None)


def _lists(ranges: Sequence[range | None]) -> pa.Array:
    """The numbers of each range; raises `Refused` for more in all than memory and time allow."""
    known = [entries or range(0) for entries in ranges]
    lengths = np.array([len(entries) for entries in known], np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    if offsets[-1] > MOST_AT_ONCE:
        raise Refused(
            f"sequences of {offsets[-1]:,} entries in all for {len(ranges):,} rows, which are made "
            f"at once: {MOST_AT_ONCE:,} at most; shorten them, or take fewer rows"
        )
    numbers = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    numbers *= np.repeat(np.array([entries.step for entries in known], np.int64), lengths)
    numbers += np.repeat(np.array([entries.start for entries in known], np.int64), lengths)
    is_null = pa.array([entries is None for entries in ranges], pa.bool_())
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(numbers), mask=is_null)


def _unit_step(start: int | None, stop: int | None) -> int | None:
    if start is None or stop is None:
        return None
    return 1 if stop >= start else -1


def _range(start: int | None, stop: int | None, step: int | None) -> range | None:
    if start is None or stop is None or step is None:
        return None
    if step == 0 or (stop - start) * step < 0:
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", "a sequence's step must lead to its end")
    entries = range(start, stop + (1 if step > 0 else -1), step)
    if len(entries) > MOST_ENTRIES:
        raise TrinoError(
            "INVALID_FUNCTION_ARGUMENT", f"a sequence has at most {MOST_ENTRIES} entries"
        )
    return entries
