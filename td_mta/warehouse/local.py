"""Tables as files in two folders: what is given (`data`) and what a run makes (`out`).

A table is a file of its name in data (files/folder.py has the endings), else in out; of two files
of one name the newer counts. Only out is written, `<name>.csv` or `<name>.parquet`, each under a
temporary name first, so that a file that exists is complete.
"""

import contextlib
import itertools
import logging
import os
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from td_mta.atomic_files import replacing
from td_mta.errors import DataError, WarehouseError
from td_mta.publishing import scratch
from td_mta.publishing.publication import Publication, new_run_id, recover
from td_mta.trino_on_datafusion import engine
from td_mta.trino_on_datafusion.binding.query import translate
from td_mta.trino_on_datafusion.engine import stored
from td_mta.trino_on_datafusion.program import TranslatedQuery
from td_mta.trino_on_datafusion.time_limit import TimeLimit
from td_mta.trino_on_datafusion.types import Type, from_arrow
from td_mta.warehouse import IfExists, csv_tables
from td_mta.warehouse.appending import appended
from td_mta.warehouse.file_options import OURS, FileOptions
from td_mta.warehouse.files import folder as table_files
from td_mta.warehouse.files import notes, null_columns
from td_mta.warehouse.files.typed_files import TypedFiles, parquet, parquet_batches
from td_mta.warehouse.names import check_same_columns, find_column, nearest

log = logging.getLogger(__name__)

WRITTEN = (".csv", ".parquet")
CSV_ROWS = 100_000  # a table made by SQL with more rows is stored as Parquet
READ_ROWS = 1 << 17


