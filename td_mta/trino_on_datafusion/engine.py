"""Runs a translated query on DataFusion; what does not fit in memory goes to a folder."""

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import datafusion
import pyarrow as pa

from td_mta.errors import Refused, WarehouseError
from td_mta.trino_on_datafusion.binding.query import TranslatedQuery
from td_mta.trino_on_datafusion.program import Function, arrow_cast
from td_mta.trino_on_datafusion.types import TrinoError, arrow, from_arrow

BATCH_ROWS = 32_768
_OF_THE_MACHINE = ("Resources exhausted", "IO error", "Parquet error", "Object Store error")


def run(
    plan: TranslatedQuery,
    file_of: Callable[[str], Path],
    *,
    scratch: Path,
    memory_bytes: int,
    threads: int,
) -> pa.RecordBatchReader:
    """The rows, batch by batch. Raises `TrinoError` where Trino would fail."""
    context = _context(scratch, memory_bytes, threads)
    for table, name in plan.program.scans.items():
        # A file's statistics leave NaN out, and DataFusion believes them; see `_context`.
        context.register_parquet(name, str(file_of(table)), parquet_pruning=False)
    for function in plan.program.functions.values():
        context.register_udf(_registered(function))
    schema = pa.schema([(f"{i}", arrow(kind)) for i, kind in enumerate(plan.types)])
    try:
        frame = context.sql(plan.sql)
        # One thread keeps the order in which parts of a UNION ALL stand.
        streams = frame.execute_stream_partitioned() if threads == 1 else [frame.execute_stream()]
    except Exception as error:
        raise _translated(error, plan) from error
    return pa.RecordBatchReader.from_batches(schema, _batches(streams, schema, plan))


def _registered(function: Function) -> datafusion.ScalarUDF:
    """What may fail is volatile to DataFusion, which then leaves it where the query has it: moved
    before a filter, or computed before any row comes, it would fail where Trino does not."""
    kind = "volatile" if function.fails else "immutable"
    return datafusion.udf(
        function.kernel, list(function.inputs), function.output, kind, name=function.name
    )


def _batches(
    streams: list[datafusion.RecordBatchStream], schema: pa.Schema, plan: TranslatedQuery
) -> Iterator[pa.RecordBatch]:
    try:
        for batch in chain.from_iterable(streams):
            columns = batch.to_pyarrow().columns
            cast = [
                column if column.type == field.type else column.cast(field.type)
                for column, field in zip(columns, schema, strict=True)
            ]
            yield pa.record_batch(cast, schema=schema)
    except Exception as error:
        raise _translated(error, plan) from error


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
        .set("datafusion.execution.parquet.schema_force_view_types", "false")
        .set("datafusion.execution.collect_statistics", "false")
        .set("datafusion.sql_parser.map_string_types_to_utf8view", "false")
    )
    return datafusion.SessionContext(config, runtime)


def _translated(error: Exception, plan: TranslatedQuery) -> Exception:
    """What one of our functions raised, else what DataFusion says."""
    if plan.program.raised:
        first_raised = plan.program.raised[0]
        if isinstance(first_raised, TrinoError):
            first_raised.certain = plan.certain
        return first_raised
    first = (str(error) or type(error).__name__).splitlines()[0]
    if any(word in str(error) for word in _OF_THE_MACHINE):
        return WarehouseError(f"the local engine failed: {first}")
    return Refused(f"a query that the local engine cannot run: {first}")


def stored(field: pa.Field) -> str:
    """A stored column's text, carried as its Trino type is."""
    kind = from_arrow(field.type, field.name)
    name = '"' + field.name.replace('"', '""') + '"'
    return name if field.type == arrow(kind) else arrow_cast(name, kind)
