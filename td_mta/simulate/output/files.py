"""Simulated tables as files: written block by block under a temporary name, renamed at the end."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from td_mta.atomic_files import replacing
from td_mta.journeys.touchpoints import Ints
from td_mta.simulate.output.experiments import Found
from td_mta.simulate.output.media import Media
from td_mta.simulate.output.shop import WebEvents
from td_mta.simulate.rows import START, TouchpointRows

FileFormat = Literal["csv", "parquet"]
Writer: TypeAlias = "pa.csv.CSVWriter | pa.parquet.ParquetWriter"

DIGITS = 8  # of a user's name, u00000018


class TableFiles:
    """The files of one folder, as `table_files` opens them."""

    def __init__(
        self, folder: Path, file_format: FileFormat, files: ExitStack, writers: ExitStack
    ) -> None:
        self._folder, self._format = folder, file_format
        self._files, self._open_writers = files, writers
        self._writers: dict[str, Writer] = {}

    def write(self, name: str, table: pa.Table) -> None:
        """Append rows to the table `name`."""
        if name not in self._writers:
            path = self._new_file(f"{name}.{self._format}")
            writer = _open_writer(path, self._format, table.schema)
            self._writers[name] = self._open_writers.enter_context(writer)
        self._writers[name].write_table(table)

    def write_text(self, file: str, text: str) -> None:
        """Write a file of text, in one go."""
        self._new_file(file).write_text(text, encoding="utf-8")

    def _new_file(self, file: str) -> Path:
        """Where to write a file until all are complete."""
        return self._files.enter_context(replacing(self._folder / file))


@contextmanager
def table_files(folder: Path, file_format: FileFormat) -> Iterator[TableFiles]:
    """Files to write to, renamed when the block ends; after an error none of them stays."""
    folder.mkdir(parents=True, exist_ok=True)
    # the inner stack ends first: every writer is closed before the first file is renamed
    with ExitStack() as files, ExitStack() as writers:
        yield TableFiles(folder, file_format, files, writers)


def touchpoints(rows: TouchpointRows, channels: tuple[str, ...]) -> pa.Table:
    """Touchpoints under the column names of `config/params.yml`; rows sorted by user."""
    has_value = rows.cents >= 0
    return pa.table(
        {
            "time": rows.time,
            "canonical_id": _user_names(rows.user),
            "channels": _dictionary(rows.channel, channels),
            "conversion": rows.conversion.astype(np.int64),
            "value": pa.array(rows.cents / 100, mask=~has_value),
        }
    )


def web_events(events: WebEvents, *, form: str | None = None) -> pa.Table:
    """Page views, or the form fills of `form`; sorted by user."""
    columns = {
        "time": events.time,
        "canonical_id": _user_names(events.user),
        "td_url": events.url,
        "td_referrer": events.referrer,
    }
    if form is not None:
        columns["form_id"] = np.full(len(events.time), form)
    return pa.table(columns)


def spend(media: Media, channels: tuple[str, ...]) -> pa.Table:
    """One row per day and channel."""
    days, width = media.clicks.shape
    first_day = np.datetime64(START, "s").astype("datetime64[D]")
    dates = (first_day + np.arange(days)).astype(str)
    channel = np.tile(np.arange(width), days)
    return pa.table(
        {
            "day": np.repeat(dates, width),
            "channel": _dictionary(channel, channels),
            "spend": media.spend.ravel(),
            "impressions": media.impressions.ravel(),
            "clicks": media.clicks.ravel(),
        }
    )


def experiments(found: Found) -> pa.Table:
    """One row per experiment."""
    m = len(found.channels)
    return pa.table(
        {
            "channel": list(found.channels),
            "first_day": [found.first_day] * m,
            "last_day": [found.last_day] * m,
            "incremental_conversions": found.incremental,
            "standard_error": found.error,
        }
    )


def _open_writer(path: Path, file_format: FileFormat, schema: pa.Schema) -> Writer:
    if file_format == "csv":
        return pa.csv.CSVWriter(path, schema)
    names = {field.name for field in schema}
    texts = [field.name for field in schema if not pa.types.is_primitive(field.type)]
    return pa.parquet.ParquetWriter(
        path,
        schema,
        store_schema=False,  # so that a dictionary is read back as plain text
        use_dictionary=[*texts, *({"conversion"} & names)],
        # times ascend within a user: their differences are small
        column_encoding={name: "DELTA_BINARY_PACKED" for name in {"time"} & names},
    )


def _dictionary(index: Ints, names: tuple[str, ...]) -> pa.DictionaryArray:
    """Each entry's name, null where the index is negative."""
    indices = pa.array(index.astype(np.int32), mask=index < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names, pa.string()))


def _user_names(user: Ints) -> pa.DictionaryArray:
    """Names of users that come sorted, as a dictionary, so that each is spelled once.

    The letters are computed for all users at once; formatting them one by one would take most of
    the time.
    """
    is_new = np.diff(user, prepend=-1) != 0
    users = user[is_new]  # (distinct users,)
    powers = 10 ** np.arange(DIGITS)[::-1]
    digits = users[:, None] // powers % 10  # (distinct users, DIGITS)
    count, length = len(users), DIGITS + 1
    letters = np.full((count, length), ord("u"), np.uint8)
    letters[:, 1:] = ord("0") + digits
    offsets = np.arange(count + 1, dtype=np.int32) * length
    names = pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(letters))
    index = np.cumsum(is_new) - 1
    return pa.DictionaryArray.from_arrays(index.astype(np.int32), names)
