"""Columns of a media table as arrays: amounts, controls, regions."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.config.mmm import MediaMixConfig
from td_mta.errors import DataError
from td_mta.ingest import coercion
from td_mta.ingest import columns as of_columns
from td_mta.ingest.beside import costs
from td_mta.ingest.settings import words
from td_mta.ingest.values import plain_columns
from td_mta.ingest.values.amounts import amounts
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.warehouse import Warehouse

MOST_WORDS = 12  # that a control may hold
TOTAL = r"(?i)^(?:(?:grand|sub)?[- ]?totals?|total general|gesamt.*|summe|合計|总计|итого)\W*$"
MOST_ROUNDING = 1e-6  # of thousandths that are whole


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


def without_totals(rows: dict[str, pa.Array], date: str) -> tuple[dict[str, pa.Array], list[str]]:
    """Rows less those that have a word such as Total for a date, and a note on them."""
    if not pa.types.is_string(rows[date].type):
        return rows, []
    is_total = of_columns.matches(of_columns.trimmed(rows[date]), TOTAL)
    if not is_total.any():
        return rows, []
    kept = pa.array(~is_total)
    note = f"left out: rows whose {date} says that they are totals: {int(is_total.sum())}"
    return {name: column.filter(kept) for name, column in rows.items()}, [note]


def amounts_of(
    rows: dict[str, pa.Array], column: str, location: str, config: MediaMixConfig
) -> Floats:
    """Numbers, NaN where there is none, `(rows,)`."""
    cells = rows[column]
    if pa.types.is_boolean(cells.type):
        cells = cells.cast(pa.int64())
    place = f"{location}, column {column}"
    return amounts(cells, place, config.decimal_mark, words(config.null_words))


def spend_of(
    rows: dict[str, pa.Array], columns: Mapping[str, str], location: str, config: MediaMixConfig
) -> tuple[dict[str, Floats], list[str]]:
    """Amounts by the names of `columns`, and a note on empty cells that are read as zeros."""
    spend, empty = {}, 0
    for name, column in columns.items():
        values = amounts_of(rows, column, location, config) * costs.unit(column)
        if config.empty_spend == "zero":
            empty += int(np.isnan(values).sum())
            values = np.nan_to_num(values)
        spend[name] = values
    return spend, [f"cells of spend without a number, read as 0: {empty}"] if empty else []


def mark_notes(
    rows: dict[str, pa.Array], columns: Sequence[str], location: str, config: MediaMixConfig
) -> list[str]:
    """What amounts that are all like 1.234 or 987 are taken for.

    Raises `DataError` where another column has decimal commas, since they are thousands then.
    """
    if config.decimal_mark:
        return []
    either = {name: shown for name in columns if (shown := _like_thousands(rows[name]))}
    if not either:
        return []
    example = next(iter(either.values()))
    comma = next((shown for name in columns if (shown := _decimal_comma(rows[name]))), None)
    if comma:
        raise DataError(
            f"{location} has {example} in {', '.join(either)} and {comma} in another column: set "
            "decimal_mark to comma, which makes the first a number of thousands, or to point"
        )
    return [
        f"amounts such as {example} of {', '.join(either)} are read with a decimal point; "
        "decimal_mark=comma makes them thousands"
    ]


def _like_thousands(column: pa.Array) -> str | None:
    """A value such as 1.234, where all are so or whole numbers below a thousand."""
    if pa.types.is_string(column.type):
        text = of_columns.trimmed(column.drop_null())
        is_open = of_columns.matches(text, r"^[1-9]\d{0,2}\.\d{3}$")
        is_whole = of_columns.matches(text, r"^\d{0,3}$|^-$")
        found = text.filter(pa.array(is_open)) if (is_open | is_whole).all() else text[:0]
        return found[0].as_py() if len(found) else None
    if not pa.types.is_floating(column.type):
        return None
    values = np.asarray(column.drop_null().to_numpy(), np.float64)
    thousandths = values * 1000
    is_third = np.abs(thousandths - np.rint(thousandths)) < MOST_ROUNDING
    has_fraction = values != np.rint(values)
    within = (values < 1000) & (values >= np.where(has_fraction, 1, 0))
    needs_third = np.abs(values * 100 - np.rint(values * 100)) > MOST_ROUNDING
    is_like = bool((is_third & within).all() and (needs_third & has_fraction).any())
    return f"{values[needs_third.argmax()]:.3f}" if is_like else None


def _decimal_comma(column: pa.Array) -> str | None:
    """A value such as 12,50."""
    if not pa.types.is_string(column.type):
        return None
    found = column.filter(pa.array(of_columns.matches(column, r"\d,\d{1,2}(?:\D|$)")))
    return found[0].as_py() if len(found) else None


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
            values = amounts_of(_without_percent(rows, column), column, location, config)
            known = values[~np.isnan(values)]
            found[column] = np.nan_to_num(values) if (known == 1).all() else values
    return found


def _without_percent(rows: dict[str, pa.Array], column: str) -> dict[str, pa.Array]:
    """The column, where all that it holds are percentages such as 12.5 %, as their numbers."""
    cells = rows[column]
    if not pa.types.is_string(cells.type) or not of_columns.matches(cells.drop_null(), "%$").all():
        return rows
    return {column: pc.replace_substring_regex(cells, r"\s*%$", "")}


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
