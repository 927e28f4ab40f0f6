"""A project folder, tables on an emulator of Treasure Data, and runs of the one on the other."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from local_runner.__main__ import main
from local_runner.td.account import DIGDAG_PATIENCE
from td_emulator import API_KEY, EmbeddedEngine, Emulator
from td_mta.warehouse.td_patience import Patience

FAST = replace(
    DIGDAG_PATIENCE,
    poll=0.001,
    longest_poll=0.002,
    pause=0.001,
    longest_pause=0.01,
    interval_unit=0.0001,
)
SESSION = ("--session", "2026-03-01")
CLICKS = "name,n\nada,2\nbob,3\n"
HEAD = (
    "-- project_id: 1\n-- project_name: default\n-- workflow_name: main\n-- session_id: 1\n"
    "-- attempt_id: 1\n-- task_name: +main{}\n"
)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A project in the working folder, and tables on both warehouses."""

    root: Path
    tables: Path
    td: Emulator

    def write(self, **files: str) -> None:
        """Files by name, `__` for a dot; `main` is main.dig, in database mta."""
        for name, text in files.items():
            if name == "main":
                text = "_export: {td: {database: mta}}\n" + text
                name = "main__dig"
            path = self.root / name.replace("__", ".")
            path.write_bytes(text.encode())

    def run(self, *arguments: str, patience: Patience = FAST) -> int:
        """On Treasure Data."""
        return main(["run", "main.dig", "--warehouse", "td", *SESSION, *arguments], patience)

    def asked(self) -> list[str]:
        """What the emulator was asked, jobs without their number, polls of one job once."""
        shown: list[str] = []
        for request in self.td.requests:
            path = request.path.rstrip("0123456789").rstrip("/")
            line = f"{request.method} {path}".replace("/v3/", "")
            if line != "GET job/status" or shown[-1] != line:
                shown.append(line)
        return shown

    def forms(self) -> list[dict[str, str]]:
        """The fields of the jobs that were issued, in their order."""
        return [r.parameters for r in self.td.requests if "/job/issue/" in r.path]

    def queries(self) -> list[str]:
        return [form["query"] for form in self.forms()]


@pytest.fixture(name="place")
def place_with_clicks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """One table, mta.clicks; the key and the address are in the environment."""
    root, tables = tmp_path / "project", tmp_path / "tables"
    (tables / "mta").mkdir(parents=True)
    (tables / "mta" / "clicks.csv").write_text(CLICKS, encoding="utf-8")
    root.mkdir()
    monkeypatch.chdir(root)
    with Emulator(EmbeddedEngine(tables), poll_again=1) as td:
        monkeypatch.setenv("TD_API_KEY", API_KEY)
        monkeypatch.setenv("TD_API_SERVER", td.url)
        yield Place(root=root, tables=tables, td=td)
