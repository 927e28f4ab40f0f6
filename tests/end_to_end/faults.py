"""`make test-faults`: at every request of a whole run, one at a time, Treasure Data fails.

The run must finish with the same tables, or stop with a clear error and the tables of the last run
whole; the same command again must then finish it. A run that fails at some request is the same as
any other up to it, so it begins from the tables as they were before its stage.
"""

import argparse
import collections
import functools
import itertools
import multiprocessing
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pyarrow as pa
from tqdm import tqdm

from td_emulator import API_KEY, EmbeddedEngine, Fault
from td_emulator.api.faults import RequestKind
from tests.end_to_end import compare, secret, shop, stages
from tests.end_to_end.stages import PYTHON, STAGES

KINDS: tuple[RequestKind, ...] = ("500", "cut", "cut_after", "half", "slow", "401", "expired")
END = "the end"
_POLL = re.compile(r"/job/status/|/bulk_import/show/")
# A clear error says where, and what to do.
PLACE = re.compile(r"table|database|job|/v3/|127\.0\.0\.1")
REMEDY = re.compile(r"key|again|check|start|set |drop", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A request of a whole run: its stage, its path as a regular expression, since names of staging
    tables differ from run to run, and how many requests to that path come before it.
    """

    stage: str
    path: str
    before: int

    def __str__(self) -> str:
        return f"{self.stage} {self.path} ({self.before + 1})"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A fault at a request."""

    place: Place
    kind: RequestKind

    def __str__(self) -> str:
        return f"{self.kind} at {self.place}"

    @property
    def fault(self) -> Fault:
        place = self.place
        return Fault(self.kind, path=place.path, at=place.before, seconds=stages.ANSWER + 1)


@dataclass(frozen=True, kw_only=True)
class Tried:
    """How a case ended: what was wrong, or nothing."""

    case: Case
    finished: bool
    messages: tuple[str, ...]
    wrong: tuple[str, ...]


def prepare(folder: Path) -> list[Place]:
    """One run without faults: snapshots before each stage, and the requests of all."""
    engine = EmbeddedEngine(folder / "now", threads=1)
    engine.create_database(shop.DATABASE)
    for name, table in {**shop.tables(), **_of_last_run()}.items():
        engine.write(shop.DATABASE, name, table)
    found = []
    for stage in STAGES:
        stages.snapshot(folder / "now", folder / stage)
        with stages.emulator(folder / "now") as td:
            ended = stages.run(stage, td, folder / "out")
            found += places(stage, [request.path for request in td.requests])
        if ended.messages:
            raise RuntimeError(f"{stage} without any fault: {ended.messages}\n{ended.log}")
    stages.snapshot(folder / "now", folder / END)
    return found


def places(stage: str, paths: Iterable[str]) -> list[Place]:
    """The requests of a stage. How often a state is asked for depends on the machine: of these only
    the first two count, which there always are.
    """
    seen: collections.Counter[str] = collections.Counter()
    found = []
    for path in paths:
        general = "^" + re.sub(r"_staging_[0-9a-f]+", "_staging_[0-9a-f]+", path) + "$"
        if not (_POLL.search(path) and seen[general] >= 2):
            found.append(Place(stage=stage, path=general, before=seen[general]))
        seen[general] += 1
    return found


def _of_last_run() -> dict[str, pa.Table]:
    """Output tables of a run before, easily told from new ones."""
    return {name: pa.table({"of": [f"the last run's {name}"]}) for name in shop.OUTPUTS}


def cases(found: Iterable[Place], kinds: Iterable[RequestKind] = KINDS) -> list[Case]:
    """Every request of a whole run, with every kind of fault."""
    return [Case(place=place, kind=kind) for kind, place in itertools.product(kinds, found)]


def attempt(case: Case, folder: Path) -> Tried:
    """Run the case's stage with its fault, then once more without, should it have stopped."""
    with tempfile.TemporaryDirectory(prefix="test_faults_") as name:
        here = Path(name)
        now = stages.snapshot(folder / case.place.stage, here / "td")
        with stages.emulator(now) as td:
            td.faults.plan(case.fault)
            ended = stages.run(case.place.stage, td, here / "out")
            wrong = [f"the fault did not happen ({case})"] if td.faults.waiting else []
            td.faults.clear()
            stages.settle(td)
            wrong += _wrong(case, ended, stages.tables_in(now), folder)
            if ended.messages:
                again = stages.run(case.place.stage, td, here / "out")
                wrong += _wrong_again(case, again, stages.tables_in(now), folder)
        wrong += [f"the key is in {place}" for place in secret.places(here, API_KEY)]
    return Tried(
        case=case, finished=not ended.messages, messages=ended.messages, wrong=tuple(wrong)
    )


def _wrong(case: Case, ended: stages.Ended, left: dict[str, pa.Table], folder: Path) -> list[str]:
    before, after = _tables(folder / case.place.stage), _tables(folder / _next(case.place.stage))
    found = ["the log holds the key"] if _holds_key(ended.log) else []
    if not ended.messages:
        return found + _other_tables(left, after)
    for message in ended.messages:
        found += wrong_message(message)
    said = " ".join(ended.messages)
    new = [name for name in {*before, *after} if not _same(left, before, name)]
    found += [f"{n} is neither old nor new" for n in new if not _same(left, after, n)]
    found += [f"{n} is left over" for n in {*left} - {*before, *after} if n not in said]
    if case.place.stage == PYTHON and 0 < len(new) < len(shop.MADE_BY_PYTHON):
        found += [f"{n} is new, others are old, and nothing says so" for n in new if n not in said]
    return found


def _wrong_again(
    case: Case, again: stages.Ended, left: dict[str, pa.Table], folder: Path
) -> list[str]:
    after = _tables(folder / _next(case.place.stage))
    known = {name: table for name, table in left.items() if "_staging_" not in name}
    return [*(f"once more: {m}" for m in again.messages), *_other_tables(known, after)]


def wrong_message(message: str) -> list[str]:
    """What an error lacks, or holds and should not."""
    found = []
    if "\n" in message or "Traceback" in message:
        found.append("is more than one line")
    if _holds_key(message):
        found.append("holds the key")
    if not PLACE.search(message):
        found.append("names no place")
    if not REMEDY.search(message):
        found.append("names no remedy")
    return [f"the error {what}: {message}" for what in found]


def _holds_key(text: str) -> bool:
    return API_KEY.rpartition("/")[2] in text


def _other_tables(left: dict[str, pa.Table], after: dict[str, pa.Table]) -> list[str]:
    over = [f"{name} is left over" for name in sorted({*left} - {*after})]
    return over + compare.differing_tables(left, after, sorted(after))


def _same(left: dict[str, pa.Table], other: dict[str, pa.Table], name: str) -> bool:
    if name not in left or name not in other:
        return (name in left) == (name in other)
    return not compare.differing_tables(left, other, [name])


def _next(stage: str) -> str:
    return [*STAGES, END][STAGES.index(stage) + 1]


@functools.cache
def _tables(folder: Path) -> dict[str, pa.Table]:
    return stages.tables_in(folder)


def all_tried(tried: Sequence[Case], folder: Path, processes: int) -> Iterator[Tried]:
    """The cases, in processes of their own; each trains its model once."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawn) as pool:
        yield from pool.map(attempt, tried, itertools.repeat(folder), chunksize=4)


def main() -> int:
    """0 when no case went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", choices=get_args(RequestKind), default=KINDS)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th case")
    parser.add_argument("--processes", type=int, default=2, metavar="N")
    options = parser.parse_args()
    started, failed = time.monotonic(), 0
    ends: collections.Counter[tuple[str, str]] = collections.Counter()
    with tempfile.TemporaryDirectory(prefix="test_faults_") as name:
        found = prepare(Path(name))
        chosen = cases(found, options.kinds)[:: options.every]
        tried = all_tried(chosen, Path(name), options.processes)
        for one in tqdm(tried, total=len(chosen), unit="run", mininterval=10):
            ends[one.case.kind, "finished" if one.finished else "stopped"] += 1
            failed += bool(one.wrong)
            if one.wrong:
                tqdm.write("\n    ".join([f"WRONG {one.case}", *one.wrong]))
    for kind in options.kinds:
        print(f"{kind}: {ends[kind, 'finished']} finished, {ends[kind, 'stopped']} stopped")
    finished = sum(number for (_, end), number in ends.items() if end == "finished")
    print(
        f"faults: {len(options.kinds)} kinds at {len(found)} requests of a whole run, "
        f"{len(chosen)} runs: {finished} finished with the same tables, "
        f"{len(chosen) - finished} stopped with a clear error, {failed} wrong; "
        f"{(time.monotonic() - started) / 60:.0f} min"
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
