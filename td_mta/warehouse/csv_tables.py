"""CSV files as typed tables. A column has the narrowest type that every one of its values fits:

bigint (canonical integers: no leading zero or plus), double, boolean (true/false), else varchar.
An empty cell is NULL. The whole file decides, so a file is read twice, in blocks.
"""

import contextlib
import csv
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from td_mta.errors import DataError

INTEGER = r"^(?:0|-?[1-9][0-9]{0,18})$"
NUMBER = r"^-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
NOT_FINITE = r"^(?:nan|NaN|NAN|-?inf|-?Inf|-?Infinity)$"
LONG_INTEGER = r"^-?[0-9]{16,}$"  # a double may not hold it: an identifier, not a measure
TRUE, FALSE = ["true", "True", "TRUE"], ["false", "False", "FALSE"]
BLOCK_BYTES = 1 << 24


def types(path: Path) -> dict[str, pa.DataType]:
    """The type of each column, by all its values."""
    guesses = {name: _Guess() for name in header(path)}
    for batch in _blocks(path, dict.fromkeys(guesses, pa.string())):
        for name, guess in guesses.items():
            guess.add(batch.column(name))
    return {name: guess.type() for name, guess in guesses.items()}


def header(path: Path) -> list[str]:
    """Column names as the first line has them."""
    with _naming(path):
        names = pacsv.open_csv(path, parse_options=_PARSE, read_options=_READ).schema.names
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(
            f"{path}: column {repeated[0]!r} stands twice in the first line, rename one"
        )
    return names


def read(path: Path) -> Iterator[pa.RecordBatch]:
    """The rows, typed by `types`, in blocks of a few megabytes."""
    return _blocks(path, types(path))


def to_parquet(source: Path, target: Path) -> None:
    """The same table as Parquet, in bounded memory."""
    column_types = types(source)
    schema = pa.schema(list(column_types.items()))
    with pq.ParquetWriter(target, schema) as writer:
        for batch in _blocks(source, column_types):
            writer.write_batch(batch)


def write(table: pa.Table, path: Path) -> None:
    """Rows as CSV; numbers in the shortest form that reads back as the same number."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.column_names)
        for batch in table.to_batches(max_chunksize=10_000):
            columns = [[_cell(value) for value in column.to_pylist()] for column in batch.columns]
            writer.writerows(zip(*columns, strict=True))
        file.flush()
        os.fsync(file.fileno())  # on the disk before the caller renames it


def keeps(table: pa.Table) -> bool:
    """Whether the rows would come back from a CSV file with the same types and values."""
    return all(_keeps(column) for column in table.columns)


def _keeps(column: pa.ChunkedArray) -> bool:
    if column.null_count == len(column):
        return True
    if pa.types.is_floating(column.type) and pc.any(pc.is_nan(column)).as_py():
        return False
    is_text = pa.types.is_string(column.type)
    if is_text and pc.any(pc.equal(column, "")).as_py():  # it would come back as NULL
        return False
    cells = pa.array([_cell(value) for value in column.to_pylist()], pa.string())
    null = pa.scalar(None, pa.string())
    guess = _Guess()
    guess.add(pc.replace_with_mask(cells, pc.equal(cells, ""), null))
    return guess.type() == column.type


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value)
    return str(value)


class _Guess:
    """The types that all values of a column so far fit."""

    def __init__(self) -> None:
        self._any_value = False
        self._any_number = False  # else a column of `nan` alone would be a double
        self._fits = dict.fromkeys(_FITS, True)

    def add(self, column: pa.Array) -> None:
        """More values of the column, as text."""
        values = column.drop_null()
        if not len(values):
            return
        self._any_value = True
        for kind, fits in _FITS.items():
            self._fits[kind] = self._fits[kind] and fits(values)
        if self._fits["double"] and not self._any_number:
            self._any_number = _any_matches(values, NUMBER)

    def type(self) -> pa.DataType:
        """The narrowest type of all values that were added."""
        if self._any_value and self._fits["integer"]:
            return pa.int64()
        if self._any_number and self._fits["double"]:
            return pa.float64()
        return pa.bool_() if self._any_value and self._fits["boolean"] else pa.string()


def _is_integer(values: pa.Array) -> bool:
    if not _all_match(values, INTEGER):
        return False
    try:
        values.cast(pa.int64())  # nineteen digits may be too many
    except pa.ArrowInvalid:
        return False
    return True


def _is_double(values: pa.Array) -> bool:
    return _all_match(values, f"{NUMBER}|{NOT_FINITE}") and not _any_matches(values, LONG_INTEGER)


def _is_boolean(values: pa.Array) -> bool:
    return pc.all(pc.is_in(values, pa.array(TRUE + FALSE))).as_py()


_FITS: dict[str, Callable[[pa.Array], bool]] = {
    "integer": _is_integer,
    "double": _is_double,
    "boolean": _is_boolean,
}


def _all_match(values: pa.Array, pattern: str) -> bool:
    return pc.all(pc.match_substring_regex(values, pattern)).as_py()


def _any_matches(values: pa.Array, pattern: str) -> bool:
    return pc.any(pc.match_substring_regex(values, pattern)).as_py()


_PARSE = pacsv.ParseOptions(newlines_in_values=True)
_READ = pacsv.ReadOptions(block_size=BLOCK_BYTES)


def _blocks(path: Path, column_types: dict[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
    convert = pacsv.ConvertOptions(
        column_types=column_types,
        null_values=[""],
        true_values=TRUE,
        false_values=FALSE,
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
    )
    with _naming(path):
        yield from pacsv.open_csv(
            path, read_options=_READ, parse_options=_PARSE, convert_options=convert
        )


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Adds the file to the message of an error of pyarrow."""
    try:
        yield
    except pa.ArrowInvalid as error:
        raise DataError(f"{path}: not a readable CSV file: {error}") from error
