"""The local SQL engine against the real Trino's answers: equal or refused, never different."""

import csv
import json
import math
from pathlib import Path

import pytest

from local_runner.sql import answer

with (Path(__file__).parent / "conformance/trino/expressions.csv").open(
    encoding="utf-8", newline=""
) as file:
    CASES = list(csv.DictReader(file))
NOW = 1_772_323_200  # 2026-03-01 00:00:00 UTC
EQUAL = 260


def same(a: object, b: object) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12)
    return type(a) is type(b) and a == b


def verdict(case: dict[str, str], out: Path) -> str:
    came = answer(case["sql"], None, out, NOW)
    if came["error"] is not None and came["error"].startswith("REFUSED: "):
        return "refused"
    if case["error"]:
        return "equal" if came["error"] == case["error"] else f"different: {came}"
    wanted = (json.loads(case["types"]), json.loads(case["rows"]))
    equal = came["types"] == wanted[0] and same(came["rows"], wanted[1])
    return "equal" if equal else f"different: {came}"


def test_every_case_of_the_real_trino_is_equal_or_refused_and_most_are_equal(tmp_path):
    verdicts = {case["sql"]: verdict(case, tmp_path) for case in CASES}
    different = {sql: came for sql, came in verdicts.items() if came not in ("equal", "refused")}
    assert different == {}
    assert sum(came == "equal" for came in verdicts.values()) >= EQUAL


@pytest.mark.parametrize("group", ["url", "hash"])
def test_what_our_queries_need_is_equal_without_exception(tmp_path, group):
    refused = [c["sql"] for c in CASES if c["group"] == group and verdict(c, tmp_path) != "equal"]
    assert refused == []
