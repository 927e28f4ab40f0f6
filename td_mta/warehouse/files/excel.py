"""A sheet of a workbook as CSV: dates as ISO 8601, whole numbers without a fraction."""

import csv
import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from td_mta.errors import DataError


def to_csv(path: Path, sheet: str | None, target: Path) -> tuple[str, list[str]]:
    """Write a sheet; its name, and those of all sheets. A row of the sheet is a line of the file.

    Without a name it is the first one whose rows have several cells: a title page has one a row.
    """
    workbook = _workbook(path)
    names: list[str] = workbook.sheet_names
    if not names:
        raise DataError("the workbook has no sheet")
    name, rows = _table(workbook, [_sheet(sheet, names)] if sheet is not None else names)
    with open(target, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([_cell(value) for value in row] for row in rows)
    return name, names


def _workbook(path: Path) -> Any:
    try:
        import python_calamine
    except ImportError:
        raise DataError(
            "an Excel file needs the package python-calamine: run "
            "pip install python-calamine, or save the sheet as CSV UTF-8"
        ) from None
    try:
        return python_calamine.CalamineWorkbook.from_path(path)
    except (python_calamine.CalamineError, OSError) as error:
        raise DataError(f"not a readable Excel file: {error}") from None


def _table(workbook: Any, names: Sequence[str]) -> tuple[str, list[list[object]]]:
    """The first sheet that has columns, or else the first one, and its rows."""
    sheets = {}
    for name in names:
        sheets[name] = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
        if len(names) == 1 or _has_columns(sheets[name]):
            return name, sheets[name]
    return names[0], sheets[names[0]]


def _has_columns(rows: Sequence[Sequence[object]]) -> bool:
    """Whether most of the rows that say something have cells side by side."""
    filled = [sum(value != "" for value in row) for row in rows]
    return 2 * sum(cells > 1 for cells in filled) > sum(cells > 0 for cells in filled)


def _sheet(wanted: str, names: Sequence[str]) -> str:
    for name in names:
        if name.strip().lower() == wanted.strip().lower():
            return name
    raise DataError(f"no sheet {wanted!r}: set file_sheet to one of {', '.join(names)}")


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(" ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return " ".join(str(value).splitlines())
