"""A process that ends as it must not is a fault, and another one takes its place."""

import os
import time
from collections import Counter

from tests.hostile.sql.worker import Report, Worker


def end_as(seed: int) -> Report:
    """A process that ends in one of the ways that it must not."""
    if seed == 1:
        os.abort()
    if seed == 2:
        while True:
            time.monotonic()
    if seed == 3:
        filled = bytearray(os.urandom(1 << 20) * 300)
        time.sleep(len(filled))
    return Report(Counter({"answered": 1}))


def test_the_end_of_a_process_is_a_fault_and_the_next_one_goes_on() -> None:
    worker = Worker(end_as, seconds=1, most_bytes=200 << 20)
    try:
        faults = [worker.report(seed).fault for seed in (0, 1, 0, 2, 3, 0)]
    finally:
        worker.stop()
    assert faults == [
        None,
        "the process ended with -6",
        None,
        "no answer after 1 s of work",
        "more than 209,715,200 bytes of memory",
        None,
    ]
    assert worker.started == 4
