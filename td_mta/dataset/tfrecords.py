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
import numpy.typing as npt

from td_mta.atomic_files import replacing
from td_mta.dataset.record_format import framed, in_batches
from td_mta.errors import DataError
from td_mta.journeys import patterns
from td_mta.journeys.examples import AUGMENTED, NEGATIVE, POSITIVE, Examples, merge
from td_mta.journeys.patterns import Grid
from td_mta.journeys.touchpoints import Ints

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

Bytes = npt.NDArray[np.uint8]

VERSION = 1
SIDECAR = "records.json"
LABELS = {NEGATIVE: "negative", POSITIVE: "positive"}
SPLITS = ("", "validation_")  # as `held_out` counts: training 0, held out 1
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
        return Grid(self.lookback_window_days, len(self.channels))


class Folders(NamedTuple):
    """Where the records of each label lie; both may be one folder."""

    negative: Path
    positive: Path


class Writer:
    """Writes pages; a file that is there is whole, and `close` vouches for all of them."""

    def __init__(self, folders: Folders, schema: Schema) -> None:
        self._folders, self._schema = folders, schema
        self._counts: list[dict[str, int]] = [{}, {}]
        for label, folder in enumerate(folders):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / SIDECAR).unlink(missing_ok=True)
            own = re.compile(rf"{LABELS[label]}_({SPLITS[1]})?page\d+\.tfrecord(\.part)?")
            for old in folder.iterdir():
                if own.fullmatch(old.name):
                    old.unlink()

    def write(self, page: int, examples: Examples) -> None:
        """The examples of one page, a file per label and split that has any."""
        for label, folder in enumerate(self._folders):
            for held_out, split in enumerate(SPLITS):
                weight = examples.counts[:, label, held_out]
                augmented = examples.counts[:, AUGMENTED, held_out] * (label == NEGATIVE)
                some = np.flatnonzero(weight + augmented)
                if len(some):
                    name = f"{LABELS[label]}_{split}page{page}.tfrecord"
                    sets = examples.patterns.take(some)
                    numbers = np.stack([np.full(len(some), label), weight[some], augmented[some]])
                    _replace(folder / name, _records(sets, numbers, self._schema.grid))
                    self._counts[label][name] = int(numbers[1:].sum())

    def close(self) -> None:
        for folder in set(self._folders):
            counts: dict[str, int] = {}
            for of_label, each in zip(self._folders, self._counts, strict=True):
                counts |= each if of_label == folder else {}
            sidecar = asdict(self._schema) | {"counts": counts}
            text = json.dumps(sidecar, ensure_ascii=False, indent=1)
            _replace(folder / SIDECAR, [text.encode()])


def read(folders: Folders, schema: Schema) -> Examples:
    """All records of the folders, merged: one pattern once.

    Raises `DataError` for records of another vocabulary, window or version, or not whole.
    """
    parts = []
    for label, folder in enumerate(folders):
        counts = _vouched(folder, schema)
        for held_out, split in enumerate(SPLITS):
            names = [name for name in counts if name.startswith(f"{LABELS[label]}_{split}page")]
            batches = _batches([folder / name for name in names])
            found = [_examples(each, schema.grid, label, held_out) for each in batches]
            there, wanted = _total(found), sum(counts[name] for name in names)
            if there != wanted:
                raise DataError(
                    f"{folder}: records are not whole: {there} {LABELS[label]} examples, "
                    f"wanted {wanted}; run again"
                )
            parts += found
    return merge(parts)


def _total(parts: list[Examples]) -> int:
    return sum(int(part.counts.sum()) for part in parts)


def _vouched(folder: Path, schema: Schema) -> dict[str, int]:
    """How many examples each file holds."""
    path = folder / SIDECAR
    if not path.exists():
        raise DataError(f"{path} is missing: the records there are not of a finished run")
    found = json.loads(path.read_text(encoding="utf-8"))
    for name, wanted in asdict(schema).items():
        got = found.get(name)
        got = tuple(got) if isinstance(got, list) else got
        if got != wanted:
            raise DataError(f"{path}: records were made with {name} {got!r}, wanted {wanted!r}")
    return dict(sorted(found["counts"].items()))


