"""A sample of the random queries, the same in every run; and that what is wrong is seen."""

import pytest

from tests.hostile.sql import judge, queries
from tests.hostile.sql.laws import LAWS, Law

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
