"""One real Trino for all tests of this folder, which `make test-trino` runs and `make test` not."""

from collections.abc import Iterator

import pytest
from suites import OTHERWISE

from td_emulator.trino import RealTrino, TrinoEngine


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if item.name.startswith(tuple(OTHERWISE))]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def trino() -> Iterator[RealTrino]:
    """A server, fetched and started; what it needs and does not find is an error, no skip."""
    with RealTrino() as server:
        yield server


@pytest.fixture(scope="session")
def engine(trino: RealTrino) -> TrinoEngine:
    return TrinoEngine(trino.url)


@pytest.fixture
def empty(engine: TrinoEngine) -> TrinoEngine:
    """The engine without any database."""
    for database in engine.databases():
        engine.drop_database(database)
    return engine
