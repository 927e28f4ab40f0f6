"""Kills of whole workflows over the emulator, several at once: most of a run's time is waiting.

Like Treasure Data it replaces one table by one request, so that a kill between two of them may
leave both runs' tables: that is counted, and the next run must make them agree. Its tables
`..._staging_...` may stay. The folders of a run hold what a complete run leaves, and no more.
"""

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from td_emulator import EmbeddedEngine, Emulator
from tests.end_to_end import compare, killing, runs, shop

RENAMES = len(shop.MADE_BY_PYTHON)  # of a run, each a request
RENAME = " /v3/table/rename/"
# Tables of a killed run cannot be told from those of one elsewhere, so the next one leaves them.
STAGED = re.compile(r"_staging_[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True)
class Kill:
    """When to kill a run: after some seconds, or at the answer to a rename; or not at all."""

    name: str
    seconds: float | None = None
    at_rename: int | None = None


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a kill left: whether of both runs, whether staged tables, and what is wrong."""

    kill: str
    is_mixed: bool
    has_staged: bool
    problems: list[str]


class Place:
    """The tables, folders and log of runs that follow one another."""

    def __init__(self, folder: Path, begin: Path) -> None:
        self._td, self.out, self.temporary = folder / "td", folder / "out", folder / "temporary"
        self.log = folder / "log.txt"
        shutil.copytree(begin, self._td)
        self.temporary.mkdir()
        self.requests = 0

    def tables(self) -> dict[str, pa.Table]:
        engine = EmbeddedEngine(self._td, threads=1)
        return {name: engine.read(shop.DATABASE, name) for name in engine.tables(shop.DATABASE)}

    def run(self, kill: Kill | None = None) -> int:
        """The exit code of a whole run; how many requests it made is kept."""
        started: list[subprocess.Popen[bytes]] = []
        renames, self.requests = itertools.count(1), 0

        def line(text: str) -> None:
            self.requests += 1
            if RENAME in text and kill and next(renames) == kill.at_rename:
                os.killpg(started[0].pid, signal.SIGKILL)

        with Emulator(EmbeddedEngine(self._td, threads=1), poll_again=1, line=line) as td:
            command = [sys.executable, "-m", "local_runner", "run", "mta.dig", "--warehouse", "td"]
            command += ["--out", str(self.out), "--session", shop.SESSION]
            settings = shop.SETTINGS | {"network": "logistic", "td_api_server": td.url}
            variables = runs.account(td) | {"TMPDIR": str(self.temporary)}
            process = killing.start(command + runs.sets(settings), self.log, variables)
            started.append(process)
            if kill is None or kill.seconds is None:
                return process.wait(killing.PATIENCE)
            killing.kill_after(process, kill.seconds)
            return int(process.returncode)

    def left_over(self, complete: "Place") -> list[str]:
        """Files beside those of a complete run."""
        left = killing.names(self.out) - killing.names(complete.out)
        left |= killing.names(self.temporary)
        return [f"{name} is left over" for name in sorted(left)]


def over_emulator(folder: Path, moments: int, at_once: int) -> Iterator[tuple[str, list[str]]]:
    """The problems after each kill, which is named."""
    begin = folder / "begin"
    _fill(begin)
    places = [Place(folder / f"complete{number}", begin) for number in range(at_once)]
    with ThreadPoolExecutor(at_once) as pool:
        started = time.monotonic()
        codes = list(pool.map(Place.run, places))
        seconds = time.monotonic() - started  # as it is beside so many others
        assert not any(codes), [place.log.read_text() for place in places]
        complete = places[0]
        print(f"a complete run: {seconds:.0f} s, {complete.requests} requests", flush=True)
        new = complete.tables()
        kills = [
            *(
                Kill(name=f"at {share:.1%} of the time", seconds=share * seconds)
                for share in killing.shares(moments)
            ),
            *(Kill(name=f"after rename {n}", at_rename=n) for n in range(1, 1 + RENAMES)),
        ]
        running = [
            pool.submit(_after, kill, folder / f"{number}", begin, complete, new)
            for number, kill in enumerate(kills)
        ]
        found = []
        for ended in as_completed(running):
            found.append(ended.result())
            yield found[-1].kill, found[-1].problems
    mixed, staged = sum(one.is_mixed for one in found), sum(one.has_staged for one in found)
    print(
        f"emulator: {mixed} kills left tables of both runs until the next one, {staged} left "
        "tables ..._staging_..., which docs/limits.md names",
        flush=True,
    )


def _fill(begin: Path) -> None:
    """Input tables, and the last run's."""
    engine = EmbeddedEngine(begin, threads=1)
    engine.create_database(shop.DATABASE)
    old = {name: pa.table({"of": [f"the last run's {name}"]}) for name in shop.MADE_BY_PYTHON}
    for name, table in (shop.tables(users=100) | old).items():
        engine.write(shop.DATABASE, name, table)


def _after(
    kill: Kill, folder: Path, begin: Path, complete: Place, new: dict[str, pa.Table]
) -> Found:
    """What a kill and the next run leave of the tables that a complete run makes."""
    place = Place(folder, begin)
    ended = place.run(kill)
    answered = place.requests
    differ = compare.differing_tables(place.tables(), new, shop.MADE_BY_PYTHON)
    code = place.run()
    again = place.tables()
    problems = compare.differing_tables(again, new, sorted(new))
    problems += [f"the next run ended with {code}: {place.log.read_text()}"] if code else []
    others = sorted({*again} - {*new})
    problems += [f"{name} is left over" for name in others if not STAGED.search(name)]
    problems += place.left_over(complete)
    shutil.rmtree(folder)
    end = "" if ended == -signal.SIGKILL else f", when it had ended with {ended}"
    return Found(
        kill=f"{kill.name}{end} ({answered} requests)",
        is_mixed=0 < len(differ) < len(shop.MADE_BY_PYTHON),
        has_staged=any(STAGED.search(name) for name in others),
        problems=problems,
    )
