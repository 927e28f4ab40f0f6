"""The local runner against what the real Digdag 0.10.5.1 did: equal or refused, never different."""

import functools
from pathlib import Path

import pytest

from tests.local_runner.digdag_conformance import CASES, Verdict, cases, check

pytestmark = pytest.mark.slow
RECORDED = {case["name"]: case for case in cases(CASES)}
EQUAL_AT_LEAST = 245  # most of the rest is what Digdag refuses too


@functools.cache
def verdict(name: str) -> Verdict:
    return check(RECORDED[name])


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_case_is_equal_or_refused(name: str) -> None:
    assert verdict(name).verdict in ("equal", "refused"), verdict(name).seen


def test_most_recorded_cases_are_equal() -> None:
    equal = [name for name in RECORDED if verdict(name).verdict == "equal"]
    assert len(RECORDED) == 316
    assert len(equal) >= EQUAL_AT_LEAST


def test_a_refusal_names_a_file_and_comes_before_any_task() -> None:
    for name in RECORDED:
        seen = verdict(name)
        if seen.verdict == "refused":
            assert "\t" not in seen.seen.split("error:")[0]
            assert seen.seen.startswith("error: ") and any(
                word in seen.seen for word in (".dig", ".yml", "--session")
            )


def test_the_documentation_states_the_counts() -> None:
    page = (Path(__file__).parents[2] / "docs" / "local_runner.md").read_text(encoding="utf-8")
    refused = [case for case in RECORDED.values() if verdict(case["name"]).verdict == "refused"]
    on_digdag_too = sum(case["exit_code"] != 0 and not case["runs"] for case in refused)
    equal = len(RECORDED) - len(refused)
    assert f"digdag: equal {equal}, refused {len(refused)}, different 0\n" in page
    assert f"Of the refused workflows, {on_digdag_too} fail on Digdag too" in page
