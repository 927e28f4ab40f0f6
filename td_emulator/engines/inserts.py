"""Rows that come into a table: made by `create table as`, by `insert into`, or by an import."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from td_emulator.engines import types
from td_emulator.engines.protocol import TIME, EngineError
from td_mta.trino_on_datafusion.binding.query import TranslatedQuery
from td_mta.trino_on_datafusion.parse import parse
from td_mta.trino_on_datafusion.types import Type, coerces, from_arrow

ROWS = 1 << 16


def as_table(
    plan: TranslatedQuery, rows: pa.RecordBatchReader, named: Sequence[str]
) -> pa.RecordBatchReader:
    """The rows as a new table keeps them: under names, every integer a bigint, as TD stores it."""
    if named and len(named) != len(plan.names):
        raise EngineError(
            "MISMATCHED_COLUMN_ALIASES", "line 1:1: Column alias list has a wrong length"
        )
    columns = [name and name.lower() for name in (named or plan.names)]
    for place, (name, kind) in enumerate(zip(columns, plan.types, strict=True), 1):
        if name is None:
            raise EngineError(
                "MISSING_COLUMN_NAME", f"Column name not specified at position {place}"
            )
        if columns.count(name) > 1:
            raise EngineError(
                "DUPLICATE_COLUMN_NAME", f"Column name '{name}' specified more than once"
            )
        if kind.kind == "unknown":
            raise EngineError("COLUMN_TYPE_UNKNOWN", f"Column type is unknown: {name}")
    kinds = [pa.int64() if pa.types.is_integer(kind) else kind for kind in rows.schema.types]
    schema = pa.schema(list(zip(columns, kinds, strict=True)))
    return pa.RecordBatchReader.from_batches(schema, (_cast(b.columns, schema) for b in rows))


@dataclass(frozen=True)
class Target:
    """The table of an `insert into`, and the columns that it names: none means all, in order."""

    schema: pa.Schema
    named: Sequence[str]

    @property
    def columns(self) -> list[str]:
        there = [name.lower() for name in self.schema.names]
        for name in self.named:
            if name not in there:
                raise EngineError(
                    "COLUMN_NOT_FOUND", f"line 1:1: Insert column name does not exist: {name}"
                )
        return list(self.named) or there

    def with_typed_nulls(self, query: str) -> str:
        """VALUES whose first row says of each NULL what type it is of: the table's."""
        if not query.upper().startswith("VALUES"):
            return query
        tree = parse(query)  # keeps every function as it was written
        kinds = {field.name.lower(): types.of_arrow(field.type) for field in self.schema}
        row = tree.expressions[0]
        items = row.expressions if isinstance(row, exp.Tuple) else [row]
        for item, name in zip(list(items), self.columns, strict=False):
            if isinstance(item, exp.Null):
                item.replace(exp.cast(exp.null(), exp.DataType.build(kinds[name], "trino")))
        return tree.sql("trino")

    def filled(
        self, plan: TranslatedQuery, rows: pa.RecordBatchReader, time_now: int
    ) -> Iterator[pa.RecordBatch]:
        """The new rows with all columns of the table. One that is not given is NULL, a `time` is
        now, as TD fills it [not verified]."""
        given = self._given(len(plan.names))
        self._check(plan, given)
        for batch in rows:
            by_name = dict(zip(given, batch.columns, strict=True))
            columns = [
                by_name[field.name.lower()]
                if field.name.lower() in by_name
                else _absent(field, len(batch), time_now)
                for field in self.schema
            ]
            yield _cast(columns, self.schema)

    def _given(self, count: int) -> list[str]:
        columns = self.columns
        fits_without_time = len(columns) == count + 1 and columns[-1] == TIME[0]
        return columns[:-1] if fits_without_time and not self.named else columns

    def _check(self, plan: TranslatedQuery, given: list[str]) -> None:
        fields = {field.name.lower(): from_arrow(field.type, field.name) for field in self.schema}
        wanted = [fields[name] for name in given]
        if len(wanted) == len(plan.types) and all(map(_fits, plan.types, wanted)):
            return
        raise EngineError(
            "TYPE_MISMATCH",
            "line 1:1: Insert query has mismatched column types: "
            f"Table: [{', '.join(map(str, wanted))}], Query: [{', '.join(map(str, plan.types))}]",
        )


def _fits(kind: Type, wanted: Type) -> bool:
    return kind.kind == "unknown" or coerces(kind, wanted)


def _absent(field: pa.Field, rows: int, time_now: int) -> pa.Array:
    if field.name == TIME[0] and pa.types.is_integer(field.type):
        return pa.array([time_now] * rows, field.type)
    return pa.nulls(rows, field.type)


def after(old: pq.ParquetFile, new: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Rows after rows, of one schema."""
    schema = old.schema_arrow
    for batch in old.iter_batches(ROWS):
        yield _cast(batch.columns, schema)
    yield from new


def by_name(old: pq.ParquetFile, new: pa.Table) -> pa.RecordBatchReader:
    """Rows after rows; a column that one side lacks is NULL there, `time` stays the last one."""
    fields = {field.name: field for field in old.schema_arrow}
    fields |= {field.name: field for field in new.schema if field.name not in fields}
    last = {TIME[0]: fields.pop(TIME[0])} if TIME[0] in fields else {}
    schema = pa.schema([*fields.values(), *last.values()])

    def rows() -> Iterator[pa.RecordBatch]:
        for batches in (old.iter_batches(ROWS), new.to_batches(max_chunksize=ROWS)):
            for batch in batches:
                there = dict(zip(batch.schema.names, batch.columns, strict=True))
                columns = [there.get(f.name, pa.nulls(len(batch), f.type)) for f in schema]
                yield _cast(columns, schema)

    return pa.RecordBatchReader.from_batches(schema, rows())


def _cast(columns: Sequence[pa.Array], schema: pa.Schema) -> pa.RecordBatch:
    cast = [
        column if column.type == field.type else column.cast(field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.record_batch(cast, schema=schema)
