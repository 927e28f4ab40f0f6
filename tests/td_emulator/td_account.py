"""An account on the emulator for tests, with clients that do not dawdle."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from td_emulator import API_KEY, EmbeddedEngine, Emulator, Engine
from td_mta.warehouse.td_patience import Patience
from td_mta.warehouse.treasure_data import TreasureDataWarehouse

NOW = 1_772_323_200
QUICK = Patience(
    connect=2, answer=2, tries=5, pause=0.001, longest_pause=0.01, poll=0.001, longest_poll=0.01
)


@dataclass(frozen=True)
class Account:
    """A running emulator with the database `mta`, and the pauses that its clients made."""

    td: Emulator
    pauses: list[float]

    def warehouse(
        self, *, key: str = API_KEY, database: str = "mta", patience: Patience = QUICK
    ) -> TreasureDataWarehouse:
        return TreasureDataWarehouse(
            key, self.td.url, database, now=NOW, patience=patience, sleep=self.pauses.append
        )

    def tables(self) -> list[str]:
        return sorted(self.td.engine.tables("mta"))

    def rows(self, table: str) -> list[dict[str, object]]:
        """The rows as stored, without `time`."""
        found = self.td.engine.read("mta", table).to_pylist()
        return [{name: cell for name, cell in row.items() if name != "time"} for row in found]


@contextlib.contextmanager
def account(folder: Path, engine: Engine | None = None) -> Iterator[Account]:
    """With the project's own engine on a folder, or another."""
    with Emulator(engine or EmbeddedEngine(folder)) as td:
        td.create_database("mta")
        yield Account(td, [])
