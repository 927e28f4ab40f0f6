"""Columns of a media table as arrays: days, amounts, controls, regions."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.config.mmm import MediaMixConfig
from td_mta.errors import DataError
from td_mta.ingest import coercion
from td_mta.ingest.settings import words
from td_mta.ingest.times.reader import TimeReader
from td_mta.ingest.values import plain_columns
from td_mta.ingest.values.amounts import amounts
from td_mta.journeys.touchpoints import SECONDS_PER_DAY, Floats, Ints
from td_mta.warehouse import Warehouse

MOST_NUMBERED = 2000  # weeks that are numbered, not dated
MOST_YEAR = 2200
MOST_WORDS = 12  # that a control may hold


def rows_of(
    warehouse: Warehouse, table: str, columns: Sequence[str], *, is_sorted: bool = False
) -> dict[str, pa.Array]:
    """Whole columns by name, rows sorted by them unless they are: sums depend on the order.

    Raises `DataError` for a table without rows.
    """
    distinct = list(dict.fromkeys(columns))
    batches = list(plain_columns.read(warehouse, table, distinct))
    if not sum(len(batch) for batch in batches):
        raise DataError(f"table {table} has no rows")
    rows = pa.table(
        {name: pa.concat_arrays([batch[name] for batch in batches]) for name in distinct}
    )
    if not is_sorted:
        rows = rows.sort_by([(name, "ascending") for name in distinct])
    return {name: pa.concat_arrays(rows[name].chunks) for name in distinct}


def is_numbered(column: pa.Array, most: int = MOST_NUMBERED) -> bool:
    """Whether weeks are numbered 1, 2, 3 … instead of dated."""
    if not pa.types.is_integer(column.type) or column.null_count:
        return False
    numbers = column.to_numpy()
    return bool(len(numbers) and numbers.min() >= 0 and numbers.max() < most)


def days_of_parts(numbers: Ints, years: Ints, name: str) -> Ints:
    """First days of numbered months, where `name` says so, or of numbered ISO weeks, `(rows,)`.

    >>> days = days_of_parts(np.array([1, 2]), np.array([2024, 2024]), "Month")
    >>> days.astype("datetime64[D]").astype(str).tolist()
    ['2024-01-01', '2024-02-01']
    """
    january = (years - 1970).astype("datetime64[Y]").astype("datetime64[M]")
    if name.lower().startswith("mo"):
        return np.asarray((january + (numbers - 1)).astype("datetime64[D]"), np.int64)
    fourth = (january.astype("datetime64[D]") + 3).astype(np.int64)  # is in the first week
    return np.asarray(fourth - (fourth + 3) % 7 + 7 * (numbers - 1), np.int64)


def days_of(column: pa.Array, location: str, config: MediaMixConfig) -> Ints:
    """Days since 1970, `(rows,)`; a month such as 2024-01 is its first day.

    Raises `DataError` for a row without date.
    """
    if pa.types.is_string(column.type):
        column = pc.replace_substring_regex(column, r"^\s*(\d{4})[-/.](\d{1,2})\s*$", r"\1-\2-01")
    read = TimeReader(
        location,
        form=config.time_format,
        null_words=words(config.null_words),
        batches=lambda: [column],
    ).read(column)
    if read.missing.any():
        raise DataError(f"{location}: {int(read.missing.sum())} rows have no date; remove them")
    return read.seconds // SECONDS_PER_DAY


def amounts_of(
    rows: dict[str, pa.Array], column: str, location: str, config: MediaMixConfig
) -> Floats:
    """Numbers, NaN where there is none, `(rows,)`."""
    cells = rows[column]
    if pa.types.is_boolean(cells.type):
        cells = cells.cast(pa.int64())
    return amounts(cells, f"{location}, column {column}", None, words(config.null_words))


def controls(
    rows: dict[str, pa.Array], columns: Sequence[str], location: str, config: MediaMixConfig
) -> dict[str, Floats]:
    """Controls by name. Of a column of words, such as names of events, each word is one.

    An empty cell is none of these words; beside nothing but ones it is a zero.
    """
    found: dict[str, Floats] = {}
    for column in columns:
        of_words = _of_words(rows[column], config)
        for word, values in of_words.items():
            found[f"{column} {word}"] = values
        if not of_words:
            values = amounts_of(rows, column, location, config)
            known = values[~np.isnan(values)]
            found[column] = np.nan_to_num(values) if (known == 1).all() else values
    return found


def _of_words(cells: pa.Array, config: MediaMixConfig) -> dict[str, Floats]:
    """Where each word stands; empty for a column of numbers, or of too many words.

    Where every cell has one the most frequent word is left out, since the others tell of it.
    """
    if not pa.types.is_string(cells.type):
        return {}
    named = coercion.names(cells, words(config.null_words))
    known = [(code, name) for code, name in enumerate(named.names) if name]
    if len(known) > MOST_WORDS or any(character.isdigit() for _, n in known for character in n[:1]):
        return {}
    rows = np.bincount(named.codes, minlength=len(named.names))
    if sum(rows[code] for code, _ in known) == len(cells):
        known.remove(max(known, key=lambda one: int(rows[one[0]])))
    return {name: (named.codes == code).astype(np.float64) for code, name in known}


def regions(rows: dict[str, pa.Array], column: str | None, days: Ints) -> Ints:
    """A code of the region of each row; 0 where no date stands in two rows, `(rows,)`."""
    if column is None or len(np.unique(days)) == len(days):
        return np.zeros_like(days)
    return np.asarray(coercion.names(rows[column]).codes, np.int64)
