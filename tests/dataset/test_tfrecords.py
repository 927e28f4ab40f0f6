"""Records written are records read, by TensorFlow's own reader too."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from td_mta.dataset import tfrecords
from td_mta.dataset.tfrecords import Folders, Schema
from td_mta.errors import DataError
from td_mta.journeys import patterns
from td_mta.journeys.examples import ByPattern


def some_examples(schema: Schema, n: int = 50) -> ByPattern:
    rng = np.random.default_rng(n)
    owner = np.repeat(np.arange(n), rng.integers(0, 6, n))
    drawn = patterns.of_cells(owner, rng.integers(0, schema.grid.cells, len(owner)), n, schema.grid)
    sets = patterns.distinct(drawn)[0]
    counts = rng.integers(0, 2, (len(sets.keys), 3, 2)) * rng.integers(1, 2**34, 6).reshape(3, 2)
    counts[0, 0, 0] = 2**34
    some = np.flatnonzero(counts.sum(axis=(1, 2)))
    return ByPattern(sets.take(some), counts[some])


def schema_of(days: int, channels: int) -> Schema:
    return Schema(tuple(f"c{i}" for i in range(channels)), days, "UTC", "touch_days")


def folders_in(path: Path) -> Folders:
    return Folders(path / "negative", path / "positive")


def written(folders: Folders, schema: Schema, *pages: ByPattern) -> Folders:
    writer = tfrecords.Writer(folders, schema)
    for number, page in enumerate(pages):
        writer.write(number, page)
    writer.close()
    return folders


def counted(schema: Schema, cells: dict[tuple[int, ...], tuple[int, ...]]) -> ByPattern:
    """Sets of cells, and of each the counts: negative, held out, positive, held out, augmented."""
    owner = [i for i, each in enumerate(cells) for _ in each]
    flat = np.array([cell for each in cells for cell in each], np.int64)
    sets = patterns.of_cells(np.array(owner, np.int64), flat, len(cells), schema.grid)
    counts = np.array([*cells.values()], np.int64).reshape(len(cells), 3, 2)
    return ByPattern(sets, counts)


def counts_by_cells(examples: ByPattern) -> dict[tuple[int, ...], tuple[int, ...]]:
    bounds = zip(examples.patterns.offsets[:-1], examples.patterns.offsets[1:], strict=True)
    sets = [tuple(examples.patterns.cells[first:last].tolist()) for first, last in bounds]
    assert len(set(sets)) == len(sets)
    return dict(zip(sets, [tuple(each.ravel().tolist()) for each in examples.counts], strict=True))


GRIDS = [(1, 1), (3, 4), (8, 8), (5, 13), (14, 100), (2, 1000), (400, 2)]


@st.composite
def pages(draw: st.DrawFn) -> tuple[Schema, list[dict[tuple[int, ...], tuple[int, ...]]]]:
    days, channels = draw(st.sampled_from(GRIDS))
    cell = st.sets(st.integers(0, days * channels - 1), max_size=70).map(sorted).map(tuple)
    count = st.sampled_from([0, 1, 127, 128, 2**34])
    counts = st.tuples(*[count] * 6).filter(any)
    some = st.dictionaries(cell, counts, min_size=1, max_size=4)
    return schema_of(days, channels), draw(st.lists(some, min_size=1, max_size=3))


@settings(max_examples=10, deadline=None)
@given(pages())
@example((schema_of(8, 8), [{(): (1, 0, 0, 0, 0, 0), (*range(64),): (0, 0, 0, 1, 2, 0)}]))
def test_what_was_written_is_read(
    given: tuple[Schema, list[dict[tuple[int, ...], tuple[int, ...]]]],
) -> None:
    schema, sets = given
    expected: dict[tuple[int, ...], tuple[int, ...]] = {}
    for cells, counts in (each for page in sets for each in page.items()):
        before = expected.get(cells, (0,) * 6)
        expected[cells] = tuple(a + b for a, b in zip(before, counts, strict=True))
    with tempfile.TemporaryDirectory() as path:
        folders = folders_in(Path(path))
        written(folders, schema, *[counted(schema, page) for page in sets])
        assert counts_by_cells(tfrecords.read(folders, schema)) == expected


def test_many_records_of_both_labels_may_lie_in_one_folder(tmp_path: Path) -> None:
    schema = schema_of(3, 8)
    examples = some_examples(schema, 3000)
    folders = written(Folders(tmp_path, tmp_path), schema, examples, examples)
    assert counts_by_cells(tfrecords.read(folders, schema)) == {
        cells: tuple(2 * count for count in counts)
        for cells, counts in counts_by_cells(examples).items()
    }


def test_tensorflow_reads_each_record_as_an_example(tmp_path: Path) -> None:
    import tensorflow as tf

    schema = schema_of(2, 3)
    sets = patterns.of_cells(np.array([0, 0]), np.array([1, 5]), 1, schema.grid)
    counts = np.zeros((1, 3, 2), np.int64)
    counts[0, 1, 0] = 7
    folders = written(folders_in(tmp_path), schema, ByPattern(sets, counts))
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


@pytest.mark.parametrize(("days", "channels"), [(1, 1), (14, 100)])
def test_files_are_framed_and_summed_as_tensorflow_does(
    tmp_path: Path, days: int, channels: int
) -> None:
    import tensorflow as tf

    schema = schema_of(days, channels)
    folders = written(folders_in(tmp_path), schema, some_examples(schema))
    for path in sorted(tmp_path.glob("*/*.tfrecord")):
        with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as theirs:
            for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
                theirs.write(record)
        assert path.read_bytes() == (tmp_path / "theirs").read_bytes()
    assert (folders.positive / "positive_page0.tfrecord").exists()


@pytest.mark.parametrize("at", [0, 9, 14, -1], ids=["length", "its sum", "data", "their sum"])
def test_a_flipped_bit_is_found_by_tensorflow_and_by_us(tmp_path: Path, at: int) -> None:
    import tensorflow as tf

    schema = schema_of(3, 4)
    folders = written(folders_in(tmp_path), schema, counted(schema, {(1, 5): (0, 0, 7, 0, 0, 0)}))
    path = folders.positive / "positive_page0.tfrecord"
    damaged = bytearray(path.read_bytes())
    damaged[at] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(tf.errors.DataLossError):
        list(tf.data.TFRecordDataset(str(path)))
    with pytest.raises(DataError, match="positive: records are incomplete"):
        tfrecords.read(folders, schema)


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes() * 2),
    ],
    ids=["gone", "empty", "cut", "twice"],
)
def test_a_page_that_is_missing_or_cut_is_an_error(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    schema = schema_of(3, 4)
    folders = written(folders_in(tmp_path), schema, some_examples(schema))
    damage(folders.negative / "negative_page0.tfrecord")
    with pytest.raises(DataError, match="negative: records are incomplete"):
        tfrecords.read(folders, schema)


def test_held_out_examples_lie_in_files_of_their_own(tmp_path: Path) -> None:
    schema = schema_of(3, 4)
    both, held, augmented = (3, 2, 0, 0, 0, 0), (0, 0, 0, 5, 0, 0), (0, 0, 0, 0, 0, 4)
    sets = {(1,): both, (2, 7): held, (): augmented}
    folders = written(folders_in(tmp_path), schema, counted(schema, sets))
    files = [path.name for folder in folders for path in folder.glob("*.tfrecord")]
    assert sorted(files) == [
        "negative_page0.tfrecord",
        "negative_validation_page0.tfrecord",
        "positive_validation_page0.tfrecord",
    ]
    counts = [json.loads((each / "records.json").read_text())["counts"] for each in folders]
    assert counts == [
        {"negative_page0.tfrecord": 3, "negative_validation_page0.tfrecord": 2 + 4},
        {"positive_validation_page0.tfrecord": 5},
    ]
    assert counts_by_cells(tfrecords.read(folders, schema)) == sets


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
    folders = written(folders_in(tmp_path), schema, *[some_examples(schema)] * 12)
    mine = ["notes.txt", "negative_homepage.tfrecord", "negative_page1.tfrecord.bak"]
    left = ["negative_page3.tfrecord.part", "negative_validation_page12.tfrecord"]
    for name in [*mine, *left]:
        (folders.negative / name).write_text("mine")
    written(folders, schema, some_examples(schema))
    assert sorted(path.name for path in folders.negative.iterdir()) == sorted(
        [*mine, "negative_page0.tfrecord", "negative_validation_page0.tfrecord", "records.json"]
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lookback_window_days": 4}, "with lookback_window_days 3, wanted 4"),
        ({"channels": ("c0", "c1", "c2", "é")}, r"with channels \('c0', .*, wanted .*'é'\)"),
        (
            {"channels": ("c1", "c0", "c2", "c3")},
            r"with channels .*, wanted \('c1', 'c0', 'c2', 'c3'\)",
        ),
        ({"version": 0}, "with version 1, wanted 0"),
        ({"day_timezone": "Asia/Tokyo"}, "with day_timezone 'UTC', wanted 'Asia/Tokyo'"),
        ({"examples": "person_days"}, "with examples 'touch_days', wanted 'person_days'"),
    ],
    ids=["window", "vocabulary", "its order", "version", "time zone", "examples"],
)
def test_records_of_another_schema_are_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    schema = schema_of(3, 4)
    folders = written(folders_in(tmp_path), schema, some_examples(schema))
    with pytest.raises(DataError, match=f"records.json: records were made {message}"):
        tfrecords.read(folders, replace(schema, **changes))


def test_records_of_a_version_with_other_fields_are_refused(tmp_path: Path) -> None:
    schema = schema_of(3, 4)
    folders = written(folders_in(tmp_path), schema, some_examples(schema))
    (folders.negative / "records.json").write_text('{"version": 99}')
    with pytest.raises(DataError, match="records were made with channels None"):
        tfrecords.read(folders, schema)


def test_records_of_an_unfinished_run_are_refused(tmp_path: Path) -> None:
    schema = schema_of(3, 4)
    writer = tfrecords.Writer(folders_in(tmp_path), schema)
    writer.write(0, some_examples(schema))
    with pytest.raises(DataError, match="not of a finished run"):
        tfrecords.read(folders_in(tmp_path), schema)
