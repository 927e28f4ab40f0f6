"""`make test-kill`: a whole run, killed (-9) at moments spread over its time and at every rename.

Afterwards all tables and the report are of one run, the old or the new one; the next run gives the
right ones; and nothing is left but what those two leave. Over the emulator, which like Treasure
Data replaces one table by one request, a kill between two of them may leave both runs' tables: that
is counted, and the next run must make them agree. Its tables `..._staging_...` may stay.
"""

import argparse
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from td_emulator import EmbeddedEngine, Emulator
from td_mta.simulate.__main__ import main as simulate
from tests.end_to_end import compare, runs, shop

SMALL = {
    "network": "logistic",
    "interval_draws": "20",
    "conversion_row_is_touch": "false",
    "metrics_table": "m",
    "shapley_table": "s",
}
PATHS = {"metrics_table": "m", "shapley_table": "s"}
REPORT = "report.html"
RENAMES = len(shop.MADE_BY_PYTHON)  # of a run on Treasure Data, each a request
# Tables of a killed run cannot be told from those of one elsewhere, so the next one leaves them.
STAGED = re.compile(r"_staging_[0-9a-f]{12}")
PATIENCE = 600  # seconds for a run that is not killed
# The process counts its renames and, at the one of this number, is no more.
DIES = """
import os
at, seen, real = int(os.environ["KILL_AT"]), 0, os.replace
def replace(source, target, **more):
    global seen
    seen += 1
    if seen == at:
        os.kill(os.getpid(), 9)
    real(source, target, **more)
os.replace = replace
"""


class Local:
    """Runs of one table of files; `old` and `new` are what complete runs leave."""

    def __init__(self, folder: Path, tables: Mapping[str, bytes], settings: dict[str, str]) -> None:
        self._folder, self._settings = folder, settings
        (folder / "site").mkdir(parents=True)
        (folder / "site" / "sitecustomize.py").write_text(DIES)
        self.table, self._new = folder / "touches.csv", tables["new"]
        self.old = self._complete("old", tables["old"])
        started = time.monotonic()
        self.new = self._complete("new", tables["new"])
        self.seconds = time.monotonic() - started

    def moment(self, share: float) -> list[str]:
        """What is wrong after a kill at this share of a run's time."""
        out = self._begun()
        process = self._start(out, {})
        kill_after(process, share * self.seconds)
        return self._problems(out)

    def rename(self, number: int) -> list[str] | None:
        """The same at a rename; None where there are fewer."""
        out = self._begun()
        variables = {"KILL_AT": str(number), "PYTHONPATH": str(self._folder / "site")}
        process = self._start(out, variables)
        if process.wait(PATIENCE) != -signal.SIGKILL:
            return None
        return self._problems(out)

    def _complete(self, name: str, table: bytes) -> Path:
        self.table.write_bytes(table)
        out = self._folder / name
        assert self._start(out, {}).wait(PATIENCE) == 0, (self._folder / "log.txt").read_text()
        return out

    def _begun(self) -> Path:
        """The old run's folder, before the new one."""
        out = self._folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(self.old, out)
        return out

    def _start(self, out: Path, variables: dict[str, str]) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "td_mta.main", str(self.table), "--out", str(out)]
        return start(
            [*command, *runs.sets(self._settings)],
            self._folder / "log.txt",
            runs.environment(TMPDIR=str(self._temporary()), **variables),
        )

    def _temporary(self) -> Path:
        temporary = self._folder / "temporary"
        temporary.mkdir(exist_ok=True)
        return temporary

    def _problems(self, out: Path) -> list[str]:
        problems = [] if self._is(out, self.old) or self._is(out, self.new) else ["mixed sets"]
        code = self._start(out, {}).wait(PATIENCE)
        if code:
            problems.append(f"the next run ended with {code}")
        if not self._is(out, self.new):
            problems.append("the next run's tables differ")
        left = names(out) - names(self.new)
        problems += [f"{name} is left over" for name in sorted(left)]
        problems += [f"{path.name} is left over" for path in self._temporary().iterdir()]
        return problems

    def _is(self, out: Path, wanted: Path) -> bool:
        """Whether the tables and the report are those of a complete run."""
        found, complete = runs.tables_of(out), runs.tables_of(wanted)
        same = not compare.differing_tables(found, complete, sorted({*found, *complete}))
        # Reports differ by their times; that of the other table has other channels.
        sizes = [(folder / REPORT).stat().st_size for folder in (out, wanted)]
        return same and abs(sizes[0] - sizes[1]) < 100


def names(out: Path) -> set[str]:
    return {str(path.relative_to(out)) for path in out.rglob("*")}


