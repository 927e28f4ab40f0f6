"""What the real Trino answers to SQL, in the form of tests/conformance/trino/*.csv.

`python -m tests.trino.recording FILE.csv` starts one and fills the columns types, rows and error of
a file whose columns group and sql are given.
"""

import csv
import datetime
import json
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import trino

from td_emulator.engines.real_trino.connection import connect, executed

COLUMNS = ("group", "sql", "types", "rows", "error")


def answer(url: str, sql: str) -> dict[str, Any]:
    """Types and rows of a query as JSON values, or the name of its error."""
    connection = connect(url)
    try:
        with executed(connection, sql) as cursor:
            rows = [[_shown(value) for value in row] for row in cursor.fetchall()]
            types = [column[1] for column in cursor.description]
    except trino.exceptions.TrinoQueryError as error:
        return {"types": None, "rows": None, "error": error.error_name}
    finally:
        connection.close()
    return {"types": types, "rows": rows, "error": None}


def _shown(value: Any) -> Any:
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if isinstance(value, tuple):
        return [_shown(item) for item in value]
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    return next((show(value) for kind, show in _FORMS if isinstance(value, kind)), value)


_FORMS: list[tuple[type, Callable[[Any], str]]] = [
    (Decimal, lambda value: f"decimal:{value:f}"),
    (datetime.date, lambda value: value.isoformat()),
    (datetime.time, lambda value: value.isoformat()),
    (bytes, lambda value: f"bytes:{value.hex()}"),
    (datetime.timedelta, str),
]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def record(url: str, path: Path) -> None:
    """Ask again for every case of a file, sorted by group and text."""
    cases = sorted({(case["group"], case["sql"]) for case in read(path)})
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        out.writeheader()
        for group, sql in cases:
            out.writerow({"group": group, "sql": sql, **written(answer(url, sql))})


def written(came: dict[str, Any]) -> dict[str, str]:
    if came["error"] is not None:
        return {"types": "", "rows": "", "error": came["error"]}
    return {
        "types": json.dumps(came["types"]),
        "rows": json.dumps(came["rows"], ensure_ascii=False),
        "error": "",
    }


def main() -> None:
    from td_emulator.engines.real_trino import RealTrino

    with RealTrino() as server:
        for path in sys.argv[1:]:
            record(server.url, Path(path))


if __name__ == "__main__":
    main()
