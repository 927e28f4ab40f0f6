"""`python -m benchmarks.tfrecords [--patterns N]`: patterns a second, written and read.

Random patterns of 14 days and eight channels go to the files of a run and come back.

Expect 10 seconds and 0.8 GiB with the defaults.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from td_mta.dataset import tfrecords
from td_mta.journeys import patterns
from td_mta.journeys.examples import ByPattern
from td_mta.journeys.patterns import Grid

PAGES = 10


def main() -> None:
    """Print both speeds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tfrecords", description=__doc__)
    parser.add_argument("--patterns", type=int, default=600_000)
    wanted = parser.parse_args().patterns
    schema = tfrecords.Schema(tuple(f"c{i}" for i in range(8)), 14, "UTC", "touch_days")
    examples = _random_examples(wanted, schema.grid)
    n = len(examples.counts)
    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as folder:
        folders = tfrecords.Folders(Path(folder) / "negative", Path(folder) / "positive")
        written = _seconds(lambda: _write(folders, schema, examples))
        _write(folders, schema, _random_examples(1000, schema.grid))
        tfrecords.read(folders, schema)  # TensorFlow's import is not what is measured
        _write(folders, schema, examples)
        read = _seconds(lambda: tfrecords.read(folders, schema))
    print(f"written {n / written:,.0f} patterns a second, read {n / read:,.0f} ({n} patterns)")


def _write(folders: tfrecords.Folders, schema: tfrecords.Schema, examples: ByPattern) -> None:
    writer = tfrecords.Writer(folders, schema)
    for page, rows in enumerate(np.array_split(np.arange(len(examples.counts)), PAGES)):
        page_patterns = examples.patterns.take(rows)
        writer.write(page, ByPattern(page_patterns, examples.counts[rows]))
    writer.close()


def _random_examples(n: int, grid: Grid) -> ByPattern:
    """At most `n` distinct patterns of one to seven cells, each with negative examples."""
    rng = np.random.default_rng(18)
    pattern = np.repeat(np.arange(n), rng.integers(1, 8, n))
    cell = rng.integers(0, grid.cells, len(pattern))
    distinct = patterns.distinct(patterns.of_cells(pattern, cell, n, grid))[0]
    counts = np.zeros((len(distinct.keys), 3, 2), np.int64)
    counts[:, 0, 0] = rng.integers(1, 1000, len(counts))
    return ByPattern(distinct, counts)


def _seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


if __name__ == "__main__":
    main()
