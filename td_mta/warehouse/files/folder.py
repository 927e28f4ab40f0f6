"""Which files of a folder are tables, and their names."""

from pathlib import Path

ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".parquet", ".xlsx")


def table_name(file: Path) -> str | None:
    """The table that a file holds, by its name; None where its ending is none of a table's.

    >>> table_name(Path("data/Touches.CSV")), table_name(Path("orders.csv.gz"))
    ('Touches', 'orders')
    """
    name = file.name
    if name.startswith((".", "~$")):  # hidden, or the lock of a workbook that is open in Excel
        return None
    for ending in sorted(ENDINGS, key=len, reverse=True):
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return None


def tables(folder: Path) -> dict[str, list[Path]]:
    """The files of each table, the newest first; nothing for a folder that does not exist."""
    by_name: dict[str, list[Path]] = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else []:
        name = table_name(file)
        if name and file.is_file():
            by_name.setdefault(name, []).append(file)
    for files in by_name.values():
        files.sort(key=lambda file: file.stat().st_mtime_ns, reverse=True)
    return by_name


def find(folder: Path, table: str) -> list[Path]:
    """The files of a table, the newest first; Trino sees names in lower case."""
    by_name = tables(folder)
    for name in (table, table.lower()):
        if name in by_name:
            return by_name[name]
    in_lower_case = {name.lower(): files for name, files in by_name.items()}
    return in_lower_case.get(table.lower(), [])
