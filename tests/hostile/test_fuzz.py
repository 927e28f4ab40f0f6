"""A small sample of `make fuzz`, the same in every run: what needs no process of its own."""

import pytest

from tests.hostile import fuzz


@pytest.mark.parametrize("name", fuzz.EXAMPLES)
def test_random_input_is_read_or_refused(name: str) -> None:
    ends = fuzz.fuzz(fuzz.TARGETS[name], fuzz.EXAMPLES[name], derandomize=True)
    assert set(ends) == {fuzz.READ, fuzz.REFUSED}


def test_what_is_edited_would_be_read_as_it_is() -> None:
    assert fuzz.TARGETS["dig"].run(fuzz.WORKFLOW) == fuzz.READ
