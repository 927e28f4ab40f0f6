"""What is uploaded, and what is wrong with it: one sentence of the command line's, and no more."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from td_mta.dashboard.data import jobs, run_folder, source, worker
from td_mta.dashboard.data.source import Source
from td_mta.errors import DataError

HEADER = "Customer;Zeitpunkt;Kanal;Kauf;Umsatz\n"
GERMAN = HEADER + "".join(
    f"k{i % 40};{1 + i % 28:02}.03.2024 1{i % 10}:00;{'E-Mail' if i % 3 else 'Straßenplakat'};"
    f"{'ja' if i % 7 == 0 else 'nein'};{'12,50' if i % 7 == 0 else ''}\n"
    for i in range(400)
)


def read(folder: Path, name: str, content: bytes, **sets: str) -> str:
    """What a worker says of a file; empty where it was read."""
    file = folder / name
    file.write_bytes(content)
    job = {"what": "read", "file": str(file), "title": name, "sets": sets}
    (folder / worker.JOB).write_text(json.dumps(job), encoding="utf-8")
    code = worker.main(folder)
    assert (code == 0) == (folder / worker.DONE).exists()
    return "" if code == 0 else (folder / worker.ERROR).read_text(encoding="utf-8")


def test_names_separators_encodings_and_times_of_others_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, "upload.csv", GERMAN.encode("cp1252")) == ""
    of_file = source.of_folder(tmp_path, False)
    assert of_file.channels == ["E-Mail", "Straßenplakat"]
    assert of_file.facts["found"] == {
        "user_column": "Customer",
        "time_column": "Zeitpunkt",
        "action_column": "Kanal",
        "conversion_column": "Kauf",
        "value_column": "Umsatz",
    }
    models = of_file.models()
    linear = models[models["model"] == "linear"]
    assert linear["value"].sum() == pytest.approx(12.5 * linear["conversions"].sum())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 \x00\x01\x02 nothing of a table\n\xff\xfe", ""),
        (b"a,b\n1,2\n3,4\n", "column"),
        (b"user,time,channel,conversion\nu1,soon,Email,0\nu2,later,Email,1\n", "time"),
        (
            b"user,time,channel,conversion\n"
            + b"".join(b"u%d,2024-01-0%d,Email,0\n" % (i, 1 + i % 9) for i in range(30)),
            "conver",
        ),
    ],
    ids=["empty", "no table", "missing columns", "no times", "no conversions"],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    sentence = read(tmp_path, "upload.csv", content)
    assert sentence and said in sentence
    assert "\n" not in sentence.strip() and "Traceback" not in sentence
    assert not sentence.startswith("a fault of the program")


def test_one_channel_is_read_with_a_warning(tmp_path: Path) -> None:
    rows = "".join(f"u{i},2024-01-{1 + i % 28:02},Email,{i % 5 == 0:d}\n" for i in range(200))
    assert read(tmp_path, "upload.csv", f"user,time,channel,conversion\n{rows}".encode()) == ""
    assert source.of_folder(tmp_path, False).channels == ["Email"]


def test_columns_that_are_named_are_taken(tmp_path: Path, public_file: Path) -> None:
    content = public_file.read_bytes()
    assert read(tmp_path, "upload.csv", content, action_column="interaction") == ""
    assert source.of_folder(tmp_path, False).facts["found"]["action_column"] == "interaction"


def test_the_columns_of_a_table_that_was_not_understood_can_be_chosen(tmp_path: Path) -> None:
    read(tmp_path, "upload.csv", b"a,b\n1,2\n3,4\n")
    assert json.loads((tmp_path / "columns.json").read_text()) == ["a", "b"]


def test_a_job_is_the_same_for_the_same_work_and_no_path_is_a_key(workspace: Path) -> None:
    one, two = {"what": "read", "file": "a"}, {"file": "a", "what": "read"}
    assert jobs.key_of(one) == jobs.key_of(two)
    assert jobs.folder_of(jobs.key_of(one)) == workspace / jobs.key_of(one)
    assert [jobs.folder_of(key) for key in ("", "../etc", "a" * 15, "/" * 16)] == [None] * 4


def test_a_cancelled_job_ends_with_all_that_it_started_and_can_be_started_again(
    workspace: Path,
) -> None:
    folder = workspace / "sleeping"
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    assert jobs._begin(folder, command, {"what": "sleep"})
    assert jobs.state(folder).status == "running"
    assert not jobs._begin(folder, command, {"what": "sleep"})
    jobs.cancel(folder)
    assert jobs.state(folder) == ("cancelled", 0.0, "Cancelled: nothing was kept.")
    assert jobs._begin(folder, [sys.executable, "-c", ""], {"what": "sleep"})
    assert jobs.wait(folder, 30).status == "failed"  # it left no `done`


def test_a_job_that_is_killed_says_why(workspace: Path) -> None:
    folder = workspace / "killed"
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    jobs._begin(folder, [sys.executable, "-c", code], {"what": "sleep"})
    assert "for lack of memory" in jobs.wait(folder, 30).what


@pytest.fixture
def run_of_paths(counted: Source, workspace: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    shutil.copytree(workspace / counted.key / "out", folder)
    return folder


def test_a_finished_runs_folder_is_read(run_of_paths: Path, counted: Source) -> None:
    of_run = source.of_run(run_of_paths)
    assert of_run.channels == counted.channels
    assert of_run.models().equals(counted.run.frames["models"] if counted.run else None)
    assert of_run.facts["users"] == 100


def test_a_folder_of_another_version_is_refused_with_the_remedy(run_of_paths: Path) -> None:
    (models,) = run_of_paths.glob("*_models.csv")
    models.write_text("model,channel,amount\nlinear,Email,1\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"of another version, it lacks conversions, value, share"):
        run_folder.read(run_of_paths)
    models.unlink()
    with pytest.raises(DataError, match=r"lacks the table .*_models of its run. Run it again"):
        run_folder.read(run_of_paths)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no tables of a run"):
        run_folder.read(tmp_path)
    with pytest.raises(DataError, match="is no folder"):
        run_folder.read(tmp_path / "nowhere")
