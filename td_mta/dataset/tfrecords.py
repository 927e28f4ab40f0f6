"""Patterns to TFRecord files and back: one `tf.train.Example` per distinct pattern of a page.

Features, all int64: `days` and `channels` (the touched cells), `label`, `weight` (how many
examples) and `augmented` (how many more augmentation adds). All records of one size are rows
of one byte matrix, so that writing needs no loop over records.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from td_mta import quiet
from td_mta.atomic_files import replacing
from td_mta.dataset.record_format import Bytes, framed, in_batches
from td_mta.errors import DataError
from td_mta.journeys.examples import AUGMENTED, KINDS, NEGATIVE, POSITIVE, ByPattern, merge_patterns
from td_mta.journeys.patterns import Grid, Patterns, of_sorted_cells
from td_mta.journeys.touchpoints import Ints

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

VERSION = 1
SIDECAR = "records.json"
LABELS = {NEGATIVE: "negative", POSITIVE: "positive"}
SPLITS = ("", "validation_")  # in file names, by group of examples: training 0, held-out 1
READ_RECORDS = 1 << 14
CELL_BYTES, WEIGHT_BYTES = 2, 5  # widths of padded varints: up to 2**14 and 2**35


@dataclass(frozen=True)
class Schema:
    """What records mean. Records of another schema are refused."""

    channels: tuple[str, ...]
    lookback_window_days: int
    day_timezone: str
    examples: str
    version: int = VERSION

    @property
    def grid(self) -> Grid:
        """The cells of a window."""
        return Grid(self.lookback_window_days, len(self.channels))


class Folders(NamedTuple):
    """Where the records of each label lie; both may be one folder."""

    negative: Path
    positive: Path


class Writer:
    """Writes pages; a file that exists is complete, and `close` lists all of them in the sidecar.

    The files of an earlier run are removed first.
    """

    def __init__(self, folders: Folders, schema: Schema) -> None:
        self._folders, self._schema = folders, schema
        self._counts: list[dict[str, int]] = [{}, {}]  # of each label: examples by file
        for label, folder in enumerate(folders):
            folder.mkdir(parents=True, exist_ok=True)
            _remove_pages(folder, label)

    def write(self, page: int, examples: ByPattern) -> None:
        """The examples of one page, a file per label and split that has any."""
        for label in LABELS:
            for split in range(len(SPLITS)):
                self._write_file(page, examples, label, split)

    def close(self) -> None:
        """Write the sidecars: only records that one lists are of a finished run."""
        for folder in set(self._folders):
            counts: dict[str, int] = {}
            for label_folder, label_counts in zip(self._folders, self._counts, strict=True):
                if label_folder == folder:
                    counts |= label_counts
            sidecar = asdict(self._schema) | {"counts": counts}
            text = json.dumps(sidecar, ensure_ascii=False, indent=1)
            _write(folder / SIDECAR, [text.encode()])

    def _write_file(self, page: int, examples: ByPattern, label: int, split: int) -> None:
        counts = examples.counts[:, :, split]  # (n, kinds)
        weight = counts[:, label]
        augmented = counts[:, AUGMENTED] if label == NEGATIVE else np.zeros_like(weight)
        rows = np.flatnonzero(weight + augmented)
        if not len(rows):
            return
        labels = np.full(len(rows), label)
        numbers = np.stack([labels, weight[rows], augmented[rows]])
        name = f"{_prefix(label, split)}{page}.tfrecord"
        patterns = examples.patterns.take(rows)
        records = _records(patterns, numbers, self._schema.grid)
        _write(self._folders[label] / name, records)
        self._counts[label][name] = int(numbers[1:].sum())


def read(folders: Folders, schema: Schema) -> ByPattern:
    """All records of the folders, merged: the examples that `Writer` was given, of all pages.

    Raises `DataError` for records of another vocabulary, window or version, or incomplete ones.
    """
    parts = []
    for label, folder in enumerate(folders):
        counts = _listed(folder, schema)
        for split in range(len(SPLITS)):
            parts += _read_split(folder, counts, schema.grid, label, split)
    return merge_patterns(parts)


class _Batch(NamedTuple):
    """Some records of one label and split as flat arrays."""

    days: Ints  # (cells,)
    channels: Ints  # (cells,)
    offsets: Ints  # (records + 1,)
    weight: Ints  # (records,)
    augmented: Ints  # (records,)


def _prefix(label: int, split: int) -> str:
    """What the names of files of a label and split begin with; the page follows."""
    return f"{LABELS[label]}_{SPLITS[split]}page"


def own_files(label: int) -> re.Pattern[str]:
    """The names of the files of a label; a folder may hold those of both, and others."""
    page = rf"{LABELS[label]}_({SPLITS[1]})?page\d+\.tfrecord(\.part)?"
    return re.compile(rf"{page}|{re.escape(SIDECAR)}(\.part)?")


def _remove_pages(folder: Path, label: int) -> None:
    own = own_files(label)
    for path in folder.iterdir():
        if own.fullmatch(path.name):
            path.unlink()


def _listed(folder: Path, schema: Schema) -> dict[str, int]:
    """How many examples each file holds, as the sidecar lists them, by ascending name."""
    path = folder / SIDECAR
    if not path.exists():
        raise DataError(f"{path} is missing: the records there are not of a finished run")
    sidecar = json.loads(path.read_text(encoding="utf-8"))
    for name, wanted in asdict(schema).items():
        value = sidecar.get(name)
        value = tuple(value) if isinstance(value, list) else value
        if value != wanted:
            raise DataError(f"{path}: records were made with {name} {value!r}, wanted {wanted!r}")
    return dict(sorted(sidecar["counts"].items()))


def _read_split(
    folder: Path, counts: dict[str, int], grid: Grid, label: int, split: int
) -> list[ByPattern]:
    """The records of one label and split, a part a batch; `counts` are as the sidecar lists them.

    Raises `DataError` where there are more or fewer examples than listed.
    """
    names = [name for name in counts if name.startswith(_prefix(label, split))]
    paths = [folder / name for name in names]
    parts = [_examples(batch, grid, label, split) for batch in _batches(paths)]
    read_examples = sum(int(part.counts.sum()) for part in parts)
    wanted = sum(counts[name] for name in names)
    if read_examples != wanted:
        raise DataError(
            f"{folder}: records are incomplete: {read_examples} {LABELS[label]} examples, "
            f"wanted {wanted}; run again"
        )
    return parts


def _batches(files: list[Path]) -> Iterator[_Batch]:
    with quiet.imports():
        import tensorflow as tf

    number = tf.io.FixedLenFeature([], tf.int64)
    cell = tf.io.RaggedFeature(tf.int64, row_splits_dtype=tf.int64)
    features = {"days": cell, "channels": cell, "weight": number, "augmented": number}
    for records in in_batches(files, READ_RECORDS):
        parsed = tf.io.parse_example(records, features)
        days, channels = parsed["days"], parsed["channels"]
        yield _Batch(
            days=days.flat_values.numpy(),
            channels=channels.flat_values.numpy(),
            offsets=days.row_splits.numpy(),
            weight=parsed["weight"].numpy(),
            augmented=parsed["augmented"].numpy(),
        )


def _examples(batch: _Batch, grid: Grid, label: int, split: int) -> ByPattern:
    cells = (batch.days * grid.channels + batch.channels).astype(np.int32)
    records = len(batch.weight)
    counts = np.zeros((records, len(KINDS), len(SPLITS)), np.int64)
    counts[:, label, split] = batch.weight
    counts[:, AUGMENTED, split] = batch.augmented
    patterns = of_sorted_cells(batch.offsets, cells, grid)
    return ByPattern(patterns, counts)


def _write(path: Path, chunks: list[bytes]) -> None:
    # A fixed temporary name: the next run removes what a killed one left (see Writer).
    with replacing(path, f"{path.name}.part") as temporary, temporary.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)


def _records(patterns: Patterns, numbers: Ints, grid: Grid) -> list[bytes]:
    """Framed records of `n` patterns and their `(3, n)` numbers, one chunk per size of pattern."""
    chunks = []
    for size in np.unique(patterns.sizes).tolist():
        rows = np.flatnonzero(patterns.sizes == size)
        entries = patterns.entries(rows, size)
        cells = patterns.cells[entries].astype(np.int64)  # (rows, size)
        features = _features(cells, numbers[:, rows], grid)
        chunks.append(framed(_tagged(b"\x0a", features)).tobytes())
    return chunks


def _features(cells: Ints, numbers: Ints, grid: Grid) -> Bytes:
    """The features of patterns of one size, `(rows, size)` cells and `(3, rows)` numbers."""
    days, channels = np.divmod(cells, grid.channels)
    payloads = {b"days": _varints(days, CELL_BYTES), b"channels": _varints(channels, CELL_BYTES)}
    for name, number in zip((b"label", b"weight", b"augmented"), numbers, strict=True):
        payloads[name] = _varints(number[:, None], WEIGHT_BYTES)
    features = [_feature(name, payload) for name, payload in payloads.items()]
    return np.concatenate(features, axis=1)


def _feature(name: bytes, payload: Bytes) -> Bytes:
    """One entry of the map in `tf.train.Features`: a name and a packed int64 list.

    Field numbers, in TensorFlow's `feature.proto`: the map's key 1 and value 2, int64_list of a
    Feature 3, value of an Int64List 1. A tag is the number, shifted by 3, or 2 for a length.
    """
    int64_list = _tagged(b"\x0a", payload)
    feature = _tagged(b"\x1a", int64_list)
    value = _tagged(b"\x12", feature)
    tagged_name = bytes([0x0A, len(name)]) + name
    key = np.frombuffer(tagged_name, np.uint8)
    keys = np.tile(key, (len(payload), 1))
    entry = np.concatenate([keys, value], axis=1)
    return _tagged(b"\x0a", entry)


def _tagged(tag: bytes, payload: Bytes) -> Bytes:
    """A protobuf field of a fixed length in every row: tag, length as a varint, payload."""
    length = payload.shape[1]
    head = bytearray(tag)
    while length > 127:
        head.append(128 | length & 127)
        length >>= 7
    prefix = np.frombuffer(bytes([*head, length]), np.uint8)
    prefixes = np.tile(prefix, (len(payload), 1))
    return np.concatenate([prefixes, payload], axis=1)


def _varints(numbers: Ints, width: int) -> Bytes:
    """Varints padded to `width` bytes, `(n, k)` to `(n, k * width)`.

    Seven bits a byte, the lowest first; the high bit says that more bytes follow. Padding with
    bytes of no bits is legal, and gives all numbers one length.
    """
    shifts = 7 * np.arange(width)
    septets = numbers[:, :, None] >> shifts & 127  # (n, k, width)
    septets[:, :, :-1] |= 128
    return septets.astype(np.uint8).reshape(len(numbers), -1)
