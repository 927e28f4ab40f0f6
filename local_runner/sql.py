"""`python -m local_runner sql "SELECT ..." [--data DIR]`: one query's answer as one JSON object.

`types` are Trino's names; `rows` hold JSON values, timestamps as ISO 8601, decimals as
`decimal:...`, NaN and infinities as `nan`, `inf`, `-inf`; `error` is Trino's error name or REFUSED.
"""

import argparse
import datetime
import json
import math
import sys
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from local_runner.bounds import limits
from local_runner.bounds.texts import pair
from td_mta.errors import MtaError, Refused, WrongInput
from td_mta.publishing import scratch

SECONDS = 60  # that a query takes, unless --limit says otherwise


def main(argv: Sequence[str]) -> int:
    """Answer a query; exit code 0, 1 for an error of the query, 2 where it was refused."""
    options = _parser().parse_args(argv)
    seconds = limits.given(options.limit, limits.Limits(sql_seconds=SECONDS)).sql_seconds
    with scratch.folder() as out:
        answer, code = _answer(options.query, options.data, out, seconds)
    sys.stdout.write(json.dumps(answer) + "\n")
    return code


def answer(
    sql: str, data: Path | None, out: Path, now: int, seconds: int = SECONDS
) -> dict[str, Any]:
    """Types and rows of a query, or its error."""
    from td_mta.trino_on_datafusion.time_limit import TimeLimit
    from td_mta.trino_on_datafusion.types import TrinoError
    from td_mta.warehouse.local import LocalWarehouse

    try:
        limit = TimeLimit(seconds, limits.raising("sql_seconds"))
        warehouse = LocalWarehouse(data, out, now=now, threads=1, limit=limit)
        plan, table = warehouse.answer(sql)
        rows = _rows(plan.types, table)
    except TrinoError as error:
        unsure = f"REFUSED: {error}: Trino's value may differ"
        return _failed(error.name if error.certain else unsure)
    except WrongInput as error:
        return _failed(f"REFUSED: {error}")
    except MtaError as error:
        return _failed(str(error))
    return {"types": [str(kind) for kind in plan.types], "rows": rows, "error": None}


def _rows(types: Sequence[Any], table: Any) -> list[list[Any]]:
    """The rows of an Arrow table as JSON has them; raises `Refused`."""
    if any(kind.kind == "varbinary" for kind in types):
        raise Refused("a result of type varbinary, which has no JSON form")
    columns = [
        [_shown(value, kind) for value in column.to_pylist()]
        for column, kind in zip(table.columns, types, strict=True)
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _answer(sql: str, data: Path | None, out: Path, seconds: int) -> tuple[dict[str, Any], int]:
    result = answer(sql, data, out, int(time.time()), seconds)
    error = result["error"]
    if error is None:
        return result, 0
    return result, 2 if error.startswith("REFUSED") else 1


def _failed(error: str) -> dict[str, Any]:
    return {"types": None, "rows": None, "error": error}


def _shown(value: Any, kind: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, float):
        value = float(str(np.float32(value))) if kind.kind == "real" else value
        return value if math.isfinite(value) else str(value)
    if kind.kind == "map" and value is not None:
        key, item = kind.args
        return {str(_shown(k, key)): _shown(v, item) for k, v in value}
    if isinstance(value, Decimal):
        return f"decimal:{value:f}"
    if isinstance(value, datetime.datetime):
        return _time(value, kind)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, list):
        return [_shown(item, kind.args[0]) for item in value]
    return value


def _time(value: datetime.datetime, kind: Any) -> str:
    from td_mta.trino_on_datafusion.kernels import zones

    if kind.kind == "timestamp":
        return value.isoformat()
    zone = zones.zone(zones.known(kind))
    try:
        local = value.replace(tzinfo=datetime.timezone.utc).astimezone(zone)
    except OverflowError:
        raise Refused(f"{value.isoformat()} UTC, there not in the years 1 to 9999") from None
    if local.fold:
        raise Refused(
            f"{local.isoformat()}, an hour that clocks show twice: Trino's text is ambiguous"
        )
    return local.isoformat()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_runner sql", description=__doc__)
    parser.add_argument("query", help="one Trino query")
    parser.add_argument("--data", type=Path, help="folder with the tables, CSV or Parquet")
    limit = f"change a limit: sql_seconds={SECONDS}"
    add = parser.add_argument
    add("--limit", metavar="NAME=NUMBER", action="append", default=[], type=pair, help=limit)
    return parser
