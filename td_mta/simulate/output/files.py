"""Simulated tables as files: written block by block under a temporary name, renamed at the end."""

from pathlib import Path
from types import TracebackType
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from td_mta.simulate.draws import Integers
from td_mta.simulate.output.media import Media
from td_mta.simulate.output.shop import Pages
from td_mta.simulate.rows import START, Rows

Format = Literal["csv", "parquet"]

DIGITS = 8  # of a user's name, u00000018


class Tables:
    """The files of one folder; a context manager, which leaves nothing behind after an error."""

    def __init__(self, folder: Path, form: Format) -> None:
        self._folder, self._form = folder, form
        self._open: dict[str, pa.csv.CSVWriter | pa.parquet.ParquetWriter] = {}
        self._files: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, table: pa.Table) -> None:
        """Append rows to the table `name`."""
        if name not in self._open:
            self._open[name] = self._writer(self._partial(f"{name}.{self._form}"), table.schema)
        self._open[name].write_table(table)

    def write_text(self, file: str, text: str) -> None:
        """A whole file."""
        self._partial(file).write_text(text, encoding="utf-8")

    def __enter__(self) -> "Tables":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for writer in self._open.values():
            writer.close()
        for file in self._files:
            if kind is None:
                self._hidden(file).replace(self._folder / file)
            else:
                self._hidden(file).unlink(missing_ok=True)

    def _partial(self, file: str) -> Path:
        """Where a file is written until all are whole."""
        self._files.append(file)
        return self._hidden(file)

    def _hidden(self, file: str) -> Path:
        return self._folder / f".{file}.partial"

    def _writer(
        self, path: Path, schema: pa.Schema
    ) -> "pa.csv.CSVWriter | pa.parquet.ParquetWriter":
        if self._form == "csv":
            return pa.csv.CSVWriter(path, schema)
        names = [field.name for field in schema]
        texts = [name for name in names if not pa.types.is_primitive(schema.field(name).type)]
        return pa.parquet.ParquetWriter(
            path,
            schema,
            store_schema=False,  # so that a dictionary is read back as plain text
            use_dictionary=[*texts, *({"conversion"} & {*names})],
            column_encoding={name: "DELTA_BINARY_PACKED" for name in {"time"} & {*names}},
        )


def touchpoints(rows: Rows, channels: tuple[str, ...]) -> pa.Table:
    """Rows under the column names of `config/params.yml`."""
    sold = rows.cents >= 0
    return pa.table(
        {
            "time": rows.time,
            "canonical_id": _names(rows.user),
            "channels": _texts(rows.channel, channels),
            "conversion": rows.conversion.astype(np.int64),
            "value": pa.array(rows.cents / 100, mask=~sold),
        }
    )


def pages(pages: Pages, *, form: str | None = None) -> pa.Table:
    """Page views, or the form fills of `form`."""
    columns = {
        "time": pages.time,
        "canonical_id": _names(pages.user),
        "td_url": pages.url,
        "td_referrer": pages.referrer,
    }
    if form is not None:
        columns["form_id"] = np.full(len(pages.time), form)
    return pa.table(columns)


def spend(media: Media, channels: tuple[str, ...]) -> pa.Table:
    """One row a day and channel."""
    days, width = media.clicks.shape
    first = np.datetime64(START, "s").astype("datetime64[D]")
    return pa.table(
        {
            "day": np.repeat((first + np.arange(days)).astype(str), width),
            "channel": _texts(np.tile(np.arange(width), days), channels),
            "spend": media.spend.ravel(),
            "impressions": media.impressions.ravel(),
            "clicks": media.clicks.ravel(),
        }
    )


def _texts(index: Integers, names: tuple[str, ...]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(
        pa.array(index.astype(np.int32), mask=index < 0), pa.array(names, pa.string())
    )


def _names(user: Integers) -> pa.DictionaryArray:
    """Every user's name; sorted by user, so that each is spelled once."""
    fresh = np.diff(user, prepend=-1) != 0
    users = user[fresh]
    letters = np.full((len(users), DIGITS + 1), ord("u"), np.uint8)
    letters[:, 1:] = ord("0") + users[:, None] // 10 ** np.arange(DIGITS)[::-1] % 10
    ends = np.arange(len(users) + 1, dtype=np.int32) * (DIGITS + 1)
    names = pa.StringArray.from_buffers(len(users), pa.py_buffer(ends), pa.py_buffer(letters))
    return pa.DictionaryArray.from_arrays((np.cumsum(fresh) - 1).astype(np.int32), names)
