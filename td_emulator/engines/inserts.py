"""Rows on their way into a table, checked and cast to its columns: those of `create table as`, of
`insert into` and of a bulk import.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from td_emulator.engines import types
from td_emulator.engines.protocol import TIME, EngineError
from td_mta.trino_on_datafusion.parse import parse
from td_mta.trino_on_datafusion.program import TranslatedQuery
from td_mta.trino_on_datafusion.types import Type, coerces, from_arrow

BATCH_ROWS = 1 << 16


def as_table(
    query: TranslatedQuery, rows: pa.RecordBatchReader, column_names: Sequence[str]
) -> pa.RecordBatchReader:
    """The rows as a new table keeps them: named, and every integer a bigint, as TD stores it.

    `column_names` are those of the statement, or none, where the query's own names count. Raises
    `EngineError` as Trino does.
    """
    if column_names and len(column_names) != len(query.names):
        raise EngineError(
            "MISMATCHED_COLUMN_ALIASES", "line 1:1: Column alias list has a wrong length"
        )
    names = [name and name.lower() for name in (column_names or query.names)]
    _check_columns(names, query.types)
    arrow_types = [pa.int64() if pa.types.is_integer(kind) else kind for kind in rows.schema.types]
    schema = pa.schema(list(zip(names, arrow_types, strict=True)))
    batches = (_cast(batch.columns, schema) for batch in rows)
    return pa.RecordBatchReader.from_batches(schema, batches)


def _check_columns(names: Sequence[str | None], kinds: Sequence[Type]) -> None:
    """Raise `EngineError` where a table cannot have these columns."""
    for number, (name, kind) in enumerate(zip(names, kinds, strict=True), 1):
        if name is None:
            raise EngineError(
                "MISSING_COLUMN_NAME", f"Column name not specified at position {number}"
            )
        if names.count(name) > 1:
            raise EngineError(
                "DUPLICATE_COLUMN_NAME", f"Column name '{name}' specified more than once"
            )
        if kind.kind == "unknown":
            raise EngineError("COLUMN_TYPE_UNKNOWN", f"Column type is unknown: {name}")


@dataclass(frozen=True)
class Target:
    """The table of an `insert into`, and the columns that the statement names."""

    schema: pa.Schema
    column_names: Sequence[str]  # none: all columns of the table, in its order

    @property
    def columns(self) -> list[str]:
        """The names of the columns that get values, in the statement's order."""
        table_columns = [name.lower() for name in self.schema.names]
        for name in self.column_names:
            if name not in table_columns:
                raise EngineError(
                    "COLUMN_NOT_FOUND", f"line 1:1: Insert column name does not exist: {name}"
                )
        return list(self.column_names) or table_columns

    def with_typed_nulls(self, query: str) -> str:
        """A text of VALUES in whose first row each NULL has the type of its column in the table.

        Trino takes a bare NULL there; the SQL engine here would not know its type.
        """
        if not query.upper().startswith("VALUES"):
            return query
        tree = parse(query)  # keeps every function as it was written
        trino_types = {field.name.lower(): types.of_arrow(field.type) for field in self.schema}
        row = tree.expressions[0]
        items = row.expressions if isinstance(row, exp.Tuple) else [row]
        for item, name in zip(list(items), self.columns, strict=False):
            if isinstance(item, exp.Null):
                data_type = exp.DataType.build(trino_types[name], "trino")
                item.replace(exp.cast(exp.null(), data_type))
        return tree.sql("trino")

    def filled(
        self, query: TranslatedQuery, rows: pa.RecordBatchReader, time_now: int
    ) -> Iterator[pa.RecordBatch]:
        """The new rows with all columns of the table. A column without values is NULL; `time` is
        now, as TD fills it [not verified]. Raises `EngineError` where types do not fit.
        """
        names = self._names_of(len(query.names))
        self._check_types(query, names)
        for batch in rows:
            by_name = dict(zip(names, batch.columns, strict=True))
            columns = [
                by_name[field.name.lower()]
                if field.name.lower() in by_name
                else _default(field, len(batch), time_now)
                for field in self.schema
            ]
            yield _cast(columns, self.schema)

    def _names_of(self, count: int) -> list[str]:
        """The columns of a query with so many; it may leave out the table's `time`, the last."""
        columns = self.columns
        fits_without_time = len(columns) == count + 1 and columns[-1] == TIME[0]
        return columns[:-1] if fits_without_time and not self.column_names else columns

    def _check_types(self, query: TranslatedQuery, names: list[str]) -> None:
        by_name = {field.name.lower(): from_arrow(field.type, field.name) for field in self.schema}
        table_types = [by_name[name] for name in names]
        if len(table_types) == len(query.types) and all(map(_fits, query.types, table_types)):
            return
        of_table, of_query = (
            ", ".join(str(kind) for kind in kinds) for kinds in (table_types, query.types)
        )
        raise EngineError(
            "TYPE_MISMATCH",
            "line 1:1: Insert query has mismatched column types: "
            f"Table: [{of_table}], Query: [{of_query}]",
        )


def _fits(kind: Type, column: Type) -> bool:
    return kind.kind == "unknown" or coerces(kind, column)


def _default(field: pa.Field, rows: int, time_now: int) -> pa.Array:
    """The values of a column that an `insert into` leaves out."""
    if field.name == TIME[0] and pa.types.is_integer(field.type):
        return pa.array([time_now] * rows, field.type)
    return pa.nulls(rows, field.type)


def after(old: pq.ParquetFile, new: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The old rows, then the new ones, which have the same schema."""
    schema = old.schema_arrow
    for batch in old.iter_batches(BATCH_ROWS):
        yield _cast(batch.columns, schema)
    yield from new


def by_name(old: pq.ParquetFile, new: pa.Table) -> pa.RecordBatchReader:
    """The old rows, then the new ones, by column name; a column that one side does not have is NULL
    there. `time` stays the last column.
    """
    fields = {field.name: field for field in old.schema_arrow}
    fields |= {field.name: field for field in new.schema if field.name not in fields}
    time_field = [fields.pop(TIME[0])] if TIME[0] in fields else []
    schema = pa.schema([*fields.values(), *time_field])
    batches = itertools.chain(
        old.iter_batches(BATCH_ROWS), new.to_batches(max_chunksize=BATCH_ROWS)
    )
    return pa.RecordBatchReader.from_batches(
        schema, (_with_all_columns(batch, schema) for batch in batches)
    )


def _with_all_columns(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    by_name = dict(zip(batch.schema.names, batch.columns, strict=True))
    columns = [by_name.get(field.name, pa.nulls(len(batch), field.type)) for field in schema]
    return _cast(columns, schema)


def _cast(columns: Sequence[pa.Array], schema: pa.Schema) -> pa.RecordBatch:
    """The columns as a batch of the schema's names and types."""
    cast = [
        column if column.type == field.type else column.cast(field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.record_batch(cast, schema=schema)
