"""The local SQL engine against the real Trino's answers: equal or refused, never different."""

import functools
from pathlib import Path

import pytest

from tests.trino_on_datafusion.trino_conformance import CASES, Verdict, cases, check

RECORDED = {case["sql"]: case for case in cases(CASES)}
EQUAL_AT_LEAST = 270
NEEDED = ("url", "hash", "query")  # the groups that our queries rely on


@functools.cache
def verdict(sql: str) -> Verdict:
    return check(RECORDED[sql])


@pytest.mark.parametrize("sql", RECORDED)
def test_a_recorded_answer_is_equal_or_refused(sql: str) -> None:
    assert verdict(sql).verdict in ("equal", "refused"), verdict(sql).seen


def test_most_recorded_answers_are_equal() -> None:
    assert len(RECORDED) == 317
    assert sum(verdict(sql).verdict == "equal" for sql in RECORDED) >= EQUAL_AT_LEAST


@pytest.mark.parametrize("group", NEEDED)
def test_what_our_queries_need_is_equal_without_exception(group: str) -> None:
    sql = [sql for sql, case in RECORDED.items() if case["group"] == group]
    assert sql and [each for each in sql if verdict(each).verdict != "equal"] == []


def test_the_documentation_states_the_counts() -> None:
    page = (Path(__file__).parents[2] / "docs" / "local_runner.md").read_text(encoding="utf-8")
    equal = sum(verdict(sql).verdict == "equal" for sql in RECORDED)
    refused = len(RECORDED) - equal
    assert f"trino: equal {equal}, refused {refused}, different 0\n" in page
