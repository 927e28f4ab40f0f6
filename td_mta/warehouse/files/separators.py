"""Which character separates the columns, and in which line their names stand.

By the right separator most of the first lines fall into the same number of cells. The header is the
first of them, mostly the first line; lines above it are a preamble, and then a column of numbers or
times must begin below it, so that no row is taken for a header.
"""

import csv
import io
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from td_mta.errors import DataError
from td_mta.warehouse.file_options import FileOptions
from td_mta.warehouse.files.encodings import UTF8
from td_mta.warehouse.files.headers import check_names, clean, is_value

SAMPLE = 1 << 18  # bytes
ROWS = 200  # of the sample
CANDIDATES = (",", ";", "\t", "|")
NOTHING = "\x1f"  # stands in no text: a file of one column
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[ \t;,|]*', re.IGNORECASE)  # Excel's own


class Layout(NamedTuple):
    """What separates the cells of a file, and where its rows begin."""

    separator: str
    header: list[str]  # cells as they stand there, as many as a row has
    line: int  # the header's last, from 1
    begin: int  # the byte after the header
    skipped: int  # lines above the header that hold something


class _Row(NamedTuple):
    """A line, or several where a quoted cell has line breaks."""

    cells: list[str]
    end: int  # the lines up to here, this one included


class _Table(NamedTuple):
    """The first lines as a separator would have them."""

    separator: str
    rows: list[_Row]
    first: int  # the row with the names
    header: list[str]

    @property
    def below(self) -> list[list[str]]:
        """The rows that have as many cells as the header."""
        below = [row.cells for row in self.rows[self.first + 1 :]]
        return [cells for cells in below if len(cells) == len(self.header)]


def layout(path: Path, options: FileOptions) -> Layout:
    """The layout of a UTF-8 file; raises `DataError` where it has no header."""
    lines, mark = _first_lines(path)
    if options.header_line:
        table = _below_line(lines, options.header_line, options.separator)
        return _layout(lines, mark, table)._replace(skipped=0)
    start = next(number for number, line in enumerate(lines) if clean(line))
    says_separator = SEPARATOR_LINE.fullmatch(lines[start].rstrip("\r\n"))
    separators = (options.separator,) if options.separator else CANDIDATES
    if says_separator:
        start += 1
        separators = (options.separator or says_separator[1],)
    tables = [_table(_rows(lines, start, separator), separator) for separator in separators]
    table = _best([table for table in tables if table])
    check_names(table.header, table.below, table.rows[table.first].end)
    return _layout(lines, mark, table)


def _first_lines(path: Path) -> tuple[list[str], int]:
    """The first lines with their ends, none cut in two, and the bytes of the mark before them."""
    with open(path, "rb") as file:
        sample = file.read(SAMPLE)
        more = bool(file.read(1))
    mark = len(BOM_UTF8) if sample.startswith(BOM_UTF8) else 0
    text = sample[mark:].decode(UTF8, "ignore")
    lines = list(io.StringIO(text, newline=""))
    if more and len(lines) > 1:
        lines.pop()
    if not any(clean(line) for line in lines):
        raise DataError("not a readable CSV file: it is empty")
    return lines, mark


def _below_line(lines: list[str], number: int, separator: str | None) -> _Table:
    """The table whose header is in the line that somebody names."""
    if number > len(lines) or not clean(lines[number - 1]):
        raise DataError(f"line {number} is empty or missing: set file_header_line to another one")
    separators = (separator,) if separator else CANDIDATES
    tables = [_headed(_rows(lines, number - 1, separator), separator) for separator in separators]
    return _best(tables)


def _layout(lines: list[str], mark: int, table: _Table) -> Layout:
    end = table.rows[table.first].end
    begin = mark + len("".join(lines[:end]).encode(UTF8))
    separator = table.separator if len(table.header) > 1 else NOTHING
    return Layout(separator, table.header, end, begin, table.first)


def _best(tables: Sequence[_Table]) -> _Table:
    """The table with several columns whose header and rows agree most often, then the widest.

    Where two agree as often, a comma before a blank is part of a name.
    """

    def quality(table: _Table) -> tuple[bool, int, int, int]:
        columns = len(table.header)
        blanks = sum(cell.startswith(" ") for cell in table.header)
        return columns > 1, len(table.below), columns, -blanks

    return max(tables, key=quality)


def _rows(lines: list[str], start: int, separator: str) -> list[_Row]:
    """The first rows that are not blank."""
    reader = csv.reader(lines[start:], delimiter=separator)
    rows: list[_Row] = []
    try:
        for cells in reader:
            if len(cells) > 1 or any(map(clean, cells)):
                rows.append(_Row(cells, start + reader.line_num))
            if len(rows) == ROWS:
                break
    except csv.Error:  # a cell that is longer than any: its quote is never closed
        pass
    return rows


def _table(rows: list[_Row], separator: str) -> _Table | None:
    """The table that a separator makes of the first rows; None where there is no row."""
    widths = Counter(len(row.cells) for row in rows if len(row.cells) > 1)
    if not widths:
        return _headed(rows, separator) if rows else None
    width, _ = max(widths.items(), key=lambda item: (item[1], item[0]))
    filled = max(_filled(row.cells) for row in rows if len(row.cells) == width)
    for first, row in enumerate(rows):
        below = [other.cells for other in rows[first + 1 :] if len(other.cells) == width]
        header = _fitted(row.cells, below, width)
        if header and 2 * _filled(header) > filled and (first == 0 or _are_names(header, below)):
            return _Table(separator, rows, first, header)
    return _headed(rows, separator)


def _headed(rows: list[_Row], separator: str) -> _Table:
    """The first row is the header, whatever the other rows have."""
    cells, *below = [row.cells for row in rows]
    widths = Counter(map(len, below))
    width = widths.most_common(1)[0][0] if widths else len(cells)
    fitting = [cells for cells in below if len(cells) == width]
    return _Table(separator, rows, 0, _fitted(cells, fitting, width) or cells)


def _fitted(cells: list[str], below: list[list[str]], width: int) -> list[str] | None:
    """As many cells as the rows have; None where header or rows hold something in the rest."""
    if not any(map(clean, cells[width:])):
        cells = cells[:width]
    missing = width - len(cells)
    if missing > 0 and len(cells) > 1 and not any(any(map(clean, row[-missing:])) for row in below):
        cells = [*cells, *[""] * missing]
    return cells if len(cells) == width else None


def _are_names(cells: list[str], below: list[list[str]]) -> bool:
    """Different words that no row but a second header repeats, above numbers or times."""
    names = [name for name in map(clean, cells) if name]
    values = [list(map(clean, row)) for row in below]
    repeating = sum(bool(set(names) & set(row)) for row in values)
    return (
        len(set(names)) == len(names)
        and not any(map(is_value, names))
        and repeating <= len(values) // 20
        and any(_are_values(column) for column in zip(*values, strict=True))
    )


def _are_values(column: Sequence[str]) -> bool:
    values = [cell for cell in column if cell]
    return bool(values) and all(map(is_value, values))


def _filled(cells: list[str]) -> int:
    return sum(bool(clean(cell)) for cell in cells)
