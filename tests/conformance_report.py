"""`make conformance`: cases that are not equal to the real Digdag and the real Trino, and counts.

Exit code 1 if any case is different. A refused case was refused by name, before it ran.
"""

import argparse
import collections
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.local_runner import digdag_conformance
from tests.trino_on_datafusion import trino_conformance


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance_report", description=__doc__)
    parser.add_argument(
        "--digdag", type=Path, metavar="CASES.jsonl", default=digdag_conformance.CASES
    )
    parser.add_argument("--trino", type=Path, metavar="CASES.csv", default=trino_conformance.CASES)
    options = parser.parse_args()
    workflows = map(digdag_conformance.check, digdag_conformance.cases(options.digdag))
    queries = map(trino_conformance.check, trino_conformance.cases(options.trino))
    lines = [_report("digdag", workflows), _report("trino", queries)]
    print("\n".join(lines))
    return int(any(not line.endswith(" different 0") for line in lines))


def _report(
    engine: str, verdicts: Iterable[digdag_conformance.Verdict | trino_conformance.Verdict]
) -> str:
    counts = collections.Counter[str]()
    for verdict in verdicts:
        counts[verdict.verdict] += 1
        if verdict.verdict == "refused":
            print(f"{engine}: refused {verdict.name}", flush=True)
        if verdict.verdict == "different":
            print(f"{engine}: different {verdict.name}\n{verdict.seen}", flush=True)
    results = ("equal", "refused", "different")
    return f"{engine}: " + ", ".join(f"{result} {counts[result]}" for result in results)


if __name__ == "__main__":
    sys.exit(main())
