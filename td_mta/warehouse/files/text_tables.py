"""A text file as a table: read twice in blocks, first for the types, since the whole file decides.

An empty cell is NULL.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from td_mta.errors import DataError
from td_mta.warehouse.file_options import FileOptions
from td_mta.warehouse.files import formulas, odd_rows
from td_mta.warehouse.files.column_types import FALSE, TRUE, Guess, Reading
from td_mta.warehouse.files.headers import Header, header
from td_mta.warehouse.files.odd_rows import OddRows, Region
from td_mta.warehouse.files.plain import Guessed
from td_mta.warehouse.files.separators import NOTHING, layout

BLOCK_BYTES = 1 << 24
SHOWN = {"\t": "tabs", " ": "blanks"}  # separators that could not be seen


class TextTable:
    """A table in a UTF-8 file; raises `DataError` where it is none."""

    def __init__(self, path: Path, options: FileOptions) -> None:
        self._path, self._options = path, options
        self._layout = layout(path, options)
        self._header = _header(self._layout.header, options)
        self._region = Region(self._layout.begin, path.stat().st_size, 0)
        self.guessed = [*self._of_layout(), *map(Guessed, self._header.renamed)]

    @property
    def names(self) -> list[str] | None:
        """The columns; None where only the whole file tells whether one of them is empty."""
        return None if self._header.nameless else self._header.names

    def to_parquet(self, target: Path, scratch: Path) -> None:
        """The same table as Parquet, in bounded memory; `guessed` grows by what is met."""
        if not self._options.exact:
            self._leave_out_sums()
        rows = OddRows(len(self._header.names))
        readings = self._readings(rows)
        if rows.count:
            readings = self._mended(rows, scratch) or readings
        readings = self._kept(readings)
        self.guessed += [Guessed(what) for reading in readings.values() for what in reading.said]
        schema = pa.schema([(name, reading.type) for name, reading in readings.items()])
        with pq.ParquetWriter(target, schema) as writer:
            for batch in self._typed(readings):
                writer.write_batch(batch)

    def _of_layout(self) -> list[Guessed]:
        """What differs from a comma-separated file with its header in the first line."""
        separator, options, guessed = self._layout.separator, self._options, []
        if not options.separator and separator not in (",", NOTHING):
            what = f"columns separated by {SHOWN.get(separator, separator)}"
            guessed.append(Guessed(what, "file_separator"))
        if self._layout.skipped:
            what = f"header found in line {self._layout.line}"
            guessed.append(Guessed(what, "file_header_line"))
        return guessed

    def _leave_out_sums(self) -> None:
        self._region = odd_rows.region(self._path, self._layout)
        if self._region.sums:
            lines = f"{_lines(self._region.sums)} of sums or remarks"
            self.guessed.append(Guessed(f"{lines} at the end left out"))

    def _readings(self, rows: OddRows) -> dict[str, Reading]:
        """How to read each column, by all its values."""
        names, exact = self._header.names, self._options.exact
        guesses = {
            name: Guess(
                name,
                holds_names=name.lower() in self._options.name_columns,
                exact=exact,
                decimal_comma=self._options.decimal_comma,
            )
            for name in names
        }
        quoted = odd_rows.has_quotes(self._path)
        for batch in self._blocks(dict.fromkeys(names, pa.string()), rows):
            for name, guess in guesses.items():
                guess.add(batch.column(name))
                if quoted and not exact:
                    self._refuse_torn(batch.column(name))
        return {name: guess.reading() for name, guess in guesses.items()}

    def _refuse_torn(self, column: pa.Array) -> None:
        """Raise `DataError` where a quote that is never closed has swallowed rows."""
        _, _, text = column.buffers()
        if text is None or b"\n" not in text.to_pybytes():
            return
        for cell in column.filter(pc.match_substring(column, "\n")).to_pylist():
            odd_rows.refuse_torn(self._path, cell, self._layout)

    def _mended(self, rows: OddRows, scratch: Path) -> dict[str, Reading] | None:
        """What is below the table stays left out; what lacks its last cells is filled up."""
        if odd_rows.below_the_table(self._path, rows) and not self._options.exact:
            shown = " ".join(rows.first.split())[:40]
            what = f"{_lines(rows.count)} below the table left out ({shown})"
            self.guessed.append(Guessed(what))
            return None
        if not rows.can_be_filled or self._options.exact:
            raise odd_rows.refused(self._path, rows)
        target = scratch / "filled_up.csv"
        odd_rows.fill_up(self._path, self._layout, self._region, target)
        what = f"{_lines(rows.count)} with too few cells filled up with empty ones"
        self.guessed.append(Guessed(what))
        self._path, self._region = target, Region(0, target.stat().st_size, 0)
        return self._readings(OddRows(rows.width))

    def _kept(self, readings: dict[str, Reading]) -> dict[str, Reading]:
        """Without columns that have neither a name nor a value."""
        nameless = self._header.nameless
        kept = {
            name: reading
            for name, reading in readings.items()
            if name not in nameless or reading.has_values
        }
        called = [name for name in kept if name in nameless]
        if called:
            what = f"a column without a name is called {', '.join(called)}"
            self.guessed.append(Guessed(what))
        return kept

    def _typed(self, readings: Mapping[str, Reading]) -> Iterator[pa.RecordBatch]:
        """The rows, without those that are empty as a whole."""
        kinds = {
            name: reading.type if reading.by_csv else pa.string()
            for name, reading in readings.items()
        }
        for batch in self._blocks(kinds, lambda row: "skip"):
            arrays = [
                array if reading.by_csv else reading.values(array)
                for array, reading in zip(batch.columns, readings.values(), strict=True)
            ]
            if self._options.exact:
                arrays = [
                    formulas.taken_off(array) if pa.types.is_string(array.type) else array
                    for array in arrays
                ]
            typed = pa.record_batch(arrays, names=list(readings))
            yield typed if self._options.exact else _without_empty_rows(typed)

    def _blocks(
        self, column_types: Mapping[str, pa.DataType], on_odd_row: Callable[[object], str]
    ) -> Iterator[pa.RecordBatch]:
        """The rows of some columns; `on_odd_row` as pyarrow's `invalid_row_handler`."""
        read = pacsv.ReadOptions(block_size=BLOCK_BYTES, column_names=self._header.names)
        parse = pacsv.ParseOptions(
            delimiter=self._layout.separator,
            newlines_in_values=True,
            invalid_row_handler=on_odd_row,
        )
        convert = pacsv.ConvertOptions(
            column_types=column_types,
            include_columns=list(column_types),
            null_values=[""],
            true_values=TRUE,
            false_values=FALSE,
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        )
        with open(self._path, "rb") as file:
            rows = odd_rows.RegionFile(file, self._region)
            if not rows.left:
                return
            try:
                yield from pacsv.open_csv(
                    rows, read_options=read, parse_options=parse, convert_options=convert
                )
            except pa.ArrowInvalid as error:
                raise DataError(f"not a readable CSV file: {error}") from error


def _header(cells: list[str], options: FileOptions) -> Header:
    if not options.exact:
        return header(cells)
    cells = formulas.taken_off(pa.array(cells, pa.string())).to_pylist()
    repeated = sorted(name for name, times in Counter(cells).items() if times > 1)
    if repeated:
        raise DataError(f"column {repeated[0]!r} stands twice in the first line, rename one")
    return Header(cells, frozenset(), [])


def _without_empty_rows(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Spreadsheets write rows of separators alone, which say nothing."""
    if batch.num_columns < 2 or not all(column.null_count for column in batch.columns):
        return batch
    empty = reduce(pc.and_, (pc.is_null(column) for column in batch.columns))
    return batch.filter(pc.invert(empty)) if pc.any(empty).as_py() else batch


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count:,} lines"
