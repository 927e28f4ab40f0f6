"""The whole workflow on Treasure Data's protocols, through pytd, beside the run on local files.

The emulator runs the SQL with the project's own engine here; tests/trino has the real Trino.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from td_emulator import API_KEY, EmbeddedEngine, Emulator

from . import compare, runs, secret, shop


@dataclass(frozen=True, kw_only=True)
class Both:
    """The tables of both runs, and the folder with all their files."""

    local: dict[str, pa.Table]
    td: dict[str, pa.Table]
    folder: Path


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("whole_run")
    made = shop.tables()
    shop.write(folder / "data", made)
    local = runs.locally(folder / "local", shop.SETTINGS, folder / "data")
    with Emulator(EmbeddedEngine(folder / "td"), poll_again=0) as td:
        runs.fill(td, made)
        ended = runs.on_treasure_data(folder / "on_td", shop.SETTINGS, td)
        assert ended.code == 0, ended.log
        yield Both(local=local, td=runs.tables_in(td), folder=folder)


@pytest.mark.parametrize("table", shop.OUTPUTS)
def test_a_table_is_that_of_the_local_run(table: str, both: Both) -> None:
    assert both.td[table].num_rows > 0
    assert compare.differing_tables(both.td, both.local, [table]) == []


def test_only_the_tables_that_users_read_are_left(both: Both) -> None:
    assert sorted(both.td) == sorted([*shop.OUTPUTS, *shop.tables(users=20)])


def test_ids_that_look_like_numbers_stay_text(both: Both) -> None:
    ids = both.td["mta_user_rnd"]["canonical_id"]
    assert pa.types.is_string(ids.type)
    assert set(ids.to_pylist()) == {f"{user:06d}" for user in range(shop.USERS)}


def test_the_key_is_in_no_log_file_or_table(both: Both) -> None:
    assert secret.places(both.folder, API_KEY) == []
