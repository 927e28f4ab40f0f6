"""Tests of another module, to be run again with other fixtures.

Where the real Trino with tables in memory does otherwise than the embedded engine, `OTHERWISE` says
which test that is and why it is left out.
"""

import inspect
from collections.abc import Callable
from types import ModuleType

OTHERWISE = {
    "test_errors_have_trinos_names[delete": "Trino's own words name the connector",
    "test_a_job_that_makes_a_table_has_no_result": "an integer stays one, memory is not TD's store",
    "test_a_query_that_can_make_no_table_says_why[select 1 as a, 2": "the connector breaks on it",
}


def tests_with(module: ModuleType, fixture: str) -> dict[str, Callable[..., None]]:
    """The tests of a module that ask for a fixture, by their names."""
    return {
        name: test
        for name, test in vars(module).items()
        if name.startswith("test_") and fixture in inspect.signature(test).parameters
    }
