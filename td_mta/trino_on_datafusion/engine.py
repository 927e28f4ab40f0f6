"""Runs a translated query on DataFusion; what does not fit in memory goes to a folder.

What our kernels raise comes out as raised; what DataFusion raises is refused, or a fault of the
machine (memory, disk, a broken file).
"""

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import datafusion
import pyarrow as pa
import pyarrow.parquet as pq

from td_mta.errors import Refused, WarehouseError
from td_mta.trino_on_datafusion.program import Function, Program, TranslatedQuery, arrow_cast
from td_mta.trino_on_datafusion.types import TrinoError, arrow, from_arrow

BATCH_ROWS = 32_768
_FAULTS_OF_THE_MACHINE = ("Resources exhausted", "IO error", "Parquet error", "Object Store error")


def run(
    query: TranslatedQuery,
    file_of: Callable[[str], Path],
    *,
    scratch: Path,
    memory_bytes: int,
    threads: int,
) -> pa.RecordBatchReader:
    """The rows, batch by batch, as columns "0", "1", ... of the Arrow types of `query.types`.

    `file_of` gives a table's Parquet file. Raises `TrinoError` where Trino would fail, `Refused`
    where the answer may not be Trino's, `WarehouseError` for what the machine lacks; while the
    rows are read, too.
    """
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
    return pa.RecordBatchReader.from_batches(schema, _batches(streams, schema, query))


def constant(sql: str, program: Program) -> list[Any]:
    """The rows, as Python values, of a query with one column and without a stored table."""
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
    streams: list[datafusion.RecordBatchStream], schema: pa.Schema, query: TranslatedQuery
) -> Iterator[pa.RecordBatch]:
    try:
        for batch in chain.from_iterable(streams):
            columns = batch.to_pyarrow().columns
            typed = [
                column if column.type == field.type else column.cast(field.type)
                for column, field in zip(columns, schema, strict=True)
            ]
            yield pa.record_batch(typed, schema=schema)
    except Exception as error:
        raise _translated(error, query.program, query.certain) from error


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
        # Each step of a query stands inside the next one's text; 50 levels are too few.
        .set("datafusion.sql_parser.recursion_limit", "200")
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
