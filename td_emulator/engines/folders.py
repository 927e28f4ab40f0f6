"""Tables as files: `<folder>/<database>/<table>.csv` or `.parquet`; the newer of two counts.

New tables are Parquet, which keeps types, and complete or not there at all.
"""

import itertools
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
from td_mta.warehouse.file_options import FileOptions
from td_mta.warehouse.files.typed_files import TypedFiles

SUFFIXES = (".parquet", ".csv")


class Folder:
    """A folder of databases, each a folder of tables."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.scratch = Path(tempfile.mkdtemp(prefix="td_emulator_"))
        weakref.finalize(self, shutil.rmtree, self.scratch, True)
        self._typed = TypedFiles(lambda: self.scratch)

    def databases(self) -> list[str]:
        """The names of all databases, sorted."""
        if not self.root.is_dir():
            return []
        folders = (path.name for path in self.root.iterdir() if path.is_dir())
        return sorted(name for name in folders if names.complaint("database", name) is None)

    def create_database(self, database: str) -> None:
        """Make an empty database; an existing one stays as it is."""
        complaint = names.complaint("database", database)
        if complaint:
            raise EngineError("INVALID_SCHEMA_NAME", complaint)
        (self.root / database).mkdir(parents=True, exist_ok=True)

    def drop_database(self, database: str) -> None:
        """Remove a database with its tables."""
        shutil.rmtree(self.database(database))

    def database(self, database: str) -> Path:
        """The folder of an existing database; raises `EngineError` where there is none."""
        if database not in self.databases():
            raise EngineError("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{database}' does not exist")
        return self.root / database

    def tables(self, database: str) -> list[str]:
        """The names of a database's tables, sorted."""
        files = self.database(database).iterdir()
        return sorted({file.stem for file in files if file.suffix in SUFFIXES})

    def find(self, database: str, table: str) -> Path | None:
        """The file of a table, the newer one of two; None where there is none."""
        if table not in self.tables(database):
            return None
        candidates = (self.database(database) / f"{table}{suffix}" for suffix in SUFFIXES)
        files = [path for path in candidates if path.is_file()]
        return max(files, key=lambda file: file.stat().st_mtime_ns)

    def file(self, database: str, table: str) -> Path:
        """The file of an existing table; raises `EngineError` where there is none."""
        path = self.find(database, table)
        if path is None:
            name = f'"td-presto".{database}.{table}'
            raise EngineError("TABLE_NOT_FOUND", f"line 1:1: Table '{name}' does not exist")
        return path

    def typed_file(self, database: str, table: str) -> Path:
        """The table as Parquet: its file, or a copy that lives as long as this object."""
        path = self.file(database, table)
        try:
            return self._typed.parquet(path, FileOptions())
        except DataError as error:
            raise EngineError("GENERIC_USER_ERROR", str(error)) from error

    def schema(self, database: str, table: str) -> pa.Schema:
        """The columns of a table with their Arrow types."""
        return pq.read_schema(self.typed_file(database, table))

    def store(self, database: str, table: str, rows: pa.RecordBatchReader) -> int:
        """Make or replace a table in one step; returns the number of rows."""
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
        """Remove a table; raises `EngineError` where there is none."""
        self.file(database, table)
        for suffix in SUFFIXES:
            (self.database(database) / f"{table}{suffix}").unlink(missing_ok=True)

    def rename(self, database: str, table: str, new: str) -> None:
        """Give a table another name; it replaces one of that name in one step."""
        old_file = self.file(database, table)
        new_file = old_file.with_name(f"{new}{old_file.suffix}")
        os.replace(old_file, new_file)
        os.utime(new_file)  # so that it is the newer one beside a file of another suffix
        for name, suffix in itertools.product((table, new), SUFFIXES):
            leftover = old_file.with_name(f"{name}{suffix}")
            if leftover != new_file:
                leftover.unlink(missing_ok=True)
