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
        filled = bytearray(os.urandom(1 << 20) * 900)
        time.sleep(len(filled))
    return Report(Counter({"answered": 1}))


def faults_of(worker: Worker, *seeds: int) -> list[str | None]:
    try:
        return [worker.report(seed).fault for seed in seeds]
    finally:
        worker.stop()


def test_the_end_of_a_process_is_a_fault_and_the_next_one_goes_on() -> None:
    worker = Worker(end_as, seconds=1)
    died, hung = "the process ended with -6", "no answer after 1 s of work"
    assert faults_of(worker, 0, 1, 0, 2, 0) == [None, died, None, hung, None]
    assert worker.started == 3


def test_a_process_that_grows_is_a_fault() -> None:
    worker = Worker(end_as, most_bytes=600 << 20)  # what it imports takes a third of that
    grown = "more than 629,145,600 bytes of memory"
    assert faults_of(worker, 0, 3, 0) == [None, grown, None]
