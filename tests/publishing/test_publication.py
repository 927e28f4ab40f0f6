"""Files that appear together or not at all: failures and kills at every step of the way."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from td_mta.errors import WarehouseError
from td_mta.publishing import publication
from td_mta.publishing.publication import Publication, new_run_id, recover, sweep

OLD = {
    "metrics.csv": "old",
    "shapley.csv": "old",
    "records/page0.x": "old",
    "records/page1.x": "old",
}
NEW = {"metrics.csv": "new", "report.html": "new", "records/page0.x": "new"}  # shapley.csv goes
OTHERS = {"notes.txt": "mine", "records/notes.txt": "mine"}
NAMES = re.compile(r"page\d\.x")


class KilledError(BaseException):
    """The process is gone: nothing that comes after it happens."""


def put(folder: Path, contents: dict[str, str]) -> None:
    for name, text in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def found(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(files)}


def publish(folder: Path) -> None:
    with Publication(folder, new_run_id()) as files:
        for name in ("metrics.csv", "report.html"):
            files.file(folder / name).write_text("new")
        files.remove(folder / "shapley.csv")
        (files.replace_in(folder / "records", NAMES) / "page0.x").write_text("new")


def test_new_files_replace_the_old_ones_and_no_others(tmp_path: Path) -> None:
    put(tmp_path, OLD | OTHERS)
    publish(tmp_path)
    assert found(tmp_path) == NEW | OTHERS


def test_an_error_in_the_block_leaves_all_old(tmp_path: Path) -> None:
    put(tmp_path, OLD)
    with pytest.raises(ZeroDivisionError), Publication(tmp_path, new_run_id()) as files:
        files.file(tmp_path / "metrics.csv").write_text("half")
        raise ZeroDivisionError
    assert found(tmp_path) == OLD


def failing(at: int, error: BaseException, calls: list[str]) -> Callable[..., None]:
    """`os.replace`, which fails at one call and, where the process is killed, at all later ones."""

    def replace(source: Path, target: Path, real: Callable[..., None] = os.replace) -> None:
        calls.append(str(target))
        if len(calls) == at or (len(calls) > at and isinstance(error, KilledError)):
            raise error
        real(source, target)

    return replace


def renames(folder: Path) -> int:
    """How many there are, of files to their names and of the marker."""
    calls: list[str] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(publication.os, "replace", failing(-1, OSError(), calls))
        put(folder, OLD)
        publish(folder)
    return len(calls)


def test_an_error_at_any_rename_leaves_all_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(1, 1 + renames(tmp_path / "all")):
        folder = tmp_path / str(at)
        put(folder, OLD | OTHERS)
        replace = failing(at, PermissionError("no right"), [])
        with monkeypatch.context() as patched, pytest.raises(WarehouseError, match="no right"):
            patched.setattr(publication.os, "replace", replace)
            publish(folder)
        assert found(folder) == OLD | OTHERS, at


def test_after_a_kill_at_any_rename_the_next_one_finds_one_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = []
    for at in range(1, 1 + renames(tmp_path / "all")):
        folder = tmp_path / str(at)
        put(folder, OLD | OTHERS)
        with monkeypatch.context() as patched, pytest.raises(KilledError):
            patched.setattr(publication.os, "replace", failing(at, KilledError(), []))
            patched.setattr(publication, "_remove", lambda path: None)
            publish(folder)
        recover(folder)
        sweep({folder, folder / "records"})
        left = found(folder)
        assert left in (OLD | OTHERS, NEW | OTHERS), at
        sets.append(left == NEW | OTHERS)
    assert sets == sorted(sets) and set(sets) == {False, True}


def test_a_folder_in_the_place_of_a_file_is_said_before_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").mkdir()
    with pytest.raises(WarehouseError, match=r"metrics.csv is a folder: move it away"):
        publish(tmp_path)
    assert found(tmp_path) == {}


def test_a_folder_that_comes_later_takes_all_back(tmp_path: Path) -> None:
    put(tmp_path, OLD)
    with (
        pytest.raises(WarehouseError, match="could not write the results"),
        Publication(tmp_path, new_run_id()) as files,
    ):
        files.file(tmp_path / "metrics.csv").write_text("new")
        files.file(tmp_path / "report.html").write_text("new")
        (tmp_path / "report.html").mkdir()
    assert found(tmp_path) == OLD


def test_a_marker_that_names_files_of_others_renames_none(tmp_path: Path) -> None:
    put(tmp_path, {"secret": "theirs", "shapley.csv": "old"})
    step = [str(tmp_path / "shapley.csv"), str(tmp_path / "secret"), str(tmp_path / "x"), 0, 0]
    for text in (str([step]).replace("'", '"'), "[1]", "{"):
        (tmp_path / publication.FORWARD).write_text(text)
        recover(tmp_path)
        assert found(tmp_path) == {"secret": "theirs", "shapley.csv": "old"}


@pytest.mark.parametrize("marker", [publication.FORWARD, publication.BACK])
def test_a_marker_removes_no_file_of_others(marker: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    put(tmp_path, {"secret": "theirs"})
    beside = [str(tmp_path / f".secret.{new_run_id()}.{end}") for end in ("part", "old")]
    steps = [[str(tmp_path / "secret"), *beside, is_new, not is_new] for is_new in (True, False)]
    (tmp_path / "out" / marker).write_text(json.dumps(steps))
    recover(tmp_path / "out")
    assert found(tmp_path) == {"secret": "theirs"}


def test_what_is_no_file_is_no_marker(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / publication.FORWARD)  # nobody writes to it: who reads it waits for ever
    recover(tmp_path)


def test_what_the_living_write_is_not_swept(tmp_path: Path) -> None:
    living = {f".metrics.csv.{os.getpid()}.part": "", "shapley.csv": "", ".notes.part": ""}
    put(tmp_path, living | {".metrics.csv.999999999.part": "", f".x.{new_run_id()}.old": ""})
    sweep({tmp_path, tmp_path / "none"})
    assert found(tmp_path) == living
