"""Tables as files in two folders: what is given (`data`) and what a run makes (`out`).

A table is `<name>.csv` or `<name>.parquet` in data, else in out; of two files of one name the newer
counts. Only out is written, each file under a temporary name first, so that a file that exists is
complete.
"""

import contextlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from td_mta.atomic_files import replacing
from td_mta.errors import DataError, WarehouseError
from td_mta.trino_on_datafusion import engine
from td_mta.trino_on_datafusion.binding.query import TranslatedQuery, translate
from td_mta.trino_on_datafusion.engine import stored
from td_mta.trino_on_datafusion.types import Type, from_arrow
from td_mta.warehouse import IfExists, csv_tables
from td_mta.warehouse.appending import appended
from td_mta.warehouse.names import check_same_columns, find_column, nearest

SUFFIXES = (".csv", ".parquet")
CSV_ROWS = 100_000  # a made table with more rows is stored as Parquet
READ_ROWS = 1 << 17


class LocalWarehouse:
    """The tables of two folders. `now` is the session's time in unix seconds."""

    def __init__(
        self,
        data: Path | None,
        out: Path,
        *,
        now: int,
        memory_bytes: int = 1 << 30,
        threads: int | None = None,
    ) -> None:
        self.data, self.out, self.now = data, out, now
        self.memory_bytes, self.threads = memory_bytes, threads or os.cpu_count() or 1
        self._scratch: Path | None = None
        self._typed: dict[tuple[Path, int, int], Path] = {}

    def columns(self, table: str) -> list[str]:
        path = self._path(table)
        return (
            csv_tables.header(path) if path.suffix == ".csv" else _parquet(path).schema_arrow.names
        )

    def read(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        there = self.columns(table)
        names = [find_column(name, there, str(self._path(table))) for name in columns]
        file = _parquet(self.typed_file(table))
        for batch in file.iter_batches(batch_size=READ_ROWS, columns=names):
            by_name = dict(zip(batch.schema.names, batch.columns, strict=True))
            yield pa.record_batch([by_name[name] for name in names], names=list(columns))

    def write(self, table: str, frame: pd.DataFrame, if_exists: IfExists) -> None:
        self.write_all({table: frame}, if_exists)

    def write_all(self, frames: Mapping[str, pd.DataFrame], if_exists: IfExists) -> None:
        self.check_writable({t: list(frame.columns) for t, frame in frames.items()}, if_exists)
        with contextlib.ExitStack() as targets:  # at its end, when all is staged, each is renamed
            for table, frame in frames.items():
                new = pa.Table.from_pandas(frame, preserve_index=False)
                new = new.replace_schema_metadata(None)
                if if_exists == "append" and self._find(table):
                    new = new.select(self.columns(table))
                    new = self._appended(table, new.to_reader()).read_all()
                csv_tables.write(new, targets.enter_context(self._target(table, ".csv")))

    def check_writable(
        self, tables: Mapping[str, Sequence[str] | None], if_exists: IfExists
    ) -> None:
        for table, columns in tables.items():
            self._protect(table)
            found = self._find(table)
            if found and if_exists == "error":
                raise DataError(f"table {table!r} is already there ({found}), drop it first")
            if found and if_exists == "append" and columns is not None:
                check_same_columns(columns, self.columns(table), str(found))

    def query(self, sql: str) -> pa.Table:
        return self.answer(sql)[1]

    def answer(self, sql: str) -> tuple[TranslatedQuery, pa.Table]:
        """A query's rows, and its plan, which knows Trino's types."""
        plan = self._translated(sql)
        names = [name or f"_col{place}" for place, name in enumerate(plan.names)]
        return plan, self._rows(plan).read_all().rename_columns(names)

    def create_table(self, table: str, sql: str) -> int:
        plan = self._translated(sql)
        names = _named(table, plan)
        return self._store(table, _stored(self._rows(plan), names), in_order=plan.in_order)

    def insert_into(self, table: str, sql: str) -> int:
        if not self._find(table):
            return self.create_table(table, sql)
        before = _parquet(self.typed_file(table)).metadata.num_rows
        new = self._rows(self._translated(sql))
        return self._store(table, self._appended(table, new), in_order=True) - before

    def drop_table(self, table: str) -> None:
        self._protect(table)
        for suffix in SUFFIXES:
            (self.out / f"{table}{suffix}").unlink(missing_ok=True)

    def tables(self) -> list[str]:
        """The names of all tables, sorted."""
        files = [file for folder in self._folders() if folder.is_dir() for file in folder.iterdir()]
        return sorted({file.stem for file in files if file.suffix in SUFFIXES})

    def typed_file(self, table: str) -> Path:
        """The table as a Parquet file: itself, or a copy that lives as long as the warehouse."""
        path = self._path(table)
        if path.suffix == ".parquet":
            return path
        state = path.stat()
        key = (path, state.st_mtime_ns, state.st_size)
        if key not in self._typed:
            self._typed[key] = self.scratch() / f"{len(self._typed)}.parquet"
            csv_tables.to_parquet(path, self._typed[key])
        return self._typed[key]

    def scratch(self) -> Path:
        """A folder for spilled rows and typed copies, gone with the warehouse."""
        if self._scratch is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="td_mta_"))
            weakref.finalize(self, shutil.rmtree, self._scratch, True)
        return self._scratch

    def _folders(self) -> list[Path]:
        return [self.data, self.out] if self.data else [self.out]

    def _path(self, table: str) -> Path:
        path = self._find(table)
        if path is None:
            raise DataError(self._not_found(table))
        return path

    def _find(self, table: str) -> Path | None:
        for folder, name in product(self._folders(), dict.fromkeys((table, table.lower()))):
            files = [folder / f"{name}{suffix}" for suffix in SUFFIXES]
            there = [file for file in files if file.is_file()]
            if there:
                return max(there, key=lambda file: file.stat().st_mtime_ns)
        return None

    def _not_found(self, table: str) -> str:
        looked = ", ".join(str(folder / table) + ".csv|.parquet" for folder in self._folders())
        near = nearest(table, self.tables(), "these folders hold no table")
        return f"no table {table!r}: looked for {looked}; {near}"

    def _protect(self, table: str) -> None:
        path = self._find(table)
        if (
            path is not None
            and self.data is not None
            and not self.out.resolve() == path.parent.resolve()
        ):
            raise DataError(
                f"table {table!r} would replace the input {path}, which is never written: "
                "give the table another name, or --out the same folder as --data"
            )

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
        for other in set(SUFFIXES) - {suffix}:
            (self.out / f"{table}{other}").unlink(missing_ok=True)

    def _store(self, table: str, batches: pa.RecordBatchReader, in_order: bool) -> int:
        """Few rows that CSV keeps as they are become CSV, all else Parquet."""
        first: list[pa.RecordBatch] = []
        for batch in batches:
            first.append(batch)
            if sum(len(b) for b in first) > CSV_ROWS:
                return self._store_parquet(table, first, batches)
        small = pa.Table.from_batches(first, batches.schema)
        if not csv_tables.keeps(small):
            return self._store_parquet(table, small.to_batches(), small.slice(0, 0).to_reader())
        with self._target(table, ".csv") as path:
            csv_tables.write(small if in_order else _sorted(small), path)
        return small.num_rows

    def _store_parquet(
        self, table: str, first: list[pa.RecordBatch], rest: pa.RecordBatchReader
    ) -> int:
        rows = 0
        with self._target(table, ".parquet") as path, pq.ParquetWriter(path, rest.schema) as writer:
            for batches in (first, rest):
                for batch in batches:
                    writer.write_batch(batch)
                    rows += len(batch)
        return rows

    def _appended(self, table: str, new: pa.RecordBatchReader) -> pa.RecordBatchReader:
        return appended(_parquet(self.typed_file(table)), new, str(self._path(table)))

    def _translated(self, sql: str) -> TranslatedQuery:
        return translate(sql, self._catalog, self.now)

    def _catalog(self, table: str) -> list[tuple[str, Type, str]]:
        """Columns of a table as SQL sees them: lower-case names, Trino types, how to read them."""
        schema = _parquet(self.typed_file(table)).schema_arrow
        names = [name.lower() for name in schema.names]
        if len(set(names)) < len(names):
            raise DataError(f"{self._path(table)}: columns differ only in letter case")
        return [
            (name, from_arrow(field.type, field.name), stored(field))
            for name, field in zip(names, schema, strict=True)
        ]

    def _rows(self, plan: TranslatedQuery) -> pa.RecordBatchReader:
        return engine.run(
            plan,
            self.typed_file,
            scratch=self.scratch(),
            memory_bytes=self.memory_bytes,
            threads=self.threads,
        )


def _named(table: str, plan: TranslatedQuery) -> list[str]:
    """The names of a new table's columns; Trino makes no table with nameless or equal ones."""
    names = [name and name.lower() for name in plan.names]
    for place, name in enumerate(names, 1):
        if name is None:
            raise DataError(f"table {table!r}: column {place} of the query has no name, add `as`")
        if names.count(name) > 1:
            raise DataError(f"table {table!r}: the query has two columns {name!r}, rename one")
    return [name for name in names if name is not None]


def _stored(batches: pa.RecordBatchReader, names: list[str]) -> pa.RecordBatchReader:
    """As a table keeps them: named, and every integer as a bigint, as Treasure Data has it."""
    kinds = [pa.int64() if pa.types.is_integer(kind) else kind for kind in batches.schema.types]
    schema = pa.schema(list(zip(names, kinds, strict=True)))
    tables = (pa.record_batch(batch.columns, names=names).cast(schema) for batch in batches)
    return pa.RecordBatchReader.from_batches(schema, tables)


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path}: not a readable Parquet file: {error}") from error


def _sorted(table: pa.Table) -> pa.Table:
    """Rows by all columns: SQL gave no order, and two runs shall write the same file."""
    return table.sort_by([(name, "ascending") for name in table.column_names])
