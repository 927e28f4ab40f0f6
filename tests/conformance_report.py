"""`make conformance`: cases that are not equal to the real Digdag and the real Trino, and counts.

Exit code 1 if any case is different. A refused case was refused by name, before it ran.
"""

import argparse
import collections
import sys
from pathlib import Path

from tests.local_runner import digdag_conformance
from tests.trino_on_datafusion import trino_conformance


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance_report", description=__doc__)
    sets = digdag_conformance.SETS
    parser.add_argument("--digdag", type=Path, nargs="+", metavar="CASES.jsonl", default=sets)
    parser.add_argument("--trino", type=Path, metavar="CASES.csv", default=trino_conformance.CASES)
    options = parser.parse_args()
    lines = [_digdag(file) for file in options.digdag]
    lines.append(_trino(options.trino))
    print("\n".join(lines))
    return int(any(not line.endswith(" different 0") for line in lines))


def _digdag(file: Path) -> str:
    verdicts = []
    for case in digdag_conformance.cases(file):
        verdicts.append(digdag_conformance.check(case))
        _show(f"digdag {file.stem}", verdicts[-1])
    return digdag_conformance.counts(file.stem, verdicts)


def _trino(file: Path) -> str:
    counts = collections.Counter[str]()
    for verdict in map(trino_conformance.check, trino_conformance.cases(file)):
        counts[verdict.verdict] += 1
        _show("trino", verdict)
    results = ("equal", "refused", "different")
    return "trino: " + ", ".join(f"{result} {counts[result]}" for result in results)


def _show(engine: str, verdict: digdag_conformance.Verdict | trino_conformance.Verdict) -> None:
    if verdict.verdict == "refused":
        print(f"{engine}: refused {verdict.name}", flush=True)
    if verdict.verdict == "different":
        print(f"{engine}: different {verdict.name}\n{verdict.seen}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
