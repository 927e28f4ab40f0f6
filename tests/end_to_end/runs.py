"""Whole runs of the workflow, each in a process of its own: on local files, and on the protocols of
Treasure Data. Their output goes to a log, which `secret.py` searches.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from td_emulator import API_KEY, Emulator
from td_mta.warehouse.local import LocalWarehouse
from tests.end_to_end import shop

ROOT = Path(__file__).parents[2]
_OTHERS = ("http_proxy", "https_proxy", "all_proxy", "pythonpath")


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A process that ended, and all that it printed."""

    code: int
    log: str


def environment(**more: str) -> dict[str, str]:
    """This process's environment without proxies, module paths and anybody's account."""
    inherited = {
        key: value
        for key, value in os.environ.items()
        if key.lower() not in _OTHERS and not key.startswith(("TD_", "MTA_", "DIGDAG"))
    }
    return inherited | more


def account(td: Emulator, key: str = API_KEY) -> dict[str, str]:
    """The variables that lead pytd and the runner to the emulator."""
    return environment(TD_API_KEY=key, TD_API_SERVER=td.url)


def process(
    command: Sequence[str],
    log: Path,
    variables: Mapping[str, str],
    cwd: Path = ROOT,
    timeout: float | None = None,
) -> Ended:
    """Run a command to its end, both streams to a file. Raises `subprocess.TimeoutExpired`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        finished = subprocess.run(
            command, cwd=cwd, env=variables, stdout=file, stderr=file, timeout=timeout
        )
    return Ended(code=finished.returncode, log=log.read_text("utf-8", "replace"))


def sets(settings: Mapping[str, str]) -> list[str]:
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]


def locally(
    folder: Path, settings: Mapping[str, str], data: Path, workflow: str = "mta.dig"
) -> dict[str, pa.Table]:
    """The tables of a whole run on the files of `data`; it writes to `folder`."""
    command = [sys.executable, "-m", "local_runner", "run", workflow, "--data", str(data)]
    command += ["--out", str(folder / "out"), "--session", shop.SESSION, *sets(settings)]
    ended = process(command, folder / "log.txt", environment())
    assert ended.code == 0, ended.log
    return tables_of(folder / "out")


def tables_of(out: Path) -> dict[str, pa.Table]:
    """The tables that a local run made, typed as the local warehouse types them."""
    warehouse = LocalWarehouse(None, out, now=0)
    return {name: pq.read_table(warehouse.typed_file(name)) for name in warehouse.tables()}


def fill(td: Emulator, tables: Mapping[str, pa.Table], database: str = shop.DATABASE) -> None:
    """Put tables into the emulator's database."""
    td.create_database(database)
    for name, table in tables.items():
        td.engine.write(database, name, table)


def on_treasure_data(
    folder: Path,
    settings: Mapping[str, str],
    td: Emulator,
    *words: str,
    workflow: str = "mta.dig",
    key: str = API_KEY,
) -> Ended:
    """A run of the workflow by the local runner against the emulator."""
    command = [sys.executable, "-m", "local_runner", "run", workflow, *words]
    command += ["--warehouse", "td", "--out", str(folder / "out"), "--session", shop.SESSION]
    command += sets(dict(settings) | {"td_api_server": td.url})
    return process(command, folder / "log.txt", account(td, key))


def tables_in(td: Emulator, database: str = shop.DATABASE) -> dict[str, pa.Table]:
    """All tables of the emulator's database."""
    return {name: td.engine.read(database, name) for name in td.engine.tables(database)}
