"""The harness of `make test-digdag`, with a fake Digdag: it accepts correct runs and no others."""

import dataclasses
import sys
import tarfile
from pathlib import Path

import pytest

from local_runner.archive import archived
from tests.end_to_end import real_digdag, runs
from tests.end_to_end.real_digdag import RunRecord
from tests.end_to_end.test_compare import RUN, TABLE, Asked

pytestmark = pytest.mark.slow
FAKE = Path(__file__).with_name("fake_digdag.py")


def test_without_digdag_the_error_names_the_variable_to_set(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        real_digdag.command({}, Path())
    assert ended.value.code == 2
    assert "DIGDAG is not set" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [("no-such-digdag", "no command no-such-digdag"), ("sh none.jar", "no file none.jar")],
)
def test_a_missing_command_is_named(
    words: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        real_digdag.command({"DIGDAG": words}, Path())
    assert says in capsys.readouterr().err


def test_files_of_the_command_become_absolute(tmp_path: Path) -> None:
    (tmp_path / "digdag.jar").touch()
    command = real_digdag.command({"DIGDAG": "sh -e digdag.jar"}, tmp_path)
    assert command == ["sh", "-e", str(tmp_path / "digdag.jar")]


def test_the_whole_harness_accepts_the_fake(tmp_path: Path) -> None:
    reports = []
    words = [sys.executable, str(FAKE)]
    of_shop, _, of_media = real_digdag.cases()
    real_digdag.check_all(
        words,
        tmp_path,
        lambda part, problems: reports.append((part, problems)),
        [of_shop, of_media],
    )
    assert [problems for _, problems in reports if problems] == []
    assert len(reports) == 11


def test_an_archive_that_lacks_or_adds_a_file_is_wrong(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as packed:
        for path in archived(runs.ROOT):
            if path.name != "mta.dig":
                packed.add(runs.ROOT / path, path.as_posix())
        packed.add(runs.ROOT / "Makefile", "Makefile")
    problems = real_digdag.problems_of_archive(tmp_path / "a.tar.gz", runs.ROOT)
    assert [line.split()[0] for line in problems] == ["Makefile", "mta.dig"]


def test_a_check_that_does_not_know_a_workflow_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "mta.dig").write_text("timezone: UTC\n")
    ended = runs.Ended(code=0, log="  Definitions (1 workflows):\n    other (3 tasks)\n")
    assert "mta" in real_digdag.problems_of_check(ended, tmp_path)[0]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (RunRecord(requests=tuple(RUN[1:]), tables={"t": TABLE}), "request -POST"),
        (
            RunRecord(requests=(*RUN, Asked("GET", "/v3/job/result/17", {})), tables={"t": TABLE}),
            "+GET",
        ),
        (RunRecord(requests=tuple(RUN), tables={"t": TABLE.slice(1)}), "table t: "),
        (RunRecord(requests=tuple(RUN), tables={}), "table t: not among"),
    ],
    ids=["a request less", "a request more", "a row less", "no table"],
)
def test_another_request_or_table_is_wrong(changed: RunRecord, says: str) -> None:
    same = RunRecord(requests=tuple(RUN), tables={"t": TABLE})
    assert [line for line in real_digdag.differences(same, changed) if says in line]


def test_equal_runs_are_right() -> None:
    same = RunRecord(requests=tuple(RUN), tables={"t": TABLE})
    assert real_digdag.differences(same, dataclasses.replace(same)) == []


def test_parameters_are_edited_where_they_stand(tmp_path: Path) -> None:
    params = tmp_path / "params.yml"
    params.write_text("seed: 18   # of every draw\nmodel_width: 128\n")
    real_digdag.edit(params, {"model_width": "4"})
    assert params.read_text() == "seed: 18   # of every draw\nmodel_width: 4\n"
    with pytest.raises(ValueError, match="no parameter nothing"):
        real_digdag.edit(params, {"nothing": "1"})
