"""Random queries, each in its turn, in a process that lives long: `make fuzz`, its SQL part."""

import time
from collections import Counter

from tests.hostile.sql.judge import judge, queries
from tests.hostile.sql.worker import Worker

_LONGEST = 4000  # characters of a fault


def run(first: int, *, inputs: int | None = None, seconds: float | None = None) -> Counter[str]:
    """How the queries of these seeds ended, `faults` among it; each fault is printed."""
    ends: Counter[str] = Counter()
    worker = Worker(judge)
    last = None if seconds is None else time.monotonic() + seconds
    seed = first
    try:
        while (inputs is None or seed < first + inputs) and (
            last is None or time.monotonic() < last
        ):
            report = worker.report(seed)
            ends += report.ends
            ends["inputs"] += 1
            if report.fault:
                ends["faults"] += 1
                print(f"WRONG sql, seed {seed}: {_told(report.fault, seed)}", flush=True)
            seed += 1
    finally:
        worker.stop()
    counted = ", ".join(f"{end} {number:,}" for end, number in sorted(ends.items()))
    print(f"sql: seeds {first} to {seed - 1}, {worker.started} processes: {counted}", flush=True)
    return ends


def _told(fault: str, seed: int) -> str:
    """With the queries, where the process could not name them."""
    if "select" not in fault.lower():
        fault += "".join(f"\n{sql}" for sql, _ in queries(seed)[1])
    return fault[:_LONGEST]
