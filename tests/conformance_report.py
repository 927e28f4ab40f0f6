"""`make conformance`: what is not equal to the real Digdag and the real Trino, and the counts.

Exit code 1 if anything is different; what is refused was refused by name before it ran.
"""

import argparse
import collections
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.local_runner import digdag_judge
from tests.trino_on_datafusion import trino_judge


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance_report", description=__doc__)
    parser.add_argument("--digdag", type=Path, metavar="CASES.jsonl", default=digdag_judge.CASES)
    parser.add_argument("--trino", type=Path, metavar="CASES.csv", default=trino_judge.CASES)
    given = parser.parse_args()
    workflows = map(digdag_judge.judge, digdag_judge.cases(given.digdag))
    queries = map(trino_judge.judge, trino_judge.cases(given.trino))
    lines = [_report("digdag", workflows), _report("trino", queries)]
    print("\n".join(lines))
    return int(any(not line.endswith(" different 0") for line in lines))


def _report(engine: str, verdicts: Iterable[digdag_judge.Verdict | trino_judge.Verdict]) -> str:
    counts = collections.Counter[str]()
    for verdict in verdicts:
        counts[verdict.verdict] += 1
        if verdict.verdict == "refused":
            print(f"{engine}: refused {verdict.name}", flush=True)
        if verdict.verdict == "different":
            print(f"{engine}: different {verdict.name}\n{verdict.seen}", flush=True)
    kinds = ("equal", "refused", "different")
    return f"{engine}: " + ", ".join(f"{kind} {counts[kind]}" for kind in kinds)


if __name__ == "__main__":
    sys.exit(main())
