"""Types of columns that hold NULL alone, which a CSV file does not show: kept beside it for SQL."""

import json
from pathlib import Path

import pyarrow as pa

from td_mta.atomic_files import replacing


def remember(path: Path, rows: pa.Table) -> None:
    """Keep the types of what was written to the CSV file; those of text it shows itself."""
    types = {
        field.name: str(field.type)
        for field, column in zip(rows.schema, rows.columns, strict=True)
        if column.null_count == len(column) and pa.types.is_primitive(field.type)
    }
    if not types:
        forget(path)
        return
    with replacing(_beside(path)) as temporary:
        temporary.write_text(json.dumps(types), "utf-8")


def recall(path: Path) -> dict[str, pa.DataType]:
    """The types of the columns that hold NULL alone, by name; of a file changed since, none."""
    kept = _beside(path)
    if not kept.exists() or kept.stat().st_mtime_ns < path.stat().st_mtime_ns:
        return {}
    types = json.loads(kept.read_text("utf-8"))
    return {name: pa.type_for_alias(alias) for name, alias in types.items()}


def forget(path: Path) -> None:
    """Remove what was kept of a file."""
    _beside(path).unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.stem}.types.json")
