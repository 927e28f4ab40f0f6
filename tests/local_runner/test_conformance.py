"""The local runner against what the real Digdag 0.10.5.1 did: equal or refused, never different."""

import functools
from pathlib import Path

import pytest

from tests.local_runner.digdag_conformance import SETS, Verdict, cases, check, counts

pytestmark = pytest.mark.slow
RECORDED = {case["name"]: case for file in SETS for case in cases(file)}


@functools.cache
def verdict(name: str) -> Verdict:
    return check(RECORDED[name])


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_case_is_equal_or_refused(name: str) -> None:
    assert verdict(name).verdict in ("equal", "refused"), verdict(name).seen


def test_most_workflows_that_succeed_on_digdag_are_equal() -> None:
    for file in SETS:
        succeed = [case["name"] for case in cases(file) if case["exit_code"] == 0]
        equal = [name for name in succeed if verdict(name).verdict == "equal"]
        assert len(equal) >= 0.95 * len(succeed), file.name


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
    for file in SETS:
        seen = [verdict(case["name"]) for case in cases(file)]
        assert f"{counts(file.stem, seen)}\n" in page
