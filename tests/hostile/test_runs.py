"""Runs that meet another one, a full disk, a folder in the place of a table: all new or all old.

They read a table of paths, which needs no model; every run publishes in the same way.
"""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from td_mta import main
from td_mta.publishing import run_lock

OLD = "path,conversions,nulls\nA > B,3,5\nA,1,7\n"
NEW = "path,conversions,nulls\nB > C,4,5\nC,2,7\n"
SETS = ("metrics_table=m", "shapley_table=s")


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Path]:
    """The folder of a run, and its table, which has changed since."""
    assert run(tmp_path, OLD) == 0
    yield tmp_path / "out"


def run(folder: Path, text: str, *sets: str) -> int:
    (folder / "paths.csv").write_text(text)
    options = [part for pair in (*SETS, *sets) for part in ("--set", pair)]
    return main.main([str(folder / "paths.csv"), "--out", str(folder / "out"), *options])


def files(out: Path) -> dict[str, bytes]:
    """All that a run leaves, but tracebacks and what was guessed to read files."""
    return {
        path.name: path.read_bytes() for path in sorted(out.iterdir()) if path.suffix != ".json"
    }


def test_a_run_leaves_its_tables_and_its_report(old: Path) -> None:
    assert list(files(old)) == ["report.html", "s_models.csv", "s_run_info.csv"]


def test_two_runs_same_out(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(old)
    with run_lock.held(old):
        assert run(old.parent, NEW) == 2
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith(f"error: another run writes to {old} (process ")
    assert files(old) == before


def test_disk_full_report(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report is larger than any file may be, the tables are not."""
    before = files(old)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        assert run(old.parent, NEW) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert "error: the disk is full" in capsys.readouterr().err
    assert files(old) == before


@pytest.mark.parametrize("name", ["s_models.csv", "s_run_info.parquet", "report.html"])
def test_a_folder_in_the_place_of_a_file(
    name: str, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (old / name).unlink(missing_ok=True)
    (old / name).mkdir()
    before = {path.name: path.stat().st_mtime_ns for path in old.iterdir()}
    assert run(old.parent, NEW) == 1
    assert f"{name} is a folder: move it away" in capsys.readouterr().err
    assert {path.name: path.stat().st_mtime_ns for path in old.iterdir()} == before


@pytest.mark.parametrize("name", ["model_dir", "positive_tfrecords_dir"])
def test_a_file_in_the_place_of_a_folder(
    name: str, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(old)
    (old.parent / "file").write_text("mine")
    assert run(old.parent, NEW, f"{name}={old.parent / 'file'}") == 2
    assert "file is no folder: give records and model another one" in capsys.readouterr().err
    assert files(old) == before and (old.parent / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("sets", "says"),
    [
        (("metrics_table=s",), "metrics_table must differ from the tables that begin with"),
        (("metrics_table=S_Channel",), "which would both write s_channel; rename one of them"),
        (("metrics_table=paths",), "must not name an input: paths would be replaced"),
    ],
)
def test_two_tables_of_one_name_are_refused(
    sets: tuple[str, ...], says: str, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(old)
    assert run(old.parent, NEW, *sets) == 2
    assert says in capsys.readouterr().err
    assert files(old) == before


def test_what_killed_runs_left_is_swept(old: Path) -> None:
    before = set(files(old))
    left = (".s_models.csv.20260101T000000Z-0123abcd.part", ".report.html.999999999.part")
    for name in (*left, ".run_lock"):
        (old / name).touch()
    assert run(old.parent, NEW) == 0
    assert set(files(old)) == before