def _batches(files: list[Path]) -> Iterator[list[Ints]]:
    """Days, channels, where each record's cells begin, weight, augmented: flat arrays a batch."""
    import tensorflow as tf

    number = tf.io.FixedLenFeature([], tf.int64)
    cell = tf.io.RaggedFeature(tf.int64, row_splits_dtype=tf.int64)
    features = {"days": cell, "channels": cell, "weight": number, "augmented": number}
    for records in in_batches(files, READ_RECORDS):
        found = tf.io.parse_example(records, features)
        days, channels = found["days"], found["channels"].flat_values
        numbers = [days.row_splits, found["weight"], found["augmented"]]
        yield [each.numpy() for each in (days.flat_values, channels, *numbers)]


def _examples(flat: list[Ints], grid: Grid, label: int, held_out: int) -> Examples:
    days, channels, offsets, weight, augmented = flat
    cells = (days * grid.channels + channels).astype(np.int32)
    counts = np.zeros((len(weight), 3, 2), np.int64)
    counts[:, label, held_out] = weight
    counts[:, AUGMENTED, held_out] = augmented
    return Examples(patterns.of_sorted_cells(offsets, cells, grid), counts)


def _replace(path: Path, chunks: list[bytes]) -> None:
    # a fixed temporary name: the next run removes what a killed one left (see Writer)
    with replacing(path, f"{path.name}.part") as temporary, temporary.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)


def _records(sets: patterns.Patterns, numbers: Ints, grid: Grid) -> list[bytes]:
    """Framed records of sets and their `(3, n)` numbers, one chunk per size of set."""
    chunks = []
    for size in np.unique(sets.sizes):
        rows = np.flatnonzero(sets.sizes == size)
        cells = sets.cells[sets.offsets[rows, None] + np.arange(size)].astype(np.int64)
        days, channels = np.divmod(cells, grid.channels)
        fields = [_varints(days, CELL_BYTES), _varints(channels, CELL_BYTES)]
        fields += [_varints(each[rows, None], WEIGHT_BYTES) for each in numbers]
        names = (b"days", b"channels", b"label", b"weight", b"augmented")
        parts = [_feature(name, part) for name, part in zip(names, fields, strict=True)]
        chunks.append(framed(_tagged(b"\x0a", np.concatenate(parts, axis=1))).tobytes())
    return chunks


def _feature(name: bytes, payload: Bytes) -> Bytes:
    """One entry of the map in `tf.train.Features`: a name and a packed int64 list."""
    value = _tagged(b"\x12", _tagged(b"\x1a", _tagged(b"\x0a", payload)))
    key = np.frombuffer(b"\x0a" + bytes([len(name)]) + name, np.uint8)
    return _tagged(b"\x0a", np.concatenate([np.tile(key, (len(payload), 1)), value], axis=1))


def _tagged(tag: bytes, payload: Bytes) -> Bytes:
    """A protobuf field of a fixed length in every row."""
    length, head = payload.shape[1], bytearray(tag)
    while length > 127:
        head.append(128 | length & 127)
        length >>= 7
    prefix = np.frombuffer(bytes([*head, length]), np.uint8)
    return np.concatenate([np.tile(prefix, (len(payload), 1)), payload], axis=1)


def _varints(numbers: Ints, width: int) -> Bytes:
    """Varints padded to `width` bytes, `(n, k)` to `(n, k * width)`."""
    bytes_ = numbers[:, :, None] >> (7 * np.arange(width)) & 127
    bytes_[:, :, :-1] |= 128
    return bytes_.astype(np.uint8).reshape(len(numbers), -1)