class LocalWarehouse:
    """The tables of two folders, see `Warehouse` for its methods.

    `now` is the session's time in unix seconds; `files` says how those in `data` are written;
    `memory_bytes`, `threads` and `limit` bound what one query takes.
    """

    def __init__(
        self,
        data: Path | None,
        out: Path,
        *,
        now: int,
        files: FileOptions = FileOptions(),  # noqa: B008 it is frozen
        memory_bytes: int = 1 << 30,
        threads: int | None = None,
        limit: TimeLimit | None = None,
    ) -> None:
        self.data, self.out, self.now = data, out, now
        self.limit = limit
        self.memory_bytes, self.threads = memory_bytes, threads or os.cpu_count() or 1
        recover(out)
        self._scratch: Path | None = None
        self._options = files
        self._said: set[str] = set()
        self._typed = TypedFiles(self.scratch, self._say)

    def columns(self, table: str) -> list[str]:
        path = self._path(table)
        return self._typed.columns(path, self._options_of(path))

    def read(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        existing, path = self.columns(table), str(self._path(table))
        names = [find_column(name, existing, path) for name in columns]
        for batch in parquet_batches(self.typed_file(table), names, READ_ROWS):
            # a Parquet file gives the columns in its own order, under its own names
            arrays = [batch.column(name) for name in names]
            yield pa.record_batch(arrays, names=list(columns))

    def keeps_order(self, table: str) -> bool:
        # What SQL made, in `out`, is in whatever order the engine gave it.
        return self.data is not None and self._path(table).parent == self.data

    def write(self, table: str, frame: pd.DataFrame, if_exists: IfExists) -> None:
        self.write_all({table: frame}, if_exists)

    def write_all(
        self,
        frames: Mapping[str, pd.DataFrame | pa.Table],
        if_exists: IfExists,
        *,
        replaced: Collection[str] = (),
        files: Publication | None = None,
    ) -> None:
        given = {table: _as_arrow(frame) for table, frame in frames.items()}
        columns = {table: rows.column_names for table, rows in given.items()}
        self.check_writable(columns, if_exists, replaced=replaced)
        with contextlib.ExitStack() as alone:
            together = files or alone.enter_context(Publication(self.out, new_run_id()))
            for table, rows in given.items():
                is_added = if_exists == "append" and table not in replaced and self._find(table)
                with self._naming(table):
                    self._stage(table, rows, bool(is_added), together)

    def _stage(self, table: str, rows: pa.Table, is_added: bool, together: Publication) -> None:
        """Write the table to appear later: as CSV, or as Parquet where a frame is too large."""
        if is_added:
            rows = rows.select(self.columns(table))
            before = parquet(self.typed_file(table)).metadata.num_rows
            reader = self._appended(table, rows.to_reader())
        else:
            before, reader = 0, rows.to_reader()
        if before + rows.num_rows <= CSV_ROWS:
            csv_tables.write(reader.read_all(), together.file(self.out / f"{table}.csv"))
            together.remove(self.out / f"{table}.parquet")
            return
        path = together.file(self.out / f"{table}.parquet")
        with pq.ParquetWriter(path, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
        together.remove(self.out / f"{table}.csv")

    def check_writable(
        self,
        tables: Mapping[str, Sequence[str] | None],
        if_exists: IfExists,
        *,
        replaced: Collection[str] = (),
    ) -> None:
        for table, columns in tables.items():
            self._protect(table)
            self._probe(table)
            path = self._find(table)
            if path and if_exists == "error":
                raise DataError(
                    f"table {table!r} is already there ({path}), drop it first (if_exists: error)"
                )
            if path and if_exists == "append" and table not in replaced and columns is not None:
                check_same_columns(columns, self.columns(table), str(path))

    def query(self, sql: str) -> pa.Table:
        return self.answer(sql)[1]

    def answer(self, sql: str) -> tuple[TranslatedQuery, pa.Table]:
        """A query's rows, and its translation, which knows Trino's types."""
        query = self._translated(sql)
        # Trino's names for columns without one
        names = [name or f"_col{position}" for position, name in enumerate(query.names)]
        return query, self._rows(query).read_all().rename_columns(names)

    def create_table(self, table: str, sql: str) -> int:
        query = self._translated(sql)
        names = _column_names(table, query)
        rows = _as_stored(self._rows(query), names)
        return self._store(table, rows, in_order=query.in_order)

    def insert_into(self, table: str, sql: str) -> int:
        if not self._find(table):
            return self.create_table(table, sql)
        rows_before = parquet(self.typed_file(table)).metadata.num_rows
        rows = self._appended(table, self._rows(self._translated(sql)))
        return self._store(table, rows, in_order=True) - rows_before

    def drop_table(self, table: str) -> None:
        self._protect(table)
        for file in table_files.find(self.out, table):
            file.unlink()
            null_columns.forget(file)

    def tables(self) -> list[str]:
        """The names of all tables, sorted."""
        return sorted({name for folder in self._folders() for name in table_files.tables(folder)})

    def file(self, table: str) -> Path:
        """The file that a table is; raises `DataError` where there is none."""
        return self._path(table)

    def typed_file(self, table: str) -> Path:
        """The table as a Parquet file: itself, or a copy that lives as long as the warehouse."""
        path = self._path(table)
        return self._typed.parquet(path, self._options_of(path))

    def notes(self) -> list[str]:
        return notes.recall(self.out, self.data) if self.data else []

    def _say(self, file: Path, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            log.info("%s", sentence)
            notes.remember(self.out, file, sentence)

    def scratch(self) -> Path:
        """A folder for spilled rows and typed copies, gone with the warehouse."""
        if self._scratch is None:
            self._scratch, remove = scratch.make()
            weakref.finalize(self, remove)
        return self._scratch

    def _folders(self) -> list[Path]:
        return [self.data, self.out] if self.data else [self.out]

    def _path(self, table: str) -> Path:
        path = self._find(table)
        if path is None:
            raise DataError(self._not_found(table))
        return path

    def _find(self, table: str) -> Path | None:
        """The file of a table; None where there is none."""
        found = (table_files.find(folder, table) for folder in self._folders())
        files = next(filter(None, found), [])
        if len(files) > 1 and files[0].parent == self.data:
            others = ", ".join(file.name for file in files[1:])
            self._say(files[0], f"{files[0].name}: the newest file of the table, beside {others}")
        return files[0] if files else None

    def _options_of(self, path: Path) -> FileOptions:
        """Files in out are ours."""
        return self._options if self.data and path.parent == self.data else OURS

    def _not_found(self, table: str) -> str:
        paths = ", ".join(f"{folder}/{table}.csv" for folder in self._folders())
        others = nearest(table, self.tables(), "these folders hold no table")
        return f"no table {table!r}: looked for {paths}; {others}"

    def _protect(self, table: str) -> None:
        """Raise `DataError` where the table is an input."""
        path = self._find(table)
        if path is None or self.data is None:
            return
        if path.parent.resolve() != self.out.resolve():
            raise DataError(
                f"table {table!r} would replace the input {path}, which is never written: "
                "give the table another name, or --out the same folder as --data"
            )

    def _probe(self, table: str) -> None:
        """Raise `WarehouseError` where no file of the table could be written or replaced."""
        for suffix in WRITTEN:
            path = self.out / f"{table}{suffix}"
            with self._naming(table):
                self.out.mkdir(parents=True, exist_ok=True)
                if path.is_dir():
                    raise IsADirectoryError(f"{path} is a folder: move it away")
                probe = path.with_name(f".{path.name}.{os.getpid()}.part")
                probe.touch()
                probe.unlink()

    @contextlib.contextmanager
    def _naming(self, table: str) -> Iterator[None]:
        """Says which table could not be written."""
        try:
            yield
        except OSError as error:
            raise WarehouseError(
                f"could not write table {table!r} to {self.out}: {error}"
            ) from error

    @contextlib.contextmanager
    def _target(self, table: str, suffix: str) -> Iterator[Path]:
        """A temporary file to write to, which then replaces the table in one step."""
        self._protect(table)
        self.out.mkdir(parents=True, exist_ok=True)
        path = self.out / f"{table}{suffix}"
        try:
            with replacing(path) as temporary:
                yield temporary
        except OSError as error:
            raise WarehouseError(f"could not write {path}: {error}") from error
        for other in set(WRITTEN) - {suffix}:
            (self.out / f"{table}{other}").unlink(missing_ok=True)

    def _store(self, table: str, batches: pa.RecordBatchReader, in_order: bool) -> int:
        """Few rows that CSV keeps as they are become CSV, all else Parquet."""
        schema = batches.schema
        head: list[pa.RecordBatch] = []
        rows = 0
        for batch in batches:
            head.append(batch)
            rows += len(batch)
            if rows > CSV_ROWS:
                return self._store_parquet(table, schema, itertools.chain(head, batches))
        small = pa.Table.from_batches(head, schema)
        if not csv_tables.keeps(small):
            return self._store_parquet(table, schema, small.to_batches())
        with self._target(table, ".csv") as path:
            csv_tables.write(small if in_order else _sorted(small), path)
        null_columns.remember(self.out / f"{table}.csv", small)
        return rows

    def _store_parquet(
        self, table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
    ) -> int:
        rows = 0
        with self._target(table, ".parquet") as path, pq.ParquetWriter(path, schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
                rows += len(batch)
        return rows

    def _appended(self, table: str, new: pa.RecordBatchReader) -> pa.RecordBatchReader:
        return appended(parquet(self.typed_file(table)), new, str(self._path(table)))

    def _translated(self, sql: str) -> TranslatedQuery:
        return translate(sql, self._catalog, self.now)

    def _catalog(self, table: str) -> list[tuple[str, Type, str]]:
        """Columns of a table as SQL sees them: lower-case names, Trino types, how to read them."""
        schema = parquet(self.typed_file(table)).schema_arrow
        names = [name.lower() for name in schema.names]
        if len(set(names)) < len(names):
            raise DataError(f"{self._path(table)}: columns differ only in letter case")
        known = null_columns.recall(self._path(table))
        kinds = [known.get(field.name, field.type) for field in schema]
        return [
            (name, from_arrow(kind, field.name), stored(field, kind))
            for name, kind, field in zip(names, kinds, schema, strict=True)
        ]

    def _rows(self, query: TranslatedQuery) -> pa.RecordBatchReader:
        return engine.run(
            query,
            self.typed_file,
            scratch=self.scratch(),
            memory_bytes=self.memory_bytes,
            threads=self.threads,
            limit=self.limit,
        )


def _as_arrow(frame: pd.DataFrame | pa.Table) -> pa.Table:
    if isinstance(frame, pa.Table):
        return frame
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)


def _column_names(table: str, query: TranslatedQuery) -> list[str]:
    """The names of a new table's columns; Trino makes no table with nameless or equal ones."""
    names = [name and name.lower() for name in query.names]
    for number, name in enumerate(names, 1):
        if name is None:
            raise DataError(f"table {table!r}: column {number} of the query has no name, add `as`")
        if names.count(name) > 1:
            raise DataError(f"table {table!r}: the query has two columns {name!r}, rename one")
    return [name for name in names if name is not None]


def _as_stored(batches: pa.RecordBatchReader, names: list[str]) -> pa.RecordBatchReader:
    """As a table keeps them: named, and every integer as a bigint, as Treasure Data has it."""
    column_types = [
        pa.int64() if pa.types.is_integer(kind) else kind for kind in batches.schema.types
    ]
    schema = pa.schema(list(zip(names, column_types, strict=True)))
    renamed = (pa.record_batch(batch.columns, names=names) for batch in batches)
    return pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in renamed))


def _sorted(table: pa.Table) -> pa.Table:
    """Rows by all columns: SQL gave no order, and two runs shall write the same file."""
    return table.sort_by([(name, "ascending") for name in table.column_names])
