"""One real Trino for all tests of this folder, which `make test-trino` runs and `make test` not."""

from collections.abc import Iterator

import pytest

from td_emulator.trino import RealTrino, TrinoEngine


@pytest.fixture(scope="session")
def trino() -> Iterator[RealTrino]:
    """A server, fetched and started; what it needs and does not find is an error, no skip."""
    with RealTrino() as server:
        yield server


@pytest.fixture(scope="session")
def engine(trino: RealTrino) -> TrinoEngine:
    return TrinoEngine(trino.url)
