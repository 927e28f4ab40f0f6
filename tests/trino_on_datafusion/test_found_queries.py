"""Queries on which random tests against the real Trino once found a difference, and their like.

Each is answered as Trino answers it, or refused by name.
"""

import pytest

from tests.trino_on_datafusion import trino_conformance

pytestmark = pytest.mark.slow
FOUND = trino_conformance.CASES.with_name("found.csv")
CASES = {case["sql"]: case for case in trino_conformance.cases(FOUND)}


@pytest.mark.parametrize("sql", CASES)
def test_what_once_differed_is_equal_or_refused(sql: str) -> None:
    judged = trino_conformance.check(CASES[sql])
    assert judged.verdict in ("equal", "refused"), judged.seen


def test_most_of_them_are_equal() -> None:
    verdicts = [trino_conformance.check(case).verdict for case in CASES.values()]
    assert verdicts.count("equal") >= 350
