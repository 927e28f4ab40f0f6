"""Compares the local SQL engine with recorded answers of the real Trino.

A case is equal, refused or different.
"""

import csv
import json
import math
import tempfile
import traceback
from pathlib import Path
from typing import NamedTuple

from local_runner.sql import answer

CASES = Path(__file__).parents[1] / "conformance" / "trino" / "expressions.csv"
NOW = 1_772_323_200  # 2026-03-01 00:00:00 UTC


class Verdict(NamedTuple):
    """The result of a case, `equal`, `refused` or `different`, and the local answer."""

    name: str
    verdict: str
    seen: str


def cases(file: Path) -> list[dict[str, str]]:
    """The recorded cases of a file."""
    csv.field_size_limit(100_000_000)
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def check(case: dict[str, str]) -> Verdict:
    """Answer one query, on no tables."""
    try:
        with tempfile.TemporaryDirectory() as out:
            local = answer(case["sql"], None, Path(out), NOW)
    except Exception:
        return Verdict(case["sql"], "different", traceback.format_exc())
    seen = json.dumps(local)
    if local["error"] is not None and local["error"].startswith("REFUSED: "):
        return Verdict(case["sql"], "refused", seen)
    if case["error"]:
        equal = local["error"] == case["error"]
    else:
        equal = local["types"] == json.loads(case["types"])
        equal = equal and same(local["rows"], json.loads(case["rows"]))
    return Verdict(case["sql"], "equal" if equal else "different", seen)


def same(a: object, b: object) -> bool:
    """Values of JSON are the same, floats to 1e-12."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12)
    return type(a) is type(b) and a == b
