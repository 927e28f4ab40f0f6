"""What becomes of a query's rows: last results, subtasks, a CSV file, a preview."""

import contextlib
import itertools
import math
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from local_runner.task_request import TaskError, TaskRequest
from local_runner.td_statement import MOST_ROWS
from local_runner.workflow.java_text import json_text
from local_runner.workflow.yaml_types import Located, Location, Value, copy
from td_mta.atomic_files import replacing

PREVIEW_ROWS = 20
Row = Sequence[Value]


def fulfilled(value: Value) -> bool:
    """Whether a first value ends td_wait>: any text does, and any number with a point."""
    return bool(value) if isinstance(value, bool | int) else value is not None


def group(task: TaskRequest, tasks: dict[str, Located]) -> Located | None:
    """Subtasks of td_for_each> as a group."""
    made = Located()
    if "_parallel" in task.params:
        made.put("_parallel", task.params["_parallel"], Location("", 0))
    for key, config in tasks.items():
        made.put(key, config, Location("", 0))
    return made if tasks else None


def last_results(columns: Sequence[str], first: Row | None) -> Value:
    """The first row by column; empty where there is none. Only finite numbers are JSON."""
    return {name: _finite(value) for name, value in zip(columns, first or (), strict=False)}


def subtasks(do: Value, columns: Sequence[str], rows: Iterable[Row]) -> dict[str, Located]:
    """`_do` once a row, with the row as td.each; raises `TaskError`."""
    if not isinstance(do, Located):
        raise TaskError("Parameter '_do' is required but not set (config)")
    made: dict[str, Located] = {}
    for row in rows:
        if len(made) == MOST_ROWS:
            raise TaskError(f"Too many tasks: td_for_each> of more than {MOST_ROWS} rows (config)")
        values = zip(columns, row, strict=False)
        each = {name: _each(value, name) for name, value in values}
        made[f"+td-for-each-{len(made)}"] = _with_each(do, each)
    return made


def _with_each(do: Located, each: dict[str, Value]) -> Located:
    """The row joins what `_do` exports as td already."""
    copied = copy(do)
    assert isinstance(copied, Located)
    export = copied.get("_export")
    export = export if isinstance(export, dict) else {}
    td = export.get("td")
    td = td if isinstance(td, dict) else {}
    before = td.get("each")
    td = {**td, "each": {**(before if isinstance(before, dict) else {}), **each}}
    copied.put("_export", {**export, "td": td}, copied.location("_export") or Location("", 0))
    return copied


def _each(value: Value, column: str) -> Value:
    """Doubles pass through Java's float, 32 bits, whose shortest text Digdag keeps."""
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


def write_csv(out: TextIO, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """A header, CRLF, null as nothing and an empty text as `""`."""
    for row in itertools.chain([columns], rows):
        out.write(_line(row))


def _line(row: Row) -> str:
    return ",".join(_cell(value) for value in row) + "\r\n"


def _cell(value: Value) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json_text(_finite(value))
    plain = re.sub(r"\r\n?", "\n", text).replace('"', '""')
    return f'"{plain}"' if not text or re.search(r'["\r\n,]', text) else plain


@contextlib.contextmanager
def download(task: TaskRequest, name: Value) -> Iterator[TextIO]:
    """The file of `download_file`, whole or not at all; raises `TaskError`."""
    path = task.folder() / str(name)
    root = task.context.project.root.resolve()
    if root not in path.resolve().parents:
        raise TaskError(f"File name must not be outside of project path: {name} (config)")
    try:
        with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as out:
            yield out
    except OSError as error:
        raise TaskError(f"download_file {name} cannot be written: {error.strerror}") from None


def show(what: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """A preview, on standard error: a log line on Digdag."""
    print(f"preview of {what}:" + ("" if rows else " (no results)"), file=sys.stderr)
    for row in (columns, *rows) if rows else ():
        print("  " + _line(row).removesuffix("\r\n"), file=sys.stderr, flush=True)


def no_preview(what: str, error: TaskError) -> None:
    """A preview that fails is no failure, as on Digdag."""
    print(f"no preview of {what}: {error}", file=sys.stderr, flush=True)
