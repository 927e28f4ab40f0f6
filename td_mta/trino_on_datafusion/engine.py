"""Runs a translated query on DataFusion; what does not fit in memory goes to a folder.

What our kernels raise comes out as raised; what DataFusion raises is refused, or a fault of the
machine (memory, disk, a broken file).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import datafusion
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from td_mta.errors import Refused, WarehouseError
from td_mta.trino_on_datafusion import time_limit
from td_mta.trino_on_datafusion.program import Function, Program, TranslatedQuery, arrow_cast
from td_mta.trino_on_datafusion.time_limit import QueryTookTooLong, TimeLimit
from td_mta.trino_on_datafusion.types import TrinoError, arrow, from_arrow

DEEPEST, MOST_DOUBLINGS = 120, 10  # levels within a query's text
_DOUBLING = ("exists", "coalesce")  # the engine's optimizer has their inside twice
_MARKS = re.compile(r"""'[^']*'|"[^"]*"|(?P<word>\w*) ?\(|\)""")
BATCH_ROWS = 32_768
_DAYS = (-719_162, 2_932_896)  # since 1970, of the years 1 to 9999
_MICROSECONDS = (_DAYS[0] * 86_400_000_000, (_DAYS[1] + 1) * 86_400_000_000 - 1)
_FAULTS_OF_THE_MACHINE = ("IO error", "Parquet error", "Object Store error")


def run(
    query: TranslatedQuery,
    file_of: Callable[[str], Path],
    *,
    scratch: Path,
    memory_bytes: int,
    threads: int,
    limit: TimeLimit | None = None,
) -> pa.RecordBatchReader:
    """The rows, batch by batch, as columns "0", "1", ... of the Arrow types of `query.types`.

    `file_of` gives a table's Parquet file, `limit` is of the whole query. Raises `TrinoError` where
    Trino would fail, `Refused` where the answer may not be Trino's, `WarehouseError` for what the
    machine lacks and at the limit; while the rows are read, too.
    """
    check_depth(query.sql)
    context = _context(scratch, memory_bytes, threads)
    for table, name in query.program.scans.items():
        path = file_of(table)
        context.register_parquet(name, str(path), parquet_pruning=_tells_all(path))
    for function in query.program.functions.values():
        context.register_udf(_user_function(function))
    schema = pa.schema([(f"{i}", arrow(kind)) for i, kind in enumerate(query.types)])
    try:
        frame = context.sql(query.sql)
        # One thread keeps the order in which parts of a UNION ALL stand.
        streams = frame.execute_stream_partitioned() if threads == 1 else [frame.execute_stream()]
    except Exception as error:
        raise _translated(error, query.program, query.certain) from error
    found = time_limit.batches(streams, limit) if limit else chain.from_iterable(streams)
    return pa.RecordBatchReader.from_batches(schema, _batches(found, schema, query))


def check_depth(sql: str) -> None:
    """Refuse a text that needs more of the stack than a thread has, or time that doubles by level.

    What it counts are parentheses, and those of `_DOUBLING` for themselves.
    """
    opened: list[str] = []
    deepest = doubling = doublings = 0
    for mark in _MARKS.finditer(sql):
        if mark["word"] is not None:
            opened.append(mark["word"].lower())
            doubling += opened[-1] in _DOUBLING
        elif mark[0] == ")" and opened:
            doubling -= opened.pop() in _DOUBLING
        deepest, doublings = max(deepest, len(opened)), max(doublings, doubling)
    if deepest > DEEPEST:
        raise Refused(
            f"expressions or queries nested {deepest} deep, once they are translated: {DEEPEST} at "
            "most; make one of its steps a table"
        )
    if doublings > MOST_DOUBLINGS:
        raise Refused(f"EXISTS or coalesce nested {doublings} deep: {MOST_DOUBLINGS} at most")


def constant(sql: str, program: Program) -> list[Any]:
    """The rows, as Python values, of a query with one column and without a stored table."""
    check_depth(sql)
    context = datafusion.SessionContext()
    for function in program.functions.values():
        context.register_udf(_user_function(function))
    try:
        batches = context.sql(sql).collect()
    except Exception as error:
        raise _translated(error, program, certain=False) from error
    return [value for batch in batches for value in batch.column(0).to_pylist()]


