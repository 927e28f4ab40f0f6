"""`make fuzz`: files, parameters, workflows, templates and SQL at random, each read or refused.

A fault of the program is a failure, and hypothesis shows the smallest input that makes it. Files
and parameters are read in this process; workflows and templates in one that may be killed. Queries
have a grammar, laws and a process of their own: `sql/`.
"""

import argparse
import contextlib
import io
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from td_mta import check
from td_mta.config import attribution as configuration
from td_mta.errors import ConfigError
from tests.end_to_end import runs
from tests.hostile import touchpoints
from tests.hostile.sql import queries
from tests.hostile.touchpoints import ROWS

SQL = "sql"
READ, REFUSED, LATE = "read", "refused", "too late"
MOST_SECONDS = 60  # of a workflow
LONGEST_LINE = 2000  # characters
AT_ONCE = 25  # inputs, between two looks at the clock
EXAMPLES = {"csv": 15, "parquet": 15, "params": 60}  # in CI, of what needs no other process


@dataclass(frozen=True)
class Target:
    """Inputs, and what is done with one: it returns how that ended."""

    inputs: st.SearchStrategy[Any]
    run: Callable[[Any], str]


# Where, as a share of the content; what; with which bytes.
Edit = tuple[float, str, bytes]
EDITS: st.SearchStrategy[list[Edit]] = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.sampled_from(["put", "insert", "delete", "repeat"]),
        st.binary(min_size=1, max_size=4)
        | st.sampled_from([b"\0", b'"', b"\r\n", b"\xff", b"\xef"]),
    ),
    min_size=1,
    max_size=6,
)


def edited(content: bytes, edits: Sequence[Edit]) -> bytes:
    """The content after the edits."""
    for share, what, new in edits:
        at = int(share * len(content))
        before, after = content[:at], content[at:]
        content = {
            "put": before + new + after[len(new) :],
            "insert": before + new + after,
            "delete": before + after[20:],
            "repeat": before + after[:50] + after,
        }[what]
    return content


def read(name: str, content: bytes) -> str:
    """What becomes of a file of touchpoints."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        file = Path(folder) / name
        file.write_bytes(content)
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            code = check.main([str(file), "--out", str(Path(folder) / "out")])
    assert code in (0, 2), said.getvalue()
    return REFUSED if code else READ


def parquet_bytes(columns: dict[str, pa.Array]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return touchpoints.parquet(Path(folder), **columns).read_bytes()


SCALARS = st.sampled_from(
    [
        pa.array([["a"], None] * (ROWS // 2)),
        pa.array([{"a": 1}] * ROWS),
        pa.array([b"\xff"] * ROWS),
        pa.array([None] * ROWS),
        pa.array([2**63 - 1] * ROWS),
        pa.array([float("nan"), float("inf")] * (ROWS // 2)),
        pa.array(["a", ""] * (ROWS // 2), pa.string_view()),
        pa.array([True, False] * (ROWS // 2)),
        pa.array([0, -(2**62)] * (ROWS // 2), pa.timestamp("us", "Europe/Berlin")),
        pa.array([1, 2**31 - 1] * (ROWS // 2), pa.date32()),
        pa.array([1, 2] * (ROWS // 2), pa.time32("s")),
        pa.array([1, 2] * (ROWS // 2), pa.duration("s")),
        pa.array([1, 2] * (ROWS // 2)).cast(pa.decimal128(30, 2)),
        pa.array(["x", "y"] * (ROWS // 2)).dictionary_encode(),
    ]
)
NAMES = st.sampled_from(["user_id", "time", "channel", "conversion", "value", "order_id"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**400, 10**500)
    | st.floats()
    | st.text(max_size=30)
    | st.dates()
    | st.sampled_from(["${in_db}", "${a == 'b' ? c : d}", "${in_db.replace(/(/, '')}", "-30d"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def load(text: str) -> str:
    """What becomes of a file of parameters."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "params.yml"
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            configuration.load(file)
        except ConfigError:
            return REFUSED
    return READ


