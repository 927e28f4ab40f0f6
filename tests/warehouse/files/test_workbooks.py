"""A sheet of a workbook is read as if it had been saved as CSV."""

import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import pyarrow.parquet as pq
import pytest

from td_mta.errors import DataError
from td_mta.warehouse.file_options import FileOptions
from td_mta.warehouse.local import LocalWarehouse

SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
DAY, TIME = 1, 2  # styles of cells
Cell = str | float | bool | None | tuple[float, int]


def workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[Cell]]]) -> None:
    """The least that an .xlsx file needs; a number with a style is a date."""
    numbered = list(enumerate(sheets, 1))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{SPREADSHEET}" xmlns:r="{OFFICE}"><sheets>'
        + "".join(f'<sheet name="{n}" sheetId="{i}" r:id="r{i}"/>' for i, n in numbered)
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="r{i}" Type="{OFFICE}/worksheet" Target="worksheets/{i}.xml"/>'
            for i, _ in numbered
        )
        + f'<Relationship Id="s" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{SPREADSHEET}"><cellXfs><xf numFmtId="0"/>'
        '<xf numFmtId="14"/><xf numFmtId="22"/></cellXfs></styleSheet>',
    }
    for number, name in numbered:
        rows = "".join(_row(at, row) for at, row in enumerate(sheets[name], 1))
        parts[f"xl/worksheets/{number}.xml"] = (
            f'<worksheet xmlns="{SPREADSHEET}"><sheetData>{rows}</sheetData></worksheet>'
        )
    with zipfile.ZipFile(path, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)


def _row(at: int, row: Sequence[Cell]) -> str:
    cells = [_cell(f"{chr(65 + column)}{at}", value) for column, value in enumerate(row)]
    return f'<row r="{at}">{"".join(cells)}</row>'


def _cell(place: str, value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return f'<c r="{place}" s="{value[1]}"><v>{value[0]}</v></c>'
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


TOUCHES: list[list[Cell]] = [
    ["user_id", "time", "day", "channel", "conversion", "value", "paid"],
    ["007", (45355.375, TIME), (45355, DAY), "Email", 0, None, True],
    ["008", (45356.5, TIME), (45356, DAY), "Büro, groß\nund weiß", 1, 20.5, False],
]
ROWS = [
    ("007", "2024-03-04 09:00:00", "2024-03-04", "Email", 0, None, True),
    ("008", "2024-03-05 12:00:00", "2024-03-05", "Büro, groß und weiß", 1, 20.5, False),
]


def read(folder: Path, **options: object) -> tuple[list[tuple[object, ...]], list[str]]:
    files = FileOptions(**options)  # type: ignore[arg-type]
    warehouse = LocalWarehouse(folder, folder / "out", now=0, files=files)
    table = pq.read_table(warehouse.typed_file("touches"))
    return [tuple(row.values()) for row in table.to_pylist()], warehouse.notes()


@pytest.mark.parametrize("file", ["touches.xlsx", "touches.XLSX", "touches.csv"])
def test_a_sheet_is_a_table(tmp_path: Path, file: str) -> None:
    workbook(tmp_path / file, {"Data": TOUCHES})
    assert read(tmp_path) == (ROWS, [])


def test_lines_above_the_header_and_empty_columns_are_left_out(tmp_path: Path) -> None:
    padded = [["My report"], [], *([None, *row, None] for row in TOUCHES)]
    workbook(tmp_path / "touches.xlsx", {"Data": padded})
    rows, said = read(tmp_path)
    assert rows == ROWS
    assert said == ["touches.xlsx: header found in line 3 (set file_header_line to override)"]


def test_the_first_sheet_counts_unless_another_one_is_named(tmp_path: Path) -> None:
    workbook(tmp_path / "touches.xlsx", {"Data": TOUCHES, "Other": [["a"], [1], [2]]})
    said = "touches.xlsx: sheet Data of Data, Other (set file_sheet to override)"
    assert read(tmp_path) == (ROWS, [said])
    assert read(tmp_path, sheet="other")[0] == [(1,), (2,)]
    with pytest.raises(DataError, match=r"no sheet 'X': set file_sheet to one of Data, Other"):
        read(tmp_path, sheet="X")


def test_a_broken_workbook_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "touches.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook")
    with pytest.raises(DataError, match=r"touches\.xlsx: not a readable Excel file"):
        read(tmp_path)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    workbook(tmp_path / "touches.xlsx", {"Data": TOUCHES})
    with pytest.raises(DataError, match="needs the package python-calamine: run pip install"):
        read(tmp_path)


@pytest.mark.parametrize(
    "about", [[], [["Export of March"]], [["Export"], [], ["made by", "us"], ["on"]]]
)
def test_the_first_sheet_with_columns_is_the_table(tmp_path: Path, about: list[list[Cell]]) -> None:
    workbook(tmp_path / "touches.xlsx", {"About": about, "Data": TOUCHES, "More": [["a", "b"]]})
    warehouse = LocalWarehouse(tmp_path, tmp_path / "out", now=0)
    assert warehouse.columns("touches") == TOUCHES[0]
    list(warehouse.read("touches", ["user_id"]))
    assert "sheet Data of About, Data, More" in " ".join(warehouse.notes())
