"""The emulator's own tests with the real clients, with the real Trino behind it."""

from collections.abc import Iterator

import pytest

from td_emulator import Emulator
from td_emulator.engines.real_trino import TrinoEngine
from tests.td_emulator import test_clients
from tests.trino import suites

quick_clients = test_clients.quick_clients
client, api = test_clients.client, test_clients.api


@pytest.fixture
def td(empty: TrinoEngine) -> Iterator[Emulator]:
    with Emulator(empty, poll_again=0) as emulator:
        emulator.create_database("mta")
        yield emulator


globals().update(suites.tests_with(test_clients, "td"))
globals().update(suites.tests_with(test_clients, "client"))
globals().update(suites.tests_with(test_clients, "api"))
