"""A query of the counting that fails: one clear message, the tables of the last run whole."""

from pathlib import Path

import pytest

from td_emulator import Fault
from tests.end_to_end import compare, faults, shop, stages
from tests.end_to_end.conftest import Prepared
from tests.end_to_end.stages import COUNT

pytestmark = pytest.mark.slow
OF_LAST_RUN = [*shop.MADE_BY_PYTHON, "mta_user_rnd"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("job_killed", at=4),
        Fault("job_error", at=7),
        Fault("403", path="/job/issue/", at=9, times=99),
    ],
    ids=["a killed query", "a warehouse that is full", "a privilege that is missing"],
)
def test_a_failing_query_leaves_the_last_run_whole(
    fault: Fault, prepared: Prepared, tmp_path: Path
) -> None:
    start = stages.snapshot(prepared.folder / COUNT, tmp_path / "td")
    before = stages.tables_in(start)
    with stages.emulator(start) as td:
        td.faults.plan(fault)
        ended = stages.run(COUNT, td, tmp_path / "out")
        assert len(ended.messages) == 1
        assert faults.problems_of_message(ended.messages[0]) == []
        left = stages.tables_in(start)
        assert compare.differing_tables(left, before, OF_LAST_RUN) == []
        assert "mta_counts_facts" not in left
        td.faults.clear()
        assert stages.run(COUNT, td, tmp_path / "out").messages == ()
    wanted = stages.tables_in(prepared.folder / stages.PYTHON)
    assert compare.differing_tables(stages.tables_in(start), wanted, wanted) == []
