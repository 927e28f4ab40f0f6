"""What a library writes to standard error while it is imported does not reach the screen."""

import os

import pytest

from td_mta import quiet


def test_nothing_is_written_by_the_body_and_everything_after_it(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with quiet.imports():
        os.write(2, b"oneDNN custom operations are on\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_an_error_passes_through(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ImportError, match="no such package"), quiet.imports():
        raise ImportError("no such package")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