def start(
    command: Sequence[str], log: Path, variables: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    """A process that leads a group of its own."""
    with log.open("wb") as file:
        return subprocess.Popen(
            command, cwd=runs.ROOT, env=variables, stdout=file, stderr=file, start_new_session=True
        )


def kill_after(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Kill it and its children, unless it ends before."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def touches(folder: Path, seed: int) -> bytes:
    """A small world's touchpoints."""
    options = ["--world", "independent", "--users", "400", "--days", "10", "--seed", str(seed)]
    assert simulate([*options, "--format", "csv", "--out", str(folder)]) == 0
    return (folder / "mta_user_rnd.csv").read_bytes()


def paths() -> dict[str, bytes]:
    """Two tables of paths, whose runs need no model."""
    return {
        "old": b"path,conversions,nulls\nA > B,3,5\nA,1,7\n",
        "new": b"path,conversions,nulls\nBeta > Gamma,4,5\nGamma,2,7\nDelta,1,3\n",
    }


def shares(moments: int) -> list[float]:
    """The middles of so many equal parts of a run's time."""
    return [(number + 0.5) / moments for number in range(moments)]


def on_files(folder: Path, moments: int) -> Iterator[tuple[str, list[str]]]:
    """The problems after each kill, which is named."""
    tables = {what: touches(folder / what, seed) for what, seed in (("old", 1), ("new", 2))}
    local = Local(folder / "local", tables, SMALL)
    for share in shares(moments):
        yield f"at {share:.0%} of the time", local.moment(share)
    yield from at_every_rename(local)


def at_every_rename(local: Local) -> Iterator[tuple[str, list[str]]]:
    """The problems after each kill at a rename."""
    for number in itertools.count(1):
        problems = local.rename(number)
        if problems is None:
            return
        yield f"at rename {number}", problems


def over_emulator(folder: Path, moments: int) -> Iterator[tuple[str, list[str]]]:
    """The same; says how often both runs' tables were there until the next one."""
    td = folder / "td"
    engine = EmbeddedEngine(td / "begin", threads=1)
    engine.create_database(shop.DATABASE)
    old = {name: pa.table({"of": [f"the last run's {name}"]}) for name in shop.MADE_BY_PYTHON}
    for name, table in (shop.tables(users=100) | old).items():
        engine.write(shop.DATABASE, name, table)
    shutil.copytree(td / "begin", td / "end")
    started = time.monotonic()
    assert _workflow(td / "end", folder, None) == 0, (folder / "log.txt").read_text()
    seconds, new = time.monotonic() - started, _tables(td / "end")
    mixed = staged = 0
    for kill, after, at in (
        *((f"at {share:.0%} of the time", share * seconds, None) for share in shares(moments)),
        *((f"after rename {number}", None, number) for number in range(1, 1 + RENAMES)),
    ):
        shutil.rmtree(td / "now", ignore_errors=True)
        shutil.copytree(td / "begin", td / "now")
        _workflow(td / "now", folder, after, at)
        left = _tables(td / "now")
        differ = compare.differing_tables(left, new, shop.MADE_BY_PYTHON)
        mixed += 0 < len(differ) < len(shop.MADE_BY_PYTHON)
        code = _workflow(td / "now", folder, None)
        again = _tables(td / "now")
        problems = compare.differing_tables(again, new, sorted(new))
        problems += [f"the next run ended with {code}"] if code else []
        others = sorted({*again} - {*new})
        staged += any(STAGED.search(name) for name in others)
        problems += [f"{name} is left over" for name in others if not STAGED.search(name)]
        yield kill, problems
    print(
        f"emulator: {mixed} kills left tables of both runs until the next one, {staged} left "
        "tables ..._staging_..., which docs/limits.md names",
        flush=True,
    )


def _tables(folder: Path) -> dict[str, pa.Table]:
    engine = EmbeddedEngine(folder, threads=1)
    return {name: engine.read(shop.DATABASE, name) for name in engine.tables(shop.DATABASE)}


def _workflow(
    tables: Path, folder: Path, seconds: float | None, at_rename: int | None = None
) -> int:
    """The exit code of a whole run, killed after some seconds or renames where any are given."""
    started: list[subprocess.Popen[bytes]] = []
    seen = itertools.count(1)

    def line(text: str) -> None:
        if " /v3/table/rename/" in text and next(seen) == at_rename:
            os.killpg(started[0].pid, signal.SIGKILL)

    with Emulator(EmbeddedEngine(tables, threads=1), poll_again=1, line=line) as td:
        command = [sys.executable, "-m", "local_runner", "run", "mta.dig", "--warehouse", "td"]
        command += ["--out", str(folder / "out"), "--session", shop.SESSION]
        command += runs.sets(shop.SETTINGS | {"network": "logistic", "td_api_server": td.url})
        process = start(command, folder / "log.txt", runs.account(td))
        started.append(process)
        if seconds is None:
            return process.wait(PATIENCE)
        kill_after(process, seconds)
        return int(process.returncode)


def main() -> int:
    """0 when no kill had a problem."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=60, metavar="N")
    parser.add_argument("--on", nargs="+", choices=("files", "emulator"), default=["files"])
    options = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="test_kill_") as name:
        folder = Path(name)
        if "files" in options.on:
            wrong += report("files", on_files(folder, options.moments))
        if "emulator" in options.on:
            (folder / "emulator").mkdir()
            wrong += report("emulator", over_emulator(folder / "emulator", options.moments))
    return int(wrong > 0)


def report(what: str, kills: Iterable[tuple[str, list[str]]]) -> int:
    """Print what is wrong after each kill, at once; how many were wrong."""
    are_wrong = []
    for kill, problems in kills:
        are_wrong.append(bool(problems))
        if problems:
            print("\n    ".join([f"WRONG {what}, killed {kill}", *problems]), flush=True)
        else:
            print(f"{what}, killed {kill}: right", flush=True)
    print(f"{what}: {len(are_wrong)} kills, {sum(are_wrong)} wrong", flush=True)
    return sum(are_wrong)


if __name__ == "__main__":
    sys.exit(main())
