"""A sample of `make test-kill`: a run that needs no model, killed at every rename, and twice."""

import pytest

from tests.end_to_end import kills

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> kills.Local:
    return kills.Local(tmp_path_factory.mktemp("kills") / "local", kills.paths(), kills.PATHS)


def test_after_a_kill_at_any_rename_all_is_of_one_run(local: kills.Local) -> None:
    found = dict(kills.at_every_rename(local))
    assert {kill: problems for kill, problems in found.items() if problems} == {}
    assert len(found) > 3  # the report, two tables and the marker


def test_after_a_kill_at_some_moments_all_is_of_one_run(local: kills.Local) -> None:
    assert [local.moment(share) for share in (0.7, 0.95)] == [[], []]
