"""What a page shows: a simulated world, a table that was read, or a finished run's folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from td_mta.config.attribution import Config
from td_mta.dashboard.data import gathering, run_folder
from td_mta.dashboard.data.gathering import Found
from td_mta.dashboard.data.kept import Kept
from td_mta.journeys.paths import Paths
from td_mta.reporting import frames
from td_mta.reporting.run_tables import RunTables
from td_mta.tables import BASELINE

SHAPLEY = "shapley"


@dataclass(frozen=True, kw_only=True)
class Journeys:
    """The paths of a source, and each distinct one with its counts."""

    paths: Kept
    distinct: Paths
    found: Found  # every method's credit, as it was read
    has_times: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A source, told apart by its `key`; journeys are None for a run's folder."""

    key: str
    facts: Mapping[str, Any]
    journeys: Journeys | None = None
    run: RunTables | None = None
    _cache: dict[object, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What it is called."""
        return str(self.facts["title"])

    @property
    def channels(self) -> list[str]:
        """All channels, by name."""
        return list(self.facts["channels"])

    @property
    def has_value(self) -> bool:
        """Whether conversions have a value."""
        return bool(self.facts["has_value"])

    @property
    def days(self) -> int:
        """The longest lookback that its journeys allow; 0 where they have no times."""
        return int(self.facts.get("days") or 0)

    def models(self, days: int | None = None, order: int | None = None) -> pd.DataFrame:
        """Every model's credit by channel, as the table `models` of a run has it.

        Journeys give the rules and the Markov chain; a run of them adds the Shapley values.
        """
        return self.once(("models", days, order), lambda: self._models(days, order))

    def order(self, days: int | None = None, order: int | None = None) -> int | None:
        """The Markov chain's order; None where only its run knows it."""
        if self.journeys is None:
            return None
        return self._credit(days, order).order

    @property
    def paths(self) -> Kept:
        """The paths of a source that has journeys."""
        assert self.journeys is not None
        return self.journeys.paths

    def channel_facts(self) -> pd.DataFrame:
        """Touches (sessions) and users by channel."""
        return pd.DataFrame(
            {
                "channel": self.channels,
                "touches": self.facts["touches"],
                "users": self.facts["users_touched"] or np.nan,
            }
        )

    def intervals(self) -> pd.DataFrame | None:
        """Full intervals of the Shapley credit by channel: conversions, lower, upper."""
        if self.run is None or self.run.is_of_paths:
            return None
        kinds = self.run.intervals
        rows = kinds.get("full", kinds.get("sampling"))
        return (
            None if rows is None else rows.set_index("channel")[["conversions", "lower", "upper"]]
        )

    def _models(self, days: int | None, order: int | None) -> pd.DataFrame:
        if self.journeys is None:
            assert self.run is not None
            return self.run.frames["models"]
        credit = self._credit(days, order).credit
        rows = frames.models(credit, self.channels, has_value=self.has_value)
        if self.run is None or self.run.is_of_paths:
            return rows
        of_run = self.run.frames["models"]
        shapley = of_run[of_run["model"].str.startswith(SHAPLEY)]
        return pd.concat([shapley, rows], ignore_index=True)

    def _credit(self, days: int | None, order: int | None) -> Found:
        assert self.journeys is not None
        every = self.journeys.found
        if days and days < self.days:
            config = Config(direct_channel=self.facts["direct_channel"])
            every = self.once(
                ("found", days),
                lambda: gathering.found(self.paths, self.channels, config, days=days),
            )
        return every.of_order(order)

    def once(self, key: object, make: Any) -> Any:
        """What `make` gives, computed the first time that this key is asked for."""
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]


@lru_cache(maxsize=4)
def of_folder(folder: Path, with_run: bool) -> Source:
    """The source that a worker has kept in a folder, with the run that was trained on it."""
    paths, once, every, facts = gathering.load(folder)
    has_times = facts["kind"] != "paths"
    run = run_folder.read(folder / "run" / "run") if with_run else None
    if not has_times:
        run = run_folder.read(folder / "out")
    journeys = Journeys(paths=paths, distinct=once, found=every, has_times=has_times)
    return Source(key=folder.name, facts=facts, journeys=journeys, run=run)


def of_run(folder: Path) -> Source:
    """A finished run's folder; raises `DataError`."""
    written = max((path.stat().st_mtime_ns for path in folder.glob("*_run_info.*")), default=0)
    return _of_run(folder, written)


@lru_cache(maxsize=4)
def _of_run(folder: Path, written: int) -> Source:
    run = run_folder.read(folder)
    channels = sorted(set(run.frames["models"]["channel"]) - {BASELINE})
    counts = run.section("counts")
    span = run.section("span")
    touches, users = [np.nan] * len(channels), [np.nan] * len(channels)
    if "report" in run.frames:
        by_channel = run.frames["report"].set_index("channel")[["touches", "users"]]
        touches, users = by_channel.reindex(channels).fillna(0).T.to_numpy(float).tolist()
    facts = {
        "kind": "run",
        "title": f"the run in {folder.name or folder}",
        "channels": channels,
        "touches": touches,
        "users_touched": users,
        "users": int(float(counts.get("users", counts.get("journeys", 0)))),
        "first_day": span.get("first_day", ""),
        "last_day": span.get("last_day", ""),
        "credited_from": span.get("first_credited_day", ""),
        "has_value": run.has_value,
        "notes": run.sentences("notes"),
        "warnings": run.sentences("warnings"),
        "direct_channel": run.parameter("direct_channel") or "Direct",
        "sets": {},
    }
    return Source(key=f"run:{folder}", facts=facts, run=run)
