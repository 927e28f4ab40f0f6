"""The whole workflow on Treasure Data's protocols, through pytd, beside the run on local files.

The emulator runs the SQL with the project's own engine here; tests/trino has the real Trino.
"""

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from td_emulator import API_KEY, EmbeddedEngine
from tests.end_to_end import compare, secret, shop
from tests.end_to_end.both import Both, run_both

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    folder = tmp_path_factory.mktemp("whole_run")
    return run_both(folder, EmbeddedEngine(folder / "td"))


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """The same run where the SQL counts."""
    folder = tmp_path_factory.mktemp("counted")
    return run_both(folder, EmbeddedEngine(folder / "td"), count_in="warehouse")


@pytest.mark.parametrize("table", shop.OUTPUTS)
def test_a_table_is_that_of_the_local_run(table: str, both: Both) -> None:
    assert both.td[table].num_rows > 0
    assert compare.differing_tables(both.td, both.local, [table]) == []


def test_only_the_tables_that_users_read_are_left(both: Both) -> None:
    assert sorted(both.td) == sorted([*shop.OUTPUTS, *shop.tables(users=20)])


@pytest.mark.parametrize("table", sorted({*shop.OUTPUTS} - {"shapley_run_info"}))
def test_a_table_is_the_same_where_the_warehouse_counts(
    table: str, both: Both, counted: Both
) -> None:
    assert compare.differing_tables(counted.td, both.local, [table]) == []
    assert exact(counted.local[table]).equals(exact(both.local[table]))


def exact(table: pa.Table) -> pa.Table:
    """Without the sums of time_decay, whose shares are added up in another order."""
    if "model" not in table.column_names:
        return table
    return table.filter(pc.not_equal(table["model"], "time_decay"))


def test_a_run_says_the_same_of_its_rows_where_the_warehouse_counts(
    both: Both, counted: Both
) -> None:
    said, wanted = (
        {
            (row["section"], row["name"]): row["value"]
            for row in tables["shapley_run_info"].to_pylist()
            if row["section"] not in ("parameters", "counting", "seconds")
        }
        for tables in (counted.local, both.local)
    )
    assert said == wanted
    where = {
        row["value"]
        for row in counted.td["shapley_run_info"].to_pylist()
        if row["name"] == "counted_in"
    }
    assert where == {"warehouse"}


def test_no_table_of_counts_is_left(both: Both, counted: Both) -> None:
    assert sorted(counted.td) == sorted(both.td)
    assert sorted(counted.local) == sorted(both.local)


def test_ids_that_look_like_numbers_stay_text(both: Both) -> None:
    ids = both.td["mta_user_rnd"]["canonical_id"]
    assert pa.types.is_string(ids.type)
    given = shop.tables()
    pages = ("enriched_pageviews", "enriched_formfills")
    wanted = {user for page in pages for user in given[page]["canonical_id"].to_pylist()}
    assert set(ids.to_pylist()) == wanted
    assert all(user.isdigit() and user.startswith("0") for user in wanted)


def test_the_key_is_in_no_log_file_or_table(both: Both) -> None:
    assert secret.files_with(both.folder, API_KEY) == []
