"""What becomes of a query's rows: last results, subtasks, a CSV file, a preview."""

import contextlib
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from local_runner.task_request import TaskError, TaskRequest
from local_runner.td.statement import MOST_ROWS
from local_runner.together import log
from local_runner.workflow.java_text import json_text
from local_runner.workflow.tasks import with_export
from local_runner.workflow.yaml_types import Located, Value
from td_mta.atomic_files import replacing

PREVIEW_ROWS = 20
Row = Sequence[Value]


def fulfilled(value: Value) -> bool:
    """Whether a first value ends td_wait>: any text does, and any number with a point."""
    return bool(value) if isinstance(value, bool | int) else value is not None


def last_results(columns: Sequence[str], first_row: Row | None) -> Value:
    """The first row by column; empty where there is none. Only finite numbers are JSON."""
    cells = zip(columns, first_row or (), strict=False)
    return {column: _finite(value) for column, value in cells}


def subtasks(do: Value, columns: Sequence[str], rows: Iterable[Row]) -> dict[str, Located]:
    """The configuration of `_do` for each row, which is td.each there; raises `TaskError`."""
    if not isinstance(do, Located):
        raise TaskError("Parameter '_do' is required but not set (config)")
    configs: dict[str, Located] = {}
    for row in rows:
        if len(configs) == MOST_ROWS:
            raise TaskError(f"Too many tasks: td_for_each> of more than {MOST_ROWS} rows (config)")
        cells = zip(columns, row, strict=False)
        row_values = {column: _each(value, column) for column, value in cells}
        configs[f"+td-for-each-{len(configs)}"] = _with_row(do, row_values)
    return configs


def _with_row(do: Located, row: dict[str, Value]) -> Located:
    """`_do` with td.each, which joins what `_do` itself exports as td."""
    td = _mapping(_mapping(do.get("_export")).get("td"))
    each = {**_mapping(td.get("each")), **row}
    return with_export(do, {"td": {**td, "each": each}})


def _mapping(value: Value) -> dict[str, Value]:
    return value if isinstance(value, dict) else {}


def _each(value: Value, column: str) -> Value:
    """The value in td.each: Digdag turns a double into a float of 32 bits and takes its text."""
    if isinstance(value, float):
        import numpy

        with numpy.errstate(over="ignore"):
            short = numpy.float32(value)
        return float(str(short)) if numpy.isfinite(short) else _special(float(short))
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TaskError(f"Unsupported column type of {column}: td_for_each> takes no lists (runtime)")


def _special(number: float) -> str:
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _finite(value: Value) -> Value:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_csv(file: TextIO, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write a header and rows as Digdag does: CRLF, null as nothing, an empty text as `""`."""
    for row in itertools.chain([columns], rows):
        file.write(_line(row))


def _line(row: Row) -> str:
    return ",".join(_cell(value) for value in row) + "\r\n"


def _cell(value: Value) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json_text(_finite(value))
    escaped = re.sub(r"\r\n?", "\n", text).replace('"', '""')
    needs_quotes = not text or re.search(r'["\r\n,]', text)
    return f'"{escaped}"' if needs_quotes else escaped


@contextlib.contextmanager
def download(task: TaskRequest, name: Value) -> Iterator[TextIO]:
    """The file of `download_file`, whole or not at all; raises `TaskError`."""
    path = task.folder() / str(name)
    root = task.context.project.root.resolve()
    if root not in path.resolve().parents:
        raise TaskError(f"File name must not be outside of project path: {name} (config)")
    try:
        with (
            replacing(path) as temporary,
            temporary.open("w", encoding="utf-8", newline="") as file,
        ):
            yield file
    except OSError as error:
        raise TaskError(f"download_file {name} cannot be written: {error.strerror}") from None


def show(what: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Print a preview on standard error; on Digdag it is a log line."""
    lines = [f"preview of {what}:" + ("" if rows else " (no results)")]
    lines += ["  " + _line(row).removesuffix("\r\n") for row in ((columns, *rows) if rows else ())]
    log("\n".join(lines))


def no_preview(what: str, error: TaskError) -> None:
    """Report a preview that failed, which does not fail the task, as on Digdag."""
    log(f"no preview of {what}: {error}")
