"""CSV files that we write: what they keep as it is, and how rows become text."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from td_mta.warehouse.files import formulas
from td_mta.warehouse.files.column_types import Guess

SPECIAL = re.compile(r'[",\n\r]')


def write(table: pa.Table, path: Path) -> None:
    """Rows as CSV; numbers in the shortest form that reads back as the same number."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        file.writelines(lines(table))
        file.flush()
        os.fsync(file.fileno())  # on the disk before the caller renames it


def lines(table: pa.Table) -> Iterator[str]:
    """The header and the rows as `write` writes them."""
    yield _line([formulas.prefixed(name) for name in table.column_names])
    for batch in table.to_batches(max_chunksize=10_000):
        columns = [[_cell(value) for value in column.to_pylist()] for column in batch.columns]
        yield from map(_line, zip(*columns, strict=True))


def keeps(table: pa.Table) -> bool:
    """Whether the rows would come back from a CSV file with the same types and values."""
    return all(_keeps(name, table[name]) for name in table.column_names)


def _keeps(name: str, column: pa.ChunkedArray) -> bool:
    if column.null_count == len(column):
        return True
    if pa.types.is_floating(column.type) and pc.any(pc.is_nan(column)).as_py():
        return False
    is_text = pa.types.is_string(column.type)
    if is_text and pc.any(pc.equal(column, "")).as_py():  # it would come back as NULL
        return False
    cells = pa.array([_cell(value) for value in column.to_pylist()], pa.string())
    null = pa.scalar(None, pa.string())
    guess = Guess(name, exact=True)
    guess.add(pc.replace_with_mask(cells, pc.equal(cells, ""), null))
    return guess.reading().type == column.type


def _line(cells: Sequence[str]) -> str:
    # Python's own writer leaves a carriage return without quotes, and then it ends the line.
    quoted = [
        '"' + cell.replace('"', '""') + '"' if SPECIAL.search(cell) else cell for cell in cells
    ]
    return (",".join(quoted) or '""') + "\n"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value)
    return formulas.prefixed(str(value))
