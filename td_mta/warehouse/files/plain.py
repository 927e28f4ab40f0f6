"""Any file as plain text: unpacked, out of its workbook, in UTF-8; or as the Parquet that it is."""

import gzip
import zlib
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from td_mta.errors import DataError
from td_mta.warehouse.file_options import FileOptions
from td_mta.warehouse.files import encodings, excel, kinds

# A file that is unpacked beyond both holds no table: those become 5 to 50 times as large.
MOST_TIMES, MOST_ANYWAY = 100, 1 << 28


class Guessed(NamedTuple):
    """What was taken for given, in words, and the parameter that says otherwise."""

    what: str
    parameter: str | None = None


class Plain(NamedTuple):
    """A file that is UTF-8 text, or Parquet."""

    path: Path
    is_parquet: bool
    options: FileOptions  # those that are left to find out
    guesses: list[Guessed]


def plain(path: Path, options: FileOptions, scratch: Path) -> Plain:
    """`path` itself where it is plain, else a copy in the folder `scratch`."""
    if options.exact:
        return Plain(path, path.suffix == ".parquet", options, [])
    kind = kinds.kind(path)
    if kind == "parquet":
        return Plain(path, True, options, [])
    if kind == "gzip":
        return plain(_unpacked(path, scratch), options, scratch)
    if kind == "workbook":
        return _sheet(path, options, scratch)
    return _text(path, options, scratch)


def _unpacked(path: Path, scratch: Path) -> Path:
    target = _new(path, scratch)
    most = max(MOST_TIMES * path.stat().st_size, MOST_ANYWAY)
    try:
        with gzip.open(path) as source, open(target, "wb") as copy:
            while block := source.read(encodings.BLOCK):
                copy.write(block)
                if copy.tell() > most:
                    raise DataError(
                        f"unpacked it has more than {most / 1e6:,.0f} MB, {MOST_TIMES} times its "
                        "size, as no table has; if it is one, unpack it before"
                    )
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"not a readable gzip file: {error}") from None
    return target


def _sheet(path: Path, options: FileOptions, scratch: Path) -> Plain:
    target = _new(path, scratch)
    name, names = excel.to_csv(path, options.sheet, target)
    guesses = []
    if len(names) > 1 and options.sheet is None:
        guesses = [Guessed(f"sheet {name} of {', '.join(names)}", "file_sheet")]
    return Plain(target, False, replace(options, separator=","), guesses)


def _text(path: Path, options: FileOptions, scratch: Path) -> Plain:
    said = options.encoding
    encoding = encodings.canonical(said) if said else encodings.find(path)
    guesses = []
    if not said and encoding != encodings.UTF8:
        guesses = [Guessed(f"encoding {encoding}", "file_encoding")]
    if encoding == encodings.UTF8:
        if said:
            encodings.check_utf8(path)
        return Plain(path, False, options, guesses)
    target = _new(path, scratch)
    with open(target, "wb") as copy:
        encodings.to_utf8(path, encoding, copy)
    return Plain(target, False, options, guesses)


def _new(path: Path, scratch: Path) -> Path:
    """A path for a copy."""
    return scratch / f"{len(list(scratch.iterdir()))}_{path.name}"
