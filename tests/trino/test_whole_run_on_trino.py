"""The whole workflow through pytd, with the SQL done by the real Trino, beside the local run."""

import pytest

from td_emulator import API_KEY
from td_emulator.engines.real_trino import TrinoEngine
from tests.end_to_end import compare, secret, shop
from tests.end_to_end.both import Both, run_both


@pytest.fixture(scope="module")
def both(engine: TrinoEngine, tmp_path_factory: pytest.TempPathFactory) -> Both:
    return run_both(tmp_path_factory.mktemp("on_trino"), engine, in_db="shop")


@pytest.mark.parametrize("table", shop.OUTPUTS)
def test_a_table_is_that_of_the_local_run(table: str, both: Both) -> None:
    assert both.td[table].num_rows > 0
    assert compare.differing_tables(both.td, both.local, [table]) == []


def test_only_the_tables_that_users_read_are_left(both: Both) -> None:
    assert sorted(both.td) == sorted([*shop.OUTPUTS, *shop.tables(users=20)])


def test_the_key_is_in_no_log_file_or_table(both: Both) -> None:
    assert secret.files_with(both.folder, API_KEY) == []
    found = [name for name, table in both.td.items() if API_KEY[2:] in str(table.to_pydict())]
    assert found == []
