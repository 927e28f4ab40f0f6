"""What a file is by its first bytes, whatever its ending says."""

import zipfile
from pathlib import Path
from typing import Literal

from td_mta.errors import DataError

Kind = Literal["text", "gzip", "parquet", "workbook"]

UNREADABLE = {  # first bytes -> what the file is, and what to do
    b"PK\x03\x04": "a zip archive: unpack it",
    b"\xd0\xcf\x11\xe0": "an old Excel file (.xls): save it as .xlsx or as CSV UTF-8",
    b"BZh": "compressed by bzip2: unpack it",
    b"\xfd7zXZ": "compressed by xz: unpack it",
    b"\x28\xb5\x2f\xfd": "compressed by zstd: unpack it",
    b"7z\xbc\xaf": "a 7z archive: unpack it",
    b"Rar!": "a rar archive: unpack it",
    b"%PDF": "a PDF file: export the table as CSV",
    b"ARROW1": "an Arrow file: save it as Parquet or CSV",
    b"SQLite format 3": "an SQLite database: export the table as CSV",
    b"Obj\x01": "an Avro file: save it as Parquet or CSV",
    b"ORC": "an ORC file: save it as Parquet or CSV",
    b"\x89PNG": "a picture",
}
UNREADABLE_TEXT = {  # first characters, in lower case
    b"<!doctype html": "a web page, perhaps of a login: export the table again",
    b"<html": "a web page, perhaps of a login: export the table again",
    b"<?xml": "an XML file: export the table as CSV",
    b'{"': "a JSON file: save it as Parquet or CSV",
    b'[{"': "a JSON file: save it as Parquet or CSV",
}


def kind(path: Path) -> Kind:
    """What `path` is; raises `DataError` for what is no table."""
    with open(path, "rb") as file:
        first = file.read(64)
    if first.startswith(b"PAR1") or path.suffix.lower() == ".parquet":
        return "parquet"
    if first.startswith(b"\x1f\x8b"):
        return "gzip"
    if first.startswith(b"PK\x03\x04") and _is_workbook(path):
        return "workbook"
    text = first.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for start, what in UNREADABLE.items():
        if first.startswith(start) and not (start.isalnum() and b"," in first):
            raise DataError(f"not a table but {what}")
    for start, what in UNREADABLE_TEXT.items():
        if text.startswith(start):
            raise DataError(f"not a table but {what}")
    return "text"


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.startswith("xl/workbook") for name in archive.namelist())
    except zipfile.BadZipFile:
        return False
