"""The same seed, the same tables: what is equal to the byte, and what to how many digits."""

import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from td_mta import main
from tests.end_to_end import kills, runs

pytestmark = pytest.mark.slow
SETTINGS = {
    "conversion_row_is_touch": "false",
    "network": "lstm",
    "model_width": "8",
    "train_epochs": "1",
    "interval_draws": "50",
}
DIGITS = 1e-5  # relative, of other threads
TABLES = ("metrics", *(f"shapley{part}" for part in ("", "_channel", "_detail", "_models")))
TABLES += ("shapley_intervals", "shapley_report")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table and the tables that a run makes of it."""
    folder = tmp_path_factory.mktemp("same_seed")
    (folder / "touches.csv").write_bytes(kills.touches(folder / "world", 1))
    assert main.main(command(folder / "touches.csv", folder / "first")) == 0
    return folder


def command(table: Path, out: Path, **more: str) -> list[str]:
    return [str(table), "--out", str(out), *runs.sets(SETTINGS | more)]


def contents(out: Path) -> dict[str, bytes]:
    return {name: (out / f"{name}.csv").read_bytes() for name in TABLES}


def in_process(options: Sequence[str], **variables: str) -> int:
    words = [sys.executable, "-m", "td_mta.main", *options]
    return subprocess.run(words, cwd=runs.ROOT, env=runs.environment(**variables)).returncode


def test_other_pages_give_the_same_bytes(shop: Path) -> None:
    options = command(shop / "touches.csv", shop / "pages", users_per_tfrecord="40")
    assert main.main(options) == 0
    assert contents(shop / "pages") == contents(shop / "first")


def test_another_order_of_rows_gives_the_same_bytes(shop: Path) -> None:
    header, *rows = (shop / "touches.csv").read_text().splitlines()
    random.Random(1).shuffle(rows)
    (shop / "shuffled.csv").write_text("\n".join([header, *rows, ""]))
    assert main.main(command(shop / "shuffled.csv", shop / "order")) == 0
    assert contents(shop / "order") == contents(shop / "first")


def test_another_hash_seed_gives_the_same_bytes(shop: Path) -> None:
    assert in_process(command(shop / "touches.csv", shop / "hash"), PYTHONHASHSEED="7") == 0
    assert contents(shop / "hash") == contents(shop / "first")


def test_another_number_of_threads_gives_the_same_digits(shop: Path) -> None:
    options = command(shop / "touches.csv", shop / "threads")
    threads = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
    assert in_process(options, OPENBLAS_NUM_THREADS="1", **threads) == 0
    for name in TABLES:
        one, other = (pd.read_csv(shop / of / f"{name}.csv") for of in ("first", "threads"))
        for column in one.select_dtypes("number"):
            near = np.isclose(one[column], other[column], DIGITS, 1e-9, equal_nan=True)
            assert near.all(), f"{name}, {column}"
