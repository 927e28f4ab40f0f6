"""`make test-faults`: fails every request of a whole run on Treasure Data, one at a time.

The run must finish with the same tables, or stop with a clear error and leave the last run's tables
complete; the same command must then finish it. Up to the failing request all runs are alike, so a
run starts from the tables as they were before the stage of that request.
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
# A clear error names the location and the remedy.
LOCATION = re.compile(r"table|database|job|/v3/|127\.0\.0\.1")
REMEDY = re.compile(r"key|again|check|start|set |drop", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class RequestPosition:
    """A request of a whole run."""

    stage: str
    path: str  # a regular expression, since names of staging tables differ from run to run
    before: int  # requests of the stage to that path before it

    def __str__(self) -> str:
        return f"{self.stage} {self.path} ({self.before + 1})"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A fault at a request."""

    position: RequestPosition
    kind: RequestKind

    def __str__(self) -> str:
        return f"{self.kind} at {self.position}"

    @property
    def fault(self) -> Fault:
        position = self.position
        return Fault(self.kind, path=position.path, at=position.before, seconds=stages.ANSWER + 1)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a case ended; `problems` is empty where it ended as it must."""

    case: Case
    finished: bool
    messages: tuple[str, ...]
    problems: tuple[str, ...]


def prepare(folder: Path) -> list[RequestPosition]:
    """One run without faults: snapshots before each stage, and the requests of all."""
    engine = EmbeddedEngine(folder / "now", threads=1)
    engine.create_database(shop.DATABASE)
    for name, table in {**shop.tables(), **_of_last_run()}.items():
        engine.write(shop.DATABASE, name, table)
    requests = []
    for stage in STAGES:
        stages.snapshot(folder / "now", folder / stage)
        with stages.emulator(folder / "now") as td:
            ended = stages.run(stage, td, folder / "out")
            requests += positions(stage, [request.path for request in td.requests])
        if ended.messages:
            raise RuntimeError(f"{stage} without any fault: {ended.messages}\n{ended.log}")
    stages.snapshot(folder / "now", folder / END)
    return requests


def positions(stage: str, paths: Iterable[str]) -> list[RequestPosition]:
    """The requests of a stage.

    How often a state is polled depends on the machine, so of these only the first two count: there
    are always that many.
    """
    seen: collections.Counter[str] = collections.Counter()
    requests = []
    for path in paths:
        general = "^" + re.sub(r"_staging_[0-9a-f]+", "_staging_[0-9a-f]+", path) + "$"
        if not (_POLL.search(path) and seen[general] >= 2):
            requests.append(RequestPosition(stage=stage, path=general, before=seen[general]))
        seen[general] += 1
    return requests


def _of_last_run() -> dict[str, pa.Table]:
    """Output tables of an earlier run, easy to distinguish from new ones."""
    return {name: pa.table({"of": [f"the last run's {name}"]}) for name in shop.OUTPUTS}


def cases(positions: Iterable[RequestPosition], kinds: Iterable[RequestKind] = KINDS) -> list[Case]:
    """Every request of a whole run, with every kind of fault."""
    return [
        Case(position=position, kind=kind) for kind, position in itertools.product(kinds, positions)
    ]


def run_case(case: Case, folder: Path) -> Outcome:
    """Run the case's stage with its fault, and where it stopped once more without a fault."""
    with tempfile.TemporaryDirectory(prefix="test_faults_") as temporary:
        out = Path(temporary) / "out"
        now = stages.snapshot(folder / case.position.stage, Path(temporary) / "td")
        with stages.emulator(now) as td:
            td.faults.plan(case.fault)
            ended = stages.run(case.position.stage, td, out)
            problems = [f"the fault did not happen ({case})"] if td.faults.waiting else []
            td.faults.clear()
            stages.settle(td)
            problems += _problems(case, ended, stages.tables_in(now), folder)
            if ended.messages:
                again = stages.run(case.position.stage, td, out)
                problems += _problems_again(case, again, stages.tables_in(now), folder)
        files = secret.files_with(Path(temporary), API_KEY)
        problems += [f"the key is in {file}" for file in files]
    return Outcome(
        case=case, finished=not ended.messages, messages=ended.messages, problems=tuple(problems)
    )


def _problems(
    case: Case, ended: stages.Ended, left: dict[str, pa.Table], folder: Path
) -> list[str]:
    before, after = (
        _tables(folder / case.position.stage),
        _tables(folder / _next(case.position.stage)),
    )
    problems = ["the log holds the key"] if _holds_key(ended.log) else []
    if not ended.messages:
        return problems + _other_tables(left, after)
    for message in ended.messages:
        problems += problems_of_message(message)
    messages = " ".join(ended.messages)
    new = [name for name in {*before, *after} if not _same(left, before, name)]
    problems += [f"{n} is neither old nor new" for n in new if not _same(left, after, n)]
    problems += [f"{n} is left over" for n in {*left} - {*before, *after} if n not in messages]
    if case.position.stage == PYTHON and 0 < len(new) < len(shop.MADE_BY_PYTHON):
        unnamed = [name for name in new if name not in messages]
        problems += [f"{n} is new, others are old, and no message says so" for n in unnamed]
    return problems


def _problems_again(
    case: Case, again: stages.Ended, left: dict[str, pa.Table], folder: Path
) -> list[str]:
    after = _tables(folder / _next(case.position.stage))
    known = {name: table for name, table in left.items() if "_staging_" not in name}
    return [*(f"once more: {m}" for m in again.messages), *_other_tables(known, after)]


def problems_of_message(message: str) -> list[str]:
    """What is missing in an error message, or must not be in it."""
    problems = []
    if "\n" in message or "Traceback" in message:
        problems.append("is more than one line")
    if _holds_key(message):
        problems.append("holds the key")
    if not LOCATION.search(message):
        problems.append("names no location")
    if not REMEDY.search(message):
        problems.append("names no remedy")
    return [f"the error {what}: {message}" for what in problems]


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


def run_cases(cases: Sequence[Case], folder: Path, processes: int) -> Iterator[Outcome]:
    """The cases, in processes of their own; each trains its model once."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawn) as pool:
        yield from pool.map(run_case, cases, itertools.repeat(folder), chunksize=4)


def main() -> int:
    """0 when no case had a problem."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", choices=get_args(RequestKind), default=KINDS)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th case")
    parser.add_argument("--processes", type=int, default=2, metavar="N")
    options = parser.parse_args()
    started, failed = time.monotonic(), 0
    ends: collections.Counter[tuple[str, str]] = collections.Counter()
    with tempfile.TemporaryDirectory(prefix="test_faults_") as name:
        requests = prepare(Path(name))
        chosen = cases(requests, options.kinds)[:: options.every]
        outcomes = run_cases(chosen, Path(name), options.processes)
        for outcome in tqdm(outcomes, total=len(chosen), unit="run", mininterval=10):
            ends[outcome.case.kind, "finished" if outcome.finished else "stopped"] += 1
            failed += bool(outcome.problems)
            if outcome.problems:
                tqdm.write("\n    ".join([f"WRONG {outcome.case}", *outcome.problems]))
    for kind in options.kinds:
        print(f"{kind}: {ends[kind, 'finished']} finished, {ends[kind, 'stopped']} stopped")
    finished = sum(number for (_, end), number in ends.items() if end == "finished")
    print(
        f"faults: {len(options.kinds)} kinds at {len(requests)} requests of a whole run, "
        f"{len(chosen)} runs: {finished} finished with the same tables, "
        f"{len(chosen) - finished} stopped with a clear error, {failed} wrong; "
        f"{(time.monotonic() - started) / 60:.0f} min"
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
