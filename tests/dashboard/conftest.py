"""Sources that many tests look at, made once in a folder of their own."""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from td_mta.dashboard.data import jobs, source, sources
from td_mta.dashboard.data.source import Source
from td_mta.simulate import ClassicPlan

PUBLIC = Path(__file__).parents[1] / "data" / "touchpoints_2018_07.csv.gz"


def quiet(share: float, what: str) -> None:
    """Progress that nobody follows."""
    assert 0 <= share <= 1 and what


@pytest.fixture(scope="session", autouse=True)
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of all jobs of these tests."""
    folder = tmp_path_factory.mktemp("app")
    before = os.environ.get(jobs.FOLDER)
    os.environ[jobs.FOLDER] = str(folder)
    yield folder
    jobs.cancel_all()
    if before is None:
        os.environ.pop(jobs.FOLDER, None)
    else:
        os.environ[jobs.FOLDER] = before


@pytest.fixture(scope="session")
def classic(workspace: Path) -> Source:
    """The document's world: 1,000 users, ten touches each."""
    folder = workspace / "c1a551c000000000"
    folder.mkdir()
    sources.simulate(ClassicPlan(), "classic", 18, folder, quiet)
    (folder / "done").touch()
    return source.of_folder(folder, False)


@pytest.fixture(scope="session")
def public_file(workspace: Path) -> Path:
    """A stranger's table with names of its own: a twelfth of the users, since it is for tests."""
    lines = gzip.decompress(PUBLIC.read_bytes()).decode().splitlines()
    kept = [line for line in lines[1:] if line.split(",")[0][-1] in "05"]
    path = workspace / "public.csv"
    path.write_text("\n".join([lines[0], *kept]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def public(workspace: Path, public_file: Path) -> Source:
    """That table as it is read."""
    folder = workspace / "b0b11c0000000000"
    folder.mkdir()
    sources.read({"file": str(public_file), "title": "public.csv"}, folder, quiet)
    (folder / "done").touch()
    return source.of_folder(folder, False)


@pytest.fixture(scope="session")
def counted(workspace: Path) -> Source:
    """A table of paths: 30 of 100 journeys convert, and one channel's name is HTML."""
    file = workspace / "paths.csv"
    rows = (
        "path,conversions,value,nulls\n"
        "Email > Search,20,2000.5,10\n"
        "Search,8,640,50\n"
        "<img src=x onerror=alert(1)> > Email,2,100,10\n"
    )
    file.write_text(rows, encoding="utf-8")
    folder = workspace / "c0de000000000000"
    folder.mkdir()
    sources.read({"file": str(file), "title": "paths.csv"}, folder, quiet)
    (folder / "done").touch()
    return source.of_folder(folder, False)
