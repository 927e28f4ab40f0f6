"""A sample of `make test-faults`, and what it takes for a clear error."""

import pytest

from td_emulator import API_KEY
from tests.end_to_end import faults
from tests.end_to_end.conftest import Prepared

pytestmark = pytest.mark.slow
EVERY = 67  # of some hundreds: a dozen cases, each kind of fault among them


def test_a_run_under_a_fault_finishes_or_stops_clearly(prepared: Prepared) -> None:
    chosen = faults.cases(prepared.requests)[::EVERY]
    assert {case.kind for case in chosen} == set(faults.KINDS)
    outcomes = [faults.run_case(case, prepared.folder) for case in chosen]
    assert {str(o.case): o.problems for o in outcomes if o.problems} == {}


def test_every_request_of_the_workflow_and_of_python_is_listed(prepared: Prepared) -> None:
    paths = " ".join(request.path for request in prepared.requests)
    assert {request.stage for request in prepared.requests} == set(faults.STAGES)
    for part in ("job/issue", "job/result", "upload_part", "commit", "rename", "table/delete"):
        assert f"/{part}/" in paths
    assert len(prepared.requests) > 100


def test_polls_count_twice_and_staging_tables_under_any_name() -> None:
    asked = ["/v3/job/status/7"] * 4 + ["/v3/table/create/mta/t_staging_0a1b/log"] * 2
    positions = faults.positions("+a", asked)
    assert [(position.path, position.before) for position in positions] == [
        ("^/v3/job/status/7$", 0),
        ("^/v3/job/status/7$", 1),
        ("^/v3/table/create/mta/t_staging_[0-9a-f]+/log$", 0),
        ("^/v3/table/create/mta/t_staging_[0-9a-f]+/log$", 1),
    ]


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("table 'metrics': 401, set TD_API_KEY", ""),
        (f"table 'metrics': {API_KEY} is refused, set another key", "holds the key"),
        ("table 'metrics': no\nset TD_API_KEY", "is more than one line"),
        ("it failed, try again", "names no location"),
        ("table 'metrics' failed", "names no remedy"),
    ],
    ids=["clear", "key", "two lines", "no location", "no remedy"],  # the key is another each time
)
def test_an_error_is_clear_when_it_names_location_and_remedy_in_a_line(
    message: str, problem: str
) -> None:
    problems = faults.problems_of_message(message)
    assert (problem in problems[0]) if problem else not problems