def _tells_all(path: Path) -> bool:
    """Whether the least and largest values in a file hold for all rows: those of doubles leave NaN
    out, and DataFusion would skip rows by them; see `_context`.
    """
    return not any(pa.types.is_floating(kind) for kind in pq.read_schema(path).types)


def _user_function(function: Function) -> datafusion.ScalarUDF:
    """A kernel as DataFusion's user-defined function.

    What may fail is volatile to DataFusion, which then leaves it where the query has it: moved
    before a filter, or computed before any row comes, it would fail where Trino does not.
    """
    volatility = "volatile" if function.volatile else "immutable"
    inputs = list(function.inputs)
    return datafusion.udf(function.kernel, inputs, function.output, volatility, name=function.name)


def _batches(
    found: Iterable[datafusion.RecordBatch], schema: pa.Schema, query: TranslatedQuery
) -> Iterator[pa.RecordBatch]:
    try:
        for batch in found:
            columns = batch.to_pyarrow().columns
            typed = [
                column if column.type == field.type else column.cast(field.type)
                for column, field in zip(columns, schema, strict=True)
            ]
            for column in typed:
                _check_years(column)
            yield pa.record_batch(typed, schema=schema)
    except (QueryTookTooLong, Refused):
        raise
    except Exception as error:
        raise _translated(error, query.program, query.certain) from error


def _check_years(column: pa.Array) -> None:
    """Refuse times that Trino has and Python, which every reader of ours is, has not."""
    if pa.types.is_list(column.type):
        column = column.flatten()
    if not pa.types.is_temporal(column.type):
        return
    first, last = _DAYS if pa.types.is_date(column.type) else _MICROSECONDS
    integers = column.view(pa.int32() if pa.types.is_date(column.type) else pa.int64())
    found = pc.min_max(integers).as_py()
    if found["min"] is not None and not first <= found["min"] <= found["max"] <= last:
        raise Refused("a time before the year 1 or beyond the year 9999, in the result")


def _context(scratch: Path, memory_bytes: int, threads: int) -> datafusion.SessionContext:
    runtime = (
        datafusion.RuntimeEnvBuilder()
        .with_disk_manager_specified(str(scratch))
        .with_fair_spill_pool(memory_bytes)
    )
    config = (
        datafusion.SessionConfig()
        .with_target_partitions(threads)
        .with_batch_size(BATCH_ROWS)
        # Kernels take plain strings, not Arrow's string views.
        .set("datafusion.execution.parquet.schema_force_view_types", "false")
        # A file's least and largest double leave NaN out: filters by them would lose rows.
        .set("datafusion.execution.collect_statistics", "false")
        # Out of reach for DEEPEST levels: whoever meets it tries each level in another way again.
        .set("datafusion.sql_parser.recursion_limit", "1000")
        .set("datafusion.sql_parser.map_string_types_to_utf8view", "false")
    )
    return datafusion.SessionContext(config, runtime)


def _translated(error: Exception, program: Program, certain: bool) -> Exception:
    """What one of our functions raised, else what DataFusion says."""
    if program.raised:
        first_raised = program.raised[0]
        if isinstance(first_raised, TrinoError):
            first_raised.certain = certain
        return first_raised
    if "Resources exhausted" in str(error):
        return WarehouseError(
            "a query that needs more memory than one may take here: join or group fewer rows at a "
            "time, or make one of its steps a table"
        )
    first_line = (str(error) or type(error).__name__).splitlines()[0]
    if any(word in str(error) for word in _FAULTS_OF_THE_MACHINE):
        return WarehouseError(f"the local SQL engine failed: {first_line}")
    return Refused(f"a query that the local SQL engine cannot run: {first_line}")


def stored(field: pa.Field, known: pa.DataType | None = None) -> str:
    """The DataFusion text that reads a stored column as the Arrow type of its Trino type.

    `known` is the column's own type, where what is stored has lost it.
    """
    kind = from_arrow(known or field.type, field.name)
    name = '"' + field.name.replace('"', '""') + '"'
    return name if field.type == arrow(kind) else arrow_cast(name, kind)
