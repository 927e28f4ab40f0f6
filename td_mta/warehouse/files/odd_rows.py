"""Rows with more or fewer cells than the header, and lines below the table.

Lines after the last row are left out where they are plainly no rows: sums, remarks, a second table
after a blank line. Rows whose last cells are missing are filled up, since Excel leaves off empty
ones. Whatever else does not fit is an error that names the line.
"""

import contextlib
import csv
import io
import mmap
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from td_mta.errors import DataError
from td_mta.warehouse.files.encodings import UTF8, line_of
from td_mta.warehouse.files.headers import clean
from td_mta.warehouse.files.separators import Layout

TAIL = 1 << 16  # bytes in which the lines of sums are looked for
TOTAL = re.compile(
    r"((grand |sub)?totals?|totale?|totaal|somme|suma|soma|somma|итого|всего)\b.*|sum|razem|toplam"
    r"|gesamt(summe|ergebnis)?|summe|总计|合计|總計|合計|総計|小計|합계|총계",
    re.IGNORECASE,
)
NOTHING_HERE = ("", "-", "--", "—")


class Region(NamedTuple):
    """The bytes of a file that hold the rows, and how many lines of sums and remarks follow."""

    begin: int
    end: int
    sums: int


class RegionFile(io.RawIOBase):
    """A region as a file of its own, which is read once from its begin to its end."""

    def __init__(self, file: BinaryIO, region: Region) -> None:
        file.seek(region.begin)
        self._file = file
        self.left = region.end - region.begin  # bytes

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(self.left if size < 0 else min(size, self.left))
        self.left -= len(block)
        return block

    def readinto(self, buffer: Any) -> int:
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


class OddRows:
    """Collects rows that do not fit while a file is read; `skip` is what pyarrow is to do."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.count = 0
        self.first = ""
        self.cells = 0  # of the first
        self.can_be_filled = True  # as far as the rows so far say
        self._before = 0  # cells of the odd row before

    def __call__(self, row: object) -> str:
        """For pyarrow's `invalid_row_handler`."""
        text, cells = row.text, row.actual_columns  # type: ignore[attr-defined]
        if not clean(text):  # a line of blanks
            return "skip"
        if not self.count:
            self.first, self.cells = text, cells
        self.count += 1
        # Two pieces of one row, torn by a line break, have one cell more than it between them.
        torn = cells + self._before == self.width + 1 or text.count('"') % 2
        self.can_be_filled = self.can_be_filled and 1 < cells < self.width and not torn
        self._before = cells
        return "skip"


def region(path: Path, layout: Layout) -> Region:
    """Where the rows are: below the header and above lines of sums, whose other cells are empty.

    A remark in a line's first cell is below the table where a sum or a blank line stands above it.
    """
    size = path.stat().st_size
    begin = max(layout.begin, size - TAIL)
    with open(path, "rb") as file:
        file.seek(begin)
        lines = file.read().splitlines(keepends=True)
    if begin > layout.begin:
        lines = lines[1:]  # cut in two
    end, sums = size, 0
    above = size, 0  # the same with the remarks read so far
    for line in reversed(lines):
        text = line.decode(UTF8, "ignore").strip()
        above = above[0] - len(line), above[1] + bool(text)
        cells = [clean(cell) for cell in next(csv.reader([text], delimiter=layout.separator), [])]
        if not text or _is_sum(cells, layout):
            end, sums = above
        elif not _is_remark(cells, layout):
            break
    return Region(layout.begin, end, sums) if sums else Region(layout.begin, size, 0)


def _is_sum(cells: list[str], layout: Layout) -> bool:
    first = next((cell for cell in cells if cell), "")  # those before it may be empty
    if len(layout.header) == 1 or not TOTAL.fullmatch(first.rstrip(": ")):
        return False
    return len(cells) < len(layout.header) or any(cell in NOTHING_HERE for cell in cells[1:])


def _is_remark(cells: list[str], layout: Layout) -> bool:
    return len(layout.header) > 2 and bool(cells[0]) and not any(cells[1:])


def below_the_table(path: Path, rows: OddRows) -> bool:
    """Whether the odd rows are the end of the file, after a blank line or with one cell each."""
    text = rows.first.encode(UTF8)
    if text.count(b'"') % 2:
        return False
    begin = _position(path, text)
    with open(path, "rb") as file:
        file.seek(max(0, begin - 4))
        above = file.read(min(4, begin))
        rest = file.read(TAIL * 16)
        if file.read(1):
            return False
    lines = [line for line in rest.decode(UTF8, "ignore").splitlines() if clean(line)]
    after_blank_line = above.endswith((b"\n\n", b"\r\n\r\n", b"\r\r"))
    return len(lines) == rows.count and (after_blank_line or (rows.cells == 1 and rows.width > 2))


def refused(path: Path, rows: OddRows) -> DataError:
    """The error for rows that are neither below the table nor to be filled up."""
    text = rows.first.encode(UTF8)
    line = line_of(path, _position(path, text))
    shown = rows.first if len(rows.first) <= 80 else rows.first[:77] + "..."
    what = f"Expected {rows.width} columns, got {rows.cells}: {shown!r}"
    if text.count(b'"') % 2:
        remedy = "a quote is opened and not closed"
    elif rows.cells > rows.width:
        remedy = "put quotes around a cell that holds the separator"
    else:
        remedy = "complete the line, or remove it"
    return DataError(f"not a readable CSV file: line {line}: {what}; {remedy}")


def fill_up(path: Path, layout: Layout, rows: Region, target: Path) -> None:
    """Write the rows to `target`, every one with as many cells as the header."""
    width = len(layout.header)
    with open(path, "rb") as file, open(target, "w", newline="", encoding=UTF8) as copy:
        source = io.TextIOWrapper(io.BufferedReader(RegionFile(file, rows)), UTF8, newline="")
        writer = csv.writer(copy, delimiter=layout.separator, lineterminator="\n")
        for cells in csv.reader(source, delimiter=layout.separator):
            if any(map(clean, cells)):
                writer.writerow([*cells, *[""] * (width - len(cells))])


def has_quotes(path: Path) -> bool:
    """Whether there is any quote in the file."""
    with _mapped(path) as content:
        return content.find(b'"') >= 0


def refuse_torn(path: Path, cell: str, layout: Layout) -> None:
    """Raise `DataError` where a cell with line breaks holds what look like rows."""
    first, *others = cell.splitlines() or [""]
    separators = max(1, len(layout.header) - 1)
    if any(line.count(layout.separator) >= separators for line in others):
        with _mapped(path) as content:
            position = max(0, content.find(b'"' + first.encode(UTF8)))
        raise DataError(
            f"line {line_of(path, position)} opens a quote that runs over {len(others) + 1} lines "
            "which look like rows: close it, or double it where the text holds a quote"
        )


def _position(path: Path, line: bytes) -> int:
    """The first byte of a line of that text."""
    with _mapped(path) as content:
        found = re.search(rb"(?<![^\r\n])" + re.escape(line) + rb"(?![^\r\n])", content)
        return found.start() if found else 0


@contextlib.contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield content
