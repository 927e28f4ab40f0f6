"""Columns that describe users or days (control_columns), as levels: text first, then numbers.

Which values have a level of their own is decided by a sample of users; memory holds no more of a
table than that.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.ingest import columns
from td_mta.ingest.times.clocks import local_time
from td_mta.journeys.attributes import MISSING, Attribute, OfDays, OfUsers, of_days
from td_mta.journeys.touchpoints import Floats, Ints

ENOUGH_ROWS = 200_000  # to tell the frequent values
MOST_LEVELS = 30  # values with a level of their own
BINS = 20  # of numbers with more distinct values, as many rows in each


@dataclass(frozen=True)
class Levels:
    """The levels of a column: 0 is missing, then come values or bins, the last one is any other."""

    values: tuple[str, ...]  # ascending; none where numbers have bins
    bounds: Floats | None  # between bins, ascending
    days: OfDays | None  # where the column says the same of all users of a day

    @property
    def size(self) -> int:
        """How many levels there are."""
        own = len(self.values) if self.bounds is None else len(self.bounds) + 1
        return own + 2

    def read(self, text: pa.Array) -> Ints:
        """The level of each text, `(n,)`."""
        missing = np.asarray(pc.is_null(text))
        if self.bounds is None:
            place = pc.fill_null(pc.index_in(text, pa.array(self.values, pa.string())), -1)
            level = np.asarray(place).astype(np.int64) + 1
            level[level == 0] = self.size - 1
        else:
            number = _numbers(text)
            level = 1 + np.searchsorted(self.bounds, number, side="right").astype(np.int64)
            level[np.isnan(number)] = self.size - 1
        level[missing] = MISSING
        return level


def texts(column: pa.Array, null_words: tuple[str, ...]) -> pa.Array:
    """A column's values as text without blanks around it; null for what stands for no value."""
    text = columns.trimmed(columns.identifier(column))
    nothing = columns.is_in(pc.utf8_lower(text), ("", *null_words))
    return pc.if_else(pa.array(nothing), None, text)


def sample(buckets: Iterable[pa.Table]) -> pa.Table:
    """The rows of so many users that there are enough; users are in random buckets."""
    parts: list[pa.Table] = []
    for bucket in buckets:
        parts.append(bucket)
        if sum(len(part) for part in parts) >= ENOUGH_ROWS:
            break
    return pa.concat_tables(parts).combine_chunks()


def levels_of(rows: pa.Table, names: Iterable[str], zone: str) -> dict[str, Levels]:
    """The levels of the columns of these names, by the rows of a sample."""
    day, _ = local_time(rows["time"].to_numpy(), zone)
    return {name: _levels(_one_chunk(rows[name]), day) for name in names}


def attribute(
    levels: Levels, text: pa.ChunkedArray, user: Ints, time: Ints, day: Ints
) -> Attribute:
    """What the rows of a page, `(rows,)`, say of its users and days."""
    if levels.days is not None:
        return levels.days
    return OfUsers.of_rows(user, time, day, levels.read(_one_chunk(text)))


def _levels(text: pa.Array, day: Ints) -> Levels:
    counts = pc.value_counts(text.drop_null())
    values, rows = counts.field(0), counts.field(1).to_numpy()
    bounds, frequent = None, values
    if len(values) > MOST_LEVELS:
        number = _numbers(values)
        if np.isnan(number).any():
            by_rows = sorted(zip(-rows, values.to_pylist(), strict=True))
            frequent = pa.array([value for _, value in by_rows[:MOST_LEVELS]], pa.string())
        else:
            bounds = _bounds(number, rows)
    own = () if bounds is not None else tuple(sorted(frequent.to_pylist()))
    levels = Levels(own, bounds, None)
    return replace(levels, days=of_days(day, levels.read(text)))


def _bounds(number: Floats, rows: Ints) -> Floats:
    """The numbers at which bins of about as many rows begin, but for the first bin."""
    order = np.argsort(number)
    share = np.cumsum(rows[order]) / rows.sum()
    at = np.searchsorted(share, np.arange(1, BINS) / BINS)
    bounds = np.unique(number[order][at])
    return bounds[bounds > number.min()]


def _numbers(text: pa.Array) -> Floats:
    """As numbers; NaN where a text is none."""
    is_number = columns.matches(text, columns.NUMBER)
    digits = pc.if_else(pa.array(is_number), pc.utf8_trim_whitespace(text), None)
    return columns.numbers(digits.cast(pa.float64())).astype(np.float64)


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    if not isinstance(whole, pa.ChunkedArray):
        return whole
    return whole.chunk(0) if whole.num_chunks else pa.array([], column.type)
