"""Columns of a media table as arrays: amounts, controls, regions."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from td_mta.config.mmm import MediaMixConfig
from td_mta.errors import DataError
from td_mta.ingest import coercion
from td_mta.ingest.settings import words
from td_mta.ingest.values import plain_columns
from td_mta.ingest.values.amounts import amounts
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.warehouse import Warehouse

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
