"""Records written are records read, by TensorFlow's own reader too."""

from pathlib import Path

import numpy as np
import pytest

from td_mta import tfrecords
from td_mta.errors import DataError
from td_mta.journeys import patterns
from td_mta.journeys.examples import Examples
from td_mta.tfrecords import Folders, Schema


def some_examples(schema: Schema, n: int = 50) -> Examples:
    rng = np.random.default_rng(n)
    owner = np.repeat(np.arange(n), rng.integers(0, 6, n))
    drawn = patterns.of_cells(owner, rng.integers(0, schema.grid.cells, len(owner)), n, schema.grid)
    sets = patterns.distinct(drawn)[0]
    counts = rng.integers(0, 2, (len(sets.keys), 3, 2)) * rng.integers(1, 2**34, 6).reshape(3, 2)
    counts[0, 0, 0] = 2**34
    some = np.flatnonzero(counts.sum(axis=(1, 2)))
    return Examples(sets.take(some), counts[some])


def schema_of(days: int, channels: int) -> Schema:
    return Schema(tuple(f"c{i}" for i in range(channels)), days, "UTC", "touch_days")


def folders_in(path: Path) -> Folders:
    return Folders(path / "negative", path / "positive")


def written(folders: Folders, schema: Schema, *pages: Examples) -> Folders:
    writer = tfrecords.Writer(folders, schema)
    for number, page in enumerate(pages):
        writer.write(number, page)
    writer.close()
    return folders


@pytest.mark.parametrize(("days", "channels"), [(1, 1), (3, 8), (14, 100), (2, 1000)])
def test_what_was_written_is_read(tmp_path: Path, days: int, channels: int) -> None:
    schema = schema_of(days, channels)
    examples = some_examples(schema)
    found = tfrecords.read(written(folders_in(tmp_path), schema, examples, examples), schema)
    assert found.patterns.cells.tolist() == examples.patterns.cells.tolist()
    assert found.counts.tolist() == (2 * examples.counts).tolist()


def test_tensorflow_reads_each_record_as_an_example(tmp_path: Path) -> None:
    import tensorflow as tf

    schema = schema_of(2, 3)
    sets = patterns.of_cells(np.array([0, 0]), np.array([1, 5]), 1, schema.grid)
    counts = np.zeros((1, 3, 2), np.int64)
    counts[0, 1, 0] = 7
    folders = written(folders_in(tmp_path), schema, Examples(sets, counts))
    path = folders.positive / "positive_page0.tfrecord"
    (record,) = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    feature = tf.train.Example.FromString(record).features.feature
    values = {name: list(each.int64_list.value) for name, each in feature.items()}
    assert values == {
        "days": [0, 1],
        "channels": [1, 2],
        "label": [1],
        "weight": [7],
        "augmented": [0],
    }


def test_files_bear_page_label_and_split_and_none_is_half_written(tmp_path: Path) -> None:
    schema = schema_of(3, 4)
    folders = written(folders_in(tmp_path), schema, some_examples(schema))
    assert sorted(path.name for path in folders.positive.iterdir()) == [
        "positive_page0.tfrecord",
        "positive_validation_page0.tfrecord",
        "records.json",
    ]


def test_a_new_run_removes_its_own_old_pages_only(tmp_path: Path) -> None:
    schema = schema_of(3, 4)
    folders = written(folders_in(tmp_path), schema, some_examples(schema), some_examples(schema))
    (folders.negative / "notes.txt").write_text("mine")
    written(folders, schema, some_examples(schema))
    names = {path.name for path in folders.negative.iterdir()}
    assert "negative_page1.tfrecord" not in names
    assert "notes.txt" in names


@pytest.mark.parametrize("other", [schema_of(4, 4), schema_of(3, 5)], ids=["window", "channels"])
def test_records_of_another_schema_are_refused(tmp_path: Path, other: Schema) -> None:
    schema = schema_of(3, 4)
    folders = written(folders_in(tmp_path), schema, some_examples(schema))
    with pytest.raises(DataError, match="records were made with"):
        tfrecords.read(folders, other)


def test_records_of_an_unfinished_run_are_refused(tmp_path: Path) -> None:
    schema = schema_of(3, 4)
    writer = tfrecords.Writer(folders_in(tmp_path), schema)
    writer.write(0, some_examples(schema))
    with pytest.raises(DataError, match="not of a finished run"):
        tfrecords.read(folders_in(tmp_path), schema)
