"""What the queries of `queries/counting` need more than the others: as the real Trino answers."""

import pytest

from tests.trino_on_datafusion import trino_conformance

RECORDED = trino_conformance.CASES.with_name("counting.csv")
CASES = {case["sql"]: case for case in trino_conformance.cases(RECORDED)}
REFUSED = {  # Trino fails, or orders NaN
    "SELECT width_bucket(3e0, ARRAY[2e0, 1e0])",
    "SELECT width_bucket(nan(), ARRAY[1e0])",
}


@pytest.mark.parametrize("sql", CASES)
def test_a_recorded_answer_is_equal(sql: str) -> None:
    judged = trino_conformance.check(CASES[sql])
    assert judged.verdict == ("refused" if sql in REFUSED else "equal"), judged.seen
