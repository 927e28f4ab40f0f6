"""What a browser uploads, kept as a file of this app's folder under a name of ours."""

import hashlib
from pathlib import Path
from typing import NamedTuple, Protocol

from td_mta.dashboard.data import jobs
from td_mta.warehouse.files import folder as table_files

ENDINGS = tuple(
    ending.removeprefix(".") for ending in table_files.ENDINGS if ending.count(".") == 1
)
TYPES = [*ENDINGS, "gz"]
EMPTY = "The file is empty: choose one with a header and rows."


class Uploaded(Protocol):
    """A file that Streamlit holds."""

    name: str

    def getvalue(self) -> bytes: ...


class Kept(NamedTuple):
    """An upload on the disk, told apart by what it holds."""

    path: Path
    digest: str


def kept(file: Uploaded, table: str = "upload") -> Kept:
    """The upload as a file called as `table`; raises `ValueError` where it is empty."""
    content = file.getvalue()
    if not content:
        raise ValueError(EMPTY)
    digest = hashlib.sha256(content).hexdigest()[:16]
    folder = jobs.workspace() / f"upload_{digest}"
    folder.mkdir(exist_ok=True)
    path = folder / f"{table}{_ending(file.name)}"
    if not path.exists():
        path.write_bytes(content)
    return Kept(path, digest)


def _ending(name: str) -> str:
    """The ending of a table's file, whatever else the name is; `.csv` where it has none."""
    longest_first = sorted(table_files.ENDINGS, key=len, reverse=True)
    return next((e for e in longest_first if name.lower().endswith(e)), ".csv")
