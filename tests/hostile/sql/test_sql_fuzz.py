"""A sample of the random queries, the same in every run; and that what is wrong is seen."""

import os
import time
from collections import Counter

import pytest

from tests.hostile.sql import judge, queries
from tests.hostile.sql.laws import LAWS, Law
from tests.hostile.sql.worker import Report, Worker

FIRST, INPUTS = 18, 250


def test_random_queries_are_answered_alike_or_refused(capsys: pytest.CaptureFixture[str]) -> None:
    ends = queries.run(FIRST, inputs=INPUTS)
    assert ends["faults"] == 0, capsys.readouterr().out
    assert ends["inputs"] == INPUTS
    # Most queries mean something, and most laws are compared.
    assert ends[judge.ANSWERED] > ends[judge.REFUSED]
    assert sum(end.startswith("law ") for end in ends) > len(LAWS) / 2


def test_a_seed_always_means_the_same_queries() -> None:
    assert judge.queries(7) == judge.queries(7)


def test_rows_of_equal_spellings_that_differ_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Law("sorted", ["select 1"], ["select 2"])
    given = [(sql, None) for sql in (*broken.left, *broken.right)]
    monkeypatch.setattr(judge, "queries", lambda seed: (broken, given))
    assert "the law sorted does not hold" in (judge.judge(0).fault or "")


def end_as(seed: int) -> Report:
    """A process that ends in one of the ways that it must not."""
    if seed == 1:
        os.abort()
    if seed == 2:
        while True:
            time.monotonic()
    if seed == 3:
        filled = bytearray(os.urandom(1 << 20) * 400)
        time.sleep(60 + len(filled))
    return Report(Counter({judge.ANSWERED: 1}))


def test_the_end_of_a_process_is_a_fault_and_the_next_one_goes_on() -> None:
    worker = Worker(end_as, seconds=2, most_bytes=300 << 20)
    try:
        faults = [worker.report(seed).fault for seed in (0, 1, 0, 2, 3, 0)]
    finally:
        worker.stop()
    assert faults == [
        None,
        "the process ended with -6",
        None,
        "no answer after 2 s of work",
        "more than 314,572,800 bytes of memory",
        None,
    ]
    assert worker.started == 4
