"""A real Trino for all tests of this folder that one process runs, by `make test-trino` alone."""

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
import pytest

from td_emulator.engines.protocol import QueryResult
from td_emulator.engines.real_trino import RealTrino, TrinoEngine
from tests.trino.suites import OTHERWISE


class NoOrder(TrinoEngine):
    """Where no order was asked for, the last row by its text comes first: SQL promises none, and a
    test that counts on the order in which rows were written fails every time, not once in a while.
    """

    def read(self, database: str, table: str) -> pa.Table:
        return _last_first(super().read(database, table))

    def run(self, sql: str, database: str, scheduled_time: int) -> QueryResult | int:
        found = super().run(sql, database, scheduled_time)
        if isinstance(found, int) or "order by" in sql.lower():
            return found
        batches = list(found.batches)
        ordered = _last_first(pa.Table.from_batches(batches)).to_batches() if batches else []
        return replace(found, batches=iter(ordered))


def _last_first(rows: pa.Table) -> pa.Table:
    texts = [repr(list(row.values())) for row in rows.to_pylist()]
    order = sorted(range(rows.num_rows), key=texts.__getitem__, reverse=True)
    return rows.take(pa.array(order, pa.int64()))


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
    return NoOrder(trino.url)


@pytest.fixture
def empty(engine: TrinoEngine) -> TrinoEngine:
    """The engine without any database."""
    for database in engine.databases():
        engine.drop_database(database)
    return engine
