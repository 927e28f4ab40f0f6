"""The whole workflow through pytd, with the SQL done by the real Trino, beside the local run."""

import pytest

from td_emulator import API_KEY
from td_emulator.engines.real_trino import TrinoEngine
from tests.end_to_end import compare, secret, shop
from tests.end_to_end.both import Both, run_both

RUN_INFO = "shapley_run_info"


@pytest.fixture(scope="module", params=["python", "warehouse"])
def both(
    request: pytest.FixtureRequest, engine: TrinoEngine, tmp_path_factory: pytest.TempPathFactory
) -> Both:
    """Locally Python counts; on Treasure Data once Python, and once the queries of counting."""
    folder = tmp_path_factory.mktemp("on_trino")
    return run_both(folder, engine, {"count_in": request.param}, in_db="shop", count_in="python")


@pytest.mark.parametrize("table", shop.OUTPUTS)
def test_a_table_is_that_of_the_local_run(table: str, both: Both) -> None:
    assert both.td[table].num_rows > 0
    if table == RUN_INFO and counted_in(both) == "warehouse":
        assert compare.differing_tables(both.td, both.local, [table]) != []
    else:
        assert compare.differing_tables(both.td, both.local, [table]) == []


def counted_in(both: Both) -> str:
    rows = both.td[RUN_INFO].to_pylist()
    (told,) = (row["value"] for row in rows if row["name"] == "counted_in")
    return str(told)


def test_only_the_tables_that_users_read_are_left(both: Both) -> None:
    assert sorted(both.td) == sorted([*shop.OUTPUTS, *shop.tables(users=20)])


def test_the_key_is_in_no_log_file_or_table(both: Both) -> None:
    assert secret.files_with(both.folder, API_KEY) == []
    found = [name for name, table in both.td.items() if API_KEY[2:] in str(table.to_pydict())]
    assert found == []