def in_process(*words: str) -> str:
    """What becomes of a command of the local runner."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "local_runner", *words],
            cwd=runs.ROOT,
            env=runs.environment(),
            capture_output=True,
            timeout=MOST_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return LATE
    except ValueError:  # what no command line can hold
        return REFUSED
    said = done.stderr.decode("utf-8", "replace")
    assert done.returncode in (0, 1, 2), f"{done.returncode}: {said}"
    assert "Traceback" not in said and "fault of the program" not in said, said
    return REFUSED if done.returncode else READ


def run_dig(content: bytes) -> str:
    """What becomes of a workflow that is only looked at."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "w.dig"
        file.write_bytes(content)
        where = ["--data", folder, "--out", str(Path(folder) / "out"), "--session", "2026-01-31"]
        return in_process("run", str(file), *where, "--dry-run")


WORKFLOW = b"""timezone: UTC
+a:
  echo>: ${session_date}
+b:
  for_each>:
    x: [1, 2]
  _do:
    echo>: ${x}
"""
CODE = st.text(st.sampled_from("(){}[];,.'\"+-*/=<>!&|?:abx019 \n"), max_size=40)
TARGETS = {
    "csv": Target(
        EDITS.map(lambda edits: edited(touchpoints.csv_bytes(), edits)),
        lambda content: read("touchpoints.csv", content),
    ),
    "parquet": Target(
        st.builds(
            lambda columns, edits: edited(parquet_bytes(columns), edits),
            st.dictionaries(NAMES, SCALARS, max_size=3),
            st.just([]) | EDITS,
        ),
        lambda content: read("touchpoints.parquet", content),
    ),
    "params": Target(
        st.dictionaries(st.sampled_from(configuration.PARAMETERS), VALUES, max_size=4).map(
            lambda values: yaml.safe_dump(values, allow_unicode=True)
        )
        | EDITS.map(
            lambda edits: edited((runs.ROOT / "config" / "params.yml").read_bytes(), edits).decode(
                "utf-8", "replace"
            )
        ),
        load,
    ),
    "dig": Target(EDITS.map(lambda edits: edited(WORKFLOW, edits)), run_dig),
    "templates": Target(
        CODE.map(lambda code: WORKFLOW.replace(b"session_date", code.encode())), run_dig
    ),
}


def fuzz(target: Target, examples: int, *, derandomize: bool = False) -> Counter[str]:
    """How some random inputs ended; raises at a fault of the program."""
    ends: Counter[str] = Counter()

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=derandomize,
        suppress_health_check=list(HealthCheck),
    )
    @given(target.inputs)
    def one(content: Any) -> None:
        ends[target.run(content)] += 1

    one()
    return ends


def main() -> int:
    """0 when no input made a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=6, help="for each kind of input")
    kinds = [*TARGETS, SQL]
    parser.add_argument("--what", nargs="+", choices=kinds, default=kinds)
    parser.add_argument("--seed", type=int, help="of the first query; the others follow")
    options = parser.parse_args()
    failed = 0
    for name in options.what:
        if name == SQL:
            first = random.randrange(2**40) if options.seed is None else options.seed
            failed += queries.run(first, seconds=60 * options.minutes)["faults"]
            continue
        ends: Counter[str] = Counter()
        last = time.monotonic() + 60 * options.minutes
        try:
            while time.monotonic() < last:
                ends += fuzz(TARGETS[name], AT_ONCE)
        except Exception as error:
            failed += 1
            lines = (f"WRONG {name}: {error}", *getattr(error, "__notes__", []))
            print(*(line[:LONGEST_LINE] for line in lines), sep="\n")
        counted = ", ".join(f"{end} {number:,}" for end, number in sorted(ends.items()))
        print(f"{name}: {ends.total():,} inputs: {counted}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
