"""Tables as files: `<folder>/<database>/<table>.csv` or `.parquet`; the newer of two counts.

New tables are Parquet, which keeps types, and complete or not there at all.
"""

import os
import shutil
import tempfile
import weakref
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from td_emulator import names
from td_emulator.engines.protocol import EngineError
from td_mta.atomic_files import replacing
from td_mta.errors import DataError
from td_mta.warehouse import csv_tables

SUFFIXES = (".parquet", ".csv")


class Folder:
    """Databases as the folders in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.scratch = Path(tempfile.mkdtemp(prefix="td_emulator_"))
        weakref.finalize(self, shutil.rmtree, self.scratch, True)
        self._typed: dict[tuple[Path, int, int], Path] = {}

    def databases(self) -> list[str]:
        if not self.root.is_dir():
            return []
        found = (path.name for path in self.root.iterdir() if path.is_dir())
        return sorted(name for name in found if names.complaint("database", name) is None)

    def create_database(self, database: str) -> None:
        complaint = names.complaint("database", database)
        if complaint:
            raise EngineError("INVALID_SCHEMA_NAME", complaint)
        (self.root / database).mkdir(parents=True, exist_ok=True)

    def drop_database(self, database: str) -> None:
        shutil.rmtree(self.database(database))

    def database(self, database: str) -> Path:
        """The folder of a database that is there."""
        if database not in self.databases():
            raise EngineError("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{database}' does not exist")
        return self.root / database

    def tables(self, database: str) -> list[str]:
        files = self.database(database).iterdir()
        return sorted({file.stem for file in files if file.suffix in SUFFIXES})

    def find(self, database: str, table: str) -> Path | None:
        """The file of a table, the newest if there are two."""
        if table not in self.tables(database):
            return None
        files = (self.database(database) / f"{table}{suffix}" for suffix in SUFFIXES)
        there = [file for file in files if file.is_file()]
        return max(there, key=lambda file: file.stat().st_mtime_ns)

    def file(self, database: str, table: str) -> Path:
        """The file of a table that is there."""
        found = self.find(database, table)
        if found is None:
            name = f'"td-presto".{database}.{table}'
            raise EngineError("TABLE_NOT_FOUND", f"line 1:1: Table '{name}' does not exist")
        return found

    def typed_file(self, database: str, table: str) -> Path:
        """The table as Parquet: its file, or a copy that lives as long as this object."""
        path = self.file(database, table)
        if path.suffix == ".parquet":
            return path
        state = path.stat()
        key = (path, state.st_mtime_ns, state.st_size)
        if key not in self._typed:
            copy = self.scratch / f"typed_{len(self._typed)}.parquet"
            try:
                csv_tables.to_parquet(path, copy)
            except DataError as error:
                raise EngineError("GENERIC_USER_ERROR", str(error)) from error
            self._typed[key] = copy
        return self._typed[key]

    def schema(self, database: str, table: str) -> pa.Schema:
        return pq.read_schema(self.typed_file(database, table))

    def store(self, database: str, table: str, rows: pa.RecordBatchReader) -> int:
        """Make or replace a table in one step; gives the number of rows."""
        complaint = names.complaint("table", table)
        if complaint:
            raise EngineError("INVALID_TABLE_PROPERTY", complaint)
        target = self.database(database) / f"{table}.parquet"
        count = 0
        with replacing(target) as temporary, pq.ParquetWriter(temporary, rows.schema) as writer:
            for batch in rows:
                writer.write_batch(batch)
                count += len(batch)
        target.with_suffix(".csv").unlink(missing_ok=True)
        return count

    def drop(self, database: str, table: str) -> None:
        self.file(database, table)
        for suffix in SUFFIXES:
            (self.database(database) / f"{table}{suffix}").unlink(missing_ok=True)

    def rename(self, database: str, table: str, new: str) -> None:
        old = self.file(database, table)
        target = old.with_name(f"{new}{old.suffix}")
        os.replace(old, target)
        os.utime(target)
        for path in (old.with_name(table), old.with_name(new)):
            for suffix in SUFFIXES:
                file = path.with_name(f"{path.name}{suffix}")
                if file != target:
                    file.unlink(missing_ok=True)
