"""A sample of `make test-kill`: a run that needs no model, killed at every rename."""

from pathlib import Path

import pytest

from tests.end_to_end import kills

pytestmark = pytest.mark.slow


def test_after_a_kill_at_any_rename_all_is_of_one_run(tmp_path: Path) -> None:
    local = kills.Local(tmp_path / "local", kills.paths(), kills.PATHS)
    found = dict(kills.at_every_rename(local))
    assert {kill: problems for kill, problems in found.items() if problems} == {}
    assert len(found) > 3  # the report, two tables and the marker


def test_after_a_kill_at_some_moments_all_is_of_one_run(tmp_path: Path) -> None:
    local = kills.Local(tmp_path / "local", kills.paths(), kills.PATHS)
    assert [local.moment(share) for share in (0.5, 0.8, 0.95)] == [[], [], []]
