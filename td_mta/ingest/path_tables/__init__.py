"""Tables of paths: a row is a path, how often it converted, its value, and how often it did not.

    columns.py   whether a table is one of paths, and which columns hold what
    cells.py     cells to touches: texts with a separator, lists, or a column for each touch
    counts.py    conversions, value and nulls of each row

Such tables have no times: rules and Markov chains can read them, what needs times cannot.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.ingest.path_tables import cells, counts
from td_mta.ingest.path_tables.columns import PathTable, check_no_paths, find
from td_mta.ingest.scan import MOST_CHANNELS
from td_mta.ingest.settings import words
from td_mta.ingest.values import plain_columns, spellings
from td_mta.journeys.paths import Paths
from td_mta.journeys.runs import offsets_of
from td_mta.warehouse import Warehouse

__all__ = ["Given", "PathTable", "check_no_paths", "find", "read"]


class Given(NamedTuple):
    """What a table of paths holds."""

    paths: Paths  # one for each row, with an age of 0 for every touch
    channels: list[str]  # sorted
    notes: Sequence[str]  # how the table was read
    warnings: Sequence[str]


def read(table: PathTable, config: Config, warehouse: Warehouse) -> Given:
    """Raises `DataError` for no rows, touches or conversions, and for counts that are none."""
    columns = _columns(table, warehouse)
    touches = cells.tidied(_cells(table, columns), words(config.null_words))
    _check_names(touches.names, table)
    found = counts.read(table, columns, config)
    spelling = _spelling(touches, config)
    channels = sorted({spelling.get(name, name) for name in touches.names})
    index = {name: code for code, name in enumerate(channels)}
    code = np.array([index[spelling.get(name, name)] for name in touches.names], np.int64)
    paths = Paths(
        channel=code[touches.codes],
        offsets=offsets_of(touches.sizes),
        conversions=found.conversions,
        value=found.value,
        nulls=found.nulls,
        age=np.zeros(len(touches.codes)),
    )
    notes = [_described(table), *_of_touches(touches), *found.notes]
    return Given(paths, channels, notes, found.warnings)


def _columns(table: PathTable, warehouse: Warehouse) -> dict[str, pa.Array]:
    batches = list(plain_columns.read(warehouse, table.table, table.columns, lists=True))
    if not sum(len(batch) for batch in batches):
        raise DataError(f"table {table.table} has no rows")
    rows = pa.Table.from_batches(batches)
    return {name: pa.concat_arrays(rows[name].chunks) for name in table.columns}


def _cells(table: PathTable, columns: dict[str, pa.Array]) -> cells.Cells:
    by_touch = [columns[name] for name in table.touches]
    if len(by_touch) > 1:
        return cells.of_columns(by_touch)
    if table.separator is not None:
        return cells.of_texts(by_touch[0], table.separator)
    return cells.of_lists(by_touch[0])


def _check_names(names: Sequence[str], table: PathTable) -> None:
    location = f"table {table.table}, column {table.touches[0]}"
    if not names:
        raise DataError(f"{location}: no path has a touch; name the column in action_column")
    if len(names) > MOST_CHANNELS:
        shown = f" separated by {table.separator!r}" if table.separator else ""
        raise DataError(
            f"{location} must hold at most {MOST_CHANNELS} distinct channels{shown}, got "
            f"{len(names)}, such as {names[0]!r}; set path_separator to what separates the touches"
        )


def _spelling(touches: cells.Tidied, config: Config) -> dict[str, str]:
    """The name that each other spelling is joined to, where channel_letter_case says join."""
    if config.channel_letter_case == "keep":
        return {}
    rows = np.bincount(touches.codes, minlength=len(touches.names)).tolist()
    return spellings.spelling(dict(zip(touches.names, rows, strict=True)))


def _described(table: PathTable) -> str:
    """What was found, and how to say otherwise."""
    how = "lists"
    if len(table.touches) > 1:
        how = f"to {table.touches[-1]}, a column for each touch"
    elif table.separator is not None:
        how = f"separated by {table.separator.strip() or 'tabs'}"
    counted = {"conversions": table.conversions, "value": table.value, "nulls": table.nulls}
    parts = [f"{what}: {column or 'none'}" for what, column in counted.items()]
    return (
        f"Table {table.table} is read as one of paths: {table.touches[0]} ({how}), "
        f"{', '.join(parts)}; to choose others, set action_column, path_separator, "
        "conversion_column, value_column or null_paths_column."
    )


def _of_touches(touches: cells.Tidied) -> list[str]:
    sentences = []
    if touches.unnamed:
        sentences.append(
            f"{touches.unnamed:,} touches whose name says that there is none (null_words) were "
            "left out of the paths."
        )
    if touches.repeated:
        sentences.append(f"{touches.repeated:,} touches were read of counts such as Direct x 2.")
    return sentences
