"""Each file once as Parquet; what was guessed to read it is said."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from td_mta.errors import DataError
from td_mta.warehouse.file_options import FileOptions
from td_mta.warehouse.files.headers import check_count
from td_mta.warehouse.files.plain import Guessed, plain
from td_mta.warehouse.files.text_tables import TextTable

Key = tuple[Path, int, int]  # a file that changed has another one


class TypedFiles:
    """Parquet copies of text files in a folder that `scratch` makes, each made once.

    `say` takes a file and the sentence about what was guessed to read it.
    """

    def __init__(
        self, scratch: Callable[[], Path], say: Callable[[Path, str], None] | None = None
    ) -> None:
        self._scratch, self._say = scratch, say
        self._folders: dict[Key, Path] = {}
        self._tables: dict[Key, TextTable | Path] = {}
        self._copies: dict[Key, Path] = {}
        self._guesses: dict[Key, list[Guessed]] = {}

    def columns(self, path: Path, options: FileOptions) -> list[str]:
        """Column names, mostly without reading the whole file."""
        with _naming(path):
            table = self._table(path, options)
            names = None if isinstance(table, Path) else table.names
        return names or parquet(self.parquet(path, options)).schema_arrow.names

    def parquet(self, path: Path, options: FileOptions) -> Path:
        """The file as Parquet: itself, or its copy."""
        key = _key(path)
        if key in self._copies:
            return self._copies[key]
        with _naming(path):
            table = self._table(path, options)
            if isinstance(table, Path):
                copy = table
            else:
                copy = self._folder(key) / "table.parquet"
                table.to_parquet(copy, self._folder(key))
                guesses = [*self._guesses[key], *table.guessed]
                if guesses and self._say:
                    self._say(path, sentence(path, guesses))
        self._copies[key] = copy
        return copy

    def _table(self, path: Path, options: FileOptions) -> TextTable | Path:
        """The text of a file, or a Parquet file."""
        key = _key(path)
        if key not in self._tables:
            text = plain(path, options, self._folder(key))
            self._guesses[key] = text.guesses
            self._tables[key] = text.path if text.is_parquet else TextTable(text.path, text.options)
        return self._tables[key]

    def _folder(self, key: Key) -> Path:
        if key not in self._folders:
            self._folders[key] = self._scratch() / str(len(self._folders))
            self._folders[key].mkdir()
        return self._folders[key]


def sentence(path: Path, guesses: list[Guessed]) -> str:
    """What was guessed of a file, and the parameters that say otherwise.

    >>> sentence(Path("data/t.csv"), [Guessed("columns separated by ;", "file_separator")])
    't.csv: columns separated by ; (set file_separator to override)'
    """
    said = ", ".join(guess.what for guess in guesses)
    parameters = ", ".join(guess.parameter for guess in guesses if guess.parameter)
    remedy = f" (set {parameters} to override)" if parameters else ""
    return f"{path.name}: {said}{remedy}"


def parquet(path: Path) -> pq.ParquetFile:
    """A Parquet file; raises `DataError` where it is none."""
    with _naming_damage(path), _naming(path):
        file = pq.ParquetFile(path)
        names = file.schema_arrow.names  # which a damaged file may hold in no UTF-8
        check_count(names)
        repeated = [name for name, times in Counter(names).items() if times > 1]
        if repeated:
            raise DataError(f"several columns are called {repeated[0]!r}: rename or leave out one")
        return file


def parquet_batches(path: Path, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    """Some columns of a Parquet file, `rows` rows at a time; raises `DataError` for damage."""
    with _naming_damage(path):
        yield from parquet(path).iter_batches(batch_size=rows, columns=columns)


@contextlib.contextmanager
def _naming_damage(path: Path) -> Iterator[None]:
    """Says which Parquet file cannot be read."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        message = " ".join(str(error).split())
        raise DataError(f"{path}: not a readable Parquet file: {message}") from error


def _key(path: Path) -> Key:
    status = path.stat()
    return path, status.st_mtime_ns, status.st_size


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Adds the file to the message of an error."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
