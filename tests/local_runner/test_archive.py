"""What a push would send: the workflow and what it runs, and nothing of a user's data."""

import shutil
from pathlib import Path

import pytest

from local_runner import __main__ as local_runner
from local_runner.archive import LIMIT, archived, workflows

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The project with what users have in a clone: data, results, environments."""
    sent = ("config", "queries", "workflows", "td_mta")
    for folder in (*sent, "tests", "local_runner", "benchmarks", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, symlinks=True)
    for file in [*ROOT.glob("*.*"), ROOT / "Makefile", ROOT / ".digdagignore"]:
        if file.is_file() and file.name != ".git":  # a file, not a folder, in a worktree
            shutil.copy(file, tmp_path)
    for name in (
        *("data/touches.csv", "data/deep/x.txt", "out/report.html", "out/model/model.keras"),
        *("mine/pageviews.parquet", "mine/y.csv.gz", ".venv/lib/z.py", ".git/config", "venv/a.py"),
        *("td_mta/__pycache__/cli.cpython-312.pyc", "td_emulator/api/databases.py"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(LIMIT))
    return tmp_path


def test_what_the_workflow_runs_is_sent_and_nothing_else(clone: Path) -> None:
    top = {path.parts[0] for path in archived(clone)}
    folders = {"config", "queries", "workflows", "td_mta"}
    of_root = {"mmm.dig", "mta.dig", "mta_report.dig", "README.md", "CHANGELOG.md"}
    assert top == folders | of_root
    sent = set(archived(clone))
    needed = [
        *ROOT.glob("queries/**/*.sql"),
        *ROOT.glob("workflows/*"),
        *ROOT.glob("config/*.yml"),
    ]
    needed += [*ROOT.glob("td_mta/**/*.py"), *ROOT.glob("td_mta/requirements-*")]
    needed += [ROOT / "td_mta/mmm-packages.txt"]
    # Tables in files, SQL on them and simulated tables, which TD's container has not, the app, and
    # what of media mix modelling only its command does.
    rooms = ("trino_on_datafusion", "warehouse/files", "simulate", "dashboard", "privacy")
    modules: tuple[str, ...] = ("warehouse/local.py", "warehouse/csv_tables.py")
    modules += (
        "mmm/__main__.py",
        "reporting/media_mix/pictures.py",
        "reporting/media_mix/fonts.py",
    )
    modules += ("pipelines/media_mix/private_release.py", "pipelines/media_mix/privacy_utility.py")
    local = {ROOT / "td_mta" / path for path in rooms + modules}
    assert {p.relative_to(ROOT) for p in needed if not local & {p, *p.parents}} - sent == set()
    assert not any(path.is_relative_to("td_mta/trino_on_datafusion") for path in sent)


def test_only_dig_files_of_the_root_are_workflows() -> None:
    assert workflows(archived(ROOT)) == ["mmm", "mta", "mta_report"]


def test_the_archive_is_well_below_the_limit(clone: Path) -> None:
    """It has 1.6 MB, of which the lists of packages are 0.2 MB."""
    assert sum((clone / path).stat().st_size for path in archived(clone)) < 0.8 * LIMIT


def test_the_command_lists_files_and_their_sum(capsys: pytest.CaptureFixture[str]) -> None:
    assert local_runner.main(["archive", str(ROOT)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.endswith("  workflows/mta_tasks.dig")]
    assert lines[-1].endswith("in all; workflows: mmm, mta, mta_report")


def test_too_large_an_archive_is_reported_with_what_to_leave_out(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (clone / "queries" / "seed.json").write_bytes(bytes(LIMIT))
    assert local_runner.main(["archive", str(clone)]) == 2
    told = capsys.readouterr().err
    assert "at most 2,097,152 bytes for Digdag, got " in told
    assert "list files in .digdagignore that the workflow does not need" in told
    assert "such as queries/seed.json" in told


@pytest.mark.parametrize(
    ("ignored", "left"),
    [
        ("", ["a.dig", "a.sql", "sub/a.sql", "sub/b.sql"]),
        ("# note\n\n*.sql", ["a.dig"]),
        ("/a.sql", ["a.dig", "sub/a.sql", "sub/b.sql"]),
        ("sub/", ["a.dig", "a.sql"]),
        ("*.sql\n!b.sql", ["a.dig", "sub/b.sql"]),
        ("sub/\n!sub/b.sql", ["a.dig", "a.sql"]),
    ],
    ids=["nothing", "by-ending", "at-the-root", "a-folder", "but-one", "within-a-folder-left-out"],
)
def test_the_ignore_file_is_read_as_git_reads_its_own(
    tmp_path: Path, ignored: str, left: list[str]
) -> None:
    for name in ("a.dig", "a.sql", "sub/a.sql", "sub/b.sql", ".hidden", "sub/.hidden/c.sql"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".digdagignore").write_text(ignored)
    assert [path.as_posix() for path in archived(tmp_path)] == left
