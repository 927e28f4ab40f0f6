"""`make test-kill`: a whole run, killed (-9) at moments spread over its time and at every rename.

Afterwards all tables and the report are of one run, the old or the new one; the next run gives the
right ones; and nothing is left but what those two leave. What differs over the emulator is said in
`kills_on_td.py`.
"""

import argparse
import itertools
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from td_mta.simulate.__main__ import main as simulate
from tests.end_to_end import compare, killing, runs
from tests.end_to_end.kills_on_td import over_emulator

SMALL = {
    "network": "logistic",
    "interval_draws": "20",
    "conversion_row_is_touch": "false",
    "metrics_table": "m",
    "shapley_table": "s",
}
PATHS = {"metrics_table": "m", "shapley_table": "s"}
REPORT = "report.html"
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
        killing.kill_after(process, share * self.seconds)
        return self._problems(out)

    def rename(self, number: int) -> list[str] | None:
        """The same at a rename; None where there are fewer."""
        out = self._begun()
        variables = {"KILL_AT": str(number), "PYTHONPATH": str(self._folder / "site")}
        process = self._start(out, variables)
        if process.wait(killing.PATIENCE) != -signal.SIGKILL:
            return None
        return self._problems(out)

    def _complete(self, name: str, table: bytes) -> Path:
        self.table.write_bytes(table)
        out = self._folder / name
        assert self._start(out, {}).wait(killing.PATIENCE) == 0, (
            self._folder / "log.txt"
        ).read_text()
        return out

    def _begun(self) -> Path:
        """The old run's folder, before the new one."""
        out = self._folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(self.old, out)
        return out

    def _start(self, out: Path, variables: dict[str, str]) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "td_mta.main", str(self.table), "--out", str(out)]
        return killing.start(
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
        code = self._start(out, {}).wait(killing.PATIENCE)
        if code:
            problems.append(f"the next run ended with {code}")
        if not self._is(out, self.new):
            problems.append("the next run's tables differ")
        left = killing.names(out) - killing.names(self.new)
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


def on_files(folder: Path, moments: int) -> Iterator[tuple[str, list[str]]]:
    """The problems after each kill, which is named."""
    tables = {what: touches(folder / what, seed) for what, seed in (("old", 1), ("new", 2))}
    local = Local(folder / "local", tables, SMALL)
    for share in killing.shares(moments):
        yield f"at {share:.0%} of the time", local.moment(share)
    yield from at_every_rename(local)


def at_every_rename(local: Local) -> Iterator[tuple[str, list[str]]]:
    """The problems after each kill at a rename."""
    for number in itertools.count(1):
        problems = local.rename(number)
        if problems is None:
            return
        yield f"at rename {number}", problems


def main() -> int:
    """0 when no kill had a problem."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=60, metavar="N")
    parser.add_argument("--at-once", type=int, default=4, metavar="N", help="over the emulator")
    parser.add_argument("--on", nargs="+", choices=("files", "emulator"), default=["files"])
    options = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="test_kill_") as name:
        folder = Path(name)
        if "files" in options.on:
            wrong += report("files", on_files(folder, options.moments))
        if "emulator" in options.on:
            (folder / "emulator").mkdir()
            kills = over_emulator(folder / "emulator", options.moments, options.at_once)
            wrong += report("emulator", kills)
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
