"""One run on local files and one on Treasure Data's protocols, from the same tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from td_emulator import Emulator, Engine
from tests.end_to_end import runs, shop


@dataclass(frozen=True, kw_only=True)
class Both:
    """The tables of both runs, and the folder with all their files."""

    local: dict[str, pa.Table]
    td: dict[str, pa.Table]
    folder: Path


def run_both(
    folder: Path, engine: Engine, on_td: Mapping[str, str] | None = None, **more: str
) -> Both:
    """Both runs of mta.dig; `engine` is what the emulator has behind it, and parameters `on_td` are
    of that run alone.
    """
    settings = shop.SETTINGS | more
    database = settings.get("in_db", shop.DATABASE)
    inputs = shop.tables()
    shop.write(folder / "data", inputs)
    local = runs.locally(folder / "local", settings, folder / "data")
    with Emulator(engine, poll_again=0) as td:
        runs.fill(td, inputs, database)
        ended = runs.on_treasure_data(folder / "on_td", settings | (on_td or {}), td)
        assert ended.code == 0, ended.log
        return Both(local=local, td=runs.tables_in(td, database), folder=folder)
